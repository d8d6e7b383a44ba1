"""Durable orders a second over the desk (many callers, group commit) against one transaction for each order.

Both book the same registrations with the office's real rules: event, head, state, vault row, answer, with fsync.
Run: `python bench/desk.py [orders]`.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from time import perf_counter
from typing import Any
from uuid import uuid4

from stand import report, scratch_offices

from registration.commands import RegisterResidence, ResidenceForm
from registration.domain import lists_of
from registration.store.rules import RegistrationRules
from verbund.database import make_engine
from verbund.desk.desk import Desk
from verbund.desk.orders import CloseInitialLoad, Order
from verbund.desk.transaction import Transaction
from verbund.embedded.postgres import Cluster

MUNICIPALITY = "05913000"
CALLERS = 200


def orders(count: int) -> Iterator[Order[Any]]:
    """Registrations of different people, each under a key of its own."""
    for n in range(count):
        form = ResidenceForm(
            area="05",
            street="Beispielweg",
            house_number=str(n % 200 + 1),
            landlord_confirmation="present",
            family_name=f"Muster{n}",
            given_names="Alex",
            birth_date=date(1960 + n % 50, 1, 1),
            sex="unknown",
            nationality="154",
            moved_in_on=date(2026, 1, 1),
            arrival_kind="abroad",
            previous_state="154",
        )
        yield _order(RegisterResidence(form=form))


def _order(command: Any) -> Order[Any]:
    return Order(command, "clerk:bench", "bench", "/residences", str(uuid4()), b"fingerprint")


async def rate(
    todo: Iterator[Order[Any]], count: int, callers: int, do: Callable[[Order[Any]], Awaitable[Any]]
) -> float:
    """Orders a second when this many callers carry them out, each waiting for its answer."""

    async def caller() -> None:
        for order in todo:
            await do(order)

    begun = perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return count / (perf_counter() - begun)


async def measure(cluster: Cluster, count: int) -> None:
    """Measure both in one run and print the closing line."""
    settings = cluster.settings("registration_desk", "registration")
    rules = RegistrationRules(lists_of(MUNICIPALITY))
    single_count = max(count // 10, 100)
    async with Desk(rules, make_engine(settings), MUNICIPALITY) as desk:
        await desk.carry_out(_order(CloseInitialLoad()))
        engine, transaction = make_engine(settings), Transaction(rules, MUNICIPALITY)

        async def in_a_transaction_of_its_own(order: Order[Any]) -> None:
            async with engine.begin() as connection:
                await transaction.carry_out(connection, [order])

        single = await rate(orders(single_count), single_count, 1, in_a_transaction_of_its_own)
        grouped = await rate(orders(count), count, CALLERS, desk.carry_out)
        await engine.dispose()
    report(
        "desk", {"single": grouped / single}, {"desk_orders_per_second": grouped, "single_orders_per_second": single}
    )


if __name__ == "__main__":
    with scratch_offices("registration") as running:
        asyncio.run(measure(running, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
