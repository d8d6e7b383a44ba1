"""What the processes of the reporting office need to know to run."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from verbund.feeds.settings import ReadingSettings
from verbund.settings import ServiceSettings


class ReportingSettings(ServiceSettings):
    """What every office needs, and where the catalogue stands."""

    catalogue: Path | None = None
    """Folder of indicators and data of cities; by default the one that comes with reporting."""


class ReaderSettings(ReadingSettings):
    """What every office needs, and where the books are read."""

    @model_validator(mode="after")
    def _has_books_to_read(self) -> Self:
        if self.feed == "ledger" and not self.sources:
            raise ValueError("VERBUND_FEED=ledger needs VERBUND_SOURCES")
        return self
