"""What the reporting office tells the platform of itself."""

from verbund.events.offices import Office, Process

OFFICE = Office(
    name="reporting",
    processes=(
        Process(name="reporting", port=8100, app="reporting.app:create", database_role="web"),
        Process(name="reporting-reader", port=8110, app="reporting.reader_app:create", database_role="reader"),
    ),
    migrations=(
        ("verbund.feeds.migrations", "feed_version"),
        ("reporting.migrations", "reporting_version"),
    ),
    reads=("*",),
    rebuild="reporting.rebuild:REBUILDING",
    compaction="reporting.rebuild:COMPACTING",
    effect="reporting.reader:cube_effect",
    commands=(("catalogue", "reporting.catalogue_commands:catalogue"),),
    check="reporting.printed:check",
)
