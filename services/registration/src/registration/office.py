"""What the registration office tells the platform of itself."""

from verbund.events.offices import Office, Process
from verbund.events.registration import EVENTS
from verbund.events.registration import OFFICE as NAME

OFFICE = Office(
    name=NAME,
    processes=(
        Process(name="registration", port=8101, app="registration.app:create", database_role="desk"),
        Process(
            name="registration-relay",
            port=8111,
            app="registration.relay_app:create",
            database_role="relay",
            only_with="kafka",
        ),
    ),
    migrations=(
        ("verbund.ledger.migrations", "ledger_version"),
        ("registration.migrations", "registration_version"),
    ),
    events=EVENTS,
    readers=("reporting",),
    simulation="registration.simulation.run:SIMULATION",
)
