"""Reads what a plan needs from the image of the cube at once, and folds it into the plan's rows."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from reporting.deltas import day_of
from reporting.figures.combining import WHOLE, Amount, Content, Label, days_of
from reporting.figures.finest_cells import FinestCells, cut_at_periods, facts_of_cells
from reporting.figures.plan import Plan
from reporting.image import Front, Fronts, Moment, Reading
from reporting.indicators import UNPLACED, OneOf, Parts, Span, Term
from reporting.indicators.terms import Values, parts_for_rows, where_of
from verbund.disclosure import KEY_MODULUS

_NOTHING = Amount(0, 0)
_NEVER = Front(0, date.min)

Raw = tuple[str, ...]
"""Values of the facts that were read apart, in the order of `Reading.facts`."""
Row = tuple[str, ...]
Amounts = Mapping[Span, tuple[Mapping[Row, Content], ...]]
"""By span, for each part of its values, what the rows hold; a row with nothing in it may be missing."""


async def evaluate(moment: Moment, plan: Plan, spans: Sequence[Span]) -> Amounts:
    """What the plan's rows hold in each of these spans. Spans that nobody can be counted in have no rows at all."""
    parts = {span: _parts_of(plan, span) for span in spans}
    every = [term for of_span in parts.values() for terms in of_span for term in terms]
    if not every:
        return {span: tuple({} for _ in of_span) for span, of_span in parts.items()}
    reading = _reading_of(plan, every)
    rows = await moment.read(reading)
    # A large table takes some tenths of a second to fold: nobody else waits for it.
    return await asyncio.to_thread(_folded, plan, reading, rows, parts)


def _parts_of(plan: Plan, span: Span) -> Parts:
    """What a span is the sum of; where it is protected, cut at all periods that may be asked for."""
    if plan.sight.is_exact:
        return parts_for_rows(plan.catalogue, plan.indicator, span, plan.chosen, plan.by)
    # By whatever it might be asked: the same cuts for all questions.
    cuts = cut_at_periods(span, plan.periods)
    by = plan.catalogue.get_indicator(plan.indicator.id, plan.indicator.version).breakdowns
    by_cut = [parts_for_rows(plan.catalogue, plan.indicator, cut, plan.chosen, by) for cut in cuts]
    return tuple(tuple(term for terms in of_part for term in terms) for of_part in zip(*by_cut, strict=True))


def _folded(plan: Plan, reading: Reading, rows: Sequence[Any], parts: Mapping[Span, Parts]) -> Amounts:
    folder = _Folder(plan, reading, _accumulated(reading, rows))
    return {span: tuple(map(folder.fold, of_span)) for span, of_span in parts.items()}


def _reading_of(plan: Plan, terms: Sequence[Term]) -> Reading:
    measures = tuple(sorted({term.measure for term in terms}))
    pushed: dict[str, frozenset[str]] = {}
    apart: dict[str, None] = {} if plan.indicator.days is None else {plan.indicator.days: None}
    for dimension, codes in zip(plan.by, plan.codes, strict=True):
        for term in {term.measure: term for term in terms}.values():
            for where in where_of(plan.catalogue, plan.indicator, dimension, codes[:1], term):
                apart.update(dict.fromkeys(where))
    if not plan.sight.is_exact:
        apart.update(dict.fromkeys(fact for each in measures for fact in facts_of_cells(plan.catalogue, each)))
    for fact in sorted({name for term in terms for name in term.where}):
        selections = [term.where.get(fact) for term in terms]
        listed = [values.codes for values in selections if isinstance(values, OneOf)]
        if len(listed) == len(selections):
            pushed[fact] = frozenset[str]().union(*listed)
        if fact not in pushed or any(values != selections[0] for values in selections):
            apart[fact] = None
    ends = {term.until for term in terms} | {term.after for term in terms if term.after is not None}
    from_the_beginning = any(term.after is None for term in terms)
    return Reading(
        measures, tuple(apart), pushed, tuple(sorted(ends)), from_the_beginning, plan.sight.known_on, _fronts(plan)
    )


def _fronts(plan: Plan) -> Fronts | None:
    """Where each Stadtbezirk moves at ticks of its own: nothing of it behind its last one, and no later day."""
    ticks, city = plan.sight.ticks_of_districts, plan.catalogue.city
    if not ticks:
        return None
    fronts = {
        district: Front(ticks[district].number, day_of(ticks[district].ticked_at)) if district in ticks else _NEVER
        for district in city.districts
    }
    by_area = {area: fronts[district] for district, areas in city.districts.items() for area in areas}
    return Fronts(("area", "area_to"), by_area, fronts[UNPLACED])


Series = tuple[list[int], list[int]]
"""How many, and the sums of their record keys, for each day of the reading."""
Sums = Mapping[str, Mapping[Raw, Series]]
"""By measure and facts all that is not later than each day (and was read)."""


def _accumulated(reading: Reading, rows: Sequence[Any]) -> Sums:
    length = len(reading.days)
    sums: dict[str, dict[Raw, Series]] = {measure: {} for measure in reading.measures}
    for measure, bucket, n, key, *raw in rows:
        numbers, keys = sums[measure].setdefault(tuple(raw), ([0] * length, [0] * length))
        numbers[bucket], keys[bucket] = n, key
    for by_facts in sums.values():
        for numbers, keys in by_facts.values():
            for i in range(1, length):
                numbers[i] += numbers[i - 1]
                keys[i] += keys[i - 1]
    return sums


class _Folder:
    """Folds sums by facts into rows by codes; what it finds out about a combination of facts it remembers."""

    def __init__(self, plan: Plan, reading: Reading, sums: Sums) -> None:
        self._plan = plan
        self._facts = {fact: i for i, fact in enumerate(reading.facts)}
        self._place = {day: i for i, day in enumerate(reading.days)}
        self._sums = sums
        self._splitters: dict[tuple[str, str, int, date], _Splitter] = {}
        self._rows: dict[tuple[str, int, date], dict[Raw, Row | None]] = {}
        self._facts_shown = {plan.catalogue.fact_of(dimension) for dimension in plan.by}
        self._cells = None if plan.sight.is_exact else FinestCells(plan.catalogue, self._facts)
        self._labels: dict[tuple[str, date | None, date], dict[Raw, Label]] = {}
        self._days_in = None if plan.indicator.days is None else self._facts[plan.indicator.days]

    def fold(self, terms: Sequence[Term]) -> Mapping[Row, Content]:
        folded: dict[Row, dict[Label, Amount]] = {}
        for term in terms:
            conditions = [(self._facts[fact], values) for fact, values in term.where.items() if fact in self._facts]
            until = self._place[term.until]
            after = None if term.after is None else self._place[term.after]
            rows = self._rows.setdefault((term.measure, self._year(term), self._placed_on(term)), {})
            for raw, (numbers, keys) in self._sums[term.measure].items():
                n = numbers[until] if after is None else numbers[until] - numbers[after]
                key = keys[until] if after is None else keys[until] - keys[after]
                if not (n or key) or not all(raw[i] in values for i, values in conditions):
                    continue
                if raw not in rows:
                    rows[raw] = self._row_of(raw, term)
                if (row := rows[raw]) is not None:
                    held = folded.setdefault(row, {})
                    label = self._label_of(raw, term)
                    before = held.get(label, _NOTHING)
                    held[label] = Amount(before.n + n, (before.key + key) % KEY_MODULUS)
        return folded

    def _label_of(self, raw: Raw, term: Term) -> Label:
        days = WHOLE if self._days_in is None else (days_of(self._plan.indicator, raw[self._days_in], term),)
        if self._cells is None:
            return days
        labels = self._labels.setdefault((term.measure, term.after, term.until), {})
        if raw not in labels:
            labels[raw] = (*days, *self._cells.label_of(raw, term))
        return labels[raw]

    def _year(self, term: Term) -> int:
        """The year that ages are counted in, where they matter for the rows."""
        return term.until.year if "birth_year" in self._facts_shown else 0

    def _placed_on(self, term: Term) -> date:
        """The day from which on the areas are those of this term, where they matter for the rows."""
        return self._plan.catalogue.city.drawn_since(term.until) if "area" in self._facts_shown else date.min

    def _row_of(self, raw: Raw, term: Term) -> Row | None:
        codes = []
        for dimension, possible in zip(self._plan.by, self._plan.codes, strict=True):
            key = (dimension, term.measure, self._year(term), self._placed_on(term))
            if key not in self._splitters:
                self._splitters[key] = _Splitter(self._plan, dimension, possible, term, self._facts)
            code = self._splitters[key].code_of(raw)
            if code is None:
                return None
            codes.append(code)
        return tuple(codes)


class _Splitter:
    """Says which value of one breakdown a combination of facts belongs to, by the same conditions as `terms_of`."""

    def __init__(
        self, plan: Plan, dimension: str, codes: Collection[str], term: Term, facts: Mapping[str, int]
    ) -> None:
        self._at = 0
        self._code: dict[str, str] = {}
        self._rest: tuple[str, Values] | None = None
        self._further: dict[str, list[tuple[int, Values]]] = {}
        for code in codes:
            ((main, values), *further) = where_of(plan.catalogue, plan.indicator, dimension, (code,), term)[0].items()
            self._at = facts[main]
            self._further[code] = [(facts[fact], others) for fact, others in further]
            if isinstance(values, OneOf):
                self._code.update(dict.fromkeys(values.codes, code))
            else:
                self._rest = (code, values)

    def code_of(self, raw: Raw) -> str | None:
        if not self._further:  # no value of the breakdown is there on these days: there are no rows
            return None
        value = raw[self._at]
        code = self._code.get(value)
        if code is None and self._rest is not None and value in self._rest[1]:
            code = self._rest[0]
        if code is None or not all(raw[i] in values for i, values in self._further[code]):
            return None
        return code
