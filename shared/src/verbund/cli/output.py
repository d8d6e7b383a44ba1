"""How commands speak: sentences and tables for people, one JSON document or line for programs (`--json`)."""

import json
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]


class Output:
    """Where a command's words go. Text goes to standard output, errors and progress to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Console(soft_wrap=True, highlight=False)
        self._err = Console(stderr=True, soft_wrap=True, highlight=False)

    def say(self, sentence: str, **values: object) -> None:
        """One thing that happened; with `--json` one line, with `values` beside the sentence."""
        if self.as_json:
            self._write({"said": sentence, **values})
        else:
            # As text, not as markup: a path may hold brackets.
            self._out.print(Text(sentence))

    def note(self, sentence: str, **values: object) -> None:
        """How far it is: beside the answer, on standard error, so that the answer can be piped on."""
        if self.as_json:
            sys.stderr.write(_line({"said": sentence, **values}))
        else:
            self._err.print(Text(sentence))

    def answer(self, text: str, values: Mapping[str, object]) -> None:
        """The answer of the command: bare text that a shell can take, or with `--json` one document."""
        if self.as_json:
            self._write(values)
        else:
            sys.stdout.write(f"{text}\n")

    def document(self, values: Mapping[str, object]) -> None:
        """The answer of the command as one JSON document; only with `--json`."""
        if self.as_json:
            self._write(values)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """The answer of the command for people; numbers stand to the right."""
        if self.as_json:
            return
        drawn = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for at, column in enumerate(columns):
            is_number = bool(rows) and all(isinstance(row[at], int | float | Decimal | None) for row in rows)
            drawn.add_column(column, justify="right" if is_number else "left", overflow="fold")
        for row in rows:
            drawn.add_row(*(Text(_in_words(cell)) for cell in row))
        self._out.print(drawn)

    def complain(self, sentence: str, **values: object) -> None:
        """Say what is wrong and go on."""
        if self.as_json:
            self._write({"error": sentence, **values})
        else:
            self._err.print(Text(sentence, style="red"))

    def fail(self, sentence: str, **values: object) -> NoReturn:
        """Say what is wrong and end with exit code 1."""
        self.complain(sentence, **values)
        raise typer.Exit(1)

    def _write(self, values: Mapping[str, object]) -> None:
        sys.stdout.write(_line(values))
        sys.stdout.flush()

    def bars(self) -> Progress:
        """Bars on standard error; nothing where that is no terminal or `--json` is given."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            console=self._err,
            disable=self.as_json or not self._err.is_terminal,
        )


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


class ProgressBars:
    """One bar per phase; without a terminal a line whenever a tenth of a phase is done."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._bars = output.bars()
        self._tasks: dict[str, TaskID] = {}
        self._tenths: dict[str, int] = {}

    def __enter__(self) -> "ProgressBars":
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    def show(self, phase: str, done: int, total: int) -> None:
        """How far a phase is; may be called from any thread."""
        if not self._bars.disable:
            if phase not in self._tasks:
                self._tasks[phase] = self._bars.add_task(phase, total=total)
            self._bars.update(self._tasks[phase], completed=done, total=total)
            return
        tenth = 10 * done // total if total else 10
        if tenth > self._tenths.get(phase, -1):
            self._tenths[phase] = tenth
            self._output.note(f"{phase}: {done} of {total}", phase=phase, done=done, total=total)


def _line(values: Mapping[str, object]) -> str:
    return json.dumps(values, ensure_ascii=False, default=str) + "\n"


def _in_words(cell: object) -> str:
    if cell is None:
        return "–"
    return f"{cell:,}" if isinstance(cell, int | Decimal) else str(cell)
