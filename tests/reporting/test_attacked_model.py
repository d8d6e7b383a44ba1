"""The outlet that attackers are sent to (`tests/attacks`) is a model: here reporting itself answers what it says.

A random city is booked into a real cube, the ticker writes ticks, and the coordination group asks.
"""

import random
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import as_file, files
from itertools import pairwise
from pathlib import Path
from typing import Any

from attacks.city import City, Person, Question, area_name, district_name, random_city, space_name
from attacks.outlets import Protected, is_exact
from sqlalchemy import text
from stage.cube import SECRET, Stage
from stage.facts import CITY, booked, resident, transition

from reporting.audiences import Audience
from reporting.deltas import record_key
from reporting.figures import Question as Asked
from reporting.figures import number_of
from reporting.indicators import Catalogue, read_catalogue
from verbund.disclosure import Perturbation, perturbation_table

BEGAN_ON = date(2018, 12, 31)
BEGINS_AT = datetime(2019, 1, 3, 8, tzinfo=UTC)
STEP = timedelta(minutes=20)  # all is over within a half-year; an indicator may tick after three bookings
NATIONALITIES = {"BGR": "125", "ROU": "154", "POL": "152", "SYR": "475"}
BANDS = {"<1980": ("40-",), ">=1980": ("0-38", "39"), "<1981": ("39", "40-"), ">=1981": ("0-38",)}
TWO_FACTS = 2

Places = Mapping[str, tuple[str, ...]]


def catalogue_of(folder: Path) -> Catalogue:
    """The house's, with the random city's nationalities as the group that is counted, and its bands."""
    with as_file(files("reporting") / "catalogue") as own:
        shutil.copytree(own, folder)
    with (folder / CITY / "nationality_groups.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"EU2,{code},2006-12-31,\n" for code in ("152", "475"))
    bands = folder / CITY / "age_bands.csv"
    header = bands.read_text(encoding="utf-8").splitlines()[0]
    rows = ("population,0-38,0,38,a,a", "population,39,39,39,b,b", "population,40-,40,,c,c")
    bands.write_text("\n".join((header, *rows, "")), encoding="utf-8")
    indicators = folder / "indicators/registration_and_population.yaml"
    written = indicators.read_text(encoding="utf-8")
    written = re.sub(r'values: \["125", "154"\]', 'values: ["125", "154", "152", "475"]', written)
    indicators.write_text(written, encoding="utf-8")
    return read_catalogue(CITY, folder)


def places_of(city: City, catalogue: Catalogue) -> Places:
    """Where in the real city the places of the random one lie."""
    found: dict[str, tuple[str, ...]] = {}
    real = sorted(code for code, areas in catalogue.city.districts.items() if len(areas) >= city.areas)
    for district, code in zip(range(city.districts), real, strict=False):
        areas = sorted(catalogue.city.districts[code])[: city.areas]
        found |= {district_name(district): (code,), space_name(district): tuple(areas[:-1])}
        found |= {area_name(district, number): (area,) for number, area in enumerate(areas)}
    return found


def named(city: City) -> City:
    """The same city with the record keys that reporting gives its people."""

    def with_key(person: Person | None) -> Any:
        return None if person is None else replace(person, key=record_key(SECRET, _name(person)))

    bookings = tuple(replace(each, before=with_key(each.before), after=with_key(each.after)) for each in city.bookings)
    return replace(city, beginning=tuple(map(with_key, city.beginning)), bookings=bookings)


def _name(person: Person) -> str:
    return f"person {person.key}"


def _facts(person: Person | None, places: Places) -> Any:
    if person is None:
        return None
    (area,) = places[area_name(person.district, person.area)]
    sex: Any = person.sex
    return resident(area, NATIONALITIES[person.nationality], person.birth_year, sex)


async def book(cube: Stage, city: City, number: int, places: Places) -> datetime:
    """Carry out one booking of a city, and write the ticks that are due then."""
    booking, at = city.bookings[number], BEGINS_AT + (number + 1) * STEP
    kind: Any = "arrival" if booking.before is None else "departure" if booking.after is None else "move"
    who = booking.after or booking.before
    assert who is not None
    facts = (_facts(booking.before, places), _facts(booking.after, places))
    await cube.take([booked(at, transition(kind, at.date(), *facts, subject=_name(who)))])
    await cube.tick(at)
    return at


def questions(city: City) -> Iterator[Question]:
    """What the group may ask: not more than two facts together."""
    return (each for each in city.questions() if sum(fact is not None for fact in each) <= TWO_FACTS)


def asked(question: Question, places: Places) -> Asked:
    filters = {
        "area": () if question.place is None else places[question.place],
        "nationality": () if question.nationality is None else (NATIONALITIES[question.nationality],),
        "sex": () if question.sex is None else (question.sex,),
        "age_band": () if question.band is None else BANDS[question.band],
    }
    return Asked(indicator="population", filters={name: codes for name, codes in filters.items() if codes})


async def follow(cube: Stage, model: Protected, number: int, at: datetime, places: Places) -> None:
    """Let the model move where the product has just ticked."""
    statement = text("""
        select district from figures.tick
        where indicator = 'population' and audience = 'coordination' and ticked_at = :at
    """)
    async with cube.reader.connect() as connection:
        moved = {row.district for row in await connection.execute(statement, {"at": at})}
    if "" in moved:
        model.ticks = [*model.ticks, number]
    for district, moments in model.moved.items():
        if places[district][0] in moved:
            moments.append(number)


async def test_reporting_answers_what_the_attacked_model_says(cube: Stage, seed: int, tmp_path: Path) -> None:
    drawn = random_city(random.Random(seed))
    catalogue = cube.catalogue = catalogue_of(tmp_path / "catalogue")
    places, city = places_of(drawn, catalogue), named(drawn)
    people = (
        transition("opening", BEGAN_ON, None, _facts(each, places), subject=_name(each)) for each in drawn.beginning
    )
    await cube.take([booked(BEGAN_ON, *people)])
    await cube.tick(BEGINS_AT)
    model = Protected(city, Perturbation(perturbation_table()), 1)
    model.ticks, model.moved = [0], {district_name(number): [0] for number in range(city.districts)}
    for number in range(len(city.bookings)):
        at = await book(cube, drawn, number, places)
        await follow(cube, model, number + 1, at, places)
        if number % 40 == 39:
            await compare(cube, model, number + 1, at, places)
    assert len(model.ticks) > len(city.bookings) / 20
    for district, moments in model.moved.items():
        touched = [
            number
            for number, each in enumerate(city.bookings, 1)
            if any(who and district_name(who.district) == district for who in (each.before, each.after))
        ]
        for before, after in pairwise(moments):
            assert sum(before < number <= after for number in touched) >= 40


async def compare(cube: Stage, model: Protected, number: int, at: datetime, places: Places) -> None:
    wrong = []
    for question in questions(model.city):
        found = await cube.ask(asked(question, places), Audience.COORDINATION, at)
        assert found.is_exact == is_exact(question), question
        if (said := number_of(found.cells[0].values[0])) != model.ask(question, number):
            wrong.append((question, said, model.ask(question, number)))
    assert wrong == []
