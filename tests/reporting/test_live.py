"""Live views: what is held in memory equals the same question asked afresh, whatever was booked in between."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from stage.cube import with_cells
from stage.figures_of_dortmund import BULGARIA, MUNICIPALITY, ROMANIA, Cube, comes, moves, resident
from stage.reporting_office import ReportingOffice
from stage.waiting import comes_to_wait

from reporting.audiences import Audience
from reporting.cube import append, number_batch
from reporting.deltas import Delta
from reporting.figures import Answer, Figure, answer, number_of
from reporting.image import Image
from reporting.indicators import read_catalogue
from reporting.live import Hub, Waker
from reporting.live.hub import Moved
from reporting.live.streams import Stream, Streams
from reporting.wording import tile_question
from verbund.database import make_engine
from verbund.metrics import LIVE_LATENCY_SECONDS
from verbund.service.serving import GRACE_SECONDS
from verbund.settings import DatabaseSettings

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
TODAY = date(2026, 3, 15)
BEGIN = date(2020, 12, 31)
DEADLINE_SECONDS = 10.0
CATALOGUE = read_catalogue(MUNICIPALITY)
COUNTED = {name: each for name, each in CATALOGUE.indicators.items() if each.delivered is None}


class Stage:
    """A cube, and a hub that follows it only when it is told to, by a clock that stands."""

    def __init__(self, settings_of: Callable[[str], DatabaseSettings]) -> None:
        self.web, self.superuser = settings_of("web"), settings_of("superuser")
        self.cube = Cube(settings_of("reader"), self.superuser)
        self.now = NOW

    @contextmanager
    def hub(self, engine: AsyncEngine) -> Iterator[Hub]:
        yield Hub(Image(engine, MUNICIPALITY), CATALOGUE, Waker(self.web, MUNICIPALITY), clock=lambda: self.now)

    async def clear(self) -> None:
        await self.forge(
            "truncate cube.delta, cube.cell, cube.batch, cube.batch_head, figures.tick, feed.position, feed.parked",
            "truncate alerts.posting, alerts.change, alerts.alert, alerts.threshold",
        )

    async def raise_alert(self, audience: str, number: int) -> str:
        """An alert of this audience on the population; returns its number."""
        threshold_id, alert_id = uuid4(), uuid4()
        await self.forge(
            f"""insert into alerts.threshold (municipality, threshold_id, version, number, set_at, audience, indicator,
                    side, "limit", back, valid_from, crossings)
                values ('{MUNICIPALITY}', '{threshold_id}', 2, {number}, now(), '{audience}', 'population', 'over', 10,
                    8, '2020-01-01', 1)""",
            f"""insert into alerts.alert (municipality, alert_id, threshold_id, crossing, number, raised_at)
                values ('{MUNICIPALITY}', '{alert_id}', '{threshold_id}', 1, {number + 1}, now())""",
        )
        return str(alert_id)

    async def forge(self, *statements: str) -> None:
        """What no process of the office may do."""
        engine = make_engine(self.superuser)
        async with engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        await engine.dispose()


@pytest.fixture
async def stage(reporting_settings: Callable[[str], DatabaseSettings]) -> Stage:
    stage = Stage(reporting_settings)
    await stage.clear()
    return stage


@pytest.fixture
async def engine(stage: Stage) -> Any:
    engine = make_engine(stage.web)
    yield engine
    await engine.dispose()


@pytest.fixture
async def hub(stage: Stage, engine: AsyncEngine) -> Any:
    """Follows a cube in which a hundred are there and ten come every year."""
    await stage.cube.take_in(list(comes("openings", resident("05", BULGARIA), BEGIN, 100)))
    yearly = [comes("arrivals", resident("05", ROMANIA), date(year, 2, 1), 10) for year in range(2021, 2027)]
    await stage.cube.take_in([delta for deltas in yearly for delta in deltas])
    with stage.hub(engine) as hub:
        await hub.refresh()
        yield hub


def held(hub: Hub, indicator: str) -> Figure | None:
    """Today's value as the hub holds it."""
    return number_of(hub.held_tiles(hub._on)[indicator].cells[0].values[-1])


async def next_of(stream: Stream[Moved]) -> Moved:
    """What the stream tells next; a stream that stays silent fails the test instead of holding it up."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await anext(aiter(stream))


async def until(condition: Callable[[], bool]) -> None:
    """Polls; the caller has set a deadline."""
    while not condition():  # noqa: ASYNC110 - the deadline is the caller's
        await asyncio.sleep(0.01)


async def afresh(engine: AsyncEngine, at: datetime) -> dict[str, Answer]:
    """Every view asked anew."""
    async with Image(engine, MUNICIPALITY).moment() as moment:
        return {
            name: await answer(moment, CATALOGUE, tile_question(indicator, at.date(), None), Audience.COORDINATION, at)
            for name, indicator in COUNTED.items()
        }


PEOPLE = st.builds(
    resident,
    st.sampled_from(("05", "61", "unplaced", "77")),
    st.sampled_from((BULGARIA, ROMANIA, ROMANIA, "152")),
    st.sampled_from((1960, 2020)),
)
DAYS = st.one_of(
    st.dates(date(2025, 1, 1), TODAY),
    st.sampled_from((TODAY, TODAY + timedelta(days=1), BEGIN, BEGIN + timedelta(days=1), date(2025, 3, 15))),
    st.dates(date(2019, 1, 1), date(2027, 1, 1)),
)


@st.composite
def facts(draw: st.DrawFn) -> list[Delta]:
    """The deltas of something booked, or of something retracted."""
    somebody, on = draw(PEOPLE), draw(DAYS)
    kind = draw(st.sampled_from(("arrivals", "departures", "births", "deaths", "moves", "openings")))
    booked = (
        moves(somebody, draw(st.sampled_from(("04", "05", "61"))), on) if kind == "moves" else comes(kind, somebody, on)
    )
    sign = draw(st.sampled_from((1, 1, 1, -1)))
    return [delta._replace(n=sign * delta.n) for delta in booked]


@settings(max_examples=40, deadline=None, print_blob=True)
@given(st.lists(st.lists(facts(), min_size=1, max_size=8), min_size=1, max_size=6), st.sampled_from((0, 50, 50)))
def test_what_is_held_equals_what_is_asked_afresh(
    reporting_settings: Callable[[str], DatabaseSettings], batches: list[list[list[Delta]]], opened: int
) -> None:
    asyncio.run(_held_equals_afresh(Stage(reporting_settings), batches, opened))


async def _held_equals_afresh(stage: Stage, batches: Sequence[Sequence[Sequence[Delta]]], opened: int) -> None:
    await stage.clear()
    engine = make_engine(stage.web)
    try:
        with stage.hub(engine) as hub:
            if opened:
                await stage.cube.take_in(list(comes("openings", resident("05", BULGARIA), BEGIN, opened)))
            await hub.refresh()
            for batch in batches:
                await stage.cube.take_in([delta for deltas in batch for delta in deltas])
                await hub.refresh()
            found = await afresh(engine, NOW)
            assert hub.held_tiles(TODAY).keys() == found.keys()
            for name, view in hub.held_tiles(TODAY).items():
                assert view.cells == found[name].cells, name
                assert view.points == found[name].points, name
    finally:
        await engine.dispose()


async def test_an_office_in_its_first_days_is_followed_by_addition(
    stage: Stage, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spans that it reports in part stay unreported; a fact from before its first one is asked for afresh."""
    asked: list[str] = []
    ask_all = Hub._ask_all

    async def counted(*given: Any) -> Sequence[Answer]:
        asked.append("everything")
        return await ask_all(*given)

    monkeypatch.setattr(Hub, "_ask_all", counted)
    with stage.hub(engine) as hub:
        for days, times in ((0, 1), (0, 1), (1, 1), (-400, 2), (-399, 2)):
            await stage.cube.take_in(list(comes("arrivals", resident("05", ROMANIA), TODAY + timedelta(days=days))))
            await hub.refresh()
            assert len(asked) == times
            found = await afresh(engine, NOW)
            assert {name: view.cells for name, view in hub.held_tiles(TODAY).items()} == {
                name: view.cells for name, view in found.items()
            }


async def test_a_booking_moves_the_stock_the_flow_and_the_difference(stage: Stage, hub: Hub) -> None:
    before = {name: held(hub, name) for name in ("population", "arrivals", "net_movements", "deaths")}
    with hub.streams.open() as stream:
        await stage.cube.take_in(list(comes("arrivals", resident("61", BULGARIA), TODAY, 3)))
        await hub.refresh()
        told = await next_of(stream)
    assert {found.indicator for found in told.answers} == {
        "population",
        "population_change",
        "arrivals",
        "net_movements",
    }
    changed = {name: (held(hub, name) or 0) - (value or 0) for name, value in before.items()}
    assert changed == {"population": 3, "arrivals": 3, "net_movements": 3, "deaths": 0}


async def test_nobody_is_told_of_bookings_that_change_no_total(stage: Stage, hub: Hub) -> None:
    with hub.streams.open() as stream:
        await stage.cube.take_in(list(comes("arrivals", resident("05", "152"), TODAY)))
        await hub.refresh()
        await stage.cube.take_in(list(comes("births", resident("05", ROMANIA), TODAY)))
        await hub.refresh()
        told = await next_of(stream)
    assert "births" in {found.indicator for found in told.answers}
    assert told.head.number == 4


async def test_a_look_between_two_commits_misses_neither(stage: Stage, hub: Hub) -> None:
    """The first batch has its number and no commit yet when the second one comes, and the hub looks."""
    before = held(hub, "arrivals") or 0
    reader = make_engine(stage.cube.database)
    async with reader.connect() as first:
        deltas = list(comes("arrivals", resident("61", BULGARIA), TODAY, 3))
        await append(first, MUNICIPALITY, batch := uuid4(), with_cells(deltas))
        await number_batch(first, MUNICIPALITY, batch, {"registration": 1})
        second = asyncio.create_task(stage.cube.take_in(list(comes("arrivals", resident("05", ROMANIA), TODAY, 5))))
        await comes_to_wait(second, stage.superuser)
        await hub.refresh()
        await first.commit()
    await second
    await hub.refresh()
    assert held(hub, "arrivals") == before + 8
    await reader.dispose()


async def test_at_midnight_everything_is_asked_for_the_new_day(stage: Stage, hub: Hub) -> None:
    await stage.cube.take_in(list(comes("arrivals", resident("05", ROMANIA), TODAY + timedelta(days=1), 5)))
    await hub.refresh()
    before = held(hub, "population")
    stage.now = datetime(2026, 3, 15, 23, 0, tzinfo=UTC)  # midnight in Berlin
    with hub.streams.open() as stream:
        await hub.refresh()
        told = await next_of(stream)
    assert told.on == TODAY + timedelta(days=1)
    assert len(told.answers) == len(COUNTED)
    assert held(hub, "population") == (before or 0) + 5


async def test_a_rebuilt_cube_is_asked_afresh(stage: Stage, hub: Hub) -> None:
    await stage.forge("update cube.delta set n = n * 2", "update cube.batch_head set generation = generation + 1")
    await hub.refresh()
    assert held(hub, "population") == 320


async def test_a_restored_cube_is_asked_afresh_though_its_numbers_go_on(stage: Stage, hub: Hub) -> None:
    await stage.forge(
        "update cube.delta set n = n * 2",
        "update cube.delta set batch = 'ffffffff-ffff-4fff-bfff-ffffffffffff'"
        " where batch = (select batch from cube.batch order by number desc limit 1)",
        "update cube.batch set batch = 'ffffffff-ffff-4fff-bfff-ffffffffffff'"
        " where number = (select max(number) from cube.batch)",
    )
    await stage.cube.take_in(list(comes("arrivals", resident("05", ROMANIA), TODAY)))
    await hub.refresh()
    assert held(hub, "population") == 321


async def test_who_comes_back_is_told_what_changed_meanwhile(stage: Stage, hub: Hub) -> None:
    seen = hub.everything()
    assert seen is not None
    await stage.cube.take_in(list(comes("deaths", resident("05", ROMANIA), TODAY)))
    await hub.refresh()
    missed = hub.since(seen.head.generation, seen.head.number)
    assert missed is not None
    assert {found.indicator for found in missed.answers} == {"deaths", "population", "population_change"}
    assert hub.since(missed.head.generation, missed.head.number) == replace(missed, answers=())


@pytest.mark.parametrize("unknown", [(-1, -1), (1, 0), (1, 99), (7, 1)])
async def test_who_comes_back_with_another_past_is_told_everything(hub: Hub, unknown: tuple[int, int]) -> None:
    assert hub.since(*unknown) == hub.everything()


async def test_open_pages_are_told_of_alerts_as_they_come_are_acknowledged_and_go(stage: Stage, hub: Hub) -> None:
    with hub.streams.open() as stream:
        alert_id = await stage.raise_alert("coordination", 1)
        states = []
        for statement in (
            "select",
            "update alerts.alert set acknowledged_at = now()",
            "update alerts.alert set over_at = now()",
        ):
            await stage.forge(statement)
            await hub.refresh()
            told = await next_of(stream)
            assert told.what == "alerts"
            states.append([(alert.alert_id, alert.state) for alert in told.alerts[Audience.COORDINATION]])
        await hub.refresh()  # and of what has not changed nobody is told again
        await stage.raise_alert("statistics", 5)
        await hub.refresh()
        last = await next_of(stream)
    assert states == [[(alert_id, "raised")], [(alert_id, "acknowledged")], []]
    assert [alert.audience for alert in last.alerts[Audience.STATISTICS]] == ["statistics"]
    assert last.alerts[Audience.COORDINATION] == ()


async def test_the_time_from_booking_to_screen_is_measured(stage: Stage, hub: Hub) -> None:
    stage.now = datetime.now(UTC)
    await hub.refresh()
    before = _latencies()
    await stage.cube.take_in(list(comes("arrivals", resident("05", ROMANIA), stage.now.date())))
    stage.now = datetime.now(UTC) + timedelta(milliseconds=300)
    await hub.refresh()
    assert _latencies() == before + 1


def _latencies() -> float:
    return next(
        sample.value
        for metric in LIVE_LATENCY_SECONDS.collect()
        for sample in metric.samples
        if sample.name.endswith("_count")
    )


@pytest.mark.parametrize(("booked_at", "is_overdue"), [("2026-01-05", 1.0), ("2026-03-15 11:00+00", 0.0)])
async def test_a_source_that_is_late_by_its_rhythm_is_measured(
    stage: Stage, hub: Hub, booked_at: str, is_overdue: float
) -> None:
    await stage.forge(f"update feed.position set recorded_at = '{booked_at}', heard_at = '2026-03-15 11:59:59+00'")
    await hub.refresh_sources()
    measured = REGISTRY.get_sample_value("verbund_source_overdue_state", {"office": "registration"})
    assert measured == is_overdue


async def test_a_slow_reader_is_let_go_and_the_others_are_not(hub: Hub) -> None:
    message = hub.everything()
    assert message is not None
    streams: Streams[Moved] = Streams()
    with streams.open() as slow, streams.open() as quick:
        reader = aiter(quick)
        for _ in range(200):
            streams.send(message)
            assert await anext(reader) is message
        assert slow.ended
        assert [told async for told in slow] == []
        assert not quick.ended


async def test_the_end_of_the_service_ends_every_stream_and_every_later_one() -> None:
    streams: Streams[str] = Streams()
    with streams.open() as stream:
        streams.send("before")
        streams.end_all()
        assert [told async for told in stream] == []
    with streams.open() as late:
        assert [told async for told in late] == []


async def test_the_hub_follows_by_itself_and_wakes_at_the_call(stage: Stage, engine: AsyncEngine) -> None:
    await stage.cube.take_in(list(comes("openings", resident("05", BULGARIA), BEGIN, 100)))
    slow = Waker(stage.web, MUNICIPALITY, poll_seconds=30)
    async with asyncio.timeout(20), Hub(Image(engine, MUNICIPALITY), CATALOGUE, slow) as hub:
        await until(lambda: hub.everything() is not None)
        with hub.streams.open() as stream:
            await stage.cube.take_in(list(comes("births", resident("05", BULGARIA), datetime.now(UTC).date())))
            async for told in stream:
                if "births" in {found.indicator for found in told.answers}:
                    break
        assert await hub.probe() is None


async def test_the_hub_comes_back_after_the_database_was_away(stage: Stage, engine: AsyncEngine) -> None:
    await stage.cube.take_in(list(comes("openings", resident("05", BULGARIA), BEGIN, 100)))
    async with (
        asyncio.timeout(30),
        Hub(Image(engine, MUNICIPALITY), CATALOGUE, Waker(stage.web, MUNICIPALITY, poll_seconds=0.05)) as hub,
    ):
        await until(lambda: hub.everything() is not None)
        await stage.forge("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'reporting_web'")
        await stage.cube.take_in(list(comes("openings", resident("05", BULGARIA), BEGIN, 11)))
        await until(lambda: held(hub, "population") == 111)


@pytest.fixture
def served(
    stage: Stage, reporting_settings: Callable[[str], DatabaseSettings], tmp_path: Path
) -> Iterator[ReportingOffice]:
    """The office as a process of its own, over the cube of the stage."""
    asyncio.run(stage.cube.take_in(list(comes("openings", resident("05", BULGARIA), BEGIN, 100))))
    office = ReportingOffice(tmp_path, SettingsOf(reporting_settings))
    office.start()
    yield office
    office.stop()


@dataclass(frozen=True)
class SettingsOf:
    """A database as `ReportingOffice` wants it."""

    settings: Callable[[str], DatabaseSettings]

    def superuser(self) -> DatabaseSettings:
        return self.settings("superuser")


Told = dict[str, Any]


def follow(office: ReportingOffice, last_event_id: str = "", role: str = "coordination") -> Iterator[Told]:
    """Server-sent events from the real door, each with its id and its data."""
    headers = {"Authorization": f"Bearer {office.token(role)}", "Last-Event-ID": last_event_id}
    with httpx.stream("GET", f"{office.url}/live?lang=de", headers=headers, timeout=20, trust_env=False) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told: Told = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                told[name] = json.loads(value) if name == "data" else value
            elif told:
                yield told
                told = {}


def test_a_stream_begins_with_everything_and_goes_on_with_what_changed(served: ReportingOffice) -> None:
    stream = follow(served)
    first, sources = next(stream), next(stream)
    assert (first["event"], first["id"], sources["event"]) == ("tiles", "1.1", "sources")
    assert len(first["data"]["tiles"]) == len(COUNTED)
    asyncio.run(served.cube.take_in(list(comes("arrivals", resident("05", BULGARIA), datetime.now(UTC).date(), 2))))
    changed = next(told for told in stream if told["event"] == "tiles")
    population = next(tile for tile in changed["data"]["tiles"] if tile["id"] == "population")
    assert (changed["id"], population["number"], population["value"]) == ("1.2", 102, "102")


def test_a_stream_resumes_after_the_last_event_that_was_seen(served: ReportingOffice) -> None:
    asyncio.run(served.cube.take_in(list(comes("deaths", resident("05", BULGARIA), datetime.now(UTC).date()))))
    told_of = (told for told in follow(served, "1.1") if told["event"] == "tiles")
    resumed = next(told for told in told_of if "deaths" in {tile["id"] for tile in told["data"]["tiles"]})
    assert "births" not in {tile["id"] for tile in resumed["data"]["tiles"]}
    assert next(follow(served, "1.2"))["data"]["tiles"] == []


def alerts_told(office: ReportingOffice, role: str, last_event_id: str = "") -> list[dict[str, str]]:
    """The alerts that a new stream begins with: they are among the three things that it tells before all others."""
    first = {told["event"]: told["data"] for told in islice(follow(office, last_event_id, role), 3)}
    found: list[dict[str, str]] = first["alerts"]["alerts"]
    return found


@pytest.fixture
async def alerts(stage: Stage) -> dict[str, str]:
    """One alert made for each audience, there before the office is."""
    return {
        audience: await stage.raise_alert(audience, number)
        for audience, number in (("coordination", 1), ("statistics", 5))
    }


@pytest.mark.parametrize(
    ("role", "told", "may"),
    [
        ("coordination", {"coordination"}, True),
        ("chair", {"coordination"}, True),
        ("expert_group_reader", {"coordination"}, False),
        ("statistics", {"coordination", "statistics"}, True),
    ],
)
def test_alerts_reach_those_alone_who_may_be_told_of_them(
    alerts: dict[str, str],
    served: ReportingOffice,
    role: str,
    told: set[str],
    may: bool,  # noqa: FBT001
) -> None:
    for seen in ("", "1.1"):  # and whoever comes back is told of all that is open, whatever was seen before
        found = alerts_told(served, role, seen)
        assert {alert["id"] for alert in found} == {alerts[audience] for audience in told}
        assert {bool(alert["acknowledge_at"]) for alert in found} == {may}
        assert all("100" not in alert["sentence"] for alert in found), "an alert never carries the figure"


def test_an_acknowledged_alert_reaches_an_open_stream(alerts: dict[str, str], served: ReportingOffice) -> None:
    stream = (told["data"]["alerts"] for told in follow(served) if told["event"] == "alerts")
    (before,) = next(stream)
    answer = httpx.post(
        f"{served.url}/alerts/{alerts['coordination']}/acknowledgements",
        json={},
        headers={"Authorization": f"Bearer {served.token('chair')}", "Idempotency-Key": "seen"},
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text
    (after,) = next(stream)
    assert (bool(before["acknowledge_at"]), after["acknowledge_at"]) == (True, "")
    assert after["state"] != before["state"]


def test_the_service_ends_at_once_although_streams_are_open(served: ReportingOffice) -> None:
    stream = follow(served)
    next(stream)
    assert served.stop() < GRACE_SECONDS, "it ended because its time was over"
    assert [told for told in stream if told["event"] == "tiles"] == []


@pytest.mark.parametrize("roles", [(), ("clerk",), ("delivering_body",)])
def test_only_who_may_see_figures_may_follow_them(served: ReportingOffice, roles: tuple[str, ...]) -> None:
    headers = {"Authorization": f"Bearer {served.token(*roles)}"} if roles else {}
    answer = httpx.get(f"{served.url}/live", headers=headers, trust_env=False)
    assert answer.status_code == (403 if roles else 401)
