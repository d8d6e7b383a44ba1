"""The engine against a list of facts that is gone through by hand, in cities that chance has drawn."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from stage.cube import Stage
from stage.facts import booked, registration, resident, retracted, transition
from stage.made_cities import BEGAN, CITY, UNPLACED, MadeCity, catalogue_of, draw_city
from stage.plain_counting import BANDS, Counting, Fact

from reporting.audiences import Audience
from reporting.figures import Answer, Question, number_of
from reporting.indicators import read_catalogue
from verbund.errors import RuleBroken
from verbund.events.registration import RegistrationTransition, ResidentTransition

NOW = datetime(2019, 3, 15, 9, tzinfo=UTC)
FIRST, LAST = date(2016, 1, 1), date(2019, 2, 28)
SPECIAL = (date(2016, 2, 29), date(2017, 2, 28), date(2016, 12, 31), date(2017, 1, 1), date(2018, 7, 31))
STOCKS, FLOWS = (
    ("population", "population_change"),
    ("arrivals", "departures", "net_movements", "moves", "registrations"),
)
EVERY = ("month", "quarter", "half_year", "year", "rolling_year")
KINDS = ("arrival", "arrival", "departure", "birth", "death", "move", "move", "change")
Told = ResidentTransition | RegistrationTransition


def day(chance: Random) -> date:
    if chance.random() < 0.2:
        return chance.choice(SPECIAL)
    return FIRST + timedelta(days=chance.randrange((LAST - FIRST).days))


def draw_told(chance: Random, codes: Sequence[str], number: int) -> Told:
    def facts() -> Any:
        return resident(
            chance.choice(codes),
            chance.choice(("125", "125", "154", "000")),
            chance.choice((1940, 1952, 1953, 1993, 2000, 2011)),
            chance.choice(("f", "m", "unknown")),
            chance.choice(("main", "main", "main", "secondary")),
        )

    on, kind = day(chance), chance.choice(KINDS)
    if chance.random() < 0.15:
        act = registration(on, late=chance.random() < 0.4, subject=f"flat {number}")
        return act.model_copy(update={"after": act.after.model_copy(update={"area": chance.choice(codes)})})  # type: ignore[union-attr]
    before = facts() if kind in ("departure", "death", "move", "change") else None
    after = facts() if kind in ("arrival", "birth", "move", "change") else None
    return transition(kind, on, before, after, subject=f"somebody {number}", n=chance.randint(1, 3))  # type: ignore[arg-type]


def fact_of(t: Told, known_on: date) -> Fact:
    before, after = (None if facts is None else facts.model_dump() for facts in (t.before, t.after))
    return Fact(t.kind, t.effective_on, known_on, t.sign * t.n, before, after)


async def tell(cube: Stage, chance: Random, city: MadeCity, count: int) -> list[Fact]:
    """Facts in any order of days, every fifth taken back later; the office has been there from the beginning on."""
    codes = [*(row.code for row in city.areas), UNPLACED, "nowhere"]
    opening = transition("opening", BEGAN, None, resident(codes[0], birth_year=1954))
    said: list[tuple[date, Told]] = [(BEGAN, opening)]
    for number in range(count):
        told, known_on = draw_told(chance, codes, number), day(chance)
        said.append((known_on, told))
        if chance.random() < 0.2:
            said.append((max(known_on, day(chance)), retracted(told)))
    events = [booked(known_on, told) for known_on, told in said]
    cut = chance.randrange(len(events))
    await cube.take(events[:cut])
    await cube.take(events[cut:])
    return [fact_of(told, known_on) for known_on, told in said]


def draw_question(chance: Random, city: MadeCity) -> Question:
    indicator = chance.choice((*STOCKS, *FLOWS, "moves"))
    kinds = [chance.choice(("district", "area", "quarter") if city.quarters else ("district", "area"))]
    if indicator != "registrations":
        kinds += ["nationality", "age_band", "sex"]
    by = chance.sample(kinds, chance.randint(0, min(3, len(kinds))))
    values: dict[str, Sequence[str]] = {
        kinds[0]: city.codes(kinds[0]),
        "nationality": ("125", "154"),
        "age_band": tuple(BANDS),
        "sex": ("f", "m", "unknown"),
    }
    filters: dict[str, tuple[str, ...]] = {}
    for name in by:
        if chance.random() < 0.3:
            some = tuple(chance.sample(sorted(values[name]), chance.randint(1, min(3, len(values[name])))))
            if some != (UNPLACED,):  # of which kind of areas it is cannot be told alone
                filters["area" if name in ("district", "quarter") else name] = some
    asked: dict[str, Any] = {"indicator": indicator, "by": tuple(by), "filters": filters}
    first, last = sorted((day(chance), day(chance)))
    if chance.random() < 0.5:
        asked |= {"as_of": tuple(sorted({day(chance) for _ in range(chance.randint(1, 3))}))}
        if indicator in FLOWS:
            asked["every"] = chance.choice(EVERY)
    else:
        asked |= {"from_on": first, "to_on": last, "every": chance.choice(EVERY)}
    if chance.random() < 0.5:
        asked["known_on"] = day(chance)
    if chance.random() < 0.3:
        asked["compare" if chance.random() < 0.5 else "compare_known_on"] = "year_before"
        if "compare_known_on" in asked:
            asked["compare_known_on"] = day(chance)
    return Question(**asked)


def wanted_of(question: Question, keys: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Codes by dimension, of the filters and of one row."""
    wanted = {}
    for name, codes in question.filters.items():
        level = next((each for each in question.by if each in ("district", "area", "quarter")), name)
        wanted[level if name == "area" else name] = codes
    return {**wanted, **{name: (code,) for name, code in keys.items()}}


def year_before(on: date) -> date:
    """The same day a year before; the last of February stays the last of February."""
    if (on + timedelta(days=1)).day == 1 and on.month == 2:
        return date(on.year - 1, 3, 1) - timedelta(days=1)
    return on.replace(year=on.year - 1)


def by_hand(
    counting: Counting, indicator: str, first: date | None, last: date, wanted: Any, known_on: date | None
) -> int | None:
    if indicator != "population_change":
        return counting.count(indicator, first, last, wanted, known_on)
    now, then = (counting.count("population", None, on, wanted, known_on) for on in (last, year_before(last)))
    return None if now is None or then is None else now - then


def check(found: Answer, question: Question, counting: Counting, seed: int) -> None:
    for cell in found.cells:
        keys = dict(zip(question.by, (key.code for key in cell.keys), strict=True))
        wanted = wanted_of(question, keys)
        for at, point in enumerate(found.points):
            said = (seed, question, keys, point)
            expected = by_hand(counting, question.indicator, point.from_on, point.to_on, wanted, question.known_on)
            assert number_of(cell.values[at]) == expected, said
            if question.compare_known_on is not None:
                expected = by_hand(
                    counting, question.indicator, point.from_on, point.to_on, wanted, question.compare_known_on
                )
                assert number_of(cell.compared[at]) == expected, said
            if question.compare is not None:
                assert point.compared_to_on is not None
                expected = by_hand(
                    counting,
                    question.indicator,
                    point.compared_from_on,
                    point.compared_to_on,
                    wanted,
                    question.known_on,
                )
                assert number_of(cell.compared[at]) == expected, said


async def check_that_parts_make_the_whole(cube: Stage, found: Answer, question: Question) -> None:
    if not found.adds_up or not question.by or question.filters:
        return
    whole = await cube.ask(question.model_copy(update={"by": ()}), Audience.STATISTICS, NOW)
    for at in range(len(found.points)):
        parts = [number_of(cell.values[at]) for cell in found.cells]
        assert sum(part for part in parts if part is not None) == number_of(whole.cells[0].values[at]), question


@pytest.mark.parametrize("attempt", range(6))
async def test_every_figure_of_a_made_city_is_what_counting_by_hand_gives(
    cube: Stage, tmp_path: Path, seed: int, attempt: int
) -> None:
    chance = Random(seed + attempt)
    city = draw_city(chance)
    cube.catalogue = read_catalogue(CITY, catalogue_of(city, tmp_path))
    facts = await tell(cube, chance, city, 60)
    counting = Counting(facts, city.place, city.is_there)
    for _ in range(40):
        question = draw_question(chance, city)
        try:
            found = await cube.ask(question, Audience.STATISTICS, NOW)
        except RuleBroken as refused:
            assert refused.code == "no_period_ends", (question, refused.code)  # noqa: PT017
            continue
        check(found, question, counting, seed + attempt)
        await check_that_parts_make_the_whole(cube, found, question)
