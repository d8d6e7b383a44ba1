"""Random small cities: who lives where, and who comes, goes and moves. All that is secret stands here."""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

from verbund.disclosure import KEY_MODULUS

NATIONALITIES = ("BGR", "ROU", "POL", "SYR")
SEXES = ("f", "m")
BANDS = ("<1980", ">=1980", "<1981", ">=1981")
"""Two offices' age bands, which overlap in one birth year."""
BETWEEN = "1980"
FINEST_BANDS = ("<1980", BETWEEN, ">=1981")
"""What the bands of both are made of."""
_MADE_OF: Mapping[str, tuple[str, ...]] = {
    **{each: (each,) for each in FINEST_BANDS},
    ">=1980": (BETWEEN, ">=1981"),
    "<1981": ("<1980", BETWEEN),
}
_SHARES = {"<1980": 0.44, BETWEEN: 0.03, ">=1981": 0.53}
"""How many of a city one expects in a band: everybody knows about how old people are."""
Shares = tuple[float, ...]
"""Of a cell, the parts that have a noise of their own, by how much of the cell one expects in each; sorted."""
WHOLE: Shares = (1.0,)


class Question(NamedTuple):
    """Which persons are counted. None: whatever it is. `place`: a district, an area, or a district but for an area."""

    place: str | None = None
    nationality: str | None = None
    sex: str | None = None
    band: str | None = None


class Cell(NamedTuple):
    units: int
    key: int


NOBODY = Cell(0, 0)


@dataclass(frozen=True, slots=True)
class Person:
    district: int
    area: int
    nationality: str
    sex: str
    birth_year: int
    key: int

    def places(self, areas: int) -> list[str | None]:
        """From the city down, and the social space that is the district without its last area."""
        found: list[str | None] = [None, district_name(self.district), area_name(self.district, self.area)]
        if self.area < areas - 1:
            found.append(space_name(self.district))
        return found

    def cells(self, areas: int) -> Iterator[Question]:
        """All cells in which the person counts."""
        bands = [None, *(f"{'<' if self.birth_year < year else '>='}{year}" for year in (1980, 1981))]
        if self.birth_year == 1980:
            bands.append(BETWEEN)
        for facts in product(self.places(areas), (None, self.nationality), (None, self.sex), bands):
            yield Question(*facts)


@dataclass(frozen=True, slots=True)
class Booking:
    """One unit changed: who it was, and what became of it. A move has both, an arrival no `before`."""

    before: Person | None
    after: Person | None


@dataclass(frozen=True, slots=True)
class City:
    districts: int
    areas: int
    beginning: tuple[Person, ...]
    bookings: tuple[Booking, ...]

    def questions(self) -> Iterator[Question]:
        return (Question(*each) for each in product(self.places(), *map(_or_all, (NATIONALITIES, SEXES, BANDS))))

    def atoms(self, question: Question) -> list[Question]:
        """The finest cells that a cell is made of: area, nationality, sex and finest band."""
        bands = FINEST_BANDS if question.band is None else _MADE_OF[question.band]
        places = [
            area_name(district, area)
            for district in range(self.districts)
            for area in range(self.areas)
            if question.place in (None, district_name(district), area_name(district, area))
            or (question.place == space_name(district) and area < self.areas - 1)
        ]
        nationalities = [each for each in NATIONALITIES if question.nationality in (None, each)]
        sexes = [each for each in SEXES if question.sex in (None, each)]
        return [Question(*each) for each in product(places, nationalities, sexes, bands)]

    def places(self) -> list[str | None]:
        found: list[str | None] = [None]
        for district in range(self.districts):
            found += [district_name(district), space_name(district)]
            found += [area_name(district, area) for area in range(self.areas)]
        return found

    def history(self) -> dict[Question, dict[int, Cell]]:
        """Every cell that ever had somebody in it, with what it became after how many bookings."""
        history: dict[Question, dict[int, Cell]] = defaultdict(dict)
        now: dict[Question, Cell] = defaultdict(lambda: NOBODY)
        changes = [(0, person, 1) for person in self.beginning]
        for number, booking in enumerate(self.bookings):
            both = ((booking.before, -1), (booking.after, 1))
            changes += [(number + 1, person, sign) for person, sign in both if person is not None]
        for moment, person, sign in changes:
            for question in person.cells(self.areas):
                units, key = now[question]
                now[question] = Cell(units + sign, (key + sign * person.key) % KEY_MODULUS)
                history[question][moment] = now[question]
        return history


def random_city(chance: random.Random) -> City:
    """Some hundred persons with clusters of origin, so that cells of area, nationality and sex are small."""
    districts, areas = chance.randint(3, 4), chance.randint(2, 3)
    shares = [[chance.gammavariate(0.8, 1.0) + 0.02 for _ in NATIONALITIES] for _ in range(districts * areas)]

    def somebody() -> Person:
        district, area = chance.randrange(districts), chance.randrange(areas)
        nationality = chance.choices(NATIONALITIES, shares[district * areas + area])[0]
        birth_year = round(chance.triangular(1940, 2020, 1985))
        return Person(district, area, nationality, chance.choice(SEXES), birth_year, chance.randrange(KEY_MODULUS))

    beginning = tuple(somebody() for _ in range(chance.randint(80, 300)))
    living, bookings = list(beginning), []
    for _ in range(120):
        kind = chance.random()
        if kind < 0.5:
            bookings.append(Booking(None, somebody()))
        else:
            gone = living.pop(chance.randrange(len(living)))
            moved = replace(gone, district=chance.randrange(districts), area=chance.randrange(areas))
            bookings.append(Booking(gone, moved if kind > 0.8 else None))
        if (come := bookings[-1].after) is not None:
            living.append(come)
    return City(districts, areas, beginning, tuple(bookings))


def district_name(district: int) -> str:
    return f"district {district}"


def area_name(district: int, area: int) -> str:
    return f"area {district}.{area}"


def space_name(district: int) -> str:
    return f"space {district}"


def _or_all(codes: tuple[str, ...]) -> tuple[str | None, ...]:
    return (None, *codes)


def district_of(place: str) -> str:
    """The district in which a place lies."""
    return district_name(int(place.split()[1].split(".")[0]))


def share_of(atom: Question) -> float:
    """How many one expects in a finest cell, against others of a wider one: areas and sexes are alike."""
    return _SHARES[str(atom.band)]
