"""What the processes of the reporting office need to know to run."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from verbund.feeds.settings import ReadingSettings
from verbund.settings import DatabaseSettings, ServiceSettings


class ReportingSettings(ServiceSettings):
    """What every office needs, where its books are written, and where the catalogue stands."""

    books: DatabaseSettings
    """The same database under the role that may book; figures are read under one that may not."""
    catalogue: Path | None = None
    """Folder of indicators and data of cities; by default the one that comes with reporting."""
    image_memory: Annotated[str, Field(pattern=r"^[0-9]+(MB|GB)$")] = "2GB"
    """The most memory for the image of the cube: ten million rows and a question to them take half of this."""


class ReaderSettings(ReadingSettings):
    """What every office needs, where the books are read, and where the catalogue stands."""

    catalogue: Path | None = None
    """Folder of indicators and data of cities; by default the one that comes with reporting."""

    @model_validator(mode="after")
    def _has_books_to_read(self) -> Self:
        if self.feed == "ledger" and not self.sources:
            raise ValueError("VERBUND_FEED=ledger needs VERBUND_SOURCES")
        return self
