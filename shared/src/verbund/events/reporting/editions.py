"""What the reporting office books about editions: figures that were frozen for a meeting or a council.

Titles and words of reasons stand in the office's own tables. An event carries the hash of the manifest, which holds
them, so that nothing of an edition can be changed unnoticed.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StrictInt

from verbund.events.envelope import Data
from verbund.events.reporting.office import OFFICE

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""In hexadecimal."""
WithdrawalReason = Literal["wrong_figures", "wrong_questions", "wrong_audience", "replaced"]


class EditionFrozen(Data, office=OFFICE, version=1):
    """An edition was sealed: from here on the same questions about it get the same bytes."""

    edition_id: str
    frozen_on: date
    """Day of the freezing at the office (Europe/Berlin)."""
    audience: str
    """For whose eyes its figures were made."""
    questions: StrictInt
    files: StrictInt
    manifest_sha256: Sha256
    """The edition's hash. The manifest names everything else in it, each file by its own hash."""


class EditionWithdrawn(Data, office=OFFICE, version=1):
    """An edition should not be used any more. It is never removed, and still answers."""

    edition_id: str
    withdrawn_on: date
    reason: WithdrawalReason
    words_sha256: Sha256 | None = None
    """Of the words that explain it (UTF-8), where there are any."""


EVENTS: tuple[type[Data], ...] = (EditionFrozen, EditionWithdrawn)
