"""Lines of a CSV file of the catalogue, each with its place; what is wrong is collected and said at once."""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources.abc import Traversable
from typing import TypeVar

T = TypeVar("T")


class BadCatalogue(ValueError):
    """The catalogue or the data of a city cannot be used; the message names file, line and what is wrong."""


@dataclass(slots=True)
class Findings:
    """What is wrong, in the order in which it was found."""

    said: list[str] = field(default_factory=list)

    def add(self, place: str, problem: str) -> None:
        self.said.append(f"{place}: {problem}")

    def refuse(self) -> None:
        """Raise `BadCatalogue` with everything that was found, a line each; nothing where nothing was."""
        if self.said:
            raise BadCatalogue("\n".join(self.said))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, as `[column]` gives its fields."""

    place: str
    fields: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        if self.fields.get(column) is None:
            raise BadCatalogue(f"{self.place}: the column {column} is missing")
        return self.fields[column].strip()

    def find(self, column: str) -> str:
        """The field; empty where the file has no such column."""
        return (self.fields.get(column) or "").strip()

    def validity(self) -> tuple[date, date]:
        """`valid_from`..`valid_until`, without an end where none is said; raises `ValueError`."""
        until = self.find("valid_until")
        return date.fromisoformat(self["valid_from"]), date.fromisoformat(until) if until else date.max


def read_lines(file: Traversable, needed: Collection[str] = (), known: Collection[str] = ()) -> list[Line]:
    """The lines below the head. Raises `BadCatalogue` where the file cannot be read, a column is missing, one stands
    there that is not `known` (where any are named), or lines are longer or shorter than the head."""
    findings = Findings()
    rows = csv.DictReader(_text(file).splitlines())
    head = rows.fieldnames or ()
    for column in needed:
        if column not in head:
            findings.add(f"{file}:1", f"the column {column} is missing; columns are separated by commas")
    for column in head:
        if known and column not in known:
            findings.add(f"{file}:1", f"there is no column {column!r}; there are {', '.join(known)}")
    findings.refuse()
    lines = []
    for row in rows:
        place = f"{file}:{rows.line_num}"
        if needed and (None in row or None in row.values()):
            findings.add(place, f"{len(head)} fields are expected, as the head has")
            continue
        lines.append(Line(place, row))
    findings.refuse()
    return lines


def made_of(lines: Collection[Line], make: Callable[[Line], T], findings: Findings) -> Iterator[tuple[Line, T]]:
    """What `make` makes of each line, with the line; what it refuses is found and left out."""
    for line in lines:
        try:
            made = make(line)
        except BadCatalogue as error:
            findings.said.append(str(error))
        except ValueError as error:
            findings.add(line.place, str(error))
        else:
            yield line, made


def _text(file: Traversable) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadCatalogue(f"{file}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadCatalogue(f"{file}: is not written in UTF-8 (byte {error.start})") from error
