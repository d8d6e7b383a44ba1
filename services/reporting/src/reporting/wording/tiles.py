"""A tile: the one question that is asked for it, and what it says."""

from dataclasses import asdict, dataclass
from datetime import date

from reporting.figures import NOT_REPORTED, Answer, Point, Question, Value, number_of, value_of
from reporting.indicators import Indicator, IndicatorKind, year_before
from reporting.wording.phrases import Phrases, is_year
from reporting.wording.remarks import remarks_of, targets_at
from verbund.service.pages.formats import NOTHING, ZERO
from verbund.service.words import message_id

_ANSWERS: dict[IndicatorKind, str] = {
    "stock": message_id("On {period} there were {value} {unit}."),
    "flow": message_id("In the time {period} there were {value} {unit}."),
    "net": message_id("In the time {period} the difference was {value} {unit}."),
    "change": message_id("On {period} the change against the year before was {value} {unit}."),
    "percentile": message_id("In the time {period} {percent} of a hundred {units} took {value} {unit} at most."),
    "age": message_id("On {period} {percent} of a hundred {units} had been open for {value} {unit} at most."),
}
_RATIO_ON_A_DAY = message_id("On {period} it was {value} {unit}.")
_RATIO_IN_A_PERIOD = message_id("In the time {period} it was {value} {unit}.")
_YEARS_BACK = 12
"""How many ends of years the small line shows; twelve is what the printed reports show at most."""


@dataclass(frozen=True, slots=True)
class Tile:
    """What a tile says. The same words go into the page and, later, to it as they change."""

    id: str
    name: str
    value: str
    unit: str
    mark: str
    change: str
    period: str
    latest: str
    """What stands at the end of its small line."""
    target: str
    """What the value should come to, and whether it does; empty where nothing was agreed."""
    notes: str
    """How many notes mark the value; empty where none does."""
    sentence: str
    """The answer to its question, in a sentence."""
    spoken: str
    """One phrase for those who hear the page."""

    def parts(self) -> dict[str, str]:
        """For the page's script."""
        return asdict(self)


def tile_question(indicator: Indicator, on: date, known_on: date | None) -> Question:
    """The value on a day (of a flow: in the year, up to it), the one a year before, and the ends of years before."""
    if indicator.delivered is not None:
        return series_question(indicator, on, known_on, _YEARS_BACK)
    year_ends = (date(year, 12, 31) for year in range(on.year - _YEARS_BACK, on.year))
    days = sorted({*year_ends, year_before(on), on})
    every = None if indicator.is_about_days else "year"
    return Question(indicator=indicator.id, as_of=tuple(days), every=every, known_on=known_on)


def series_question(indicator: Indicator, on: date, known_on: date | None, years: int) -> Question:
    """The ends of the last years, or whole years, and of a flow the present one as far as it has come.

    Of what is delivered whatever there is in that time.
    """
    return Question(
        indicator=indicator.id,
        from_on=date(on.year - years, 1, 1),
        to_on=on,
        every="year" if "year" in indicator.every else indicator.every[0],
        known_on=known_on,
    )


def tile_of(answer: Answer, on: date, phrases: Phrases) -> Tile:
    """The words of the tile that was asked with `tile_question` for the day `on`."""
    (cell,) = answer.cells
    if answer.measure is not None:
        return last_tile_of(answer, phrases)
    values = {point.to_on: value for point, value in zip(answer.points, cell.values, strict=True)}
    points = {point.to_on: point for point in answer.points}
    point = _compared(points[on], points[year_before(on)])
    mark = _mark(answer, values[on], point, phrases)
    return _tile(answer, answer.points.index(points[on]), point, (values[on], values[year_before(on)]), mark, phrases)


def last_tile_of(answer: Answer, phrases: Phrases) -> Tile:
    """The last value of a series without breakdown, with the day or period that it belongs to."""
    (cell,) = answer.cells
    steps = list(zip(answer.points, cell.values, strict=True))
    point, value = steps[-1]
    earlier = {found.to_on: (found, then) for found, then in steps}.get(year_before(point.to_on))
    said = cell.marks[-1] if cell.marks else ()  # of what is counted here nobody said anything
    mark = ", ".join(filter(None, (_mark(answer, value, point, phrases), *map(phrases.said_of, said))))
    before = NOT_REPORTED if earlier is None else earlier[1]
    told = point if earlier is None else _compared(point, earlier[0])
    return _tile(answer, len(steps) - 1, told, (value, before), mark, phrases)


def _compared(point: Point, earlier: Point) -> Point:
    return point.model_copy(update={"compared_to_on": earlier.to_on, "compared_from_on": earlier.from_on})


def _tile(answer: Answer, place: int, point: Point, values: tuple[Value, Value], mark: str, phrases: Phrases) -> Tile:
    """`place`: of the point in the answer; `values`: at the point, and where it is compared."""
    now, before = values
    # Of a protected figure nobody knows that it is nothing: its zero is a number like any other.
    value = phrases.value(now, answer.kind, NOTHING if answer.is_exact else ZERO)
    unit = phrases.unit(answer, now)
    name = answer.title.say(phrases.language)
    return Tile(
        id=answer.indicator,
        name=name,
        value=value,
        unit=unit,
        mark=mark,
        change=phrases.change_since(answer.kind, point, _difference(now, before), before),
        period=phrases.point(point) if point.from_on else phrases.say(message_id("on {day}"), day=point.to_on),
        latest=phrases.dated(point, now, answer.kind),
        target=" · ".join(targets_at(answer, place, phrases)),
        notes=_notes(answer, place, phrases),
        sentence=_sentence(answer, now, point, unit, phrases),
        spoken=f"{name} {value} {unit}",
    )


def year_series(answer: Answer, on: date) -> list[tuple[Point, Value]]:
    """Ends of years (or whole years) and the day itself, from the first that is reported."""
    (cell,) = answer.cells
    series = [
        (point, value)
        for point, value in zip(answer.points, cell.values, strict=True)
        if point.to_on == on or is_year(point) or answer.measure is not None
    ]
    while series and number_of(series[0][1]) is None:
        series.pop(0)
    return series


def _notes(answer: Answer, place: int, phrases: Phrases) -> str:
    n = sum(place in remark.points for remark in remarks_of(answer, phrases))
    if not n:
        return ""
    return phrases.say(message_id("with {n} note") if n == 1 else message_id("with {n} notes"), n=n)


def _difference(now: Value, before: Value) -> Value:
    one, other = number_of(now), number_of(before)
    return NOT_REPORTED if one is None or other is None else value_of(one - other)


def _sentence(answer: Answer, value: Value, point: Point, unit: str, phrases: Phrases) -> str:
    period = phrases.point(point)
    if number_of(value) is None:
        return phrases.say(message_id("No figure is reported for {period} yet."), period=period)
    # In a sentence nothing is a word of its own: "0 births", not "– births".
    said = phrases.formats.number(0) if number_of(value) == 0 else phrases.value(value, answer.kind)
    message = _ANSWERS.get(answer.kind) or (_RATIO_ON_A_DAY if point.from_on is None else _RATIO_IN_A_PERIOD)
    units = answer.unit.many.say(phrases.language)
    return phrases.say(message, period=period, value=said, unit=unit, percent=answer.percent, units=units)


def _mark(answer: Answer, value: Value, point: Point, phrases: Phrases) -> str:
    if point.reported_from is not None:
        return phrases.say(message_id("reported since {day}"), day=point.reported_from)
    if number_of(value) == 0 and not answer.is_exact:
        return ""
    return phrases.mark(value, answer.kind)
