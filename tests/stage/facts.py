"""Made-up facts for tests of reporting: transitions, the events that carry them, and who counts them naively."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any, Literal, TypeVar

from hypothesis import strategies as st

from verbund.events.envelope import Event, sequence_of
from verbund.events.registration import (
    RegistrationFacts,
    RegistrationTransition,
    ResidenceMoved,
    ResidentFacts,
    ResidentTransition,
)
from verbund.events.transitions import Kind, Transition

CITY = "05913000"
BOOK = f"/{CITY}/registration/book"
FIRST_DAY = date(2016, 1, 1)

AREAS = ("04", "05", "06", "01", "61", "unplaced", "77")
"""Three in one district, two elsewhere, one that cannot be placed, one that no list knows."""

_numbers = count(1)


def resident(
    area: str = "05",
    nationality: str = "125",
    birth_year: int = 1990,
    sex: Literal["f", "m", "d", "unknown"] = "f",
    residence_kind: Literal["main", "secondary"] = "main",
) -> ResidentFacts:
    return ResidentFacts(
        area=area, nationality=nationality, birth_year=birth_year, sex=sex, residence_kind=residence_kind
    )


def transition(
    kind: Kind,
    on: date,
    before: ResidentFacts | None = None,
    after: ResidentFacts | None = None,
    *,
    sign: Literal[1, -1] = 1,
    subject: str = "somebody",
    cause: str = "booked",
    n: int = 1,
) -> ResidentTransition:
    return ResidentTransition(
        sign=sign, subject=subject, n=n, effective_on=on, kind=kind, before=before, after=after, cause=cause
    )


def arrival(on: date, after: ResidentFacts | None = None, **more: Any) -> ResidentTransition:
    return transition("arrival", on, None, after or resident(), **more)


Told = TypeVar("Told", bound=Transition[Any])


def retracted(asserted: Told, cause: str = "corrected:typing_error") -> Told:
    return asserted.model_copy(update={"sign": -asserted.sign, "cause": cause})


def registration(
    on: date, *, late: bool = False, flagged: bool = False, subject: str = "a flat"
) -> RegistrationTransition:
    facts = RegistrationFacts(
        area="05",
        residence_kind="main",
        arrival_kind="abroad",
        late=late,
        landlord_confirmation="present",
        at_flagged_premises=flagged,
    )
    return RegistrationTransition(
        sign=1, subject=subject, n=1, effective_on=on, kind="recorded", before=None, after=facts, cause="booked"
    )


def booked(
    at: date | datetime, *transitions: ResidentTransition | RegistrationTransition, book: str = BOOK
) -> Event[ResidenceMoved]:
    """An event with these transitions; a date means noon of that day in UTC. What else it says does not matter here."""
    number = next(_numbers)
    instant = at if isinstance(at, datetime) else datetime.combine(at, time(12), UTC)
    data = ResidenceMoved(
        booking_id=f"booking-{number}",
        booked_on=instant.date(),
        transitions=transitions,
        residence_id="a flat",
        moved_on=instant.date(),
        area="05",
        landlord_confirmation="present",
        late=False,
        at_flagged_premises=False,
    )
    return Event[ResidenceMoved](
        id=f"event-{number}",
        source=book,
        type=ResidenceMoved.type,
        subject="somebody",
        time=instant,
        sequence=sequence_of(number),
        actor="clerk:test",
        data=data,
    )


# Few days, so that facts and questions meet on them: ends and beginnings of years, quarters and February.
DAYS = st.sampled_from(
    [date(year, *day) for year in (2016, 2017, 2018) for day in ((1, 1), (2, 28), (3, 31), (4, 1), (12, 31))]
    + [date(2016, 2, 29), date(2017, 7, 14)]
)
FACTS = st.builds(
    resident,
    area=st.sampled_from(AREAS),
    nationality=st.sampled_from(("125", "125", "154", "000")),
    birth_year=st.sampled_from((1940, 1952, 1953, 1993, 2000, 2011, 2012)),
    sex=st.sampled_from(("f", "m", "unknown")),
    residence_kind=st.sampled_from(("main", "main", "main", "secondary")),
)


@st.composite
def transitions(draw: st.DrawFn) -> ResidentTransition:
    """Any transition of a resident, whether or not a life could hold it: sums do not ask."""
    kind: Kind = draw(st.sampled_from(("arrival", "birth", "departure", "death", "move", "move", "change", "opening")))
    before = draw(FACTS) if kind in ("departure", "death", "move", "change") else None
    after = draw(FACTS) if kind in ("arrival", "birth", "opening", "move", "change") else None
    on = FIRST_DAY if kind == "opening" else draw(DAYS)
    subject = draw(st.sampled_from(("one", "two", "three")))
    return transition(kind, on, before, after, subject=subject, n=draw(st.integers(1, 3)))


class Bookings:
    """Events that print themselves in few words: a failing test shows them."""

    def __init__(self, events: list[Event[ResidenceMoved]]) -> None:
        self.events = events

    def __repr__(self) -> str:
        lines = [f"{event.time.date()}: {', '.join(map(_in_short, event.data.transitions))}" for event in self.events]
        return "; ".join(lines) or "nothing"


def _in_short(t: Any) -> str:
    facts = " to ".join("/".join(str(value) for _, value in facts) if facts else "-" for facts in (t.before, t.after))
    return f"{t.sign * t.n:+} {t.kind} {t.effective_on} {facts}"


@st.composite
def bookings(draw: st.DrawFn, most: int = 30) -> Bookings:
    """Events in any order of days; some take back what an earlier one asserted, some of that is asserted anew."""
    events: list[Event[ResidenceMoved]] = []
    asserted: list[ResidentTransition] = []
    for _ in range(draw(st.integers(0, most))):
        said: list[ResidentTransition] = []
        takes_back, goes_on = draw(st.booleans()), draw(st.booleans())
        if asserted and takes_back:
            wrong = asserted.pop(draw(st.integers(0, len(asserted) - 1)))
            said.append(retracted(wrong))
        if not said or goes_on:
            fresh = draw(transitions())
            asserted.append(fresh)
            said.append(fresh)
        events.append(booked(draw(DAYS), *said))
    return Bookings(events)


def known_by(events: Iterable[Event[Any]], known_on: date | None) -> Sequence[ResidentTransition]:
    """The transitions of residents that had been booked by the end of a day (noon bookings: UTC is good enough)."""
    return [
        t
        for event in events
        if known_on is None or event.time.date() <= known_on
        for t in event.data.transitions
        if isinstance(t, ResidentTransition)
    ]
