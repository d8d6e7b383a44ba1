"""What is noted about a series: for which time, about what, in which role; the words stay with the office."""

from datetime import date
from typing import Literal

from verbund.events.envelope import Data
from verbund.events.reporting.office import OFFICE
from verbund.events.reporting.scopes import BreakdownId, Digest, IndicatorId, ValueCode

AuthorRole = Literal["statistics", "chair", "coordination"]
"""In order of weight: who has more than one of these roles notes in the first of them."""


class NoteWritten(Data, office=OFFICE):
    """A note was put to an indicator, or to one value of a breakdown."""

    indicator: IndicatorId
    breakdown: BreakdownId | None = None
    value: ValueCode | None = None
    from_on: date
    to_on: date | None
    """The last day that it is about; None while it goes on."""
    author_role: AuthorRole
    words_digest: Digest


class NoteRevised(Data, office=OFFICE):
    """Its time or its words were changed; what they were stays known."""

    from_on: date
    to_on: date | None
    author_role: AuthorRole
    words_digest: Digest


class NoteWithdrawn(Data, office=OFFICE):
    """It does not hold any more; that it did stays known."""


EVENTS: tuple[type[Data], ...] = (NoteWritten, NoteRevised, NoteWithdrawn)
