"""Reads the catalogue from YAML, and says in which file and line something is wrong."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from reporting.deltas import Measure, measures_of
from reporting.indicators.catalogue import Catalogue, Frame
from reporting.indicators.city import City
from reporting.indicators.city_files import read_city
from reporting.indicators.definition import Indicator
from reporting.indicators.fitting import misfits
from reporting.indicators.lines import BadCatalogue
from reporting.indicators.published import FILE, find_change, list_missing, read_published
from verbund.events.offices import Office, find_offices

__all__ = ["BadCatalogue", "levels_of", "read_catalogue", "read_frame"]

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One version of an indicator where it is written down."""

    file: str
    node: yaml.Node
    indicator: Indicator

    def place(self, field: str) -> str:
        return f"{self.file}:{_line(self.node, (field,))}"


def read_catalogue(
    municipality: str, folder: Traversable | None = None, offices: Sequence[Office] | None = None
) -> Catalogue:
    """The catalogue for one municipality: `folder` (default: the one that comes with reporting), and what offices add.

    `frame.yaml` holds shared words; `indicators/<field of action>.yaml` the indicators, shown in the order of the
    fields; the rest is data of cities. An office (default: all that are announced) adds a folder of the same shape,
    without data of cities. Raises `BadCatalogue` with everything that is wrong, a line each: file, line, what to do.
    """
    folder = files("reporting") / "catalogue" if folder is None else folder
    offices = find_offices() if offices is None else offices
    folders = _folders(folder, offices)
    measures, frame = measures_of(offices), _joined_frame(folders)
    city = read_city(municipality, folder, levels_of(frame))
    found = [list(_entries(each / "indicators", frame)) for each in folders]
    entries = _in_order(frame, [entry for written in found for entry in written])
    problems = list(_unfitting(entries, city, frame, measures))
    for each, written in zip(folders, found, strict=True):
        problems += _otherwise_published(each, written)
    if problems:
        raise BadCatalogue("\n".join(problems))
    versions: dict[str, list[Indicator]] = {}
    for entry in entries:
        versions.setdefault(entry.indicator.id, []).append(entry.indicator)
    return Catalogue(city, frame, measures, MappingProxyType({name: tuple(found) for name, found in versions.items()}))


def read_frame(folder: Traversable, offices: Sequence[Office] | None = None) -> Frame:
    """The words of a catalogue alone, with those that offices add; raises `BadCatalogue`."""
    return _joined_frame(_folders(folder, find_offices() if offices is None else offices))


def levels_of(frame: Frame) -> list[str]:
    """The levels of areas that some breakdown shows."""
    return list(dict.fromkeys(each.level for each in frame.dimensions.values() if each.level is not None))


def _folders(folder: Traversable, offices: Sequence[Office]) -> list[Traversable]:
    return [folder, *(files(office.catalogue) / "catalogue" for office in offices if office.catalogue is not None)]


def _joined_frame(folders: Sequence[Traversable]) -> Frame:
    return _joined([(str(each / "frame.yaml"), _frame(each / "frame.yaml")) for each in folders])


def _frame(file: Traversable) -> Frame:
    return _validated(Frame, _compose(file), str(file))


def _joined(frames: Sequence[tuple[str, Frame]]) -> Frame:
    """The words of all; a word that has two meanings is refused."""
    joined: dict[str, dict[str, Any]] = {name: {} for name in Frame.model_fields}
    for file, frame in frames:
        for name, known in joined.items():
            words = getattr(frame, name)
            for word, meaning in words.items():
                if known.setdefault(word, meaning) != meaning:
                    raise BadCatalogue(f"{file}:1: {name}.{word} means something else in another file; name it apart")
    return Frame(**joined)


def _entries(folder: Traversable, frame: Frame) -> Iterator[_Entry]:
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        field = file.name.removesuffix(".yaml")
        if field not in frame.fields_of_action:
            known = ", ".join(frame.fields_of_action)
            raise BadCatalogue(f"{file}:1: no field of action is called {field!r}: a file is named for one of {known}")
        root = _compose(file)
        if not isinstance(root, yaml.SequenceNode):
            raise BadCatalogue(f"{file}:{_line(root, ())}: a list of indicators is expected")
        for node in root.value:
            yield _Entry(str(file), node, _validated(Indicator, node, str(file), field_of_action=field))


def _in_order(frame: Frame, entries: Iterable[_Entry]) -> list[_Entry]:
    places = list(frame.fields_of_action)
    return sorted(entries, key=lambda entry: places.index(entry.indicator.field_of_action))


def _unfitting(entries: Sequence[_Entry], city: City, frame: Frame, measures: Mapping[str, Measure]) -> Iterator[str]:
    """What does not fit what is around it."""
    before: dict[str, list[Indicator]] = {}
    for entry in entries:
        indicator = entry.indicator
        above = before.setdefault(indicator.id, [])
        for field, problem in misfits(indicator, city, frame, measures, above):
            yield f"{entry.place(field)}: {indicator.id} {field}: {problem}"
        above.append(indicator)
    for entry in entries:
        indicator = entry.indicator
        for other in indicator.not_comparable_with:
            if other not in before:
                yield f"{entry.place('not_comparable_with')}: {indicator.id} names {other}, which is no indicator"
        if indicator.valid_until is not None and indicator is before[indicator.id][-1]:
            yield f"{entry.place('valid_until')}: {indicator.id} valid_until: the next version is missing below"


def _otherwise_published(folder: Traversable, entries: Sequence[_Entry]) -> Iterator[str]:
    """What changed or vanished since it was published."""
    published = read_published(folder)
    for entry in entries:
        if (problem := find_change(published, entry.indicator)) is not None:
            yield f"{entry.place('version')}: {entry.indicator.id} version: {problem}"
    for gone in list_missing(published, (entry.indicator for entry in entries)):
        yield f"{folder / FILE}:1: {gone} was published and is in no file any more: put it back, it can be asked"


def _compose(file: Traversable) -> yaml.Node:
    """The file as nodes that know their lines."""
    try:
        node: yaml.Node | None = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise BadCatalogue(f"{file}: cannot be read ({error.strerror})") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadCatalogue(f"{file}:{line}: {error.problem}") from error
    if node is None:
        raise BadCatalogue(f"{file}:1: the file is empty")
    return node


def _validated(model: type[M], node: yaml.Node, file: str, **told: str) -> M:
    """The entry as a model, with what its place tells beside what it says itself."""
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_document(node)
    finally:
        loader.dispose()
    for name in set(told) & set(value if isinstance(value, dict) else ()):
        raise BadCatalogue(f"{file}:{_line(node, (name,))}: {_path(value, (name,))}: the name of the file says it")
    try:
        value = {**value, **told} if isinstance(value, dict) else value
        return model.model_validate(value)
    except ValidationError as error:
        problems = []
        for item in error.errors():
            location, message = item["loc"], item["msg"].removeprefix("Value error, ")
            field, colon, rest = message.partition(": ")
            path = tuple(field.split("."))
            if not location and colon and path[0] in model.model_fields:  # what does not fit together names its field
                location, message = path, rest
            problems.append(f"{file}:{_line(node, location)}: {_path(value, location)}: {message}")
        raise BadCatalogue("\n".join(problems)) from error


def _path(value: Any, location: Sequence[int | str]) -> str:
    """Where in an entry something is wrong, with the entry's id in front where it has one."""
    own = value.get("id") if isinstance(value, dict) else None
    return " ".join(filter(None, (str(own) if own else "", ".".join(str(part) for part in location))))


def _line(node: yaml.Node, location: Sequence[int | str]) -> int:
    """Line of the entry at `location`, or of the nearest one around it that is written down."""
    line = node.start_mark.line + 1
    for part in location:
        child = _child(node, part)
        if child is None:
            break
        key, node = child
        line = key.start_mark.line + 1
    return line


def _child(node: yaml.Node, part: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == str(part)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part]
    return None
