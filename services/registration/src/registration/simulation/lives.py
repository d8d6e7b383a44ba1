"""The residents' lives as they truly were: who came, moved, went, was born, died or was naturalised, and on which day.

Year by year, from random numbers of that year's own: the lives up to a day are the same whatever comes later.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from typing import Literal, NamedTuple

from registration.simulation.printed import EU2, Printed
from registration.simulation.quotas import Quota, opening_stock, yearly_quotas

LifeKind = Literal["opening", "birth", "arrival", "move", "naturalisation", "departure", "death"]
_COMING = ("opening", "birth", "arrival")
_GOING = ("departure", "death")

# Assumptions: shares of arrivals by month (spring and autumn), ages at arrival, share of those who were here before.
_MONTHS = (9, 8, 9, 9, 8, 8, 8, 9, 10, 9, 7, 6)
_AGES = (
    (0, 5, 90), (6, 14, 130), (15, 17, 50), (18, 24, 215), (25, 34, 265), (35, 44, 150), (45, 54, 75), (55, 64, 20),
    (65, 80, 5),
)  # fmt: skip
_RETURNING = 0.05
_AWAY_AT_LEAST = timedelta(days=340)  # longer than any booking is late: the return is booked after the departure


class LifeEvent(NamedTuple):
    on: date
    kind: LifeKind


@dataclass(slots=True)
class Person:
    """One synthetic resident; `events` in order, never two on one day."""

    number: int
    nationality: str
    """At birth; a naturalisation among the events changes it."""
    sex: str
    born_on: date
    """Never after the first event."""
    events: list[LifeEvent] = field(default_factory=list)

    @property
    def last_on(self) -> date:
        return self.events[-1].on


def is_counted(person: Person, on: date) -> bool:
    """Whether the person lived in the city at the end of the day, and still with the nationality it came with."""
    here = False
    for event in person.events:
        if event.on > on:
            break
        if event.kind == "naturalisation":
            return False
        if event.kind != "move":
            here = event.kind in _COMING
    return here


def lead_lives(seed: int, printed: Printed, last_year: int) -> list[Person]:
    """Everybody who ever lived in the city up to the end of `last_year`, in order of their first day."""
    city = _City(printed.opening_on)
    for nationality, count in opening_stock(printed).items():
        city.open(nationality, count, random.Random(f"{seed}/opening/{nationality}"))
    for quota in yearly_quotas(printed, last_year):
        city.pass_year(quota, random.Random(f"{seed}/{quota.year}/{quota.nationality}"))
    return sorted(city.persons, key=lambda person: (person.events[0].on, person.number))


class _City:
    """Who lives here now, by nationality, and who has left."""

    def __init__(self, opening_on: date) -> None:
        self.persons: list[Person] = []
        self._opening_on = opening_on
        self._here: dict[str, list[Person]] = {nationality: [] for nationality in EU2}
        self._gone: dict[str, list[Person]] = {nationality: [] for nationality in EU2}

    def open(self, nationality: str, count: int, rng: random.Random) -> None:
        for _ in range(count):
            self._come(self._new(nationality, self._opening_on, rng), LifeEvent(self._opening_on, "opening"))

    def pass_year(self, quota: Quota, rng: random.Random) -> None:
        for on, kind in _days_of(quota, rng):
            self._happen(quota.nationality, LifeEvent(on, kind), rng)

    def _happen(self, nationality: str, event: LifeEvent, rng: random.Random) -> None:
        here = self._here[nationality]
        if event.kind == "birth":
            self._come(self._born(nationality, event.on, rng), event)
        elif event.kind == "arrival":
            person = self._who_returns(nationality, event.on, rng) or self._new(nationality, event.on, rng)
            self._come(person, event)
        elif event.kind == "move":
            here[_pick(here, event.on, 2, _lately_here, rng)].events.append(event)
        elif event.kind == "naturalisation":
            _take(here, _pick(here, event.on, 12, _long_here, rng)).events.append(event)
        elif event.kind == "death":
            _take(here, _pick(here, event.on, 12, _old, rng)).events.append(event)
        else:
            person = _take(here, _pick(here, event.on, 3, _lately_here, rng))
            person.events.append(event)
            self._gone[nationality].append(person)

    def _come(self, person: Person, event: LifeEvent) -> None:
        if not person.events:
            self.persons.append(person)
        person.events.append(event)
        self._here[person.nationality].append(person)

    def _who_returns(self, nationality: str, on: date, rng: random.Random) -> Person | None:
        gone = self._gone[nationality]
        if rng.random() >= _RETURNING or not gone:
            return None
        index = rng.randrange(len(gone))
        return _take(gone, index) if gone[index].last_on + _AWAY_AT_LEAST < on else None

    def _new(self, nationality: str, on: date, rng: random.Random) -> Person:
        youngest, oldest, _ = rng.choices(_AGES, [share for *_, share in _AGES])[0]
        born_in = on.year - 1 - rng.randint(youngest, oldest)  # a full year, so that nobody comes before birth
        return self._person(nationality, date(born_in, rng.randint(1, 12), rng.randint(1, 28)), rng)

    def _born(self, nationality: str, on: date, rng: random.Random) -> Person:
        return self._person(nationality, on, rng)

    def _person(self, nationality: str, born_on: date, rng: random.Random) -> Person:
        sex = rng.choices(("m", "f", "d", "unknown"), (530, 467, 1, 2))[0]
        return Person(len(self.persons), nationality, sex, born_on)


def _days_of(quota: Quota, rng: random.Random) -> list[tuple[date, LifeKind]]:
    """The year's events in order of day; who comes comes before others go."""
    counts: tuple[tuple[LifeKind, int], ...] = (
        ("arrival", quota.arrivals),
        ("birth", quota.births),
        ("move", quota.moves),
        ("naturalisation", quota.naturalisations),
        ("departure", quota.departures),
        ("death", quota.deaths),
    )
    first = date(quota.year, 1, 1)
    days = [first + timedelta(days=day) for day in range((date(quota.year + 1, 1, 1) - first).days)]
    weights = [_MONTHS[day.month - 1] for day in days]
    drawn = [(on, rank, kind) for rank, (kind, n) in enumerate(counts) for on in rng.choices(days, weights, k=n)]
    return [(on, kind) for on, _, kind in sorted(drawn)]


def _lately_here(person: Person) -> int:
    return max(event.on.toordinal() for event in person.events if event.kind in _COMING)


def _long_here(person: Person) -> int:
    return -_lately_here(person)


def _old(person: Person) -> int:
    return -person.born_on.toordinal()


def _pick(here: Sequence[Person], on: date, rivals: int, merit: Callable[[Person], int], rng: random.Random) -> int:
    """Place of the one of some random residents who merits it most; nobody to whom something happened that day."""
    drawn = (int(rng.random() * len(here)) for _ in range(50 * rivals))
    able = list(islice((index for index in drawn if here[index].last_on < on), rivals))
    if not able:
        raise ValueError(f"nobody is left to whom something could happen on {on}")
    return max(able, key=lambda index: merit(here[index]))


def _take(persons: list[Person], index: int) -> Person:
    """The person at this place, removed; the last one moves up (order does not matter)."""
    persons[index], persons[-1] = persons[-1], persons[index]
    return persons.pop()
