"""Many deltas at once: in columns from PostgreSQL into DuckDB, as Arrow streams, without a row in Python."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement
from adbc_driver_postgresql import StatementOptions, connect
from psycopg import sql

from reporting.cube import Head
from reporting.image.columns import Columns

# What is on its way at a time: smaller blocks take longer, larger ones memory.
_BLOCK_BYTES = 4 * 1024 * 1024

_BEGIN = sql.SQL("begin transaction isolation level repeatable read, read only")
_SEE = sql.SQL("set transaction snapshot {snapshot}")
_CELLS = sql.SQL("""
    select cell, measure, fact, value from cube.cell
    left join lateral jsonb_each_text(dims) as facts (fact, value) on true
    where municipality = {municipality}
""")
_SOME_CELLS = sql.SQL("""
    select cell, measure, fact, value from cube.cell
    left join lateral jsonb_each_text(dims) as facts (fact, value) on true
    where municipality = {municipality} and cell in (
        select delta.cell from cube.delta join cube.batch using (municipality, batch)
        where municipality = {municipality} and number > {after} and number <= {until}
    )
""")
_BATCHES = sql.SQL("""
    select number, cast(batch as text) as batch from cube.batch
    where municipality = {municipality} and number > {after} and number <= {until} order by number
""")
_DELTAS = sql.SQL("""
    select number, cell, effective_on, recorded_on, n, key
    from cube.delta join cube.batch using (municipality, batch)
    where municipality = {municipality} and measure = {measure} and number > {after} and number <= {until}
""")

_CODES = """
    create temp table code as
    select unnest($facts::varchar[]) as fact, unnest($values::varchar[]) as value, unnest($codes::uinteger[]) as code
"""
_WIDE = """
    create or replace temp table wide as
    select cell {columns} from cell left join code using (fact, value) where measure = $measure group by cell
"""
_COLUMN = ", coalesce(max(code) filter (where fact = ${column}), 0) as {column}"
_FIRST_ON = "select min(effective_on) from {table}"
_TAKE_IN = "insert into {table} by name select * exclude (cell) from source join wide using (cell)"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where deltas are loaded from."""

    conninfo: str
    snapshot: str
    """Name of an exported snapshot, whose transaction stays open meanwhile."""
    municipality: str


def load(columns: Columns, origin: Origin, behind: Head, head: Head) -> None:
    """Take in what comes behind the one head up to the other; nothing where `behind` is not where this ends."""
    stretch: dict[str, str | int] = {"municipality": origin.municipality, "after": behind.number, "until": head.number}
    with _source(origin) as source, columns.writing(behind) as cursor:
        if cursor is None:
            return
        with _stream(source, cursor, _CELLS if behind.number == 0 else _SOME_CELLS, stretch):
            cursor.execute("create temp table cell as from source")
        measures = _open(columns, cursor)
        rows, first_on = 0, {}
        cursor.begin()
        with _stream(source, cursor, _BATCHES, stretch):
            cursor.execute("insert into batch select number, cast(batch as uuid) from source")
        for measure, facts in measures.items():
            wanted = {columns.fact(name).column: name for name in facts}
            wide = "".join(_COLUMN.format(column=column) for column in wanted)
            cursor.execute(_WIDE.format(columns=wide), {"measure": measure, **wanted})
            with _stream(source, cursor, _DELTAS, {**stretch, "measure": measure}):
                table = columns.open(measure, facts)
                (taken,) = cursor.execute(_TAKE_IN.format(table=table.name)).fetchall()
            if taken[0]:
                first_on[measure] = cursor.execute(_FIRST_ON.format(table=table.name)).fetchall()[0][0]
                rows += taken[0]
        columns.finish(cursor, head, rows, first_on)


def _open(columns: Columns, cursor: duckdb.DuckDBPyConnection) -> Mapping[str, set[str]]:
    """Tables for all measures that have cells, and numbers for all values of their facts; says which facts."""
    measures: defaultdict[str, set[str]] = defaultdict(set)
    for measure, name in cursor.execute("select distinct measure, fact from cell").fetchall():
        measures[measure].update(() if name is None else (name,))
    for measure, facts in measures.items():
        columns.open(measure, facts)
    values = cursor.execute("select distinct fact, value from cell where value is not null").fetchall()
    cursor.execute(
        _CODES,
        {
            "facts": [name for name, _ in values],
            "values": [value for _, value in values],
            "codes": [columns.fact(name).number(value) for name, value in values],
        },
    )
    return measures


@contextmanager
def _source(origin: Origin) -> Iterator[AdbcConnection]:
    """A connection that sees what the snapshot sees."""
    with connect(origin.conninfo) as database, _opened(database) as connection:
        for statement in (_BEGIN, _SEE.format(snapshot=sql.Literal(origin.snapshot))):
            with AdbcStatement(connection) as prepared:
                prepared.set_sql_query(statement.as_string(None))
                prepared.execute_update()
        yield connection


@contextmanager
def _opened(database: AdbcDatabase) -> Iterator[AdbcConnection]:
    with AdbcConnection(database) as connection:
        yield connection


@contextmanager
def _stream(
    source: AdbcConnection, cursor: duckdb.DuckDBPyConnection, statement: sql.SQL, given: Mapping[str, str | int]
) -> Iterator[None]:
    """Within it, what the statement answers can be selected from `source`, once."""
    with AdbcStatement(source) as prepared:
        prepared.set_options(**{StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(_BLOCK_BYTES)})
        prepared.set_sql_query(statement.format(**{k: sql.Literal(v) for k, v in given.items()}).as_string(None))
        stream, _ = prepared.execute_query()
        cursor.register("source", stream)
        try:
            yield
        finally:
            cursor.unregister("source")
