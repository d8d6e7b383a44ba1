"""What a figure comes with: never a number alone."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from reporting.audiences import Audience
from reporting.figures.values import Figure, Value
from reporting.indicators import IndicatorKind, Unit, Words
from reporting.indicators.carrying import OverChanges
from verbund.events.reporting.deliveries import DeliveryFinding
from verbund.events.reporting.notes import AuthorRole
from verbund.events.reporting.targets import Aim


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Point(_Part):
    """A day or a period that has a value in every row."""

    to_on: date
    """The day that a stock stands at the end of; the last day of a period."""
    from_on: date | None = None
    """First day of a period; None for days."""
    compared_to_on: date | None = None
    compared_from_on: date | None = None
    reported_from: date | None = None
    """Where the source began only within this period: its first day. The value covers the rest of the period."""


class Key(_Part):
    """A value of one breakdown."""

    code: str
    name: Words


Mark = Literal["provisional", "revised", "estimated", "rounded", "kept", "not_available"]
"""What is known of a number besides: `kept` was said to be unchanged, `not_available` that there is none."""


class AreaShare(_Part):
    """A recorded change of areas: how much of the former one lies in the new one, and the other way round."""

    former: Key
    new: Key
    share: float | None
    share_back: float | None
    source: Words | None


class Break(_Part):
    """From this day on areas of this answer are others than before, and values before and after do not compare."""

    changed_on: date
    areas: tuple[Key, ...]
    """Those that are others."""
    shares: tuple[AreaShare, ...]
    """What is recorded of the change; empty where nothing is."""


class Cell(_Part):
    """One row of an answer: for each breakdown in `Answer.by` a key; for each of `Answer.points` a value."""

    keys: tuple[Key, ...]
    values: tuple[Value, ...]
    marks: tuple[tuple[Mark, ...], ...] = ()
    """Of what is delivered, for each value what its body says of it; empty for what is counted."""
    compared: tuple[Value, ...] = ()
    """The values that these are compared with, where a comparison was asked."""
    changes: tuple[Value, ...] = ()
    """Value minus compared value; not reported where either is."""
    ticked_at: datetime | None = None
    """As of when this row stands, where it does not move live: each Stadtbezirk moves on its own."""
    estimated: tuple[int, ...] = ()
    """Places of the values that are estimates: made of counts that were divided by a share."""


State = Literal["current", "no_news", "overdue", "silent", "stopped", "never"]
"""How a source stands.

`current`: heard of just now, and has booked within its rhythm (or none is expected of it). `no_news`: heard of, and has
booked nothing for longer, as may be expected: it is Sunday. `overdue`: heard of, and has booked nothing for longer than
may be expected. `silent`: no data, it is not heard of. `stopped`: reading is halted. `never`: no book.
"""


class Freshness(_Part):
    """How a source stands: no news (heard, nothing new) is something else than no data (not heard, stopped, never)."""

    office: str
    name: Words
    state: State
    heard_at: datetime | None = None
    recorded_at: datetime | None = None
    """When the office booked the last fact that stands in these figures."""
    stop_reason: str | None = None
    position: int = 0
    """Number of that fact in the office's ledger."""
    behind: int = 0
    """Facts that the office has booked and that are not in these figures yet, as far as it was heard."""
    parked: int = 0
    """Facts that could not be understood and that these figures miss."""


class Delivery(_Part):
    """What a body reported for a day or a period, besides the numbers."""

    from_on: date | None
    to_on: date
    number: int
    """Of the event in the book of reporting."""
    recorded_at: datetime
    body: Words
    source: str | None
    """Where the body has the numbers from, in its own words."""
    reason: str | None
    """Why numbers were delivered a second time."""
    findings: tuple[DeliveryFinding, ...]
    """What does not fit: it was noticed, booked and left as delivered."""


class Note(_Part):
    """What somebody noted about the series: what was different in a time, and why."""

    note_id: str
    breakdown: str | None
    key: Key | None
    """The value of the breakdown that it is about; None for the indicator as a whole."""
    from_on: date
    to_on: date | None
    """The last day that it is about; None while it goes on."""
    words: Words
    author_role: AuthorRole
    recorded_on: date
    points: tuple[int, ...]
    """The places in `Answer.points` that it marks."""


class Target(_Part):
    """What was agreed that the figure should come to."""

    target_id: str
    breakdown: str | None
    key: Key | None
    """The value of the breakdown that it is for; None for the indicator as a whole."""
    from_on: date
    to_on: date
    agreed_on: date
    aim: Aim
    low: Figure | None
    high: Figure | None
    source: Words
    points: tuple[int, ...]
    """The places in `Answer.points` that it holds for."""


class DefinitionChange(_Part):
    """From this day on another definition of the indicator holds."""

    version: int
    valid_from: date
    points: tuple[int, ...]
    """The place in `Answer.points` that it marks."""


class Answer(_Part):
    """The answer to one question, with everything that has to stand beside the numbers."""

    municipality: str
    indicator: str
    version: int
    valid_from: date
    valid_until: date | None
    """The last day of this version of the definition; None for the one that holds."""
    kind: IndicatorKind
    field_of_action: str
    title: Words
    definition: Words
    cut_off: Words
    limits: tuple[Words, ...]
    unit: Unit
    per_unit: Unit | None
    """What a mean is taken over."""
    per: int | None
    """Of how many a rate is; a share is of a hundred."""
    measure: Literal["count", "amount", "share"] | None
    """Of what is delivered, whether it is a number of units, an amount, or a share of a hundred."""
    decimals: int
    percent: int
    """Of how many of a hundred a percentile is; 50 is the median."""
    population: Words
    source_office: str
    not_comparable_with: tuple[str, ...]
    by: tuple[str, ...]
    filters: Mapping[str, tuple[Key, ...]]
    points: tuple[Point, ...]
    cells: tuple[Cell, ...]
    """In the order of the catalogue; the city's total is the only row where nothing is broken down."""
    areas_on: date | None
    """The day of which the areas are; None where each value belongs to those of its own day."""
    over_changes: OverChanges
    """How values were carried over changes of areas."""
    breaks: tuple[Break, ...]
    """Changes of areas between the days that this answer is about, in order."""
    adds_up: bool
    """Whether the rows of one point add up to the total of the same question without breakdown."""
    audience: Audience
    data_state: Literal["live", "tick"]
    """`tick`: this audience sees this only as it was at `ticked_at`: at a tick, or when it was released."""
    is_exact: bool
    """Whether these are the numbers that were counted; else each is protected by a small noise of its own."""
    ticked_at: datetime | None
    """Where rows stand as of different moments: the earliest one."""
    next_tick_at: datetime | None
    """The earliest moment at which these figures can move, if enough changes until then."""
    known_on: date | None
    """The knowledge that was used; None is everything booked until now."""
    compared_known_on: date | None
    """The earlier knowledge that the values are compared with, where that was asked."""
    asked_at: datetime
    sources: tuple[Freshness, ...]
    deliveries: tuple[Delivery, ...] = ()
    """Of what is delivered: what stands behind the values, and whatever else in this time has something that does not
    fit."""
    notes: tuple[Note, ...] = ()
    targets: tuple[Target, ...] = ()
    definition_changes: tuple[DefinitionChange, ...] = ()
    batch: int
    """Number of the cube's last batch in these figures."""
    generation: int
    """Numbers of batches compare within one generation only."""
