"""Deliveries: figures of bodies that have no service here, as they were reported, revised and withdrawn.

Numbers are decimals in a text, exactly as delivered ("20149099.89"): a ledger knows no floats. What a body wrote in
words, its source, stands in the office's own table; the event carries the hash of it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from verbund.events.envelope import Data
from verbund.events.reporting.office import OFFICE

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{1,64}$")]
"""Code of an indicator, a unit, a breakdown, or one of its values."""
DecimalText = Annotated[str, Field(pattern=r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?$")]
"""A decimal number in digits, with a point."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

DataState = Literal["provisional", "final"]
Precision = Literal["exact", "rounded", "estimated"]
"""How exactly the body itself knows the number; a rounded one is not to be reckoned with as if it were counted."""
RevisionReason = Literal["typing_error", "restated_by_source", "late_reports", "changed_definition", "other"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class DeliveredPeriod(_Part):
    """The day that a number belongs to, or the period from its first to its last day."""

    from_on: date | None = None
    to_on: date


class DeliveredRow(_Part):
    """One number of a table; the total has no breakdown."""

    breakdown: Mapping[Code, Code]
    value: DecimalText | None
    """None: not available, and that is known."""


class DeliveredSheet(DeliveredPeriod):
    """The numbers of one indicator for one day or period, as delivered at once."""

    state: DataState
    precision: Precision
    restated: StrictBool = False
    """The body's own source has corrected these numbers since it published them first."""
    rows: tuple[DeliveredRow, ...]
    source_sha256: Sha256 | None
    """Hash of the words in which the body names its source."""


class DeliveryFinding(_Part):
    """Something that does not fit in what was delivered. It is booked and shown; nothing is corrected in silence."""

    code: Code
    breakdown: Mapping[Code, Code] = Field(default_factory=dict)
    """Where; empty for the whole table."""
    dimension: Code | None = None
    """Along which breakdown was added up, where that was done."""
    printed: DecimalText | None = None
    """What was delivered."""
    computed: DecimalText | None = None
    """What it comes to."""


class _Delivery(Data):
    indicator: Code
    definition_version: int
    unit: Code
    body: Code
    """Who delivers: an office or a carrier without a service here."""


class FigureDelivered(_Delivery, office=OFFICE, version=1):
    """A body has reported the numbers of a day or a period for the first time."""

    sheet: DeliveredSheet
    findings: tuple[DeliveryFinding, ...]


class FigureRevised(_Delivery, office=OFFICE, version=1):
    """The body has other numbers now; the earlier ones stay known."""

    sheet: DeliveredSheet
    findings: tuple[DeliveryFinding, ...]
    reason: RevisionReason


class FigureKept(_Delivery, office=OFFICE, version=1):
    """The body says that the numbers of an earlier day or period hold for a later one, unchanged."""

    kept_from: DeliveredPeriod
    sheet: DeliveredSheet
    findings: tuple[DeliveryFinding, ...]


class FigureFinalised(_Delivery, office=OFFICE, version=1):
    """Provisional numbers are final, unchanged."""

    period: DeliveredPeriod


class FigureWithdrawn(_Delivery, office=OFFICE, version=1):
    """The numbers of a day or a period should not have been delivered, or hold no longer."""

    period: DeliveredPeriod
    reason: RevisionReason


EVENTS: tuple[type[Data], ...] = (FigureDelivered, FigureRevised, FigureKept, FigureFinalised, FigureWithdrawn)
