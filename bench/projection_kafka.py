"""Events a second from a topic of a real Kafka into a cube of some 20,000 live cells: ours against four others.

Each side is a process of its own and drains the same topic into the same kind of cube: same functions, same SQL, same
driver, PostgreSQL with fsync. Ours is the reader as it runs in production; the others (bench/peers/) do what it does
with a batch, without its checks. How far one is, is read from outside, off its position in the database; the clock
starts with its first commit. All take turns in one run, and a ratio is the median of the rounds' ratios. At the end of
each turn the sums in the cube are held against the moves that were sent.
Run: `python bench/projection_kafka.py [--events N] [--rounds N] [--peers confluent single]`.
"""

import asyncio
import json
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import Any, NamedTuple

import psutil
import psycopg
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from projection import BOOK, PROFILES, Move, batches, book_of_moves, live_cells, moves, rate
from stand import SERVING, Town, report, scratch_kafka, scratch_town

from reporting.deltas import delta_functions
from reporting.reader import CubeEffect
from verbund.database import make_engine
from verbund.embedded.kafka_cluster import Brokers
from verbund.embedded.ports import find_free_port
from verbund.events.offices import find_offices, known_events
from verbund.feeds.reader import Reader
from verbund.kafka.messages import message_of
from verbund.kafka.settings import KafkaSettings
from verbund.kafka.topics import LARGEST_MESSAGE, topic_of
from verbund.ledger.record import Record
from verbund.service.memory import settle

_HERE = Path(__file__).parent
OURS = "ours"
HERE = {"single": "single.py", "take_events": "take_events.py"}
"""Peers that need nothing beyond our own environment."""
ELSEWHERE = {"confluent": "confluent.py", "quixstreams": "quix.py"}
"""Peers that have an environment and a lock of their own in bench/peers/."""
_LOOK_SECONDS = 0.01
_DEADLINE_SECONDS = 120.0
_SUMS = """
    select measure, dims->>'area', dims->>'area_from', dims->>'area_to', sum(n)
    from cube.batch join cube.delta using (municipality, batch) join cube.cell using (municipality, cell, measure)
    group by 1, 2, 3, 4 having sum(n) <> 0
"""


class Turn(NamedTuple):
    """What one drained in its turn."""

    rate: float
    """Events a second."""
    cpu_us: float
    """Microseconds of a core, for each event, in its own process."""


class _Look(NamedTuple):
    """How far one was, and when."""

    number: int
    at: float
    cpu_seconds: float


class Ground:
    """What every turn begins with: a cube with all its cells, a position in front of a topic full of moves."""

    def __init__(self, town: Town, brokers: Brokers, made: Sequence[Move], first: int) -> None:
        """`first`: how many moves stand in the cube before a turn; all others are sent."""
        self._town, self._made, self._first = town, made, first
        self.brokers = json.dumps(brokers.bootstrap)
        booked = book_of_moves(made)
        self._before = booked[:first]
        _send(brokers.settings, booked[first:])
        self.last = booked[-1].number
        self.cells = 0.0

    @property
    def first(self) -> int:
        """The position in front of the topic."""
        return self._first

    def connect(self) -> "psycopg.Connection[Any]":
        """To the database of the cube, as the one who may do everything."""
        return psycopg.connect(self._town.cluster.superuser("reporting").conninfo(), autocommit=True)

    def prepare(self) -> None:
        """Make everything as it was before the first turn."""
        with self.connect() as connection:
            connection.execute("truncate feed.position, feed.hint, cube.batch_head, cube.batch, cube.delta, cube.cell")
            asyncio.run(self._take_in())
            connection.execute("checkpoint")  # what was written before costs nobody time

    async def _take_in(self) -> None:
        engine = make_engine(self._town.cluster.settings("reporting_reader", "reporting"))
        await rate(Reader(engine, _effect(self._town), known_events()), batches(self._before, 5_000))
        self.cells = await live_cells(engine)
        await engine.dispose()

    def check(self, connection: "psycopg.Connection[Any]") -> None:
        """Raise where the cube does not hold just what was sent up to the position, or cells were made meanwhile."""
        taken = position(connection)
        found = {tuple(row[:4]): int(row[4]) for row in connection.execute(_SUMS)}
        if found != _sums(self._made[:taken]):
            raise RuntimeError(f"the sums of the cube are not those of the {taken} moves that were taken")
        if connection.execute("select count(*) from cube.cell").fetchone() != (self.cells,):
            raise RuntimeError("there were cells to be made while the clock ran")


def position(connection: "psycopg.Connection[Any]") -> int:
    """How far the book was read."""
    row = connection.execute("select number from feed.position where ledger = %s", (BOOK,)).fetchone()
    return 0 if row is None else int(row[0])


def _effect(town: Town) -> CubeEffect:
    secret = Path(town.environment("reporting-reader")["VERBUND_HASH_KEY_FILE"]).read_text(encoding="utf-8").strip()
    return CubeEffect(secret.encode(), delta_functions(find_offices()))


def _sums(made: Sequence[Move]) -> Mapping[tuple[str | None, ...], int]:
    """Counted again from the moves themselves: how many moved between two areas, how many more live in one."""
    sums: Counter[tuple[str | None, ...]] = Counter()
    for before, after in made:
        sums["moves", None, before.area, after.area] += 1
        sums["residents", before.area, None, None] -= 1
        sums["residents", after.area, None, None] += 1
    return {place: n for place, n in sums.items() if n}


def _send(kafka: KafkaSettings, records: Sequence[Record]) -> None:
    """Make the topic, of one partition, and send the records as a relay would."""
    topic = topic_of(BOOK)
    with KafkaAdminClient(bootstrap_servers=list(kafka.brokers)) as administration:
        wanted = {"num_partitions": 1, "replication_factor": 1, "configs": {"max.message.bytes": str(LARGEST_MESSAGE)}}
        administration.create_topics({topic: wanted}, wait_for_metadata=True)
    producer = KafkaProducer(bootstrap_servers=list(kafka.brokers), linger_ms=20, batch_size=256 * 1024)
    sent = []
    for message in map(message_of, records):
        sent.append(producer.send(topic, key=message.key, value=message.value, headers=list(message.headers)))
    for each in sent:
        each.get(timeout=_DEADLINE_SECONDS)
    producer.close()


@contextmanager
def draining(town: Town, ground: Ground, words: Sequence[str]) -> Iterator[psutil.Popen]:
    """A process that drains the topic, ended in order afterwards."""
    told = town.environment("reporting-reader", PORT=str(find_free_port()), FEED="kafka", KAFKA__BROKERS=ground.brokers)
    log = town.settings.layout.logs / "draining.log"
    with log.open("wb") as written:
        process = psutil.Popen([*words], env=told, stdout=written, stderr=written)
    try:
        yield process
    except Exception as error:
        error.add_note(f"{words[-1]} said last: {log.read_text(encoding='utf-8')[-3000:]}")
        raise
    finally:
        process.terminate()
        try:
            process.wait(_DEADLINE_SECONDS / 4)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()


def take_turn(town: Town, ground: Ground, words: Sequence[str], seconds: float) -> Turn:
    """Let one drain the topic, or as much of it as it can in this time after its first commit; check what it did."""
    ground.prepare()
    with ground.connect() as connection:
        with draining(town, ground, words) as process:
            turn = _watch(process, connection, ground, seconds)
        ground.check(connection)
    return turn


def _watch(process: psutil.Popen, connection: "psycopg.Connection[Any]", ground: Ground, seconds: float) -> Turn:
    """Look at the position until the topic is drained or the time is over."""
    begun = ended = _Look(ground.first, monotonic(), 0.0)
    deadline = begun.at + _DEADLINE_SECONDS + seconds
    while ended.number < ground.last and (begun is ended or ended.at - begun.at < seconds):
        if process.poll() is not None or monotonic() > deadline:
            raise RuntimeError(f"it came to {ended.number} of {ground.last}, and no further")
        sleep(_LOOK_SECONDS)
        look = _Look(position(connection), monotonic(), sum(process.cpu_times()[:2]))
        if look.number > ended.number:
            begun = look if begun.number == ground.first and look.number < ground.last else begun
            ended = look
    drained = ended.number - begun.number
    return Turn(drained / (ended.at - begun.at), (ended.cpu_seconds - begun.cpu_seconds) * 1e6 / drained)


def words_of(name: str) -> Sequence[str]:
    """How this side is started."""
    if name == OURS:
        return (*SERVING, "reporting-reader")
    if name in HERE:
        return (sys.executable, str(_HERE / "peers" / HERE[name]))
    return (str(_HERE / "peers" / ".venv" / "bin" / "python"), str(_HERE / "peers" / ELSEWHERE[name]))


def install_peers() -> None:
    """What bench/peers/uv.lock names; nothing to do the second time."""
    uv = _HERE.parent / ".uv" / "bin" / "uv"
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": ".venv"}
    words = [str(uv), "sync", "--frozen", "--quiet", "--python", sys.executable, "--project", str(_HERE / "peers")]
    subprocess.run(words, env=environment, check=True)


def measure(town: Town, brokers: Brokers, wanted: Namespace) -> None:
    """Take turns and print the closing line."""
    made = moves(wanted.events, wanted.cells // 2)
    ground = Ground(town, brokers, made, wanted.cells // 2)
    settle()
    turns: dict[str, list[Turn]] = {name: [] for name in (OURS, *wanted.peers)}
    for _ in range(wanted.rounds):
        for name, taken in turns.items():
            taken.append(take_turn(town, ground, words_of(name), wanted.seconds))
            sys.stderr.write(f"{name}: {taken[-1].rate:,.0f} a second, {taken[-1].cpu_us:.1f} us of a core for each\n")
    ours = turns[OURS]
    report(
        "projection_kafka",
        {
            name: median(one.rate / other.rate for one, other in zip(ours, turns[name], strict=True))
            for name in wanted.peers
        },
        {
            **{f"{name}_per_second": median(turn.rate for turn in taken) for name, taken in turns.items()},
            **{f"{name}_cpu_us_each": median(turn.cpu_us for turn in taken) for name, taken in turns.items()},
            "cells": ground.cells,
            "events": wanted.events,
        },
    )


def arguments() -> Namespace:
    """How much is measured."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000, help="in the topic")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="at most, of each turn, after its first commit")
    parser.add_argument("--cells", type=int, default=2 * PROFILES, help="in the cube, about")
    parser.add_argument("--peers", nargs="*", choices=[*HERE, *ELSEWHERE], default=[*HERE, *ELSEWHERE])
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    if set(asked.peers) & set(ELSEWHERE):
        install_peers()
    with scratch_town("reporting", "registration") as scratch, scratch_kafka() as kafka:
        measure(scratch, kafka, asked)
