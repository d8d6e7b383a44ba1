"""What the reporting office tells the platform of itself."""

from verbund.events.offices import Office, Process
from verbund.events.reporting import EVENTS
from verbund.events.reporting import OFFICE as NAME

OFFICE = Office(
    name=NAME,
    processes=(
        Process(name="reporting", port=8100, app="reporting.app:create", database_role="web", books_role="desk"),
        Process(name="reporting-reader", port=8110, app="reporting.reader_app:create", database_role="reader"),
    ),
    migrations=(
        ("verbund.ledger.migrations", "ledger_version"),
        ("verbund.feeds.migrations", "feed_version"),
        ("reporting.migrations", "reporting_version"),
    ),
    events=EVENTS,
    reads=("*",),
    rebuild="reporting.rebuild:REBUILDING",
    compaction="reporting.rebuild:COMPACTING",
    effect="reporting.reader:cube_effect",
    commands=(
        ("catalogue", "reporting.catalogue_commands:catalogue"),
        ("edition", "reporting.edition_commands:edition"),
    ),
    simulation="reporting.printed:DELIVERIES",
    check="reporting.printed:check",
)
