"""Events a second from a ledger's bytes into the cube: whole batches against one transaction for each event.

The reader does all it does in production, with fsync: checks hashes, decodes, makes deltas, appends, moves on.
Run: `python bench/projection.py [events]`.
"""

import asyncio
import random
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from time import perf_counter

from stand import report, scratch_offices

from reporting.deltas import delta_functions
from reporting.reader import CubeEffect
from verbund.database import make_engine
from verbund.embedded.postgres import Cluster
from verbund.events.ledger_ids import book_of
from verbund.events.offices import find_offices, known_events
from verbund.events.registration import ResidenceMoved, ResidentFacts, ResidentTransition
from verbund.feeds.batch import Batch
from verbund.feeds.reader import Reader
from verbund.ledger.record import GENESIS, Entry, Head, Record, seal

BOOK = book_of("05913000", "registration")
BATCH = 2_000  # what the embedded feed reads at once
AREAS = [f"{n:02}" for n in range(4, 60)]


def records(count: int) -> list[Record]:
    """Moves over some twenty thousand cells, as a book holds them."""
    chance = random.Random(1)
    at = datetime(2018, 1, 1, tzinfo=UTC)
    entries = [
        Entry(f"subject-{n}", _move(chance, n), "clerk:bench", at + timedelta(minutes=5 * n)) for n in range(count)
    ]
    return seal(Head(BOOK, 0, GENESIS, at), entries)[1]


def _move(chance: random.Random, n: int) -> ResidenceMoved:
    on = date(2018, 1, 1) + timedelta(days=n % 365)
    before, after = (
        ResidentFacts(
            area=chance.choice(AREAS),
            nationality=chance.choice(("125", "154")),
            birth_year=1950 + n % 60,
            sex=chance.choice(("f", "m")),
            residence_kind="main",
        )
        for _ in range(2)
    )
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


async def rate(reader: Reader, batches: Sequence[Sequence[Record]]) -> float:
    """Events a second when these batches are taken one after the other."""
    begun = perf_counter()
    for batch in batches:
        taken = await reader.take(Batch(batch))
        assert taken.applied == len(batch)
    return sum(len(batch) for batch in batches) / (perf_counter() - begun)


async def measure(cluster: Cluster, count: int) -> None:
    """Measure both in one run and print the closing line."""
    engine = make_engine(cluster.settings("reporting_reader", "reporting"))
    effect = CubeEffect(b"bench", delta_functions(find_offices()))
    reader = Reader(engine, effect, known_events())
    single_count = max(count // 50, 200)
    booked = records(count + single_count)
    single = await rate(reader, [[record] for record in booked[:single_count]])
    rest = booked[single_count:]
    batched = await rate(reader, [rest[n : n + BATCH] for n in range(0, len(rest), BATCH)])
    await engine.dispose()
    report("projection", {"single": batched / single}, {"events_per_second": batched, "single_per_second": single})


if __name__ == "__main__":
    with scratch_offices("reporting", "registration") as running:
        asyncio.run(measure(running, int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
