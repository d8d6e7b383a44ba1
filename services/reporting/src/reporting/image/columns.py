"""One generation of a cube in DuckDB: a table for each measure, with a column for each fact and codes in it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

import duckdb

from reporting.cube import Head
from reporting.image.reading import Front, Fronts, Reading, Row
from verbund.disclosure import KEY_MODULUS

# In memory alone: nothing is read or written, nothing is fetched, and what does not fit fails at once.
_CONFIG: Mapping[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
    "lock_configuration": True,
    "python_enable_replacements": False,
    "temp_directory": "",
}
_BATCHES = "create table batch (number bigint not null, batch uuid not null)"
_TABLE = """
    create table {table} (
        number bigint not null, effective_on date not null, recorded_on date not null, n bigint not null,
        key uinteger not null
    )
"""
_FACT = "alter table {table} add column {column} uinteger default 0"
_TAKE_IN = "insert into {table} by name select {columns}"
_READ = """
    select {columns} cast(sum(n) as bigint), cast(sum(key) % {modulus} as bigint)
    from {table} {buckets} where {conditions} {groups} having count(*) > 0
"""
# A hash of days is looked up several times as quickly as days are compared with the ends of some hundred periods.
_BUCKETS = """
    join (
        select bucket, cast(unnest(range(first_on, end_on, interval 1 day)) as date) as effective_on
        from (select unnest($firsts::date[]) as first_on, unnest($ends::date[]) as end_on,
                     unnest($buckets::integer[]) as bucket)
    ) as day using (effective_on)
"""


class Taken(NamedTuple):
    """A delta of a batch, as it is taken in."""

    number: int
    measure: str
    facts: Mapping[str, str]
    effective_on: date
    recorded_on: date
    n: int
    key: int


@dataclass(frozen=True, slots=True)
class Table:
    """Where the deltas of a measure stand, and the facts that have a column there."""

    name: str
    facts: frozenset[str] = frozenset()


class Columns:
    """Deltas of one generation up to `head`. Written by one at a time, read by anybody meanwhile; in any thread.

    A fact's values are numbered from 1 on; 0 is none. Measures, facts and values are those that come: nothing here
    knows any of them.
    """

    def __init__(self, generation: int, memory: str, threads: int) -> None:
        self.head = Head(generation, 0, None)
        self.rows = 0
        self._connection = duckdb.connect(config={**_CONFIG, "memory_limit": memory, "threads": threads})
        self._connection.execute(_BATCHES)
        self._writing = Lock()
        self._tables: dict[str, Table] = {}
        self._facts: dict[str, Fact] = {}
        self._first_on: dict[str, date] = {}

    def batch_at(self, number: int) -> UUID | None:
        """The batch that has this number here."""
        found = self._fetch("select batch from batch where number = $number", {"number": number})
        return found[0][0] if found else None

    def take_in(self, behind: Head, head: Head, batches: Mapping[int, UUID], deltas: Sequence[Taken]) -> None:
        """Take in what comes behind the one head up to the other; nothing where `behind` is not where this ends."""
        by_measure: defaultdict[str, list[Taken]] = defaultdict(list)
        for delta in deltas:
            by_measure[delta.measure].append(delta)
        with self.writing(behind) as cursor:
            if cursor is None:
                return
            for measure, taken in by_measure.items():
                self.open(measure, {name for delta in taken for name in delta.facts})
            cursor.begin()
            cursor.execute(
                "insert into batch select unnest($numbers::bigint[]), unnest($batches::uuid[])",
                {"numbers": list(batches), "batches": list(batches.values())},
            )
            for measure, taken in by_measure.items():
                self._insert(cursor, self._tables[measure], taken)
            first = {measure: min(delta.effective_on for delta in taken) for measure, taken in by_measure.items()}
            self.finish(cursor, head, len(deltas), first)

    @contextmanager
    def writing(self, behind: Head) -> Iterator[duckdb.DuckDBPyConnection | None]:
        """A cursor for the only one that writes now; None where `behind` is not where this ends any more.

        Tables are opened before its transaction begins; what it does not commit is gone.
        """
        with self._writing, self._connection.cursor() as cursor:
            yield cursor if self.head == behind else None

    def finish(self, cursor: duckdb.DuckDBPyConnection, head: Head, rows: int, first_on: Mapping[str, date]) -> None:
        """Commit what was written: so many rows, up to this head; `first_on` are the earliest days by measure."""
        # Before the commit: whoever reads between the two finds no rows before these days.
        self._first_on |= {measure: min(day, self._first_on.get(measure, day)) for measure, day in first_on.items()}
        cursor.commit()
        self.head = head
        self.rows += rows

    def _insert(self, cursor: duckdb.DuckDBPyConnection, table: Table, taken: Sequence[Taken]) -> None:
        given: dict[str, list[Any]] = {
            "number": [delta.number for delta in taken],
            "effective_on": [delta.effective_on for delta in taken],
            "recorded_on": [delta.recorded_on for delta in taken],
            "n": [delta.n for delta in taken],
            "key": [delta.key for delta in taken],
        }
        for name in table.facts:
            fact = self._facts[name]
            given[fact.column] = [fact.number(delta.facts.get(name, "")) for delta in taken]
        kinds = {"effective_on": "date", "recorded_on": "date"}
        columns = ", ".join(f"unnest(${name}::{kinds.get(name, 'bigint')}[]) as {name}" for name in given)
        cursor.execute(_TAKE_IN.format(table=table.name, columns=columns), given)

    def open(self, measure: str, facts: Iterable[str]) -> Table:
        """The table of a measure, made where there is none, with columns for all of these facts."""
        table, wanted = self._tables.get(measure), frozenset(facts)
        if table is not None and wanted <= table.facts:
            return table
        with self._connection.cursor() as cursor:
            if table is None:
                table = Table(f"measure_{len(self._tables)}")
                cursor.execute(_TABLE.format(table=table.name))
            for name in sorted(wanted - table.facts):
                cursor.execute(_FACT.format(table=table.name, column=self.fact(name).column))
        self._tables[measure] = Table(table.name, table.facts | wanted)
        return self._tables[measure]

    def fact(self, name: str) -> "Fact":
        """A fact by its name, new where it was unknown."""
        return self._facts.setdefault(name, Fact(f"fact_{len(self._facts)}"))

    def read(self, reading: Reading, number: int) -> list[Row]:
        """The answer of the batches up to this number."""
        return [row for measure in reading.measures for row in self._read(reading, measure, number)]

    def _read(self, reading: Reading, measure: str, number: int) -> Iterable[Row]:
        table = self._tables.get(measure)
        if table is None:
            return
        codes = {name: self._codes(table, name, values) for name, values in reading.pushed.items()}
        if not all(codes.values()):
            return
        apart = [self._facts[name] if name in table.facts else None for name in reading.facts]
        columns = [fact.column for fact in apart if fact is not None]
        conditions = ["number <= $number", "effective_on <= $last"]
        given: dict[str, Any] = {"number": number, "last": reading.days[-1]}
        if not reading.from_the_beginning:
            conditions.append("effective_on > $first")
            given["first"] = reading.days[0]
        if reading.known_on is not None:
            conditions.append("recorded_on <= $known_on")
            given["known_on"] = reading.known_on
        conditions += [
            f"{self._facts[name].column} in ({', '.join(map(str, found))})"
            for name, found in codes.items()
            if name in table.facts
        ]
        if reading.fronts is not None:
            conditions += self._ahead_of(table, reading.fronts)
        only = 0 if reading.from_the_beginning else 1
        is_split = len(reading.days) > only + 1
        if is_split:
            given |= _buckets(reading, self._first_on.get(measure, reading.days[0]))
            columns.insert(0, "bucket")
        rows = self._fetch(
            _READ.format(
                columns="".join(f"{name}, " for name in columns),
                modulus=KEY_MODULUS,
                table=table.name,
                buckets=_BUCKETS if is_split else "",
                conditions=" and ".join(conditions),
                groups=f"group by {', '.join(columns)}" if columns else "",
            ),
            given,
        )
        for row in rows:
            *found, n, key = row
            bucket = found.pop(0) if is_split else only
            numbers = iter(found)
            facts = ["" if fact is None else fact.values[next(numbers)] for fact in apart]
            yield (measure, bucket, n, key, *facts)

    def _ahead_of(self, table: Table, fronts: Fronts) -> Iterator[str]:
        """The conditions that nothing is read beyond its front."""
        fact = next((self._facts[name] for name in fronts.facts if name in table.facts), None)
        numbers: defaultdict[Front, list[int]] = defaultdict(list)
        for value, front in fronts.by_value.items():
            if fact is not None and value in fact.numbers:
                numbers[front].append(fact.numbers[value])
        for column, said in (("number", "{0.number}"), ("effective_on", "date '{0.on}'")):
            cases = [
                f"when {fact.column} in ({', '.join(map(str, found))}) then {said.format(front)}"
                for front, found in numbers.items()
                if fact is not None
            ]
            limit = said.format(fronts.otherwise)
            yield f"{column} <= case {' '.join(cases)} else {limit} end" if cases else f"{column} <= {limit}"

    def _codes(self, table: Table, name: str, values: Collection[str]) -> list[int]:
        """The numbers of these values of a fact; where a table has no such fact, it has the value ''."""
        numbers = self._facts[name].numbers if name in table.facts else {"": 0}
        return sorted(numbers[value] for value in values if value in numbers)

    def read_first_days(self, measures: Iterable[str], number: int, known_on: date | None) -> dict[str, date]:
        """For each measure that has any deltas among the batches up to this number, the day of the earliest one."""
        found = {
            measure: self._read_first_day(self._tables[measure], number, known_on)
            for measure in measures
            if measure in self._tables
        }
        return {measure: day for measure, day in found.items() if day is not None}

    def _read_first_day(self, table: Table, number: int, known_on: date | None) -> date | None:
        known = "" if known_on is None else " and recorded_on <= $known_on"
        given = {"number": number} | ({} if known_on is None else {"known_on": known_on})
        statement = f"select min(effective_on) from {table.name} where number <= $number{known}"  # noqa: S608 - own names
        found: date | None = self._fetch(statement, given)[0][0]
        return found

    def _fetch(self, statement: str, given: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            return cursor.execute(statement, dict(given or {})).fetchall()


class Fact:
    """The values of one fact, in the order in which they came."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.numbers: dict[str, int] = {"": 0}
        self.values: list[str] = [""]

    def number(self, value: str) -> int:
        """The number of a value, a new one where it was unknown."""
        found = self.numbers.get(value)
        if found is None:
            found = self.numbers[value] = len(self.values)
            self.values.append(value)
        return found


def _buckets(reading: Reading, first_on: date) -> dict[str, Any]:
    """First days of the buckets, the days after their last ones, and their numbers; nothing is before `first_on`."""
    ends = [date.fromordinal(day.toordinal() + 1) for day in reading.days]
    firsts = [first_on, *ends[:-1]]
    buckets = [i for i in range(len(ends)) if firsts[i] < ends[i] and (i > 0 or reading.from_the_beginning)]
    return {"firsts": [firsts[i] for i in buckets], "ends": [ends[i] for i in buckets], "buckets": buckets}
