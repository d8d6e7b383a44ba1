"""Looks whether names and addresses stand where none may: in texts, in databases, however they are spelled there."""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

import psycopg
from psycopg import sql

from verbund.settings import DatabaseSettings

_WORD = re.compile(r"[^\W\d_]+")


def spellings(secret: str) -> set[str]:
    """As it is, and as JSON, addresses, byte strings, hexadecimal columns and other cases spell it."""
    utf8 = secret.encode()
    return {
        *(secret, secret.lower(), secret.upper()),
        json.dumps(secret)[1:-1],
        quote(secret),
        repr(utf8)[2:-1],
        utf8.hex(),
        utf8.decode("latin-1"),
    }


def told(text: str, secrets: Iterable[str]) -> set[str]:
    """Which of these secrets stand in the text, in whatever spelling."""
    return {secret for secret in secrets if any(spelling in text for spelling in spellings(secret))}


def words_told(text: str, names: set[str]) -> set[str]:
    """Which of many names stand in the text as words of their own."""
    return names & set(_WORD.findall(text))


def database_texts(settings: DatabaseSettings, without: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Every table outside these schemas, named, with all of its rows as text; byte strings that are text as text."""
    tables = """
        select table_schema, table_name from information_schema.tables
        where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema') and
              not table_schema = any(%s)
        order by 1, 2
    """
    with psycopg.connect(settings.conninfo()) as connection:
        for schema, table in connection.execute(tables, [list(without)]).fetchall():
            rows = connection.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, table))).fetchall()
            yield f"{connection.info.dbname}: {schema}.{table}", "\n".join(" ".join(map(_as_text, row)) for row in rows)


def _as_text(value: object) -> str:
    """As it reads; bytes that are no text in hexadecimal, because in many hashes a short name stands by chance."""
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()
