"""What a resident's bookings changed in what is counted, in the order in which it was so, however it was booked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from registration.domain.bookings import (
    Booking,
    Clarification,
    Deregistration,
    Doubt,
    KindChange,
    Life,
    Lived,
    Move,
    NationalityChange,
    Registration,
)
from registration.domain.rules import is_late
from verbund.events.registration import (
    AreaCode,
    LandlordConfirmation,
    NationalityKey,
    RegisteredFrom,
    RegistrationFacts,
    RegistrationTransition,
    RegistryKind,
    RegistryTransition,
    ResidenceKind,
    ResidentFacts,
    ResidentTransition,
    Sex,
)
from verbund.events.transitions import Cause


class Living(NamedTuple):
    """The facts of a resident at a residence."""

    area: AreaCode
    nationality: NationalityKey
    birth_year: int
    sex: Sex
    residence_kind: ResidenceKind


class Act(NamedTuple):
    """The facts of an act of registration."""

    area: AreaCode
    residence_kind: ResidenceKind
    arrival_kind: RegisteredFrom
    late: bool
    landlord_confirmation: LandlordConfirmation
    at_flagged_premises: bool


class Change(NamedTuple):
    """A transition without sign and cause: two are the same where all of this is the same."""

    unit: Literal["resident", "registration"]
    subject: str
    effective_on: date
    kind: RegistryKind
    before: Living | None
    after: Living | Act | None


class History(NamedTuple):
    """What bookings change in what is counted, in the order in which it was so."""

    changes: list[Change]
    unheard: frozenset[str]
    """Bookings of registrations whose nationality differs from the one that the resident has elsewhere already."""
    latest: dict[str, Living]
    """The latest facts of each residence, also of those that are over."""


class Impossible(Exception):
    """These bookings cannot all be true; `booking` is the first that does not fit those before it."""

    def __init__(self, code: str, booking: Booking, **values: object) -> None:
        """`values`: for the words of the refusal."""
        super().__init__(code)
        self.code = code
        self.booking = booking
        self.values = values


@dataclass(slots=True)
class _Days:
    """The days of a resident as they are walked through, up to one of the bookings."""

    resident_id: str
    birth_year: int
    sex: Sex
    nationality: NationalityKey | None = None
    open: dict[str, tuple[AreaCode, ResidenceKind]] = field(default_factory=dict)
    over: dict[str, Living] = field(default_factory=dict)
    """Residences that have ended, with their last facts."""
    died: bool = False
    changes: list[Change] = field(default_factory=list)
    unheard: set[str] = field(default_factory=set)

    def facts(self, residence_id: str) -> Living:
        area, residence_kind = self.open[residence_id]
        if self.nationality is None:
            raise AssertionError("a residence is open and the nationality of the resident was never stated")
        return Living(area, self.nationality, self.birth_year, self.sex, residence_kind)

    def say(self, on: date, kind: RegistryKind, before: Living | None, after: Living | None) -> None:
        self.changes.append(Change("resident", self.resident_id, on, kind, before, after))

    def record(self, residence_id: str, booked_on: date, act: Act) -> None:
        self.changes.append(Change("registration", residence_id, booked_on, "recorded", None, act))


def in_order(booking: Lived) -> tuple[date, int, str]:
    """The order in which bookings were so; it never depends on the order of booking."""
    return (booking.effective_on, booking.rank, booking.residence_id)


def fold(resident_id: str, life: Life) -> History:
    """The history of a resident; raises `Impossible` where a booking cannot be true after those before it."""
    days = _Days(resident_id, life.birth_year, life.sex)
    previous: Lived | None = None
    lived = (booking for booking in life.bookings if not isinstance(booking, Doubt | Clarification))
    for booking in sorted(lived, key=in_order):
        if days.died:
            raise Impossible("resident_has_died", booking)
        if previous is not None and _same_thing_same_day(previous, booking):
            raise Impossible("twice_on_one_day", booking)
        if booking.effective_on.year < life.birth_year:
            raise Impossible("before_birth", booking)
        match booking:
            case Registration():
                _begin(days, booking)
            case Move():
                _move(days, booking)
            case Deregistration():
                _end(days, booking)
            case NationalityChange():
                _change_nationality(days, booking)
            case KindChange():
                _change_kind(days, booking)
        previous = booking
    latest = days.over | {residence_id: days.facts(residence_id) for residence_id in days.open}
    return History(days.changes, frozenset(days.unheard), latest)


def _same_thing_same_day(one: Lived, other: Lived) -> bool:
    """Whether two neighbours in order are moves or changes of one thing on one day: nobody knows which came first."""
    if one.effective_on != other.effective_on or one.rank != other.rank:
        return False
    return isinstance(one, NationalityChange) or (
        isinstance(one, Move | KindChange) and one.residence_id == other.residence_id
    )


def _begin(days: _Days, booking: Registration) -> None:
    residence_id, on = booking.residence_id, booking.effective_on
    if residence_id in days.open or residence_id in days.over:
        raise Impossible("residence_exists", booking)
    if booking.residence_kind == "main":
        _check_no_other_main(days, booking)
    if booking.arrival_kind == "birth" and on.year != days.birth_year:
        raise Impossible("birth_in_another_year", booking)
    if not days.open:
        days.nationality = booking.nationality
    elif days.nationality != booking.nationality:
        days.unheard.add(booking.booking_id)
    days.open[residence_id] = (booking.area, booking.residence_kind)
    if booking.arrival_kind == "birth" or booking.arrival_kind == "opening":
        days.say(on, booking.arrival_kind, None, days.facts(residence_id))
        return
    days.say(on, "arrival", None, days.facts(residence_id))
    if booking.landlord_confirmation is None:
        raise AssertionError("an arrival was booked without a word on the landlord's confirmation")
    act = Act(
        area=booking.area,
        residence_kind=booking.residence_kind,
        arrival_kind=booking.arrival_kind,
        late=is_late(on, booking.booked_on),
        landlord_confirmation=booking.landlord_confirmation,
        at_flagged_premises=booking.at_flagged_premises,
    )
    days.record(residence_id, booking.booked_on, act)


def _move(days: _Days, booking: Move) -> None:
    _check_open(days, booking)
    residence_id, on = booking.residence_id, booking.effective_on
    before = days.facts(residence_id)
    days.open[residence_id] = (booking.area, before.residence_kind)
    days.say(on, "move", before, days.facts(residence_id))
    act = Act(
        area=booking.area,
        residence_kind=before.residence_kind,
        arrival_kind="within_municipality",
        late=is_late(on, booking.booked_on),
        landlord_confirmation=booking.landlord_confirmation,
        at_flagged_premises=booking.at_flagged_premises,
    )
    days.record(residence_id, booking.booked_on, act)


def _end(days: _Days, booking: Deregistration) -> None:
    _check_open(days, booking)
    died = booking.reason == "death"
    for residence_id in sorted(days.open) if died else [booking.residence_id]:
        facts = days.facts(residence_id)
        days.say(booking.effective_on, "death" if died else "departure", facts, None)
        del days.open[residence_id]
        days.over[residence_id] = facts
    days.died = died


def _change_nationality(days: _Days, booking: NationalityChange) -> None:
    if not days.open:
        raise Impossible("not_resident", booking)
    if days.nationality == booking.nationality:
        return
    before = {residence_id: days.facts(residence_id) for residence_id in sorted(days.open)}
    days.nationality = booking.nationality
    for residence_id, facts in before.items():
        days.say(booking.effective_on, "change", facts, days.facts(residence_id))


def _change_kind(days: _Days, booking: KindChange) -> None:
    _check_open(days, booking)
    residence_id = booking.residence_id
    before = days.facts(residence_id)
    if before.residence_kind == booking.residence_kind:
        raise Impossible("same_residence_kind", booking)
    if booking.residence_kind == "main":
        _check_no_other_main(days, booking)
    days.open[residence_id] = (before.area, booking.residence_kind)
    days.say(booking.effective_on, "change", before, days.facts(residence_id))


def _check_no_other_main(days: _Days, booking: Registration | KindChange) -> None:
    """§ 21 (2), § 22 BMG: of several dwellings one is the main one."""
    if any(kind == "main" for _, kind in days.open.values()):
        raise Impossible("main_residence_open", booking)


def _check_open(days: _Days, booking: Move | Deregistration | KindChange) -> None:
    if booking.residence_id in days.over:
        raise Impossible("residence_over", booking)
    if booking.residence_id not in days.open:
        raise Impossible("before_moving_in", booking)


def difference(old: Sequence[Change], new: Sequence[Change], cause: Cause) -> tuple[RegistryTransition, ...]:
    """What is no longer true retracted, in the order in which it was so; then what is newly true asserted."""
    gone, come = Counter(old), Counter(new)
    gone, come = gone - come, come - gone
    return (*_signed(old, gone, -1, cause), *_signed(new, come, 1, cause))


def _signed(
    changes: Sequence[Change], chosen: Counter[Change], sign: Literal[1, -1], cause: Cause
) -> list[RegistryTransition]:
    signed = []
    for change in changes if chosen else ():
        if chosen[change] > 0:
            chosen[change] -= 1
            signed.append(_transition(change, sign, cause))
    return signed


def _transition(change: Change, sign: Literal[1, -1], cause: Cause) -> RegistryTransition:
    if isinstance(change.after, Act):
        return RegistrationTransition(
            sign=sign,
            subject=change.subject,
            n=1,
            effective_on=change.effective_on,
            kind=change.kind,
            before=None,
            after=RegistrationFacts(**change.after._asdict()),
            cause=cause,
        )
    return ResidentTransition(
        sign=sign,
        subject=change.subject,
        n=1,
        effective_on=change.effective_on,
        kind=change.kind,
        before=change.before and ResidentFacts(**change.before._asdict()),
        after=change.after and ResidentFacts(**change.after._asdict()),
        cause=cause,
    )
