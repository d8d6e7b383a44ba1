"""Reads the catalogue from YAML, and says in which file and line something is wrong."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from reporting.indicators.catalogue import Catalogue, Frame
from reporting.indicators.city import City
from reporting.indicators.city_files import BadCatalogue, read_city
from reporting.indicators.definition import DIMENSIONS, Indicator

__all__ = ["BadCatalogue", "read_catalogue"]

M = TypeVar("M", bound=BaseModel)


def read_catalogue(municipality: str, folder: Traversable | None = None) -> Catalogue:
    """The catalogue in `folder` (default: the one that comes with reporting) for one municipality.

    `frame.yaml` holds shared words, `indicators/*.yaml` the indicators in order of the file names, the rest is data of
    cities. Raises `BadCatalogue`, which names file and line.
    """
    folder = files("reporting") / "catalogue" if folder is None else folder
    city = read_city(municipality, folder)
    frame = _validated(Frame, _compose(folder / "frame.yaml"), str(folder / "frame.yaml"))
    indicators: dict[str, Indicator] = {}
    for file in sorted((folder / "indicators").iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        root = _compose(file)
        if not isinstance(root, yaml.SequenceNode):
            raise BadCatalogue(f"{file}:{_line(root, ())}: a list of indicators is expected")
        for node in root.value:
            indicator = _validated(Indicator, node, str(file))
            for field, problem in _misfits(indicator, city, frame, indicators):
                raise BadCatalogue(f"{file}:{_line(node, (field,))}: {indicator.id} {field}: {problem}")
            indicators[indicator.id] = indicator
    _check_comparisons(indicators, folder)
    return Catalogue(city, frame, MappingProxyType(indicators))


def _misfits(
    indicator: Indicator, city: City, frame: Frame, before: Mapping[str, Indicator]
) -> Iterator[tuple[str, str]]:
    """What an indicator names that is not there, each with the field that names it."""
    if indicator.id in before:
        yield "id", "there is another indicator of this id"
    known: Sequence[tuple[str, str, str | None, Collection[str]]] = (
        ("field_of_action", "field of action", indicator.field_of_action, frame.fields_of_action),
        ("source_office", "office", indicator.source_office, frame.offices),
        ("unit", "unit", indicator.unit, frame.units),
        ("population", "group of nationalities", indicator.population.nationalities, city.groups),
        ("age_bands", "set of age bands", indicator.age_bands, city.age_bands),
    )
    for field, what, name, names in known:
        if name is not None and name not in names:
            yield field, f"there is no {what} {name!r}; there are {', '.join(names)}"
    for dimension in indicator.breakdowns:
        if dimension not in frame.dimensions:
            yield "breakdowns", f"{dimension!r} has no words in frame.yaml"
        fixed = DIMENSIONS[dimension] not in ("area", "nationality", "birth_year")
        if fixed and dimension not in frame.values:
            yield "breakdowns", f"the values of {dimension!r} have no words in frame.yaml"


def _check_comparisons(indicators: Mapping[str, Indicator], folder: Traversable) -> None:
    for indicator in indicators.values():
        for other in indicator.not_comparable_with:
            if other not in indicators:
                raise BadCatalogue(f"{folder / 'indicators'}: {indicator.id} names {other}, which is no indicator")


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


def _validated(model: type[M], node: yaml.Node, file: str) -> M:
    loader = yaml.SafeLoader("")
    try:
        value = loader.construct_document(node)
    finally:
        loader.dispose()
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = []
        for item in error.errors():
            location, message = item["loc"], item["msg"].removeprefix("Value error, ")
            field, colon, rest = message.partition(": ")
            if not location and colon and field in model.model_fields:  # what does not fit together names its field
                location, message = (field,), rest
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
