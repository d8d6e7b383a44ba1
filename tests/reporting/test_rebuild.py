"""An office restored from an older backup is noticed and stops; a rebuild brings the cube back, whole or not at all."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest
from conftest import OfficeDatabases
from stage.facts import BOOK
from stage.reading_office import ask, reading, until_not_ready, until_ready
from stage.rebuilding import city
from stage.registration_office import NEW_RESIDENT

from reporting.rebuild import REBUILDING
from verbund.database import make_engine
from verbund.feeds.positions import resume_ledger
from verbund.feeds.rebuild import CannotRebuild, Differences, Outcome, Rebuilt, SumsDiffer

# What the figures come from, and how far the book was read: the same before and after whatever must not change it.
CUBE = """
    select batch_head.generation, batch_head.number, position.number, encode(position.hash, 'hex'),
           (select md5(string_agg(delta::text, ';' order by delta::text)) from cube.delta)
    from cube.batch_head, feed.position
"""


@pytest.mark.parametrize(
    ("booked_anew", "reason"), [(0, "head_below_position"), (2, "other_hash"), (3, "chain_broken")]
)
async def test_a_restored_office_is_noticed_stops_and_is_brought_back_by_a_rebuild(
    office_database: OfficeDatabases, tmp_path: Path, booked_anew: int, reason: str
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(3)
        await here.back_up(tmp_path / "backup")
        lost = await here.register(2, nationality="125")
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(6)
        before = ask(here.reporting, CUBE)

        await here.restore(tmp_path / "backup")
        here.acknowledged += await here.register(booked_anew, nationality="000", area="11")
        async with reading(here.reporting, here.registration, tmp_path) as reader:
            await until_not_ready(reader, f"{BOOK} stopped: {reason}")
            assert f"reading is stopped ({reason})" in await here.dashboard()
            assert ask(here.reporting, CUBE) == before
            with pytest.raises(SumsDiffer) as refused:
                await here.rebuild()
            arrivals = next(each for each in refused.value.differences.sums if each.measure == "arrivals")
            assert (arrivals.office, arrivals.before, arrivals.after) == ("registration", 2, booked_anew)
            assert ask(here.reporting, CUBE) == before

            outcome = await here.rebuild(accept=True)
            assert outcome.ledgers == [Rebuilt(BOOK, before=6, number=4 + booked_anew)]
            assert outcome.accepted == refused.value.differences
            assert here.check() > 0
            assert "reading is stopped" not in await here.dashboard()
            here.acknowledged += await here.register(len(lost), nationality="125")  # booked again, as the runbook says
            await here.until_read(6 + booked_anew)
            await until_ready(reader)
        here.check()
        ((accepted,),) = ask(here.reporting, "select accepted from rebuild.done")
        assert {each["measure"] for each in accepted} == {"arrivals", "registrations", "residents"}


async def test_an_office_whose_newest_backup_is_restored_after_an_older_one_only_has_to_be_resumed(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(2)
        await here.back_up(tmp_path / "older")
        here.acknowledged += await here.register(2)
        await here.back_up(tmp_path / "newest")
        async with reading(here.reporting, here.registration, tmp_path) as reader:
            await here.until_read(5)
            await here.restore(tmp_path / "older")
            await until_not_ready(reader, "head_below_position")
            await here.restore(tmp_path / "newest")
            engine = make_engine(here.reporting.settings("reader"))
            async with engine.begin() as connection:
                assert await resume_ledger(connection, BOOK)
            await engine.dispose()
            here.acknowledged += await here.register(1)
            await here.until_read(6)
        here.check()


async def test_after_a_restoration_requests_repeated_under_their_keys_book_what_was_lost_and_nothing_else(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:

        async def post(key: str) -> httpx.Response:
            headers = {"Idempotency-Key": key}
            return await here.office.ask("POST", "/residences", headers=headers, json=NEW_RESIDENT)

        keys = [f"kept-{n}" for n in range(4)]
        receipts = []
        for key in keys:
            if key == keys[2]:
                await here.back_up(tmp_path / "backup")
            receipts.append((await post(key)).json())
        await here.restore(tmp_path / "backup")
        again = [await post(key) for key in keys]
        assert [answer.status_code for answer in again] == [201] * 4
        assert [answer.headers.get("Idempotency-Replayed") for answer in again] == ["true", "true", None, None]
        assert [answer.json() for answer in again[:2]] == receipts[:2]
        here.acknowledged += [answer.json() for answer in again]
        await here.rebuild()
        here.check()


async def test_a_rebuild_is_a_new_generation_and_repeats_exactly(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(4)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(5)
        sums = here.check()
        for generation in (2, 3):
            await here.rebuild()
            assert here.check() == sums
            assert ask(here.reporting, "select generation, number from cube.batch_head") == [(generation, 1)]


async def test_a_rebuild_takes_a_cube_of_another_version_to_this_one(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(2)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(3)
        with psycopg.connect(here.reporting.superuser().conninfo()) as connection:
            connection.execute("update cube.batch_head set versions = jsonb_build_object('registration', 999)")
            connection.execute("update cube.delta set n = 2 * n")  # the other version counted everything twice
        async with reading(here.reporting, here.registration, tmp_path) as reader:
            await until_not_ready(reader, f"{BOOK} stopped: other_version")
            with pytest.raises(SumsDiffer):
                await here.rebuild()
            await here.rebuild(accept=True)
            here.acknowledged += await here.register(1)
            await here.until_read(4)
            await until_ready(reader)
        here.check()


async def test_of_two_rebuilds_at_once_the_second_is_refused(office_database: OfficeDatabases, tmp_path: Path) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(1)
        refusals: list[str] = []

        def begin_another(phase: str, done: int, total: int) -> None:
            with ThreadPoolExecutor(1) as other, pytest.raises(CannotRebuild) as refused:
                other.submit(REBUILDING.run, here.context()).result()
            refusals.append(str(refused.value))

        outcome = await asyncio.to_thread(REBUILDING.run, here.context(begin_another))
        assert outcome == Outcome([Rebuilt(BOOK, before=0, number=2)], Differences())
        assert len(refusals) > 4
        assert all("Another rebuild is under way" in refusal for refusal in refusals)
        here.check()


async def test_a_ledger_that_is_not_whole_is_not_folded_and_nothing_changes(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        here.acknowledged += await here.register(4)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(5)
        before = ask(here.reporting, CUBE)
        with psycopg.connect(here.registration.superuser().conninfo()) as connection:
            connection.execute("alter table ledger.record disable trigger never_changed")
            connection.execute("delete from ledger.record where number = 3")
        with pytest.raises(CannotRebuild, match=r"read on from number 2 \(hole\)"):
            await here.rebuild()
        assert ask(here.reporting, CUBE) == before


async def test_figures_of_an_office_that_is_no_source_any_more_are_not_lost_without_a_word(
    office_database: OfficeDatabases, tmp_path: Path
) -> None:
    async with city(office_database, tmp_path) as here:
        await here.register(1)
        async with reading(here.reporting, here.registration, tmp_path):
            await here.until_read(2)
        before = ask(here.reporting, CUBE)
        with pytest.raises(CannotRebuild, match="Ledgers of registration were read"):
            await asyncio.to_thread(REBUILDING.run, replace(here.context(), sources=()))
        assert ask(here.reporting, CUBE) == before
