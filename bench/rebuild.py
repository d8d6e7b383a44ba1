"""Records a second that `verbund rebuild` folds into a second cube, against the reader on the same book.

Both read the same ledger from PostgreSQL with fsync, prove it, decode it, count and append; the rebuild in slices, on
several processes. Also with the comparison and the changeover. Run: `python bench/rebuild.py [--records 200000]`.
"""

import asyncio
import os
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from cProfile import Profile
from pathlib import Path
from pstats import Stats
from sys import stderr
from tempfile import NamedTemporaryFile
from time import perf_counter

import psutil
import psycopg
from projection import BOOK, PROFILES, records
from stand import report, scratch_offices

from reporting.deltas import delta_functions
from reporting.reader import CubeEffect
from reporting.rebuild import REBUILDING
from verbund.database import make_engine
from verbund.embedded.postgres import Cluster
from verbund.events.offices import find_offices, known_events
from verbund.feeds.batch import Batch
from verbund.feeds.ledger_feed import LARGEST_BATCH
from verbund.feeds.ledger_view import LedgerView, Source
from verbund.feeds.reader import Reader
from verbund.feeds.rebuild import Outcome, RebuildContext
from verbund.service.memory import settle

SECRET = "bench"
CHANGING = "changing over"


def fill(cluster: Cluster, count: int, profiles: int) -> None:
    """Put a book of this many records into the office's database, as it lies after the nightly vacuum."""
    booked = records(count - profiles, profiles)
    with psycopg.connect(cluster.superuser("registration").conninfo(), autocommit=True) as connection:
        with connection.cursor().copy("copy ledger.record from stdin (format binary)") as copy:
            copy.set_types(["text", "int8", "bytea", "bytea", "bytea"])
            for each in booked:
                copy.write_row((each.ledger, each.number, each.previous, each.hash, each.body))
        last = booked[-1]
        connection.execute("insert into ledger.head values (%s, %s, %s, now())", (BOOK, last.number, last.hash))
        connection.execute("vacuum (analyze) ledger.record")


async def read(cluster: Cluster, source: Source) -> float:
    """Seconds that the reader takes for the whole book."""
    engine = make_engine(cluster.settings("reporting_reader", "reporting"))
    reader = Reader(engine, CubeEffect(SECRET.encode(), delta_functions(find_offices())), known_events())
    view = LedgerView(source, "reporting")
    begun, number = perf_counter(), 0
    while found := await view.records(BOOK, number, LARGEST_BATCH):
        number = (await reader.take(Batch(found))).positions[BOOK]
    seconds = perf_counter() - begun
    await view.close()
    await engine.dispose()
    return seconds


def cpu_seconds(cluster: Cluster) -> tuple[float, float]:
    """What these processes and those of PostgreSQL have spent so far, with those that have ended."""
    own = sum(os.times()[:4])
    folding = [process for process in psutil.Process().children() if "spawn_main" in " ".join(process.cmdline())]
    server = psutil.Process(int((cluster.data / "postmaster.pid").read_text().split()[0]))
    return own + sum(map(_spent, folding)), _spent(server) + sum(map(_spent, server.children()))


def _spent(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return sum(process.cpu_times()[:4])
    return 0.0


class Watch:
    """Takes the time of phases, as progress tells of them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._spent = cpu_seconds(cluster)
        self.begun = perf_counter()
        self.folded = 0.0
        self.cpu = (0.0, 0.0)
        """Seconds of a core until all was folded: in the processes of the rebuild, and in PostgreSQL."""
        self.changing = 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        now = perf_counter()
        if phase == BOOK and done == total and not self.folded:
            self.folded = now - self.begun
            own, server = cpu_seconds(self._cluster)
            self.cpu = (own - self._spent[0], server - self._spent[1])
        if phase == CHANGING:
            self.changing = now - self.changing


def rebuilt(cluster: Cluster, source: Source, key: Path, workers: int) -> tuple[float, Watch]:
    """Seconds that a whole rebuild takes."""
    watch = Watch(cluster)
    outcome = REBUILDING.run(
        RebuildContext(
            reader="reporting",
            database=cluster.settings("reporting_owner", "reporting"),
            sources=[source],
            hash_key_file=key,
            progress=watch,
            workers=workers,
        )
    )
    seconds = perf_counter() - watch.begun
    assert isinstance(outcome, Outcome)
    assert not outcome.accepted
    return seconds, watch


def measure(cluster: Cluster, wanted: Namespace) -> None:
    """Let the reader read once, rebuild, and print the closing line."""
    fill(cluster, wanted.records, wanted.profiles)
    settle()
    source = Source(office="registration", database=cluster.settings("registration_feed_reporting", "registration"))
    reading = asyncio.run(read(cluster, source))
    with NamedTemporaryFile("w") as key:
        key.write(SECRET)
        key.flush()
        runs = [rebuilt(cluster, source, Path(key.name), wanted.workers) for _ in range(wanted.rounds)]
        seconds, watch = min(runs, key=lambda run: run[0])
        if wanted.profile:
            with Profile() as profile:
                rebuilt(cluster, source, Path(key.name), workers=1)
            Stats(profile, stream=stderr).sort_stats("tottime").print_stats(30)
    report(
        "rebuild",
        {"reader": reading / watch.folded},
        {
            "records_per_second": wanted.records / watch.folded,
            "whole_records_per_second": wanted.records / seconds,
            "reader_per_second": wanted.records / reading,
            "changeover_ms": 1_000 * watch.changing,
            "cpu_us_each": 1e6 * watch.cpu[0] / wanted.records,
            "postgres_cpu_us_each": 1e6 * watch.cpu[1] / wanted.records,
            "records": wanted.records,
        },
    )


def arguments() -> Namespace:
    """How much is measured."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0, help="processes that fold; 0 is as many as there are cores")
    parser.add_argument("--profiles", type=int, default=PROFILES, help="of residents: two cells come of each")
    parser.add_argument("--profile", action="store_true", help="also tell where the time of one process goes")
    return parser.parse_args()


if __name__ == "__main__":
    with scratch_offices("reporting", "registration") as running:
        measure(running, arguments())
