"""Alerts end to end: a figure crosses its threshold, an alert is booked once, shown, acknowledged, posted, and over."""

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from time import monotonic
from typing import Any

import pytest
from conftest import OfficeDatabases, Templates
from fastapi import FastAPI
from httpx import AsyncClient
from stage.booking import THRESHOLD, book, booked, execute
from stage.figures_of_dortmund import BULGARIA, comes, resident
from stage.reporting_office import ReportingOffice
from stage.webhooks import receiving

from reporting.alerts import Evaluator, Webhook
from reporting.alerts.signing import BadSecret, read_key
from reporting.alerts.webhook import Receiver
from reporting.settings import WebhookSettings
from verbund.desk.orders import Answer, Order
from verbund.errors import NotNow, Unavailable

_DEADLINE_SECONDS = 30.0
KEY = b"k" * 32
TABLES = ("alerts.posting", "alerts.receiver", "alerts.change", "alerts.alert", "alerts.threshold", "feed.position")
CUBE = ("cube.delta", "cube.cell", "cube.batch", "cube.batch_head", "figures.tick")


@pytest.fixture(scope="module")
def office(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReportingOffice]:
    databases = OfficeDatabases(templates)
    yield ReportingOffice(tmp_path_factory.mktemp("office"), databases("reporting"))
    databases.drop_all()


@pytest.fixture
async def app(office: ReportingOffice) -> AsyncIterator[FastAPI]:
    """An office of a city with nine residents, where nothing is watched yet."""
    for table in (*TABLES, *CUBE):
        await execute(office.database, f"delete from {table}")
    await office.cube.take_in(list(comes("openings", resident("05", BULGARIA), date(2013, 1, 1), 9)))
    async with office.inside() as app:
        yield app


@pytest.fixture
async def group(office: ReportingOffice, app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with office.client(app, "coordination") as client:
        yield client


@pytest.fixture
async def statistics(office: ReportingOffice, app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with office.client(app, "statistics") as client:
        yield client


def evaluator(app: FastAPI, carry_out: Callable[[Order[Any]], Awaitable[Answer]] | None = None) -> Evaluator:
    return Evaluator(app.state.image, app.state.catalogue, carry_out or app.state.desk.carry_out)


async def arrive(office: ReportingOffice, n: int) -> None:
    kind = "arrivals" if n > 0 else "departures"
    await office.cube.take_in(list(comes(kind, resident("05", BULGARIA), date(2014, 1, 1), abs(n))))


async def until(look: Callable[[], Awaitable[Any]], app: FastAPI) -> Any:
    """Look at thresholds until this is true."""
    deadline = monotonic() + _DEADLINE_SECONDS
    while not (found := await look()):
        assert monotonic() < deadline
        await evaluator(app).round()
        await asyncio.sleep(0.02)
    return found


async def alerts(client: AsyncClient, state: str | None = None) -> list[dict[str, Any]]:
    found = (await client.get("/alerts")).json()
    return [alert for alert in found if state in (None, alert["state"])]


async def raised(office: ReportingOffice, app: FastAPI, client: AsyncClient, **changes: Any) -> dict[str, Any]:
    """An alert: the city grew beyond ten."""
    await booked(client, "/thresholds", {**THRESHOLD, **changes})
    await arrive(office, 3)
    (alert,) = await until(lambda: alerts(client), app)
    found: dict[str, Any] = alert
    return found


async def test_an_alert_is_raised_acknowledged_and_over(
    office: ReportingOffice, app: FastAPI, group: AsyncClient
) -> None:
    alert = await raised(office, app, group)
    path = f"/alerts/{alert['alert_id']}"
    assert (alert["state"], alert["limit"], alert["indicator"]) == ("raised", "10", "population")
    etag = (await group.get(path)).headers["ETag"]
    answer = await book(group, f"{path}/acknowledgements", {}, **{"If-Match": '"99"'})
    assert answer.status_code == 412
    answer = await book(group, f"{path}/acknowledgements", {}, **{"If-Match": etag})
    assert (answer.status_code, answer.headers["Location"]) == (201, path)
    assert (await book(group, f"{path}/acknowledgements", {})).json()["code"] == "alert_acknowledged"
    await arrive(office, -3)  # nine: between eight and ten nothing changes
    await evaluator(app).round()
    assert len(await alerts(group, "acknowledged")) == 1
    await arrive(office, -1)
    (over,) = await until(lambda: alerts(group, "over"), app)
    assert over["over_reason"] == "back"
    assert (await book(group, f"{path}/acknowledgements", {})).json()["code"] == "alert_over"
    booked_types = await execute(office.database, "select count(*) from alerts.change")
    assert booked_types == [(3,)]


async def test_the_page_shows_open_alerts_and_takes_note_without_scripts(
    office: ReportingOffice, app: FastAPI, group: AsyncClient
) -> None:
    alert = await raised(office, app, group)
    page = (await group.get("/?lang=de", headers={"Accept": "text/html"})).text
    assert "Bevölkerung aus Bulgarien und Rumänien: über 10 Personen seit" in page
    action = f"/alerts/{alert['alert_id']}/acknowledge"
    assert f'action="{action}"' in page
    (key,) = re.findall(r'name="idempotency_key" value="([^"]+)"', page)
    for _ in range(2):
        sent = await group.post(
            action, data={"idempotency_key": key}, headers={"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        )
        assert sent.status_code == 303
    after = (await group.get("/?lang=de", headers={"Accept": "text/html"})).text
    assert "Zur Kenntnis genommen am" in after
    assert action not in after
    async with office.client(app, "expert_group_reader", language="de") as reader:
        assert "über 10 Personen" in (await reader.get("/?lang=de", headers={"Accept": "text/html"})).text


async def test_who_sees_less_is_told_nothing_of_what_others_watch(
    office: ReportingOffice, app: FastAPI, group: AsyncClient, statistics: AsyncClient
) -> None:
    alert = await raised(office, app, statistics, audience="statistics", breakdown="area", value="05")
    assert await alerts(group) == []
    assert (await group.get("/thresholds")).json() == []
    for path in (f"/alerts/{alert['alert_id']}", f"/thresholds/{alert['threshold_id']}"):
        assert (await group.get(path)).status_code == 404
    for path in (f"/alerts/{alert['alert_id']}/acknowledgements", f"/thresholds/{alert['threshold_id']}/removals"):
        assert (await book(group, path, {})).status_code == 404
    refused = await book(group, "/thresholds", {**THRESHOLD, "audience": "statistics"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_audience")
    assert str(alert["alert_id"]) not in (await group.get("/", headers={"Accept": "text/html"})).text


async def test_a_protected_figure_moves_an_alert_at_ticks_only_and_is_named_by_none(
    office: ReportingOffice, app: FastAPI, group: AsyncClient
) -> None:
    """4711 stand there: neither this nor what is shown instead stands in what is told."""
    await booked(
        group, "/thresholds", {**THRESHOLD, "breakdown": "area", "value": "05", "limit": "1000", "back": "900"}
    )
    await arrive(office, 4702)
    for _ in range(3):
        await evaluator(app).round()
    assert await alerts(group) == []
    await office.cube.tick()
    (alert,) = await until(lambda: alerts(group), app)
    shown = (await group.get("/figures/population?area=05")).json()
    assert shown["is_exact"] is False
    number = shown["cells"][0]["values"][0]["number"]
    assert abs(number - 4711) <= 5
    page = (await group.get("/?lang=en", headers={"Accept": "text/html"})).text
    section = page[page.index('id="alerts-title"') : page.index('class="of-whom"')]
    with receiving() as receiver:
        hook = webhook(office, app, receiver.url)
        await execute(office.database, f"insert into alerts.receiver values ('05913000', '{digest(receiver.url)}', 0)")
        await hook.round()
        ((_, body),) = receiver.accepted()
    for text in (json.dumps(alert), section, body.decode()):
        assert not {*range(4700, 4720)} & {int(found) for found in re.findall(r"[0-9]+", text.replace(",", ""))}


def digest(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def webhook(office: ReportingOffice, app: FastAPI, url: str, **more: Any) -> Webhook:
    receiver = Receiver(url, KEY, ("coordination",))
    waits = {"first_wait": timedelta(milliseconds=20), **more}
    return Webhook(app.state.books, app.state.catalogue, receiver, **waits)


async def test_every_change_is_posted_in_order_though_the_receiver_fails_first(
    office: ReportingOffice, app: FastAPI, group: AsyncClient
) -> None:
    with receiving(500, 302, 404) as receiver:
        hook = webhook(office, app, receiver.url)
        await hook.round()  # from here on
        alert = await raised(office, app, group)
        await booked(group, f"/alerts/{alert['alert_id']}/acknowledgements", {})
        deadline = monotonic() + _DEADLINE_SECONDS
        while len(receiver.accepted()) < 2:
            assert monotonic() < deadline
            await hook.round()
            await asyncio.sleep(0.01)
        told = [json.loads(body) for _, body in receiver.accepted()]
        assert [each["type"] for each in told] == ["alert.raised", "alert.acknowledged"]
        assert {status for status, _, _ in receiver.posts[:3]} == {500, 302, 404}
        assert len({headers["webhook-id"] for _, headers, _ in receiver.posts[:4]}) == 1
        assert "over 10 persons" in told[0]["data"]["sentence"]["en"]
        assert "über 10 Personen" in told[0]["data"]["sentence"]["de"]
        for headers, body in receiver.accepted():
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
            assert headers["webhook-signature"] == f"v1,{expected}"
        await hook.round()
        assert len(receiver.posts) == 5


async def test_a_post_that_nobody_settled_is_sent_again_after_its_lease(
    office: ReportingOffice, app: FastAPI, group: AsyncClient
) -> None:
    """As after kill -9 between the receiver's answer and the commit."""
    with receiving() as receiver:
        lease = timedelta(milliseconds=50)
        await webhook(office, app, receiver.url).round()
        await raised(office, app, group)
        killed = webhook(office, app, receiver.url, lease=lease)
        await killed._postings.enlist()
        posting = await killed._postings.claim()
        assert posting is not None
        assert await killed._is_accepted(posting)
        successor = webhook(office, app, receiver.url, lease=lease)
        deadline = monotonic() + _DEADLINE_SECONDS
        while len(receiver.posts) < 2:
            assert monotonic() < deadline
            await successor.round()
            await asyncio.sleep(0.01)
        assert len({headers["webhook-id"] for _, headers, _ in receiver.posts}) == 1


async def test_an_evaluator_that_dies_before_or_after_booking_loses_and_doubles_nothing(
    office: ReportingOffice, app: FastAPI, group: AsyncClient
) -> None:
    threshold_id = (await booked(group, "/thresholds", THRESHOLD))["threshold_id"]
    await arrive(office, 3)
    desk = app.state.desk
    orders: list[Order[Any]] = []

    async def dies_before(order: Order[Any]) -> Answer:
        orders.append(order)
        raise Unavailable("stopping", "The office is closing down. Try again in a moment.")

    async def dies_after(order: Order[Any]) -> Answer:
        await desk.carry_out(order)
        raise Unavailable("stopping", "The office is closing down. Try again in a moment.")

    # The evaluator of the office itself looks too, and may be first: then there is nothing left to die for.
    with suppress(Unavailable):
        await evaluator(app, dies_before).round()
    with suppress(Unavailable):
        await evaluator(app, dies_after).round()
    for order in orders:
        with suppress(NotNow):
            await desk.carry_out(order)
    await until(lambda: alerts(group), app)
    assert len(await alerts(group, "raised")) == 1
    bodies = await execute(office.database, "select convert_from(body, 'UTF8') from ledger.record")
    assert sum(threshold_id in body and "alert-raised" in body for (body,) in bodies) == 1


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"indicator": "happiness"}, "no_such_indicator", "/indicator"),
        ({"breakdown": "ethnicity", "value": "x"}, "no_such_breakdown", "/breakdown"),
        ({"breakdown": "district"}, "half_a_cell", "/value"),
        ({"value": "SB02"}, "half_a_cell", "/breakdown"),
        ({"breakdown": "district", "value": "SB99"}, "no_such_value", "/value"),
        ({"limit": "10.5"}, "too_many_decimals", "/limit"),
        ({"back": "11"}, "back_beyond_limit", "/back"),
        ({"side": "under", "back": "9"}, "back_beyond_limit", "/back"),
        ({"period": "school_year"}, "no_such_period", "/period"),
        ({"valid_until": "2017-01-01"}, "from_after_to", "/valid_from"),
        ({"limit": 10}, "invalid", "/limit"),
        ({"limit": "1e3"}, "invalid", "/limit"),
        ({"audience": "public"}, "invalid", "/audience"),
    ],
)
async def test_a_bad_threshold_is_refused_at_its_field(
    statistics: AsyncClient, changes: dict[str, Any], code: str, pointer: str
) -> None:
    answer = await book(statistics, "/thresholds", {**THRESHOLD, **changes})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert [found["pointer"] for found in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("url", ["http://example.org/hook", "ftp://127.0.0.1/", "https://", "example.org"])
def test_alerts_are_never_posted_in_the_open(url: str) -> None:
    with pytest.raises(ValueError, match="https://"):
        WebhookSettings.model_validate({"url": url, "secret_file": "secret"})


@pytest.mark.parametrize("text", ["", "secret", "c2hvcnQ=", "whsec_!!"])
def test_a_secret_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadSecret):
        read_key(text)
    assert read_key(f"whsec_{base64.b64encode(KEY).decode()}\n") == KEY
