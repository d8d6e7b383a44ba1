"""Random lives in a city, booked and booked again; and whoever counts them by hand, with no sums and no differences.

Of every booking the file of the life before and after it is kept. What is counted at a moment is asked of the files
that were valid then, so nothing here is shared with whoever adds deltas up.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Literal

from stage.facts import booked, resident, transition

from verbund.events.envelope import Event

AREAS = ("04", "05", "61")
NATIONALITIES = ("125", "154", "000")
_COUNTED = ("125", "154")
_CORRECTIONS = ("corrected:typing_error", "corrected:information_of_person", "corrected:booked_in_error")
_LARGEST = 300  # of these some are enough for a Stadtbezirk to tick
_FIRST = date(2016, 1, 1)
_DAYS = 365 * 3

Kind = Literal["stock", "arrivals", "departures", "net"]


@dataclass(frozen=True)
class Life:
    """`n` people who came and went together."""

    n: int
    arrived_on: date
    left_on: date | None
    area: str
    nationality: str
    sex: Literal["f", "m"]
    residence_kind: Literal["main", "secondary"] = "main"


@dataclass(frozen=True)
class Booking:
    """What one booking made of a life; None is a life that is in no file."""

    cause: str
    before: Life | None
    after: Life | None


@dataclass(frozen=True)
class Asked:
    """What is counted: of which kind, of one value of one dimension (None: of all), on a day or in a year."""

    kind: Kind
    dimension: Literal["area", "nationality", "sex"] | None
    code: str | None
    from_on: date | None
    to_on: date
    residence_kinds: tuple[str, ...] = ("main",)


def count(asked: Asked, life: Life | None) -> int:
    """What a life adds."""
    if life is None or life.nationality not in _COUNTED or life.residence_kind not in asked.residence_kinds:
        return 0
    if asked.dimension is not None and getattr(life, asked.dimension) != asked.code:
        return 0
    if asked.kind == "stock":
        is_here = life.arrived_on <= asked.to_on and (life.left_on is None or life.left_on > asked.to_on)
        return life.n if is_here else 0
    assert asked.from_on is not None
    came = life.n if asked.from_on <= life.arrived_on <= asked.to_on else 0
    went = life.n if life.left_on is not None and asked.from_on <= life.left_on <= asked.to_on else 0
    return {"arrivals": came, "departures": went, "net": came - went}[asked.kind]


class City:
    """Books at random; `bookings` is what it has booked so far."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.bookings: list[Booking] = []
        self._files: list[Life | None] = []

    def counted(self, asked: Asked, until: int) -> int:
        """By the files as they were after so many bookings."""
        files: Counter[Life] = Counter()
        for booking in self.bookings[:until]:
            if booking.before is not None:
                files[booking.before] -= 1
            if booking.after is not None:
                files[booking.after] += 1
        return sum(times * count(asked, life) for life, times in files.items())

    def added_by_cause(self, asked: Asked, since: int, until: int) -> dict[str, int]:
        """What the bookings of each cause changed of it; causes whose bookings changed nothing in sum are left out."""
        added: Counter[str] = Counter()
        for booking in self.bookings[since:until]:
            added[booking.cause] += count(asked, booking.after) - count(asked, booking.before)
        return {cause: n for cause, n in added.items() if n}

    def book(self, times: int) -> Iterator[Event[Any]]:
        """So many bookings, as the events that an office writes of them."""
        for _ in range(times):
            place = self._chance.randrange(len(self._files) + 3)
            if place >= len(self._files):
                place = len(self._files)
                self._files.append(None)
            before = self._files[place]
            booking = self._first() if before is None else self._again(before)
            self._files[place] = booking.after
            self.bookings.append(booking)
            yield _event(booking, f"life {place}")

    def _first(self) -> Booking:
        chance = self._chance
        life = Life(
            n=chance.randint(1, _LARGEST),
            arrived_on=self._day(),
            left_on=None,
            area=chance.choice(AREAS),
            nationality=chance.choice(NATIONALITIES),
            sex=chance.choice(("f", "m")),
            residence_kind=chance.choice(("main", "main", "main", "secondary")),
        )
        return Booking(chance.choice(("booked", "late")), None, life)

    def _again(self, life: Life) -> Booking:
        chance = self._chance
        if life.left_on is None and chance.random() < 0.3:
            left_on = life.arrived_on + timedelta(days=chance.randint(1, 400))
            return Booking(chance.choice(("booked", "late")), life, replace(life, left_on=left_on))
        if chance.random() < 0.2:
            return Booking("cancelled", life, None)
        corrected = replace(
            life,
            area=chance.choice(AREAS),
            nationality=chance.choice(NATIONALITIES),
            sex=chance.choice(("f", "m")),
            arrived_on=chance.choice((life.arrived_on, self._day())),
        )
        if corrected.left_on is not None and corrected.left_on <= corrected.arrived_on:
            corrected = replace(corrected, arrived_on=life.arrived_on)
        return Booking(chance.choice(_CORRECTIONS), life, corrected)

    def _day(self) -> date:
        return _FIRST + timedelta(days=self._chance.randrange(_DAYS))


def _event(booking: Booking, subject: str) -> Event[Any]:
    """Takes back all that the life before had said, and says all of the life after it, as an office may."""
    taken_back = [] if booking.before is None else _said(booking.before, -1, booking.cause, subject)
    said = [] if booking.after is None else _said(booking.after, 1, booking.cause, subject)
    return booked(date(2019, 3, 1), *taken_back, *said)


def _said(life: Life, sign: Literal[1, -1], cause: str, subject: str) -> Sequence[Any]:
    facts = resident(life.area, life.nationality, 1990, life.sex, life.residence_kind)
    told: dict[str, Any] = {"sign": sign, "cause": cause, "subject": subject, "n": life.n}
    transitions = [transition("arrival", life.arrived_on, None, facts, **told)]
    if life.left_on is not None:
        transitions.append(transition("departure", life.left_on, facts, None, **told))
    return transitions
