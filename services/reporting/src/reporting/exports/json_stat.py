"""Answers as JSON-stat 2.0 (json-stat.org/format): the statistical offices' exchange format for cubes."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from reporting.exports.csv_files import is_compared
from reporting.exports.notes import notes_of
from reporting.exports.signs import marks_of, sign_of
from reporting.figures import Answer, Cell, Point, Value, number_of
from reporting.wording import Phrases, remarks_of, sourced_targets
from verbund.service.words import message_id

_TIME, _MEASURE = "time", "measure"
_MEASURES = {
    "value": message_id("Value"),
    "compared": message_id("Compared with"),
    "change": message_id("Change"),
}


def as_json_stat(answer: Answer, language: str) -> dict[str, Any]:
    """One dataset: the breakdowns and the time are its dimensions, in this order; the last one varies quickest.

    Where values are compared, a further one says which: the value, what it is compared with, the change. A place
    without a number has `null` as its value and its sign as its status; a number has its marks (`p`, `r`, `s`) as its.
    """
    phrases = Phrases(language)
    dimensions: dict[str, Any] = {
        name: {"label": name, "category": _category([cell.keys[at] for cell in answer.cells], language)}
        for at, name in enumerate(answer.by)
    }
    times = {point_id(point): point_id(point) for point in answer.points}
    dimensions[_TIME] = {"label": _TIME, "category": {"index": list(times), "label": times}}
    # Not in the order of the rows: there, the rest of a breakdown comes last whatever stands beside it.
    cells = {tuple(key.code for key in cell.keys): cell for cell in answer.cells}
    places = product(*(dimensions[name]["category"]["index"] for name in answer.by))
    placed = [value for place in places for value in _placed(answer, cells[place])]
    signs = {str(at): sign for at, (_, sign) in enumerate(placed) if sign}
    if is_compared(answer):
        phrases = Phrases(language)
        labels = {name: phrases.say(words) for name, words in _MEASURES.items()}
        dimensions[_MEASURE] = {"label": _MEASURE, "category": {"index": list(labels), "label": labels}}
    return {
        "version": "2.0",
        "class": "dataset",
        "label": answer.title.say(language),
        "source": answer.source_office,
        "updated": answer.asked_at.isoformat(),
        "note": [
            answer.definition.say(language),
            *(limit.say(language) for limit in answer.limits),
            *(remark.words for remark in remarks_of(answer, phrases)),
            *sourced_targets(answer, phrases),
            *notes_of(answer, phrases),
        ],
        "id": list(dimensions),
        "size": [len(dimension["category"]["index"]) for dimension in dimensions.values()],
        "role": {"time": [_TIME], **({"metric": [_MEASURE]} if is_compared(answer) else {})},
        "dimension": dimensions,
        "value": [_number(number_of(value)) for value, _ in placed],
        "status": signs,
        "extension": {
            "unit": answer.unit.many.say(language),
            "population": answer.population.say(language),
            "cut_off": answer.cut_off.say(language),
            **answer.model_dump(
                mode="json",
                include={
                    *("indicator", "version", "kind", "municipality", "known_on", "data_state", "is_exact"),
                    *("ticked_at", "adds_up", "generation", "batch", "filters", "decimals"),
                    *("notes", "targets", "definition_changes"),
                    *("areas_on", "over_changes", "breaks", "points", "compared_known_on"),
                },
            ),
        },
    }


def _placed(answer: Answer, cell: Cell) -> Iterator[tuple[Value, str]]:
    """The values of a row in their order, each with its status."""
    for at, value in enumerate(cell.values):
        yield value, sign_of(answer, value) or marks_of(cell, at)
        if is_compared(answer):
            yield from ((one, sign_of(answer, one)) for one in (cell.compared[at], cell.changes[at]))


def point_id(point: Point) -> str:
    """A day, or a period as ISO 8601 writes one."""
    return point.to_on.isoformat() if point.from_on is None else f"{point.from_on}/{point.to_on}"


def _category(keys: list[Any], language: str) -> dict[str, Any]:
    labels = {key.code: key.name.say(language) for key in keys}
    return {"index": list(labels), "label": labels}


def _number(number: Any) -> float | int | None:
    return number if number is None or isinstance(number, int) else float(number)
