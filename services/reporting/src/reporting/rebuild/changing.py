"""The changeover: the second cube takes the place of the first one, with the positions it was built up to."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from time import monotonic
from typing import Any

import psycopg
from psycopg.errors import LockNotAvailable

from reporting.rebuild.marks import Marks, as_json, carry_over
from verbund.feeds.rebuild import CannotRebuild, Differences
from verbund.feeds.sift import Position

# Readers write within a second or two; whoever reads figures, within some hundredths of one.
_PATIENCE_SECONDS = 60.0
# While it waits everybody waits behind it: rather ask often, and let them through in between.
_ONE_TRY = "set local lock_timeout = '500ms'"

# Nobody moves a position or opens one until this transaction ends; whoever only looks is not hindered.
_SHUT = "lock table feed.position in exclusive mode"
# Whoever looks at figures begins with this table (`reporting.cube.snapshot`), so nobody sees half of each.
_HOLD = "lock table cube.batch_head, cube_next.batch_head in access exclusive mode"

_POSITIONS = "select ledger, number, hash from feed.position"
_NUMBERS = "select municipality, number from cube.batch_head"

# What an edition knows comes before what it does not.
_NUMBER = """
    insert into cube_next.batch (municipality, number, batch)
    select municipality, row_number() over (
        partition by municipality order by (
            select count(*) from jsonb_to_recordset(%s::jsonb) as mark (municipality text, positions jsonb)
            where mark.municipality = slice.municipality
            and slice.last > coalesce((mark.positions ->> slice.ledger)::bigint, 0)
        ), batch
    ), batch
    from rebuild.slice as slice where batch is not null
"""
_HEADS = """
    insert into cube_next.batch_head (municipality, generation, number, versions)
    select municipality, coalesce(before.generation, 0) + 1, coalesce(made.number, 0), coalesce(made.versions, '{}')
    from cube.batch_head as before
    full join (
        select slice.municipality, count(slice.batch) as number,
               jsonb_object_agg(split_part(slice.ledger, '/', 3), build.versions -> split_part(slice.ledger, '/', 3))
                   filter (where slice.batch is not null) as versions
        from rebuild.slice as slice, rebuild.build as build group by slice.municipality
    ) as made using (municipality)
"""
_CHANGE_PLACES = """
    alter schema cube rename to cube_before;
    alter schema cube_next rename to cube;
    alter schema cube_before rename to cube_next;
    comment on schema cube is null;
    comment on schema cube_next is 'what a rebuild makes; it changes places with the schema cube';
"""
_MOVE = """
    insert into feed.position as position (ledger, number, hash, recorded_at, moved_at)
    values (%(ledger)s, %(number)s, %(hash)s,
            (select max(recorded_at) from rebuild.slice where slice.ledger = %(ledger)s), now())
    on conflict (ledger) do update
    set number = excluded.number, hash = excluded.hash, moved_at = excluded.moved_at,
        recorded_at = excluded.recorded_at, stop_reason = null, stopped_at = null
"""
_GONE = "delete from feed.position where not ledger = any(%s)"
# Strays and foreign bytes have no place in a ledger: nothing that is rebuilt says anything about them. What a person
# has settled stays so.
_UNPARK = "delete from feed.parked where number is not null and reason <> 'hash_mismatch' and settled is null"
_PARK = """
    insert into feed.parked (ledger, number, reason, detail, body, hash)
    select ledger, number, reason, detail, body, hash from rebuild.parked order by ledger, number
    on conflict do nothing
"""
_DONE = """
    insert into rebuild.done (begun_at, source, records, accepted)
    select begun_at, source, (select coalesce(sum(last - first + 1), 0) from rebuild.slice), %s from rebuild.build
"""
_TIDY = ("delete from rebuild.build", "delete from rebuild.slice", "delete from rebuild.parked")
_CALL = "select pg_notify('cube', municipality) from cube.batch_head"
_EMPTY = "truncate cube_next.delta, cube_next.cell, cube_next.batch, cube_next.batch_head"


def positions(connection: psycopg.Connection[Any]) -> dict[str, Position]:
    """How far the reader is in each ledger."""
    return {row[0]: Position(*row) for row in connection.execute(_POSITIONS)}


def numbers(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """By municipality, the number of the last batch of the cube that stands."""
    return dict(connection.execute(_NUMBERS).fetchall())


def shut(connection: psycopg.Connection[Any]) -> None:
    """In the caller's transaction: nobody reads on until it ends. Raises `CannotRebuild`."""
    _lock(connection, _SHUT, "A reader does not end what it has begun")


def change_over(
    connection: psycopg.Connection[Any], ends: Iterable[Position], marks: Marks, accepted: Differences
) -> None:
    """In the caller's transaction, which `shut` is part of: cubes change places, and positions become `ends`."""
    ends = list(ends)
    connection.execute(_NUMBER, (as_json(marks),))
    connection.execute(_HEADS)
    carry_over(connection, marks)
    for end in ends:
        connection.execute(_MOVE, {"ledger": end.ledger, "number": end.number, "hash": end.hash})
    connection.execute(_GONE, ([end.ledger for end in ends],))
    connection.execute(_UNPARK)
    connection.execute(_PARK)
    connection.execute(_DONE, (json.dumps([asdict(each) for each in accepted.sums]),))
    for statement in _TIDY:
        connection.execute(statement)
    change_places(connection)


def change_places(connection: psycopg.Connection[Any]) -> None:
    """In the caller's transaction: the second cube becomes the first one. Raises `CannotRebuild`."""
    _lock(connection, _HOLD, "Somebody looks at figures all the time")
    connection.execute(_CHANGE_PLACES)
    connection.execute(_CALL)


def empty_the_former(connection: psycopg.Connection[Any]) -> None:
    """Give back the room of the cube that stood; where somebody is still in it, the next rebuild does."""
    try:
        _lock(connection, _EMPTY, "")
    except CannotRebuild:
        return


def _lock(connection: psycopg.Connection[Any], statement: str, otherwise: str) -> None:
    deadline = monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with connection.transaction():
                connection.execute(_ONE_TRY)
                connection.execute(statement)
        except LockNotAvailable:
            if monotonic() > deadline:
                raise CannotRebuild(f"{otherwise}: stop it, or try again. What was built is kept.") from None
            continue
        return


def stood_at(positions: Mapping[str, Position], ledger: str) -> int:
    """How far a ledger was read; 0 where it never was."""
    found = positions.get(ledger)
    return 0 if found is None else found.number
