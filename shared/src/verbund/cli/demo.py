"""`verbund demo`: everything that `up` starts, with a simulated city in it, and the links to look at it."""

import asyncio
import os
import sys
import traceback
import webbrowser
from collections.abc import Callable
from threading import Event
from typing import Annotated

import typer

from verbund.cli.compare import await_readers, compare, show
from verbund.cli.output import AsJson, Output, ProgressBars
from verbund.cli.simulate import DEFAULT_PACE, DEFAULT_SEED, Pace, Seed, find_simulations, live, load, make_context
from verbund.cli.tokens import Issuing
from verbund.cli.up import OnKafka, make_supervisor, settings_with, supervise
from verbund.embedded import record
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.postgres import Cluster
from verbund.embedded.simulation import SimulationContext
from verbund.events.offices import find_offices, get_office

_RETRY_SECONDS = 5.0
_PAGES = (
    ("The coordination group's page", "reporting", "coordination"),
    ("The registration clerk's page", "registration", "clerk"),
)


def demo(
    *,
    pace: Pace = DEFAULT_PACE,
    seed: Seed = DEFAULT_SEED,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with printed figures, end, exit code 1 where one differs.")
    ] = False,
    kafka: OnKafka = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the links.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start everything with a simulated city and print the link to the coordination group's page."""
    output = Output(as_json=as_json)
    settings = settings_with(kafka=kafka)
    with ProgressBars(output) as bars:
        demonstration = Demonstration(settings, pace, seed, output, bars)
        if check:
            demonstration.check()
        else:
            demonstration.show(_open_nothing if no_browser else _open_browser)


class Demonstration:
    """A simulated city in a running municipality."""

    def __init__(self, settings: EmbeddedSettings, pace: float, seed: int, output: Output, bars: ProgressBars) -> None:
        self._settings = settings
        self._pace = pace
        self._seed = seed
        self._output = output
        self._bars = bars
        self._offices = find_offices()
        self._simulations = find_simulations(self._offices)
        self._stop = Event()

    def show(self, browse: Callable[[str], None]) -> None:
        """Run until Ctrl-C; the links are said as soon as there is something to see behind them."""
        supervisor = make_supervisor(self._settings, self._output)

        async def when_ready() -> None:
            try:
                issuing = Issuing(self._settings)
                context = self._context(issuing)
                await self._insist(lambda: self._fill(context, supervisor.cluster))
                self._say_links(issuing, browse)
                await self._insist(lambda: live(self._simulations, context))
            finally:
                self._stop.set()

        supervise(supervisor, self._settings, when_ready, self._output)

    def check(self) -> None:
        """Compare and end; in what runs already, or in what is started for it alone."""
        running = record.find_running(self._settings.layout)
        if running is not None:
            self._compare(Cluster(self._settings.layout.folder, running.postgres_port))
            return
        supervisor = make_supervisor(self._settings, self._output)

        async def when_ready() -> None:
            try:
                await asyncio.to_thread(self._compare, supervisor.cluster)
            finally:
                self._stop.set()
                supervisor.stop()

        supervise(supervisor, self._settings, when_ready, self._output)

    def _context(self, issuing: Issuing) -> SimulationContext:
        return make_context(issuing, self._pace, self._seed, self._stop, self._bars.show)

    def _fill(self, context: SimulationContext, cluster: Cluster) -> None:
        """Book the past of the city where it is not booked, and wait until reporting knows it."""
        load(self._simulations, context)
        await_readers(self._offices, cluster, context)

    def _compare(self, cluster: Cluster) -> None:
        context = self._context(Issuing(self._settings))
        self._fill(context, cluster)
        if self._stop.is_set() or not show(compare(self._offices, context), self._output):
            raise typer.Exit(1)

    async def _insist(self, work: Callable[[], None]) -> None:
        """Do the work in a thread, and again when an error ends it: the offices go on meanwhile."""
        while not self._stop.is_set():
            try:
                await asyncio.to_thread(work)
            except Exception as error:  # noqa: BLE001 - like any supervised process it is started again, whatever ended it
                log = self._settings.layout.logs / "simulation.log"
                with log.open("a", encoding="utf-8") as written:
                    traceback.print_exception(error, file=written)
                self._output.complain(f"the simulation ended ({error!r}); starting it again; see {log}")
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    def _say_links(self, issuing: Issuing, browse: Callable[[str], None]) -> None:
        self._output.say("The city is there and lives. Each link signs one browser in, within ten minutes:")
        for title, office, role in _PAGES:
            link = issuing.link(get_office(office), (role,))
            self._output.say(f"  {title}: {link}", page=title, link=link)
        self._output.say("Fresh links: verbund open --office reporting --role coordination")
        # A link of its own: a browser that could not be opened must not use up the one that was printed.
        office, role = _PAGES[0][1:]
        browse(issuing.link(get_office(office), (role,)))


def _open_browser(link: str) -> None:
    """Open the link where there is a screen; a text browser in this terminal would be in the way."""
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(link)


def _open_nothing(link: str) -> None:
    """For `--no-browser`."""
