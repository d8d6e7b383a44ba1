"""Folds slices of ledgers into the second cube; several processes may, each in transactions of its own."""

import gc
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from pathlib import Path
from uuid import UUID

import psycopg
from uuid_utils.compat import uuid7

from reporting.cube import lines_of
from reporting.deltas import Sum, count, delta_functions, record_key
from reporting.rebuild.build import Stretch
from reporting.rebuild.ledgers import History, Ledgers
from verbund.events.ledger_ids import municipality_of
from verbund.events.offices import find_offices, known_events
from verbund.feeds.ledger_view import Source
from verbund.feeds.rebuild import CannotRebuild
from verbund.feeds.slices import Slice, Unreadable, read_slice
from verbund.settings import DatabaseSettings, read_secret

_REMEMBERED_KEYS = 100_000
_WORTH_A_PROCESS = 4  # slices: below, they are folded before a process has started

# Held until the commit: whoever takes the build over waits for this slice, and whoever lost it adds none.
_MINE = "select epoch from rebuild.build for share"
_ADD_CELLS = """
    insert into cube_next.cell (municipality, cell, measure, dims)
    select %s, cell, measure, dims from jsonb_to_recordset(%s::jsonb) as new (cell bigint, measure text, dims jsonb)
    order by cell
    on conflict do nothing
"""
_COPY = """
    copy cube_next.delta (municipality, batch, measure, cell, effective_on, recorded_on, cause, n, key) from stdin
"""
_ADD_SLICE = """
    insert into rebuild.slice (ledger, first, last, previous, hash, recorded_at, municipality, batch)
    values (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_PARK = "insert into rebuild.parked (ledger, number, reason, detail, body, hash) values (%s, %s, %s, %s, %s, %s)"


class TakenOver(CannotRebuild):
    """Somebody else builds now."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What whoever folds needs to know; travels to other processes, so it holds no secret, only where they stand."""

    reader: str
    database: DatabaseSettings
    sources: Sequence[Source]
    hash_key_file: Path
    epoch: UUID


class Folder:
    """Folds one slice after the other; a context manager that closes its connections."""

    def __init__(self, bench: Bench, ledgers: History | None = None) -> None:
        """`ledgers`: where they are read; None reads them from their offices."""
        self._bench = bench
        self._opened = ExitStack()
        self._ledgers = ledgers or self._opened.enter_context(Ledgers(bench.sources, bench.reader))
        self._connection = self._opened.enter_context(psycopg.connect(bench.database.conninfo(), autocommit=True))
        # A slice that a failing database forgets again is folded again; the changeover waits for the disk.
        self._connection.execute("set synchronous_commit = off")
        self._functions = delta_functions(find_offices())
        self._record_key = lru_cache(_REMEMBERED_KEYS)(partial(record_key, read_secret(bench.hash_key_file).encode()))
        self._known = known_events()
        self._cells: set[tuple[str, int]] = set()

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def fold(self, stretch: Stretch) -> Stretch:
        """Read, prove, understand, count and append; all of it or nothing. Raises `CannotRebuild`."""
        # Models of a slice hold no circles, and looking through them for some again and again takes twice as long as
        # making them.
        was_collecting = gc.isenabled()
        gc.disable()
        try:
            self._fold(stretch)
        finally:
            if was_collecting:
                gc.enable()
        return stretch

    def _fold(self, stretch: Stretch) -> None:
        try:
            # Closed, because a copy that is left in the middle keeps its connection busy for good.
            with closing(self._ledgers.read(stretch.ledger, stretch.first, stretch.last)) as contents:
                found = read_slice(stretch.ledger, stretch.first, stretch.last, contents, self._known)
        except Unreadable as error:
            raise CannotRebuild(f"{error}: `verbund verify` names what is wrong.") from error
        municipality = municipality_of(found.ledger)
        place = f"{stretch.ledger} cannot be folded between {stretch.first} and {stretch.last}"
        try:
            sums = count(found.events, self._functions, self._record_key).by_municipality()
        except Exception as error:
            raise CannotRebuild(f"{place}: {type(error).__name__}: {error}") from error
        if others := sorted(sums.keys() - {municipality}):
            raise CannotRebuild(f"{place}: its events are counted for {', '.join(others)}.")
        self._append(found, municipality, sums.get(municipality, []))

    def _append(self, found: Slice, municipality: str, sums: Sequence[Sum]) -> None:
        batch = uuid7() if sums else None
        self._open_cells(municipality, sums)
        with self._connection.transaction(), self._connection.cursor() as cursor:
            mine = cursor.execute(_MINE).fetchone()
            if mine is None or mine[0] != self._bench.epoch:
                raise TakenOver("Another rebuild has begun meanwhile.")
            if batch is not None:
                with cursor.copy(_COPY) as copy:
                    copy.write(lines_of(municipality, batch, sums))
            for one in found.set_aside:
                kept = one.record
                cursor.execute(_PARK, (kept.ledger, kept.number, one.reason, one.detail, kept.body, kept.hash))
            ends = (found.ledger, found.first, found.last, found.previous, found.hash)
            cursor.execute(_ADD_SLICE, (*ends, found.recorded_at, municipality, batch))

    def _open_cells(self, municipality: str, sums: Sequence[Sum]) -> None:
        """In a transaction of its own: processes that bring the same cells do not wait for each other's slices."""
        new = {cell: delta for cell, delta in sums if (municipality, cell) not in self._cells}
        if new:
            rows = [{"cell": str(cell), "measure": one.measure, "dims": dict(one.dims)} for cell, one in new.items()]
            self._connection.execute(_ADD_CELLS, (municipality, json.dumps(rows)))
            self._cells.update((municipality, cell) for cell in new)


class Folders:
    """As many processes as are worth it; a context manager that ends them."""

    def __init__(self, bench: Bench, workers: int, ledgers: History | None = None) -> None:
        """`ledgers`: as for `Folder`; they are read here and not in other processes."""
        self._bench = bench
        self._ledgers = ledgers
        self._workers = 1 if ledgers is not None else workers or os.cpu_count() or 1
        self._opened = ExitStack()
        self._own: Folder | None = None
        self._pipes: list[Pipe] = []

    def __enter__(self) -> "Folders":
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def fold(self, stretches: Sequence[Stretch], done: Callable[[Stretch], None]) -> None:
        """Fold these, in any order, and tell after each. Raises `CannotRebuild`."""
        if self._workers == 1 or len(stretches) < _WORTH_A_PROCESS:
            if self._own is None:
                self._own = self._opened.enter_context(Folder(self._bench, self._ledgers))
            for stretch in stretches:
                done(self._own.fold(stretch))
            return
        while len(self._pipes) < self._workers:
            self._pipes.append(self._start())
        for answer in _shared_out(self._pipes, stretches):
            done(answer)

    def _start(self) -> Pipe:
        # Not forked: a copy of a process with threads and open connections is none that works.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._bench), daemon=True)
        process.start()
        theirs.close()
        self._opened.callback(process.join)
        self._opened.callback(ours.close)  # before the other: its end is what they end by
        return ours


def _shared_out(pipes: Sequence[Pipe], stretches: Iterable[Stretch]) -> Iterable[Stretch]:
    """Give each process the next one as soon as it is done; all are at rest again when this ends, however it ends."""
    waiting = iter(stretches)
    busy: set[Pipe] = set()
    failure: CannotRebuild | None = None
    for pipe in pipes:
        _give_next(pipe, waiting, busy)
    while busy:
        ready = wait(busy)
        for pipe in [each for each in pipes if each in ready]:
            busy.remove(pipe)
            answer = _answer_of(pipe)
            if isinstance(answer, Stretch):
                yield answer
                if failure is None:
                    _give_next(pipe, waiting, busy)
            else:
                failure = failure or answer
    if failure is not None:
        raise failure


def _answer_of(pipe: Pipe) -> Stretch | CannotRebuild:
    try:
        answer: Stretch | CannotRebuild = pipe.recv()
    except (EOFError, ConnectionResetError):
        return CannotRebuild("A process that folds was killed.")
    return answer


def _give_next(pipe: Pipe, waiting: Iterable[Stretch], busy: set[Pipe]) -> None:
    stretch = next(iter(waiting), None)
    if stretch is not None:
        pipe.send(stretch)
        busy.add(pipe)


def _work(pipe: Pipe, bench: Bench) -> None:
    """A process that folds until whoever started it closes the pipe or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
    folder: Folder | None = None
    while True:
        try:
            stretch = pipe.recv()
        except (EOFError, ConnectionResetError):
            return
        try:
            folder = folder or Folder(bench)
            answer: Stretch | CannotRebuild = folder.fold(stretch)
        except CannotRebuild as error:
            answer = error
        except (psycopg.Error, OSError) as error:
            answer = CannotRebuild(f"A database failed: {type(error).__name__}.")
        with suppress(BrokenPipeError, ConnectionResetError):  # nobody waits for it any more
            pipe.send(answer)
