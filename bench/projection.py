"""Events a second from a ledger's bytes into a cube of some 20,000 live cells: whole batches against one by one.

The reader does all it does in production, with fsync: checks hashes, decodes, makes deltas, appends, moves on. Every
cell is there before the clock starts. Both take turns, so that a busy machine is busy for both; the ratio is the median
of the rounds' ratios. Run: `python bench/projection.py [--events N] [--batch N]`.
"""

import asyncio
import random
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from cProfile import Profile
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from operator import truediv
from pstats import Stats
from statistics import median
from time import perf_counter

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from stand import report, scratch_offices

from reporting.deltas import delta_functions
from reporting.reader import CubeEffect
from verbund.database import make_engine
from verbund.embedded.postgres import Cluster
from verbund.events.ledger_ids import book_of
from verbund.events.offices import find_offices, known_events
from verbund.events.registration import ResidenceMoved, ResidentFacts, ResidentTransition
from verbund.feeds.batch import Batch
from verbund.feeds.ledger_feed import LARGEST_BATCH
from verbund.feeds.reader import Reader
from verbund.ledger.record import GENESIS, Entry, Head, Record, seal
from verbund.service.memory import settle

BOOK = book_of("05913000", "registration")
SEED = 1
ROUNDS = 5
AREAS = [f"{n:02}" for n in range(62)]  # as many as Dortmund has statistische Bezirke
PROFILES = 10_500  # each has a cell of moves and two of residents, some of them shared: some 20,000 together


Move = tuple[ResidentFacts, ResidentFacts]
"""What somebody was counted as before and after it."""


def moves(count: int, profile_count: int) -> list[Move]:
    """Each profile once, which makes all cells, then this many moves of people with some of the profiles."""
    chance = random.Random(SEED)
    profiles = [_profile(chance) for _ in range(profile_count)]
    return [*profiles, *chance.choices(profiles, k=count)]


def book_of_moves(moves: Sequence[Move]) -> list[Record]:
    """The book in which these moves stand, in this order."""
    at = datetime(2018, 1, 1, tzinfo=UTC)
    entries = [
        Entry(f"subject-{n}", _moved(n, *move), "clerk:bench", at + timedelta(minutes=5 * n))
        for n, move in enumerate(moves)
    ]
    return seal(Head(BOOK, 0, GENESIS, at), entries)[1]


def records(count: int, profile_count: int) -> list[Record]:
    """The book of so many moves behind those that make the cells."""
    return book_of_moves(moves(count, profile_count))


def _profile(chance: random.Random) -> Move:
    before = ResidentFacts(
        area=chance.choice(AREAS),
        nationality=chance.choice(("125", "154")),
        birth_year=chance.randint(1950, 2009),
        sex=chance.choice(("f", "m")),
        residence_kind="main",
    )
    return before, before.model_copy(update={"area": chance.choice(AREAS)})


def _moved(n: int, before: ResidentFacts, after: ResidentFacts) -> ResidenceMoved:
    on = date(2018, 1, 1) + timedelta(days=n % 365)
    transition = ResidentTransition(
        sign=1, subject=f"subject-{n}", n=1, effective_on=on, kind="move", before=before, after=after, cause="booked"
    )
    return ResidenceMoved(
        booking_id=f"booking-{n}",
        transitions=(transition,),
        residence_id=f"residence-{n}",
        moved_on=on,
        booked_on=on,
        area=after.area,
        landlord_confirmation="present",
        late=False,
        at_flagged_premises=False,
    )


def batches(booked: Sequence[Record], size: int) -> list[Sequence[Record]]:
    """The records in order, in batches of this size."""
    return [booked[n : n + size] for n in range(0, len(booked), size)]


async def rate(reader: Reader, batches: Sequence[Sequence[Record]]) -> float:
    """Events a second when these batches are taken one after the other."""
    begun = perf_counter()
    for batch in batches:
        taken = await reader.take(Batch(batch))
        assert taken.applied == len(batch)
    return sum(len(batch) for batch in batches) / (perf_counter() - begun)


async def live_cells(engine: AsyncEngine) -> int:
    """How many cells the cube has."""
    async with engine.connect() as connection:
        return int((await connection.execute(text("select count(*) from cube.cell"))).scalar_one())


async def measure(cluster: Cluster, wanted: Namespace) -> None:
    """Measure both in turns, in one run, and print the closing line."""
    events, size, profile_count = wanted.events, wanted.batch, wanted.profiles
    engine = make_engine(cluster.settings("reporting_reader", "reporting"))
    reader = Reader(engine, CubeEffect(b"bench", delta_functions(find_offices())), known_events())
    single_events = max(events // 50, 20)
    booked = iter(records(ROUNDS * (events + single_events) + events * wanted.profile, profile_count))
    settle()
    await rate(reader, batches(list(islice(booked, profile_count)), size))
    cells = await live_cells(engine)
    single, batched = [], []
    for _ in range(ROUNDS):
        single.append(await rate(reader, batches(list(islice(booked, single_events)), 1)))
        batched.append(await rate(reader, batches(list(islice(booked, events)), size)))
    assert await live_cells(engine) == cells, "there were cells to be made while the clock ran"
    if wanted.profile:
        await tell_where_the_time_goes(reader, batches(list(booked), size))
    taken = (await reader.positions())[BOOK].number
    await engine.dispose()
    report(
        "projection",
        {"single": median(map(truediv, batched, single))},
        {
            "events_per_second": median(batched),
            "single_per_second": median(single),
            "cells": cells,
            "batch": size,
            "events": taken,
        },
    )


async def tell_where_the_time_goes(reader: Reader, taken: Sequence[Sequence[Record]]) -> None:
    """The functions that took longest, on standard error."""
    with Profile() as profile:
        await rate(reader, taken)
    Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(20)


def arguments() -> Namespace:
    """How much is measured."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=8_000, help="in whole batches, in each round")
    parser.add_argument("--batch", type=int, default=LARGEST_BATCH, help="events in one transaction")
    parser.add_argument("--profile", action="store_true", help="also tell where the time of one round of batches goes")
    parser.add_argument("--profiles", type=int, default=PROFILES, help="of residents: two cells come of each")
    return parser.parse_args()


if __name__ == "__main__":
    wanted = arguments()
    with scratch_offices("reporting", "registration") as running:
        asyncio.run(measure(running, wanted))
