"""Milliseconds of six typical questions to cubes of 10^5, 10^6 and 10^7 rows: from the image, and in SQL.

A whole answer (`answer`), and what of it is reading sums (`read`), against one statement in PostgreSQL that reads the
same sums of the same rows. Questions take turns, and so do both sides, so that a busy machine is busy for both; the
ratio is the median of those of the six questions, with most rows. Growth is how many times as long the largest cube
takes as the smallest one. Run: `python bench/figures.py [--rows N ...] [--rounds N]`.
"""

import asyncio
import json
import random
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from math import ceil
from statistics import median
from time import perf_counter, process_time
from typing import Any

import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from stand import report, scratch_offices

from reporting.audiences import Audience
from reporting.deltas import MEASURES, Dims, cell_of
from reporting.figures import Question, answer
from reporting.image import Image, Moment, Reading, Row
from reporting.indicators import Catalogue, read_catalogue
from verbund.database import make_engine
from verbund.disclosure import KEY_MODULUS
from verbund.embedded.postgres import Cluster
from verbund.service.memory import settle

CITY = "05913000"
SEED = 7
SIZES = (100_000, 1_000_000, 10_000_000)
ROUNDS = 40
NOW = datetime(2025, 3, 1, 9, tzinfo=UTC)
BEGAN_ON, DAYS = date(2010, 1, 1), 5_500
BATCH = 100  # rows of a batch
CELLS = 24_000  # drawn; some are drawn twice, which leaves some 20,000
SHARES = {  # of the rows; a move is one row of its own and two of residents
    "residents": 46,
    "moves": 16,
    "arrivals": 13,
    "departures": 11,
    "registrations": 9,
    "births": 2,
    "deaths": 2,
    "openings": 1,
}

QUESTIONS = {
    "total": Question(indicator="population", as_of=(date(2024, 12, 31),)),
    "district": Question(indicator="population", by=("district",), as_of=(date(2024, 12, 31),)),
    "area_nationality": Question(indicator="population", by=("area", "nationality"), as_of=(date(2023, 6, 30),)),
    "flows_district": Question(
        indicator="arrivals", by=("district",), from_on=date(2020, 1, 1), to_on=date(2024, 12, 31), every="month"
    ),
    "series": Question(indicator="population", from_on=date(2013, 1, 1), to_on=date(2024, 12, 31), every="month"),
    "three_known_on": Question(
        indicator="population",
        by=("district", "age_band", "nationality"),
        as_of=(date(2022, 12, 31),),
        known_on=date(2023, 1, 31),
    ),
}


def cells() -> list[tuple[int, str, Dims]]:
    """Number, measure and facts of some 20,000 cells, as many of each measure as its share."""
    chance = random.Random(SEED)
    found: dict[int, tuple[int, str, Dims]] = {}
    for measure, share in SHARES.items():
        for _ in range(CELLS * share // 100):
            facts = tuple((name, _value(chance, name)) for name in MEASURES[measure].dims)
            number = cell_of(measure, facts)
            found[number] = (number, measure, facts)
    return list(found.values())


def _value(chance: random.Random, fact: str) -> str:
    match fact:
        case "area" | "area_from" | "area_to":
            return f"{chance.randrange(62):02}"
        case "nationality":
            return chance.choices(("125", "154", "137", "152"), (40, 50, 5, 5))[0]
        case "birth_year":
            return str(chance.randint(1945, 2020))
        case "sex":
            return chance.choice(("f", "m"))
        case "residence_kind":
            return chance.choices(("main", "secondary"), (95, 5))[0]
        case "at_flagged_premises" | "late":
            return chance.choice(("true", "false"))
        case "arrival_kind":
            return chance.choice(("abroad", "within_germany"))
        case _:
            return "present"


_CLEAR = "truncate cube.delta, cube.cell, cube.batch, cube.batch_head"
_WITHOUT_INDEXES = "drop index if exists cube.delta_by_batch, cube.delta_by_effective_on"
_INDEXES = (
    "create index delta_by_batch on cube.delta (municipality, batch)",
    "create index delta_by_effective_on on cube.delta (municipality, measure, effective_on)"
    " include (cell, recorded_on, n)",
)
_CELLS = """
    insert into cube.cell select :city, cell, measure, dims
    from jsonb_to_recordset(cast(:cells as jsonb)) as new (cell bigint, measure text, dims jsonb)
"""
_BATCHES = "insert into cube.batch select :city, n, gen_random_uuid() from generate_series(1, :batches) as n"
# Booked in the order of days, a few of them late; in one process, so that the seed decides.
_FILL = """
    insert into cube.delta
    select :city, batch.batch, cell.measure, cell.cell, on_day, on_day + cast(random() * random() * 20 as integer),
           'booked', case when random() < 0.6 then 1 else -1 end, cast(random() * 4294967295 as bigint)
    from (
        select i, 1 + cast(random() * (:cells - 1) as integer) as place,
               date :began + cast(cast(i as bigint) * :days / :rows as integer)
                   - cast(random() * random() * 60 as integer) as on_day
        from generate_series(1, :rows) as i
    ) as row
    join (select row_number() over (order by cell) as place, cell, measure from cube.cell) as cell using (place)
    join cube.batch as batch on batch.municipality = :city and batch.number = 1 + (i - 1) / :batch
"""
_HEAD = "insert into cube.batch_head values (:city, 1, :batches, '{\"registration\": 1}')"


async def fill(engine: AsyncEngine, rows: int) -> None:
    """A cube of so many rows in the place of what stood."""
    found = cells()
    given = {"city": CITY, "rows": rows, "days": DAYS, "batch": BATCH, "batches": rows // BATCH, "cells": len(found)}
    as_json = json.dumps([{"cell": str(n), "measure": measure, "dims": dict(dims)} for n, measure, dims in found])
    async with engine.begin() as connection:
        for statement in (_CLEAR, _WITHOUT_INDEXES, "set local max_parallel_workers_per_gather = 0"):
            await connection.execute(text(statement))
        await connection.execute(text("select setseed(0.5)"))
        await connection.execute(text(_CELLS), {"city": CITY, "cells": as_json})
        await connection.execute(text(_BATCHES), given)
        await connection.execute(text(_FILL.replace(":began", f"'{BEGAN_ON}'")), given)
        await connection.execute(text(_HEAD), given)
        for statement in _INDEXES:
            await connection.execute(text(statement))
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("vacuum (analyze) cube.delta, cube.cell, cube.batch"))


async def read_in_sql(connection: AsyncConnection, reading: Reading) -> Sequence[Any]:
    """The same reading from the cube in PostgreSQL, as one statement."""
    facts = "".join(f", coalesce(dims ->> '{fact}', '') as fact_{i}" for i, fact in enumerate(reading.facts))
    names = "".join(f", fact_{i}" for i in range(len(reading.facts)))
    pushed = "".join(f" and dims ->> '{fact}' = any(:only_{fact})" for fact in reading.pushed)
    since = "" if reading.from_the_beginning else " and effective_on > :first"
    known = "" if reading.known_on is None else " and recorded_on <= :known_on"
    statement = f"""
        with cells as materialized (
            select cell{facts} from cube.cell
            where municipality = :municipality and measure = any(:measures){pushed}
        )
        select measure, width_bucket(effective_on, cast(:starts as date[])) as bucket, cast(sum(n) as bigint),
               cast(mod(sum(key), {KEY_MODULUS}) as bigint){names}
        from cube.delta join cells using (cell)
        where municipality = :municipality and measure = any(:measures) and effective_on <= :last{since}{known}
        group by measure, bucket{names}
    """
    given = {
        "municipality": CITY,
        "measures": list(reading.measures),
        "starts": [day + timedelta(days=1) for day in reading.days],
        "first": reading.days[0],
        "last": reading.days[-1],
        "known_on": reading.known_on,
        **{f"only_{fact}": sorted(codes) for fact, codes in reading.pushed.items()},
    }
    await connection.execute(text("set local enable_nestloop = off"))
    rows = (await connection.execute(text(statement), given)).all()
    await connection.execute(text("set local enable_nestloop = on"))
    return rows


@dataclass(frozen=True, slots=True)
class Heard(Moment):
    """A moment that keeps what is read of it, and how long that took."""

    readings: list[tuple[Reading, list[Row]]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    """Of all cores: what a busy machine does not change."""

    async def read(self, reading: Reading) -> list[Row]:
        """As everywhere."""
        begun, cpu_begun = perf_counter(), process_time()
        rows = await Moment.read(self, reading)
        self.seconds.append(perf_counter() - begun)
        self.cpu_seconds.append(process_time() - cpu_begun)
        self.readings.append((reading, rows))
        return rows


Times = dict[str, list[float]]


async def measure(image: Image, catalogue: Catalogue, rounds: int) -> list[Times]:
    """Seconds of whole answers, of their readings, of a core in these, and of the same readings in SQL, by question."""
    answers, reads, cpu, in_sql = every = [{name: list[float]() for name in QUESTIONS} for _ in range(4)]
    for i in range(rounds):
        for name, question in QUESTIONS.items():
            async with image.moment() as moment:
                heard = Heard(*(getattr(moment, each.name) for each in fields(Moment)))
                begun = perf_counter()
                await answer(heard, catalogue, question, Audience.STATISTICS, NOW)
                answers[name].append(perf_counter() - begun)
                reads[name].append(sum(heard.seconds))
                cpu[name].append(sum(heard.cpu_seconds))
                if i % 4:  # SQL takes so much longer that a few times are enough
                    continue
                begun = perf_counter()
                found = [await read_in_sql(moment.connection, reading) for reading, _ in heard.readings]
                in_sql[name].append(perf_counter() - begun)
                if i == 0:
                    assert [sorted(map(tuple, rows)) for rows in found] == [sorted(rows) for _, rows in heard.readings]
    return every


def p99(values: Sequence[float]) -> float:
    """The slowest hundredth."""
    return sorted(values)[ceil(0.99 * len(values)) - 1]


async def run(cluster: Cluster, wanted: Namespace) -> None:
    """Measure each size, and print the closing line."""
    owner, web = (
        make_engine(settings, size=2)
        for settings in (cluster.superuser("reporting"), cluster.settings("reporting_web", "reporting"))
    )
    catalogue, figures, medians, ratios = (
        read_catalogue(CITY),
        dict[str, float](),
        dict[int, float](),
        dict[str, float](),
    )
    settle()
    for rows in sorted(wanted.rows):
        await fill(owner, rows)
        image, process = Image(web, CITY, memory="4GB"), psutil.Process()
        before, begun = process.memory_info().rss, perf_counter()
        async with image.moment():
            loaded = perf_counter() - begun
        answers, reads, cpu, in_sql = await measure(image, catalogue, wanted.rounds)
        every = [seconds for times in answers.values() for seconds in times]
        medians[rows] = median(every)
        ratios = {name: median(in_sql[name]) / median(reads[name]) for name in QUESTIONS}
        figures |= {
            f"{rows}_load_seconds": loaded,
            f"{rows}_mb": (process.memory_info().rss - before) / 1e6,
            f"{rows}_p50_ms": 1_000 * median(every),
            f"{rows}_p99_ms": 1_000 * p99(every),
            f"{rows}_postgresql": median(ratios.values()),
        }
        for name in QUESTIONS:
            figures |= {
                f"{rows}_{name}_p50_ms": 1_000 * median(answers[name]),
                f"{rows}_{name}_p99_ms": 1_000 * p99(answers[name]),
                f"{rows}_{name}_read_ms": 1_000 * median(reads[name]),
                f"{rows}_{name}_read_cpu_ms": 1_000 * median(cpu[name]),
                f"{rows}_{name}_sql_ms": 1_000 * median(in_sql[name]),
            }
    for engine in (owner, web):
        await engine.dispose()
    figures |= {"growth": medians[max(medians)] / medians[min(medians)]}
    report("figures", {"postgresql": median(ratios.values())}, figures)


def arguments() -> Namespace:
    """How much is measured."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES, help="of the cubes")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each question is asked")
    return parser.parse_args()


if __name__ == "__main__":
    wanted = arguments()
    with scratch_offices("reporting") as running:
        asyncio.run(run(running, wanted))
