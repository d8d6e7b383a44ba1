"""The cube on a real PostgreSQL: batches, cells, numbers, roles."""

import asyncio
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from stage.cube import Stage, with_cells

from reporting.cube import (
    CHANNEL,
    CubeOfAnotherVersion,
    append,
    check_versions,
    number_batch,
    read_batches,
    read_head,
    snapshot,
)
from reporting.deltas import Delta, cell_of
from verbund.disclosure import KEY_MODULUS

CITY, OTHER_CITY = "05913000", "05112000"
DAY = date(2018, 3, 1)
VERSIONS = {"registration": 1}


def delta(area: str = "05", n: int = 1, city: str = CITY, **more: Any) -> Delta:
    given = Delta(city, "arrivals", (("area", area), ("sex", "f")), DAY, DAY, "booked", n, n % KEY_MODULUS)
    return given._replace(**more)


async def put(
    engine: AsyncEngine, *deltas: Delta, city: str = CITY, versions: Mapping[str, int] = MappingProxyType(VERSIONS)
) -> UUID:
    batch = uuid4()
    async with engine.begin() as connection:
        await append(connection, city, batch, with_cells(deltas))
        await number_batch(connection, city, batch, dict(versions))
    return batch


async def everything(cube: Stage, after: int = 0, city: str = CITY) -> list[tuple[int, Delta]]:
    async with snapshot(cube.web) as connection:
        head = await read_head(connection, city)
        return [(one.number, one.delta) for one in await read_batches(connection, city, after, head.number)]


async def test_what_goes_in_comes_out_in_order_of_batches(cube: Stage) -> None:
    first = delta(key=KEY_MODULUS - 1, n=-1, cause="corrected:typing_error")
    await put(cube.reader, first)
    await put(cube.reader, delta("04", 2))
    assert await everything(cube) == [(1, first), (2, delta("04", 2))]
    assert await everything(cube, after=1) == [(2, delta("04", 2))]


async def test_a_cell_is_kept_once(cube: Stage) -> None:
    await put(cube.reader, delta(), delta(recorded_on=date(2018, 4, 1)))
    await put(cube.reader, delta())
    async with cube.web.connect() as connection:
        assert (await connection.execute(text("select count(*) from cube.cell"))).scalar_one() == 1


async def test_the_head_names_the_last_batch(cube: Stage) -> None:
    async with snapshot(cube.web) as connection:
        empty = await read_head(connection, CITY)
    assert (empty.generation, empty.number, empty.batch) == (0, 0, None)
    await put(cube.reader, delta())
    last = await put(cube.reader, delta())
    async with snapshot(cube.web) as connection:
        head = await read_head(connection, CITY)
    assert (head.generation, head.number, head.batch) == (1, 2, last)


async def test_municipalities_count_apart(cube: Stage) -> None:
    await put(cube.reader, delta())
    await put(cube.reader, delta(city=OTHER_CITY), city=OTHER_CITY)
    assert await everything(cube) == [(1, delta())]
    assert await everything(cube, city=OTHER_CITY) == [(1, delta(city=OTHER_CITY))]


async def test_numbers_have_no_gap_and_follow_the_commits(cube: Stage) -> None:
    """Ten readers at once, each with the same new cells in another order, one of them failing half way."""

    async def read(i: int) -> None:
        areas = ["04", "05", "06", "01"]
        await put(cube.reader, *(delta(area, i + 1) for area in areas[i % 4 :] + areas[: i % 4]))

    async def fail() -> None:
        async with cube.reader.begin() as connection:
            await append(connection, CITY, batch := uuid4(), with_cells([delta("61")]))
            await number_batch(connection, CITY, batch, VERSIONS)
            raise ConnectionResetError

    results = await asyncio.gather(
        *(read(i) for i in range(5)), fail(), *(read(i) for i in range(5, 10)), return_exceptions=True
    )
    assert [type(r) for r in results if r is not None] == [ConnectionResetError]
    numbers = [number for number, _ in await everything(cube)]
    assert sorted(set(numbers)) == list(range(1, 11))
    assert numbers == sorted(numbers)
    assert len(numbers) == 40


async def wait_for_waiting(cube: Stage, backends: int) -> None:
    """Until so many backends wait for a lock."""
    waiting = text("select count(*) from pg_locks where not granted")
    async with cube.superuser.connect() as connection, asyncio.timeout(10):
        while (await connection.execute(waiting)).scalar_one() < backends:  # noqa: ASYNC110 - the event is in the database
            await asyncio.sleep(0.01)


async def test_readers_that_bring_the_same_new_cells_never_wait_in_a_circle(cube: Stage) -> None:
    """Both are held up in the middle. In opposite orders each would then have what the other one wants next."""
    deltas = [delta(f"area-{i}") for i in range(9)]
    deltas.sort(key=lambda one: cell_of(one.measure, one.dims))
    async with cube.reader.connect() as first:
        await append(first, CITY, uuid4(), with_cells([deltas[4]]))
        others = [asyncio.create_task(put(cube.reader, *order)) for order in (deltas, deltas[::-1])]
        await wait_for_waiting(cube, 2)
        await first.rollback()
    await asyncio.gather(*others)
    assert len(await everything(cube)) == 18


@pytest.mark.parametrize("before", [0, 1], ids=["in an empty cube", "behind another batch"])
async def test_a_batch_that_waits_for_its_number_does_not_show(cube: Stage, before: int) -> None:
    """A reader of the cube that saw a number has seen those below it: the second waits for the first's commit."""
    for _ in range(before):
        await put(cube.reader, delta("06"))
    async with cube.reader.connect() as first, cube.reader.connect() as second:
        one, two = uuid4(), uuid4()
        await append(first, CITY, one, with_cells([delta("04")]))
        await append(second, CITY, two, with_cells([delta("05")]))
        assert await number_batch(first, CITY, one, VERSIONS) == before + 1
        waiting = asyncio.create_task(number_batch(second, CITY, two, VERSIONS))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        assert await everything(cube, before) == []
        await first.commit()
        assert await waiting == before + 2
        assert await everything(cube, before) == [(before + 1, delta("04"))]
        await second.commit()
    assert [number for number, _ in await everything(cube, before)] == [before + 1, before + 2]


async def test_whoever_listens_hears_of_a_batch_when_it_is_committed(cube: Stage, reporting_settings: Any) -> None:
    conninfo = reporting_settings("web").conninfo()
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as ear:
        await ear.execute(f"listen {CHANNEL}".encode())
        async with cube.reader.begin() as connection:
            await append(connection, CITY, batch := uuid4(), with_cells([delta()]))
            await number_batch(connection, CITY, batch, VERSIONS)
            assert [note async for note in ear.notifies(timeout=0.1)] == []
        notes = [note.payload async for note in ear.notifies(timeout=10, stop_after=1)]
    assert notes == [CITY]


async def test_deltas_of_other_functions_are_never_mixed_in(cube: Stage) -> None:
    await put(cube.reader, delta())
    other = {"registration": 2, "health-clearing": 1}
    with pytest.raises(CubeOfAnotherVersion, match=r"registration has 1 there and 2 here.*rebuild"):
        await put(cube.reader, delta(), versions=other)
    async with cube.reader.connect() as connection:
        await check_versions(connection, {"registration": 1, "health-clearing": 1})
        with pytest.raises(CubeOfAnotherVersion):
            await check_versions(connection, other)
    assert len(await everything(cube)) == 1


async def test_an_office_that_was_never_read_joins_with_its_version(cube: Stage) -> None:
    await put(cube.reader, delta())
    await put(cube.reader, delta(), versions={"health-clearing": 3})
    async with cube.web.connect() as connection:
        versions = (await connection.execute(text("select versions from cube.batch_head"))).scalar_one()
    assert versions == {"registration": 1, "health-clearing": 3}


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("reader", "update cube.delta set n = 0"),
        ("reader", "delete from cube.delta"),
        ("reader", "truncate cube.batch"),
        ("reader", "update cube.cell set measure = 'x'"),
        ("reader", "delete from cube.batch_head"),
        ("web", "insert into cube.batch_head values ('x', 1, 1, '{}')"),
        ("web", "update cube.batch_head set number = 9"),
        ("web", "delete from cube.delta"),
        ("web", "update feed.position set number = 0"),
        ("web", "select body from feed.parked"),
    ],
)
async def test_a_role_may_do_no_more_than_its_work(cube: Stage, role: str, statement: str) -> None:
    engine = cube.reader if role == "reader" else cube.web
    with pytest.raises(DBAPIError, match="permission denied"):
        async with engine.begin() as connection:
            await connection.execute(text(statement))


async def test_a_snapshot_can_only_read(cube: Stage) -> None:
    with pytest.raises(DBAPIError, match="read-only"):
        async with snapshot(cube.superuser) as connection:
            await connection.execute(text("delete from cube.delta"))
