"""Many rows in one statement: they go as one JSON document, so a batch costs one round trip per table.

Arrays would do too; but the driver quotes their elements one by one in Python, which costs more than all the rules.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Table, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

Row = Mapping[str, Any]


async def put(connection: AsyncConnection, table: Table, rows: Sequence[Row], unchanged: tuple[str, ...] = ()) -> None:
    """Insert rows, or replace those there are; columns that are `unchanged` keep their first value.

    Every row names every column, and no two rows have the same key.
    """
    if rows:
        await connection.execute(_put(table, unchanged), {"rows": _document(rows)})


async def amend(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Change rows that are there; a column that is None or left out keeps its value. No two rows have the same key."""
    if rows:
        await connection.execute(_amend(table), {"rows": _document(rows)})


def _document(rows: Sequence[Row]) -> str:
    return to_json(rows).decode()


@cache
def _put(table: Table, unchanged: tuple[str, ...]) -> TextClause:
    names = [column.name for column in table.columns]
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in (*keys, *unchanged))
    return text(
        f"insert into {table.fullname} ({', '.join(names)}) {_given(table)} "
        f"on conflict ({', '.join(keys)}) do update set {changes}"
    )


@cache
def _amend(table: Table) -> TextClause:
    names = [column.name for column in table.columns]
    keys = [column.name for column in table.primary_key]
    changes = ", ".join(f"{name} = coalesce(given.{name}, kept.{name})" for name in names if name not in keys)
    return text(
        f"update {table.fullname} as kept set {changes} "  # noqa: S608 - names of ours
        f"from ({_given(table)}) as given "
        f"where {' and '.join(f'kept.{key} = given.{key}' for key in keys)}"
    )


def _given(table: Table) -> str:
    """A query for the rows in the document; a JSON column comes as its text and is taken apart by PostgreSQL."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    types = {column.name: column.type.compile(dialect) for column in table.columns}
    read = ", ".join(f"cast({name} as {kind}) as {name}" if "JSON" in kind else name for name, kind in types.items())
    declared = ", ".join(f"{name} {'text' if 'JSON' in kind else kind}" for name, kind in types.items())
    return f"select {read} from jsonb_to_recordset(cast(:rows as jsonb)) as document ({declared})"  # noqa: S608
