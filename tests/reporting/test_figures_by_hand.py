"""Every figure is what a patient person would count by hand, from the transitions alone."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage.cube import Stage
from stage.facts import DAYS, Bookings, booked, bookings, known_by, resident, transition

from reporting.audiences import Audience
from reporting.deltas import delta_functions, each_delta, summed
from reporting.figures import WHOLE, Amount, Answer, Question, number_of, plan_of
from reporting.figures.combining import combined
from verbund.events.offices import find_offices
from verbund.events.registration import ResidentFacts, ResidentTransition

NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
STATISTICS, COORDINATION = Audience.STATISTICS, Audience.COORDINATION
OPENING_ON = date(2015, 12, 31)


DISTRICTS = {"04": "SB02", "05": "SB02", "06": "SB02", "01": "SB01", "61": "SB09"}
BANDS = {"0-5": (0, 5), "6-17": (6, 17), "18-24": (18, 24), "25-44": (25, 44), "45-64": (45, 64), "65plus": (65, 200)}


def place_of(area: str, level: str) -> str:
    if area not in DISTRICTS:
        return "unplaced"
    return DISTRICTS[area] if level == "district" else area


def code_of(facts: ResidentFacts, dimension: str, year: int) -> str:
    match dimension:
        case "district" | "area":
            return place_of(facts.area, dimension)
        case "age_band":
            age = year - facts.birth_year
            return next((code for code, (low, high) in BANDS.items() if low <= age <= high), "other")
        case _:
            return str(getattr(facts, dimension))


def counted_units(indicator: str, t: ResidentTransition) -> Iterator[tuple[int, ResidentFacts, ResidentFacts | None]]:
    """What one transition adds to an indicator: how many, whose facts, and for moves where from."""
    n = t.sign * t.n
    if indicator in ("population", "population_change"):
        if t.before is not None:
            yield -n, t.before, None
        if t.after is not None:
            yield n, t.after, None
    if indicator in ("arrivals", "net_movements") and t.kind == "arrival" and t.after is not None:
        yield n, t.after, None
    if indicator == "departures" and t.kind == "departure" and t.before is not None:
        yield n, t.before, None
    if indicator == "net_movements" and t.kind == "departure" and t.before is not None:
        yield -n, t.before, None
    if indicator == "births" and t.kind == "birth" and t.after is not None:
        yield n, t.after, None
    if indicator == "moves" and t.kind == "move" and t.after is not None:
        yield n, t.after, t.before


def by_hand(
    indicator: str,
    known: Sequence[ResidentTransition],
    first: date | None,
    last: date,
    wanted: dict[str, set[str]],
) -> int:
    """Everything with `first` <= day <= `last` (without `first`: from the beginning) that has the wanted codes."""
    total = 0
    for t in known:
        if t.effective_on > last or (first is not None and t.effective_on < first):
            continue
        for n, facts, origin in counted_units(indicator, t):
            if facts.nationality not in ("125", "154") or facts.residence_kind != "main":
                continue
            year = last.year if first is None else t.effective_on.year
            if not all(code_of(facts, dimension, year) in codes for dimension, codes in wanted.items()):
                continue
            level = next((name for name in wanted if name in ("district", "area")), None)
            if origin is not None and level and place_of(origin.area, level) == place_of(facts.area, level):
                continue
            total += n
    return total


STOCKS = ("population",)
FLOWS = ("arrivals", "departures", "net_movements", "births", "moves")
VALUES = {
    "nationality": ("125", "154"),
    "age_band": tuple(BANDS),
    "sex": ("f", "m", "d", "unknown"),
    "district": ("SB01", "SB02", "unplaced"),
    "area": ("04", "05", "01", "unplaced"),
}


@st.composite
def questions(draw: st.DrawFn) -> Question:
    indicator = draw(st.sampled_from((*STOCKS, "population_change", *FLOWS, "moves")))
    dimensions = [name for name in VALUES if not (name == "age_band" and indicator == "births")]
    chosen = draw(st.lists(st.sampled_from(dimensions), unique=True, max_size=3))
    if "district" in chosen and "area" in chosen:
        chosen.remove("area")
    filtered = draw(st.sets(st.sampled_from(chosen))) if chosen else set()
    filters = {
        "area" if name == "district" else name: tuple(
            draw(st.lists(st.sampled_from(VALUES[name]), unique=True, min_size=1))
        )
        for name in sorted(filtered)
    }
    if filters.get("area") == ("unplaced",):  # which level it is at is then told by the breakdown alone
        filtered.discard("area")
        filtered.discard("district")
        filters.pop("area")
    days = sorted(draw(st.lists(DAYS, unique=True, min_size=1, max_size=3)))
    is_flow = indicator in FLOWS
    return Question(
        indicator=indicator,
        by=tuple(name for name in chosen if name not in filtered),
        filters=filters,
        as_of=() if is_flow else tuple(days),
        from_on=days[0] if is_flow else None,
        to_on=days[-1] if is_flow else None,
        every=draw(st.sampled_from((None, "year", "quarter"))) if is_flow else None,
        known_on=draw(st.none() | DAYS),
    )


def wanted_of(question: Question) -> dict[str, set[str]]:
    wanted = {}
    for name, codes in question.filters.items():
        level = "district" if name == "area" and any(code.startswith("SB") for code in codes) else name
        wanted[level] = set(codes)
    return wanted


def _check_terms(cube: Stage, events: Sequence[Any], began: Any, question: Question, found: Answer) -> None:
    """Live views add deltas to terms: this has to be the same figure."""
    plan = plan_of(cube.catalogue, question, Audience.STATISTICS, NOW)
    deltas = [
        delta
        for delta in summed(each_delta([began, *events], delta_functions(find_offices()), lambda _: 1))
        if question.known_on is None or delta.recorded_on <= question.known_on
    ]
    for row, cell in enumerate(found.cells):
        for point, value in enumerate(cell.values):
            if value.kind == "not_reported" or (row > 20 and value.kind == "zero"):
                continue
            contents = [
                {
                    WHOLE: Amount(
                        sum(d.n for d in deltas for t in part if t.matches(d.measure, d.dims, d.effective_on)), 0
                    )
                }
                for part in plan.parts_of(row, point)
            ]
            assert combined(plan.indicator, contents) == value, (cell.keys, point)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bookings=bookings(), question=questions(), split=st.integers(0, 25))
async def test_every_figure_is_what_counting_by_hand_gives(
    cube: Stage, bookings: Bookings, question: Question, split: int
) -> None:
    events = bookings.events
    await cube.clear()
    began = booked(OPENING_ON, transition("opening", OPENING_ON, None, resident(birth_year=1954)))
    await cube.take([began, *events[:split]])
    await cube.take(events[split:])
    known = known_by([began, *events], question.known_on)
    found = await cube.ask(question, STATISTICS, NOW)

    def count(first: date | None, last: date, wanted: dict[str, set[str]]) -> int:
        whole = by_hand(question.indicator, known, first, last, wanted)
        if question.indicator != "population_change":
            return whole
        leap_day = (last.month, last.day) == (2, 29)
        before = last.replace(year=last.year - 1, day=28 if leap_day else last.day)
        if (last.month, last.day) == (2, 28) and last.year - 1 == 2016:
            before = date(2016, 2, 29)
        return whole - by_hand(question.indicator, known, first, before, wanted)

    for cell in found.cells:
        wanted = {name: {key.code} for name, key in zip(question.by, cell.keys, strict=True)} | wanted_of(question)
        for point, value in zip(found.points, cell.values, strict=True):
            if question.indicator == "population_change" and value.kind == "not_reported":
                assert point.to_on < OPENING_ON + timedelta(days=366)
                continue
            assert number_of(value) == count(point.from_on, point.to_on, wanted), (wanted, point)
    _check_terms(cube, events, began, question, found)
    if found.adds_up and question.indicator != "population_change":
        for i, point in enumerate(found.points):
            rows = [number_of(cell.values[i]) for cell in found.cells]
            assert sum(n for n in rows if n is not None) == count(point.from_on, point.to_on, wanted_of(question))
