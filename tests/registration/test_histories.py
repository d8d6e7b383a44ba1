"""Whatever is booked in whatever order: the sums of transitions tell what held, as known on any day, for any day."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from stage.registry import Register, Slip

from registration.commands import (
    ChangeNationality,
    ChangeResidenceKind,
    Command,
    CorrectionForm,
    CorrectRegistration,
    DeregisterResidence,
    DeregistrationForm,
    MoveForm,
    MoveResidence,
    NationalityForm,
    RegisterResidence,
    ResidenceForm,
    ResidenceKindForm,
    TrueValues,
)
from registration.domain import Resident, bookings, decide, evolve, history, lists_of, trials
from registration.domain.bookings import Booking
from verbund.errors import Problem
from verbund.events.envelope import Event, decode, encode, sequence_of
from verbund.events.registration import EVENTS, RegistryTransition

LISTS = lists_of("05913000")
KNOWN = {model.type: model for model in EVENTS}
RESIDENT = "00000000-0000-4000-8000-000000000000"
DAYS = [date(2015, 9, 1) + timedelta(days=31 * month) for month in range(16)]
LAST_KNOWN = date.max


def pseudonym(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Step:
    """One attempt of a clerk; most of what is drawn is refused sooner or later, as at any counter."""

    days: int
    kind: str
    which: int
    on: date
    values: dict[str, Any]


days_of_life = st.sampled_from(DAYS)
areas = st.sampled_from(["04", "05", "unplaced"])
nationalities = st.sampled_from(["125", "154", "000"])
confirmations = st.sampled_from(["present", "missing"])
kinds = st.sampled_from(["main", "secondary"])
registering = {
    "area": areas,
    "nationality": nationalities,
    "residence_kind": kinds,
    "arrival_kind": st.sampled_from(["unknown", "unknown", "abroad"]),
    "landlord_confirmation": confirmations,
}
amendments = st.fixed_dictionaries(
    {},
    optional={
        "effective_on": days_of_life,
        "area": areas,
        "nationality": nationalities,
        "birth_date": st.sampled_from([date(1980, 1, 1), date(1999, 1, 1)]),
        "sex": st.sampled_from(["f", "m"]),
        "landlord_confirmation": confirmations,
        "residence_kind": kinds,
        "reason": st.sampled_from(["abroad", "other_municipality", "death"]),
        "arrival_kind": st.sampled_from(["unknown", "abroad"]),
    },
)


def step(kind: str, values: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Step]:
    return st.builds(Step, st.integers(0, 60), st.just(kind), st.integers(0, 20), days_of_life, values)


further_steps = st.lists(
    st.one_of(
        step("registration", st.fixed_dictionaries(registering)),
        step("move", st.fixed_dictionaries({"area": areas, "landlord_confirmation": confirmations})),
        step(
            "deregistration",
            st.fixed_dictionaries({"reason": st.sampled_from(["abroad", "abroad", "abroad", "death"])}),
        ),
        step("nationality", st.fixed_dictionaries({"nationality": nationalities})),
        step("kind", st.fixed_dictionaries({"residence_kind": kinds})),
        step("correction", amendments),
        step("correction", amendments),
        step("cancellation", st.just({})),
    ),
    min_size=3,
    max_size=16,
)
first_step = st.builds(
    Step,
    st.just(0),
    st.just("registration"),
    st.just(0),
    st.sampled_from(DAYS[:3]),
    st.fixed_dictionaries(registering),
)
steps = st.builds(lambda first, further: [first, *further], first_step, further_steps)


ENTRIES = {
    "registration": {*registering, "effective_on", "birth_date", "sex"},
    "move": {"effective_on", "area", "landlord_confirmation"},
    "deregistration": {"effective_on", "reason"},
    "nationality": {"effective_on", "nationality"},
    "kind": {"effective_on", "residence_kind"},
}


class Clerk:
    """Books what steps say about one resident, and keeps a slip of everything that was booked."""

    def __init__(self) -> None:
        self.now = datetime(2017, 2, 1, 9, tzinfo=UTC)
        self.resident: Resident | None = None
        self.slips: list[Slip] = []
        self.booked: list[tuple[date, RegistryTransition]] = []
        self.commands: list[Command] = []
        self.events: list[Event[Any]] = []
        self._numbers = count(1)

    def attempt(self, step: Step) -> None:
        self.now += timedelta(days=step.days)
        command, slip = self._fill(step)
        before = self.resident
        try:
            subject, data = decide(self.resident, command, self.now, LISTS)
        except Problem as refusal:
            assert self.resident is before
            if refusal.code == "changes_nothing":
                without, with_it = (Register(slips, date.max) for slips in (self.slips, [*self.slips, slip]))
                assert with_it.says_the_same_as(without)
            return
        assert (subject, data) == decide(self.resident, command, self.now, LISTS)
        self.resident = evolve(self.resident, subject, data)
        self.slips.append(slip)
        self.commands.append(command)
        self.booked += [(self.now.date(), transition) for transition in data.transitions]
        number = len(self.events) + 1
        self.events.append(
            Event(
                id=f"event-{number}",
                source="/05913000/registration/book",
                type=data.type,
                subject=subject,
                time=self.now,
                sequence=sequence_of(number),
                actor="clerk:test",
                data=data,
            )
        )

    def _fill(self, step: Step) -> tuple[Command, Slip]:
        number = pseudonym(next(self._numbers))
        if step.kind == "registration":
            return self._registration(step, number)
        chosen = self.slips[step.which % len(self.slips)] if self.slips else None
        residence = chosen.residence if chosen else pseudonym(0)
        slip = Slip(number, self.now.date(), step.kind, residence, {"effective_on": step.on, **step.values})
        place: dict[str, Any] = {"residence_id": residence, "booking_id": number}
        if step.kind == "move":
            address = {"street": "Musterweg", "house_number": "1"}
            return MoveResidence(form=MoveForm(moved_on=step.on, **address, **step.values), **place), slip
        if step.kind == "deregistration":
            return DeregisterResidence(form=DeregistrationForm(deregistered_on=step.on, **step.values), **place), slip
        if step.kind == "nationality":
            return ChangeNationality(form=NationalityForm(changed_on=step.on, **step.values), **place), slip
        if step.kind == "kind":
            return ChangeResidenceKind(form=ResidenceKindForm(changed_on=step.on, **step.values), **place), slip
        return self._correction(step, slip, chosen.number if chosen else pseudonym(0), place)

    def _registration(self, step: Step, number: str) -> tuple[Command, Slip]:
        known = self.resident is not None
        values = {**step.values, "previous_state": "154" if step.values["arrival_kind"] == "abroad" else None}
        person = {} if known else {"family_name": "A", "given_names": "B", "birth_date": date(1980, 1, 1), "sex": "f"}
        form = ResidenceForm(
            resident_id=RESIDENT if known else None,
            moved_in_on=step.on,
            street="Musterweg",
            house_number="1",
            **person,
            **values,
        )
        command = RegisterResidence(form=form, residence_id=number, booking_id=number, resident_id=RESIDENT)
        facts = {"effective_on": step.on, **values, "previous_municipality": None, "birth_year": 1980, "sex": "f"}
        return command, Slip(number, self.now.date(), "registration", number, facts)

    def _correction(self, step: Step, slip: Slip, corrects: str, place: dict[str, Any]) -> tuple[Command, Slip]:
        entries = ENTRIES[self._kind_behind(corrects)] if self.slips else set()
        amendment = None if step.kind == "cancellation" else {k: v for k, v in step.values.items() if k in entries}
        if amendment and amendment.get("arrival_kind") == "abroad":
            amendment["previous_state"] = "154"
        form = CorrectionForm(
            booking_id=corrects,
            reason="typing_error",
            amendment=None if amendment is None else TrueValues(**amendment),
        )
        facts = dict(amendment or {})
        if "birth_date" in facts:
            facts["birth_year"] = facts.pop("birth_date").year
        righting = replace(slip, values=facts, corrects=corrects, cancels=amendment is None)
        return CorrectRegistration(form=form, **place), righting

    def _kind_behind(self, number: str) -> str:
        slip = next(slip for slip in self.slips if slip.number == number)
        return slip.kind if slip.corrects is None else self._kind_behind(slip.corrects)


def sums(booked: Sequence[tuple[date, RegistryTransition]], known_on: date, day: date) -> Counter[Any]:
    """The stock as a reader sums it up, who knows nothing but transitions."""
    stock: Counter[Any] = Counter()
    for recorded_on, transition in booked:
        if transition.unit == "resident" and recorded_on <= known_on and transition.effective_on <= day:
            for facts, sign in ((transition.after, transition.sign), (transition.before, -transition.sign)):
                if facts is not None:
                    stock[tuple(facts.model_dump().values())] += sign
    return Counter({facts: n for facts, n in stock.items() if n})


def flows(booked: Sequence[tuple[date, RegistryTransition]], known_on: date) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for recorded_on, transition in booked:
        if transition.unit == "resident" and transition.kind != "change" and recorded_on <= known_on:
            before, after = transition.before, transition.after
            key = (transition.kind, transition.effective_on, before and before.area, after and after.area)
            total[key] += transition.sign
    return Counter({key: n for key, n in total.items() if n})


def acts(booked: Sequence[tuple[date, RegistryTransition]], known_on: date) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for recorded_on, transition in booked:
        if transition.unit == "registration" and recorded_on <= known_on:
            facts = transition.after
            assert facts is not None
            total[transition.effective_on, facts.area, facts.late, facts.landlord_confirmation] += transition.sign
    return Counter({key: n for key, n in total.items() if n})


def check(attempts: Sequence[Step]) -> Clerk:
    clerk = Clerk()
    for attempt in attempts:
        clerk.attempt(attempt)
    for known_on in {slip.known_on for slip in clerk.slips}:
        register = Register(clerk.slips, known_on)
        assert flows(clerk.booked, known_on) == register.flows()
        assert acts(clerk.booked, known_on) == register.acts()
        for day in DAYS:
            assert sums(clerk.booked, known_on, day) == register.stock(day)
    assert_only_what_was_said_is_taken_back(clerk)
    assert_told_again(clerk)
    return clerk


def assert_only_what_was_said_is_taken_back(clerk: Clerk) -> None:
    """A retraction repeats what was asserted, unchanged but for sign and cause."""
    said: Counter[str] = Counter()
    for _, transition in clerk.booked:
        words = transition.model_dump_json(exclude={"sign", "cause"})
        said[words] += transition.sign
        assert said[words] >= 0


def assert_told_again(clerk: Clerk) -> None:
    """The bytes of the events alone tell the same resident again."""
    told: Resident | None = None
    for event in clerk.events:
        read = decode(encode(event), KNOWN)
        told = evolve(told, read.subject, read.data)
    assert told == clerk.resident


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_the_sums_of_transitions_are_what_was_booked_by_any_day(attempts: list[Step]) -> None:
    check(attempts)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(steps, st.randoms(use_true_random=False))
def test_in_any_order_of_booking_the_same_was_so(attempts: list[Step], chance: Random) -> None:
    clerk = check([attempt for attempt in attempts if attempt.kind not in ("correction", "cancellation")])
    first = [command for command in clerk.commands if isinstance(command, RegisterResidence)]
    others = [command for command in clerk.commands if not isinstance(command, RegisterResidence)]
    chance.shuffle(others)
    resident, booked = None, []
    for command in [*first, *others]:
        try:
            subject, data = decide(resident, command, clerk.now, LISTS)
        except Problem:
            reject()  # some things cannot be booked before others, such as a second main residence
        resident = evolve(resident, subject, data)
        booked += [(clerk.now.date(), transition) for transition in data.transitions]
    for day in DAYS:
        assert sums(booked, LAST_KNOWN, day) == sums(clerk.booked, LAST_KNOWN, day)
    assert flows(booked, LAST_KNOWN) == flows(clerk.booked, LAST_KNOWN)


def forget_to_retract(*given: Any) -> tuple[RegistryTransition, ...]:
    return tuple(t for t in DIFFERENCE(*given) if t.sign == 1)


def forget_to_assert_again(old: Any, new: Any, cause: str) -> tuple[RegistryTransition, ...]:
    found = DIFFERENCE(old, new, cause)
    retracts = any(transition.sign == -1 for transition in found)
    return tuple(t for t in found if t.sign == -1) if retracts else found


def retract_with_new_facts(old: Any, new: Any, cause: str) -> tuple[RegistryTransition, ...]:
    found = DIFFERENCE(old, new, cause)
    truth = [t for t in found if t.sign == 1 and t.unit == "resident"]
    return tuple(
        t.model_copy(update={"after": truth[0].after}) if t.sign == -1 and truth and t.unit == "resident" else t
        for t in found
    )


def take_corrections_as_final(booking_id: str, corrections: Any) -> Any:
    return [
        (correction, None if correction.amendment is None else correction.amendment.model_dump(exclude_none=True))
        for correction in corrections.get(booking_id, ())
    ]


def keep_the_order_of_booking(booking: Booking) -> Any:
    return (booking.booked_on, 0, "")


def change_nationality_at_one_residence(days: Any, booking: Any) -> None:
    open_residences = dict(days.open)
    days.open = dict(sorted(open_residences.items())[:1])
    try:
        CHANGE_NATIONALITY(days, booking)
    finally:
        days.open = open_residences


def count_every_act_in_time(effective_on: date, booked_on: date) -> bool:
    return False


DIFFERENCE, CHANGE_NATIONALITY = history.difference, history._change_nationality
PLANTED: list[tuple[Any, str, Callable[..., Any]]] = [
    (trials, "difference", forget_to_retract),
    (trials, "difference", forget_to_assert_again),
    (trials, "difference", retract_with_new_facts),
    (bookings, "_what_holds", take_corrections_as_final),
    (history, "in_order", keep_the_order_of_booking),
    (history, "_change_nationality", change_nationality_at_one_residence),
    (history, "is_late", count_every_act_in_time),
]


@pytest.mark.parametrize(("module", "name", "bug"), PLANTED, ids=[bug.__name__ for _, _, bug in PLANTED])
def test_a_planted_bug_is_caught(
    module: Any, name: str, bug: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, bug)

    @settings(
        max_examples=600,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(steps)
    def search(attempts: list[Step]) -> None:
        check(attempts)

    with pytest.raises(AssertionError):
        search()
