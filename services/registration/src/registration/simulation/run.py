"""The simulation that `verbund simulate` and `verbund demo` run: load the past of the city, then let it live."""

import random
from datetime import date, datetime, timedelta
from logging import getLogger

from registration.simulation.doors import Doors
from registration.simulation.loader import close, is_closed, load_bookings
from registration.simulation.office_hours import BERLIN
from registration.simulation.pace import CityLife, live_on
from registration.simulation.plan import plan_city
from registration.simulation.printed import printed_figures
from registration.simulation.proof import prove
from registration.simulation.quarters import Quarters
from registration.simulation.quotas import ASSUMPTION
from verbund.embedded.simulation import SimulationContext

_log = getLogger(__name__)

_OFFICE = "registration"
_LOADING = "Loading the synthetic city"


class CitySimulation:
    """A synthetic city at the doors of the registration office."""

    def load(self, context: SimulationContext) -> None:
        """Book everything up to yesterday; goes on where it was left, returns at once where all is loaded.

        Raises `PlanDoesNotAddUp` before anything is sent, `RowRefused` where the office refuses a booking,
        `OfficeSilent` where it gives no answer.
        """
        with Doors(
            context.registration_url, lambda: context.issue_token(_OFFICE, ("initial_load",)), context.stop
        ) as doors:
            doors.wait_until_ready()
            if is_closed(doors):
                return
            until, printed = _yesterday(), printed_figures()
            bookings = plan_city(context.seed, until, printed)
            prove(bookings, printed, known_on=until)
            _log.info("loading a synthetic city", extra={"seed": context.seed, "assumption": ASSUMPTION})
            through = load_bookings(
                doors,
                bookings,
                context.seed,
                context.stop,
                lambda done, total: context.progress(_LOADING, done, total),
            )
            if through:
                close(doors, context.seed)

    def live(self, context: SimulationContext) -> None:
        """Book movements at the pace of the context until it is stopped; says in the log what the office refuses."""
        rng = random.Random()  # not from the seed: a second evening must not book the first one again
        with Doors(context.registration_url, lambda: context.issue_token(_OFFICE, ("clerk",)), context.stop) as doors:
            doors.wait_until_ready()
            life = CityLife(doors, Quarters(printed_figures()), rng)
            live_on(life, context.pace_per_minute, context.stop, rng)


def _yesterday() -> date:
    return datetime.now(BERLIN).date() - timedelta(days=1)


SIMULATION = CitySimulation()
