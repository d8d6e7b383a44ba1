"""Durable registrations a second through HTTP, against one transaction for each request and against no database.

Three processes, each behind the very same doors (uvicorn, token, checks, rules), with fsync as in production: the
registration office as it is; the same with an SQLModel-ORM session for each request in the place of its desk; the
same with a desk that decides by the same rules and keeps nothing. They take turns; a ratio is the median of the
rounds' ratios. There are so many clerks that the next batch gathers while one is committed: with 200 on a busy machine
all of them wait in one batch, and what is measured is how soon PostgreSQL gets a core.
Run: `python bench/desk.py [--seconds N] [--connections N] [--rounds N]`.
"""

import json
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from operator import truediv
from pathlib import Path
from statistics import median

import psutil
import psycopg
from stand import Town, add_database, post, report, scratch_town

from verbund.embedded.postgres import Cluster

_HERE = Path(__file__).parent


def rate(url: str, token: str, wanted: Namespace) -> tuple[float, int]:
    """Answers a second, and how many there were; every one has to be a 201."""
    words = [
        str(_HERE / "processes" / "callers.py"),
        url,
        "--seconds",
        str(wanted.seconds),
        "--connections",
        str(wanted.connections),
    ]
    ran = subprocess.run([sys.executable, *words], input=token, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(ran.stderr[-3000:])
    said = json.loads(ran.stdout)
    if set(said["statuses"]) != {"201"}:
        raise RuntimeError(f"{url}: not everything was booked: {said['statuses']}")
    return said["per_second"], said["statuses"]["201"]


def cpu_seconds(pid: int) -> float:
    """What a process has used of a core so far: unlike its rate, this hardly depends on what else the machine does."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def count_records(cluster: Cluster, database: str) -> int:
    """What stands in the book."""
    with psycopg.connect(cluster.superuser(database).conninfo()) as connection:
        row = connection.execute(
            "select count(*) from ledger.record where convert_from(body, 'UTF8') like '%registered%'"
        )
        return int(row.fetchall()[0][0])


def measure(town: Town, wanted: Namespace) -> None:
    """Measure all three in turns and print the closing line."""
    add_database(town.cluster, "registration", "registration_orm")
    other = [sys.executable, str(_HERE / "processes" / "other_desks.py")]
    token = town.token("registration", "clerk")
    with ExitStack() as stack:
        offices = {
            "desk": stack.enter_context(town.running("registration")),
            "orm": stack.enter_context(
                town.running("registration", [*other, "orm"], DATABASE__NAME="registration_orm")
            ),
            "no_database": stack.enter_context(town.running("registration", [*other, "nothing"])),
        }
        post(offices["desk"].url, "/initial-load/closing", town.token("registration", "initial_load"))
        for office in offices.values():
            rate(office.url, token, Namespace(seconds=min(wanted.seconds, 1.0), connections=wanted.connections))  # warm
        before = {name: count_records(town.cluster, name) for name in ("registration", "registration_orm")}
        rates: dict[str, list[float]] = {name: [] for name in offices}
        answered = dict.fromkeys(offices, 0)
        spent = dict.fromkeys(offices, 0.0)
        for _ in range(wanted.rounds):
            for name, office in offices.items():
                spent[name] -= cpu_seconds(office.pid)
                per_second, many = rate(office.url, token, wanted)
                spent[name] += cpu_seconds(office.pid)
                rates[name].append(per_second)
                answered[name] += many
    booked = {name: count_records(town.cluster, name) - before[name] for name in before}
    if booked != {"registration": answered["desk"], "registration_orm": answered["orm"]}:
        raise RuntimeError(f"{booked} were booked, and {answered} were answered")
    report(
        "desk",
        {name: median(map(truediv, rates["desk"], rates[name])) for name in ("orm", "no_database")},
        {
            **{f"{name}_per_second": median(of_it) for name, of_it in rates.items()},
            **{f"{name}_cpu_us_each": spent[name] / answered[name] * 1e6 for name in offices},
            "connections": wanted.connections,
            "booked": sum(booked.values()),
        },
    )


def arguments() -> Namespace:
    """How much is measured."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each process in each round")
    parser.add_argument("--connections", type=int, default=600, help="clerks at work at the same time")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-fsync", action="store_true", help="to see what waiting for the disk costs")
    return parser.parse_args()


if __name__ == "__main__":
    asked = arguments()
    with scratch_town("registration", options={"fsync": "off"} if asked.without_fsync else None) as scratch:
        measure(scratch, asked)
