"""Shares, rates, means, durations and ages against a list of outages that is gone through by hand."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import count
from random import Random
from typing import Any, Literal

import pytest
from stage.cube import Stage
from stage.lamps.office import LAMPS, NAME, OutageFacts, OutageReported, OutageTransition

from reporting.audiences import Audience
from reporting.figures import Question, number_of
from verbund.events.envelope import Event, sequence_of
from verbund.events.offices import find_offices

CITY = "05913000"
NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
FIRST, SPAN = date(2017, 1, 1), 700
DISTRICTS = {"04": "SB02", "05": "SB02", "06": "SB02", "01": "SB01", "nowhere": "unplaced"}
_numbers = count(1)


@dataclass(frozen=True)
class Outage:
    """One lamp: out from a day on, perhaps mended; each known from a day on; perhaps it never was (`unsaid_on`)."""

    area: str
    cause: Literal["cable", "lamp"]
    since: date
    due_on: date
    known_on: date
    repaired_on: date | None
    repair_known_on: date
    unsaid_on: date | None

    def is_known(self, on: date) -> bool:
        return self.known_on <= on and (self.unsaid_on is None or self.unsaid_on > on)

    def is_mended(self, by: date, known: date) -> bool:
        return self.repaired_on is not None and self.repaired_on <= by and self.repair_known_on <= known

    @property
    def days(self) -> int:
        assert self.repaired_on is not None
        return (self.repaired_on - self.since).days


def draw(chance: Random) -> Outage:
    def later(than: date, most: int) -> date:
        return than + timedelta(days=chance.randrange(most))

    since = later(FIRST, SPAN)
    known_on = later(since, 30)
    repaired_on = later(since, 80) if chance.random() < 0.7 else None
    return Outage(
        chance.choice(list(DISTRICTS)),
        chance.choice(("cable", "lamp")),
        since,
        since + timedelta(days=14),
        known_on,
        repaired_on,
        max(known_on, later(repaired_on or since, 30)),
        None,
    )


def told(outage: Outage) -> Iterable[Event[Any]]:
    facts = OutageFacts(area=outage.area, cause=outage.cause, since=outage.since, due_on=outage.due_on)

    def change(on: date, before: OutageFacts | None, after: OutageFacts | None, sign: Literal[1, -1] = 1) -> Any:
        return OutageTransition(
            sign=sign, subject="lamp", n=1, effective_on=on, kind="recorded", before=before, after=after, cause="booked"
        )

    found = change(outage.since, None, facts)
    mended = change(outage.repaired_on, facts, None) if outage.repaired_on else None
    yield _event(outage.known_on, found)
    if mended:
        yield _event(outage.repair_known_on, mended)
    if outage.unsaid_on:
        back = [t.model_copy(update={"sign": -1}) for t in (found, mended) if t is not None]
        yield _event(outage.unsaid_on, *back)


def _event(on: date, *transitions: OutageTransition) -> Event[Any]:
    number = next(_numbers)
    return Event[OutageReported](
        id=f"lamp-{number}",
        source=f"/{CITY}/{NAME}/book",
        type=OutageReported.type,
        subject="lamp",
        time=datetime.combine(on, time(12), UTC),
        sequence=sequence_of(number),
        actor="fitter:test",
        data=OutageReported(transitions=transitions),
    )


def rounded(number: Fraction, decimals: int) -> Decimal:
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    return exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def ratio(above: int, below: int, factor: int, decimals: int) -> Decimal | None:
    return rounded(Fraction(above * factor, below), decimals) if below else None


def percentile(days: Sequence[int], percent: int, decimals: int) -> Decimal | None:
    """The middle of the days of the unit that reaches the border and of the one that passes it."""
    if not days:
        return None
    in_order, border = sorted(days), Fraction(len(days) * percent, 100)
    reaches = next(at for at in range(len(days)) if at + 1 >= border)
    passes = next((at for at in range(len(days)) if at + 1 > border), len(days) - 1)
    return rounded(Fraction(in_order[reaches] + in_order[passes], 2), decimals)


Ask = Callable[[list[Outage], date, date | None, date], Decimal | int | None]


def still_open(outages: list[Outage], on: date, known: date) -> list[Outage]:
    return [o for o in outages if o.is_known(known) and o.since <= on and not o.is_mended(on, known)]


def reported(outages: list[Outage], first: date, last: date, known: date) -> list[Outage]:
    return [o for o in outages if o.is_known(known) and first <= o.since <= last]


def repaired(outages: list[Outage], first: date, last: date, known: date) -> list[Outage]:
    return [
        o for o in outages if o.is_known(known) and o.is_mended(last, known) and first <= (o.repaired_on or date.min)
    ]


ON_A_DAY: dict[str, Callable[[list[Outage], date, date], Decimal | int | None]] = {
    "open_outages": lambda all_, on, known: len(still_open(all_, on, known)),
    "overdue_outages": lambda all_, on, known: sum(o.due_on < on for o in still_open(all_, on, known)),
    "age_of_open_outages": lambda all_, on, known: percentile(
        [(on - o.since).days for o in still_open(all_, on, known)], 50, 1
    ),
    "share_of_cables": lambda all_, on, known: ratio(
        sum(o.cause == "cable" for o in still_open(all_, on, known)), len(still_open(all_, on, known)), 100, 1
    ),
}
IN_A_PERIOD: dict[str, Callable[[list[Outage], date, date, date], Decimal | int | None]] = {
    "repairs": lambda all_, a, b, known: len(repaired(all_, a, b, known)),
    "days_to_repair": lambda all_, a, b, known: percentile([o.days for o in repaired(all_, a, b, known)], 50, 1),
    "days_to_repair_of_ninety": lambda all_, a, b, known: percentile(
        [o.days for o in repaired(all_, a, b, known)], 90, 0
    ),
    "repairs_per_thousand_reports": lambda all_, a, b, known: ratio(
        len(repaired(all_, a, b, known)), len(reported(all_, a, b, known)), 1000, 0
    ),
    "reports_per_repair": lambda all_, a, b, known: ratio(
        len(reported(all_, a, b, known)), len(repaired(all_, a, b, known)), 1, 2
    ),
}


@pytest.mark.parametrize("attempt", range(3))
async def test_every_share_mean_and_duration_is_what_going_through_the_list_gives(
    cube: Stage, seed: int, attempt: int
) -> None:
    chance = Random(seed + attempt)
    cube.know([*find_offices(), LAMPS])
    outages = [draw(chance) for _ in range(50)]
    outages = [
        replace(o, unsaid_on=o.repair_known_on + timedelta(days=chance.randrange(60))) if chance.random() < 0.2 else o
        for o in outages
    ]
    events = [event for outage in outages for event in told(outage)]
    chance.shuffle(events)
    first = Outage("05", "lamp", FIRST, FIRST, FIRST, FIRST, FIRST, None)  # so that every day is one of the office's
    outages.append(first)
    await cube.take(told(first))
    await cube.take(events[:60])
    await cube.take(events[60:])
    for _ in range(60):
        indicator = chance.choice([*ON_A_DAY, *IN_A_PERIOD])
        by = chance.choice(((), ("district",), ("outage_cause",)))
        if indicator == "share_of_cables" and by == ("outage_cause",):
            continue
        on = FIRST + timedelta(days=chance.randrange(1, SPAN + 100))
        known_on = FIRST + timedelta(days=chance.randrange(SPAN + 100)) if chance.random() < 0.6 else None
        asked: dict[str, Any] = {"indicator": indicator, "by": by, "as_of": (on,), "known_on": known_on}
        if indicator in IN_A_PERIOD:
            asked["every"] = chance.choice(("year", "month"))
        found = await cube.ask(Question(**asked), Audience.STATISTICS, NOW)
        known = known_on or date.max - timedelta(days=1)
        (point,) = found.points
        for cell in found.cells:
            codes = [key.code for key in cell.keys]
            mine = [o for o in outages if not by or codes == [DISTRICTS[o.area] if by == ("district",) else o.cause]]
            if indicator in ON_A_DAY:
                expected = ON_A_DAY[indicator](mine, point.to_on, known)
            else:
                assert point.from_on is not None
                expected = IN_A_PERIOD[indicator](mine, point.from_on, point.to_on, known)
            assert number_of(cell.values[0]) == expected, (seed + attempt, asked, codes, point)
