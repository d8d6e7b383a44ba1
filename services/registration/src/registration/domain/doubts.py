"""Doubts about addresses: what the office doubts and for how long, in the order in which it booked.

A doubt is the office's own matter. It begins on the day on which the office learned something and ends on the day of
its own booking, also where that tells that the resident had left long before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from registration.domain.bookings import Booking, Clarification, Deregistration, Doubt, Move, Registration
from registration.domain.history import Impossible
from registration.domain.states import State
from verbund.events.registration import AreaCode, DoubtFacts, DoubtOutcome, DoubtTransition
from verbund.events.transitions import Cause


class DoubtChange(NamedTuple):
    """A transition of a doubt without sign and cause: two are the same where all of this is the same."""

    subject: str
    effective_on: date
    kind: Literal["found", "resolved"]
    before: DoubtFacts | None
    after: DoubtFacts


class ExOfficio(NamedTuple):
    """A deregistration ex officio, and the day of the doubt that it ended."""

    booking: Deregistration
    doubted_on: date


@dataclass(slots=True)
class Doubts:
    """What bookings changed in doubts, and how the residences stand after them."""

    changes: list[DoubtChange] = field(default_factory=list)
    ex_officio: list[ExOfficio] = field(default_factory=list)
    open: dict[str, Doubt] = field(default_factory=dict)
    """The doubt that is open, by residence."""
    _facts: dict[str, DoubtFacts] = field(default_factory=dict)
    _placed: dict[str, tuple[date, AreaCode]] = field(default_factory=dict)
    """By residence, from when on it is where it is now; without those that are over."""
    _over: set[str] = field(default_factory=set)

    def state(self, residence_id: str) -> State:
        if residence_id in self._over:
            return "deregistered"
        return "doubtful" if residence_id in self.open else "registered"

    def place(self, booking: Registration | Move) -> bool:
        """Whether it is at another place by this booking: one that tells of an earlier time changes nothing."""
        since, _ = self._placed.get(booking.residence_id, (date.min, ""))
        is_latest = booking.effective_on >= since
        if is_latest:
            self._placed[booking.residence_id] = (booking.effective_on, booking.area)
        return is_latest

    def find(self, doubt: Doubt) -> None:
        residence_id = doubt.residence_id
        if residence_id in self._over:
            raise Impossible("residence_over", doubt)
        since, area = self._placed.get(residence_id, (date.max, ""))
        if doubt.effective_on < since:
            raise Impossible("before_moving_in", doubt)
        if residence_id in self.open:
            raise Impossible("already_doubtful", doubt)
        facts = DoubtFacts(area=area, reason=doubt.doubt_reason, since=doubt.effective_on)
        self.open[residence_id], self._facts[residence_id] = doubt, facts
        self.changes.append(DoubtChange(doubt.booking_id, doubt.effective_on, "found", None, facts))

    def confirm(self, booking: Clarification) -> None:
        doubt = self.open.get(booking.residence_id)
        if doubt is None:
            code = "residence_over" if booking.residence_id in self._over else "not_doubtful"
            raise Impossible(code, booking)
        if booking.effective_on < doubt.effective_on:
            raise Impossible("before_doubt", booking)
        self.resolve(booking.residence_id, booking.effective_on, "confirmed")

    def end(self, booking: Deregistration) -> None:
        ex_officio = booking.reason == "ex_officio"
        if ex_officio:
            doubt = self.open.get(booking.residence_id)
            if doubt is None:
                raise Impossible("not_doubtful", booking)
            self.ex_officio.append(ExOfficio(booking, doubt.effective_on))
        ended = sorted(self._placed) if booking.reason == "death" else [booking.residence_id]
        for residence_id in ended:
            self.resolve(residence_id, booking.booked_on, "deregistered_ex_officio" if ex_officio else "deregistered")
            self._placed.pop(residence_id, None)
            self._over.add(residence_id)

    def resolve(self, residence_id: str, on: date, outcome: DoubtOutcome) -> None:
        """End the doubt, where there is one."""
        doubt = self.open.pop(residence_id, None)
        if doubt is None:
            return
        if on < doubt.effective_on:
            raise Impossible("doubt_after_its_end", doubt)
        facts = self._facts.pop(residence_id)
        ended = facts.model_copy(update={"outcome": outcome})
        self.changes.append(DoubtChange(doubt.booking_id, on, "resolved", facts, ended))


def fold_doubts(bookings: Iterable[Booking]) -> Doubts:
    """The doubts of a resident's bookings, which come in order of booking; raises `Impossible`."""
    doubts = Doubts()
    for booking in bookings:
        match booking:
            case Registration():
                doubts.place(booking)
            case Move():
                if doubts.place(booking):
                    doubts.resolve(booking.residence_id, booking.booked_on, "moved")
            case Deregistration():
                doubts.end(booking)
            case Doubt():
                doubts.find(booking)
            case Clarification():
                doubts.confirm(booking)
    return doubts


def difference_of_doubts(old: Doubts, new: Doubts, cause: Cause) -> tuple[DoubtTransition, ...]:
    """What is no longer true of doubts retracted, then what is newly true asserted."""
    gone = [change for change in old.changes if change not in new.changes]
    come = [change for change in new.changes if change not in old.changes]
    return (
        *(_transition(change, -1, cause) for change in gone),
        *(_transition(change, 1, cause) for change in come),
    )


def _transition(change: DoubtChange, sign: Literal[1, -1], cause: Cause) -> DoubtTransition:
    return DoubtTransition(sign=sign, n=1, cause=cause, **change._asdict())
