"""What the processes of the reporting office need to know to run."""

from pathlib import Path

from verbund.feeds.ledger_view import Source
from verbund.settings import ServiceSettings


class ReportingSettings(ServiceSettings):
    """What every office needs, and where the catalogue stands."""

    catalogue: Path | None = None
    """Folder of indicators and data of cities; by default the one that comes with reporting."""


class ReaderSettings(ServiceSettings):
    """What every office needs, and whose books are read."""

    sources: tuple[Source, ...]
    """VERBUND_SOURCES: a JSON list of offices, each with the role that sees reporting's view of its ledgers."""
