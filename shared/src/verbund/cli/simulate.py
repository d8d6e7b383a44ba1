"""`verbund simulate`: a synthetic city that books through the real doors of what `verbund up` runs."""

import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from threading import Event
from typing import Annotated

import typer

from verbund.cli.output import AsJson, Output, ProgressBars
from verbund.cli.places import resolve
from verbund.cli.tokens import Issuing
from verbund.embedded import record
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.simulation import Simulation, SimulationContext
from verbund.embedded.supervisor import url_of
from verbund.events.offices import Office, find_offices, get_office

_TOKEN_LIFETIME = timedelta(hours=1)

Pace = Annotated[float, typer.Option("--pace", min=0.1, max=6000, help="Movements per minute.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same city.")]

DEFAULT_PACE = 12.0
DEFAULT_SEED = 1


def simulate(*, pace: Pace = DEFAULT_PACE, seed: Seed = DEFAULT_SEED, as_json: AsJson = False) -> None:
    """Load the simulated city where that has not been done, then let it live until Ctrl-C."""
    output = Output(as_json=as_json)
    settings = EmbeddedSettings()
    if record.find_running(settings.layout) is None:
        output.fail(f"Verbund does not run on {settings.layout.folder}. Start it with `verbund up`.")
    simulations = find_simulations(find_offices())
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ProgressBars(output) as bars:
        context = make_context(Issuing(settings), pace, seed, stop, bars.show)
        load(simulations, context)
    output.say(f"the city lives at {pace:g} movements per minute; Ctrl-C ends it")
    live(simulations, context)


def make_context(
    issuing: Issuing, pace: float, seed: int, stop: Event, progress: Callable[[str, int, int], None]
) -> SimulationContext:
    """What simulations and comparisons with printed figures are given."""
    return SimulationContext(
        registration_url=url_of(get_office("registration").door, issuing.settings),
        reporting_url=url_of(get_office("reporting").door, issuing.settings),
        # One principal for good: a load that goes on after a crash is known by its idempotency keys.
        issue_token=lambda office, roles: issuing.issue(office, roles, _TOKEN_LIFETIME, subject="simulation"),
        seed=seed,
        pace_per_minute=pace,
        stop=stop,
        progress=progress,
    )


def find_simulations(offices: Sequence[Office]) -> list[Simulation]:
    """The simulations that offices announce, in order of their doors."""
    return [resolve(office.simulation) for office in offices if office.simulation]


def load(simulations: Sequence[Simulation], context: SimulationContext) -> None:
    """Book the past of the city, one office after the other; returns early when `context.stop` is set."""
    for simulation in simulations:
        if not context.stop.is_set():
            simulation.load(context)


def live(simulations: Sequence[Simulation], context: SimulationContext) -> None:
    """Let all simulations live side by side until `context.stop` is set; raises what ends one of them."""
    with ThreadPoolExecutor(max_workers=max(1, len(simulations)), thread_name_prefix="simulation") as pool:
        for ended in as_completed([pool.submit(simulation.live, context) for simulation in simulations]):
            if ended.exception() is not None:
                context.stop.set()
            ended.result()
