"""What the registration office tells the platform of itself."""

from verbund.events.offices import Office, Process
from verbund.events.registration import EVENTS
from verbund.events.registration import OFFICE as NAME

OFFICE = Office(
    name=NAME,
    processes=(Process(name="registration", port=8101, app="registration.app:create", database_role="desk"),),
    migrations=(
        ("verbund.ledger.migrations", "ledger_version"),
        ("registration.migrations", "registration_version"),
    ),
    events=EVENTS,
    readers=("reporting",),
    simulation="registration.simulation.run:SIMULATION",
)
