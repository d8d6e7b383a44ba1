"""What the processes of the reporting office need to know to run."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from verbund.feeds.settings import ReadingSettings
from verbund.settings import DatabaseSettings, ServiceSettings

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class WebhookSettings(BaseModel):
    """Where every change of an alert is posted."""

    model_config = ConfigDict(frozen=True)

    url: str
    secret_file: Path
    """File that holds the key of the signatures in base64, and nothing else."""
    audience: Literal["coordination", "statistics"] = "coordination"
    """Whose alerts are posted: those of the coordination group, or all."""

    @field_validator("url")
    @classmethod
    def _goes_nowhere_in_the_open(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname:
            return url
        if parts.scheme == "http" and parts.hostname in _LOOPBACK:
            return url
        raise ValueError("the webhook's address has to begin with https:// (http:// on this machine only)")


class ReportingSettings(ServiceSettings):
    """What every office needs, where its books are written, and where the catalogue stands."""

    books: DatabaseSettings
    """The same database under the role that may book; figures are read under one that may not."""
    catalogue: Path | None = None
    """Folder of indicators and data of cities; by default the one that comes with reporting."""
    image_memory: Annotated[str, Field(pattern=r"^[0-9]+(MB|GB)$")] = "2GB"
    """The most memory for the image of the cube: ten million rows and a question to them take half of this."""
    webhook: WebhookSettings | None = None
    """Nothing is posted where none is named."""


class ReaderSettings(ReadingSettings):
    """What every office needs, where the books are read, and where the catalogue stands."""

    catalogue: Path | None = None
    """Folder of indicators and data of cities; by default the one that comes with reporting."""

    @model_validator(mode="after")
    def _has_books_to_read(self) -> Self:
        if self.feed == "ledger" and not self.sources:
            raise ValueError("VERBUND_FEED=ledger needs VERBUND_SOURCES")
        return self
