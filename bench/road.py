"""From a clerk's POST to the open page: how long a registration takes until its figure is delivered as a
server-sent event, at fixed rates of POSTs.

The offices run as in production, each in a process of its own; the POSTs come from one more. They are sent at planned
times and counted from these (a slow office cannot slow its own measurement down), to the moment when this process
holds the event whose figure contains them. Run: `python bench/road.py [--rates 200 1000] [--seconds N]`.
"""

import json
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import quantiles
from threading import Thread
from time import monotonic, sleep
from typing import Any

import httpx
import psycopg
from stand import Town, post, report, scratch_town

_HERE = Path(__file__).parent
_TILE = "population"  # everybody who registers here is counted in it, so it tells how far the page has come
_DEADLINE_SECONDS = 120.0


class Page:
    """An open page: what its tile said, and when it was told."""

    def __init__(self, url: str, token: str) -> None:
        self.told: list[tuple[float, int]] = []
        self._client = httpx.Client(trust_env=False, timeout=httpx.Timeout(10, read=None))
        self._url, self._token = url, token

    def follow(self) -> None:
        """Listen until the page is closed."""
        headers = {"Authorization": f"Bearer {self._token}"}
        with suppress(httpx.HTTPError), self._client.stream("GET", f"{self._url}/live", headers=headers) as stream:
            stream.raise_for_status()
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    self._take(monotonic(), json.loads(line.removeprefix("data:")))

    def _take(self, at: float, data: dict[str, Any]) -> None:
        for tile in data.get("tiles", ()):
            if tile["id"] == _TILE and tile["number"] is not None:
                self.told.append((at, int(tile["number"])))

    def when(self, number: int) -> float:
        """When the tile first said so many, or more."""
        return self.told[bisect_left(self.told, number, key=lambda told: told[1])][0]

    def wait_for(self, number: int) -> None:
        """Wait until the tile says so many."""
        deadline = monotonic() + _DEADLINE_SECONDS
        while not self.told or self.told[-1][1] < number:
            if monotonic() > deadline:
                raise RuntimeError(f"{number} were registered; the page was told {self.told[-1:]}")
            sleep(0.02)


@contextmanager
def open_page(url: str, token: str) -> Iterator[Page]:
    """A page that follows the figures."""
    page = Page(url, token)
    thread = Thread(target=page.follow, daemon=True)
    thread.start()
    yield page


def call(url: str, token: str, *, rate: float, seconds: float, connections: int) -> list[tuple[float, float, int]]:
    """Planned time, time of the answer and number in the book of each registration at this rate."""
    words = [str(_HERE / "processes" / "callers.py"), url, "--seconds", str(seconds), "--connections", str(connections)]
    words += ["--rate", str(rate), "--each"]
    ran = subprocess.run([sys.executable, *words], input=token, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(ran.stderr[-3000:])
    said = json.loads(ran.stdout)
    if set(said["statuses"]) != {"201"}:
        raise RuntimeError(f"not everything was booked: {said['statuses']}")
    return [tuple(each) for each in said["answered"]]


def percentiles(seconds: Sequence[float], what: str, rate: int) -> dict[str, float]:
    """The middle one and the hundredth slowest, in milliseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {f"{what}_p50_ms_at_{rate}": cuts[49] * 1000, f"{what}_p99_ms_at_{rate}": cuts[98] * 1000}


def last_number(town: Town) -> int:
    """Where the book ends."""
    with psycopg.connect(town.cluster.superuser("registration").conninfo()) as connection:
        return int(connection.execute("select max(number) from ledger.record").fetchall()[0][0])


def measure(bench: str, town: Town, wanted: Namespace, between: Mapping[str, Mapping[str, str]]) -> None:
    """Measure each rate and print the closing line.

    `between`: the processes that stand between the office and the page, with what each is told.
    """
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {"connections": wanted.connections}
    with ExitStack() as stack:
        registration = stack.enter_context(town.running("registration")).url
        for name, told in between.items():
            stack.enter_context(town.running(name, **told))
        reporting = stack.enter_context(town.running("reporting")).url
        page = stack.enter_context(open_page(reporting, town.token("reporting", "coordination")))
        post(registration, "/initial-load/closing", town.token("registration", "initial_load"))
        others = last_number(town)  # what stands in the book and is no registration
        token = town.token("registration", "clerk")
        booked = len(call(registration, token, rate=50, seconds=min(wanted.seconds, 2.0), connections=8))  # warm
        page.wait_for(booked)
        for rate in wanted.rates:
            answered = call(registration, token, rate=rate, seconds=wanted.seconds, connections=wanted.connections)
            booked += len(answered)
            page.wait_for(booked)
            reached = len(answered) / (
                max(done for _, done, _ in answered) - min(planned for planned, _, _ in answered)
            )
            ratios[f"reached_of_{rate}"] = reached / rate
            figures |= percentiles([done - planned for planned, done, _ in answered], "answered", rate)
            figures |= percentiles(
                [page.when(number - others) - planned for planned, _, number in answered], "delivered", rate
            )
            figures[f"reached_at_{rate}"] = reached
    if last_number(town) - others != booked or page.told[-1][1] != booked:
        raise RuntimeError(f"{booked} were answered, {last_number(town) - others} booked, {page.told[-1]} delivered")
    report(bench, ratios, {**figures, "delivered": booked})


def arguments(description: str | None, rates: Sequence[int]) -> Namespace:
    """How much is measured."""
    parser = ArgumentParser(description=description)
    parser.add_argument("--rates", type=int, nargs="+", default=rates, help="POSTs a second")
    parser.add_argument("--seconds", type=float, default=15.0, help="for each rate")
    parser.add_argument("--connections", type=int, default=200)
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments(__doc__, [200, 1000])
    with scratch_town("registration", "reporting") as scratch:
        measure("road", scratch, asked, {"reporting-reader": {}})
