"""Reads what a plan needs from the image of the cube at once, and folds it into the plan's rows."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from reporting.figures.plan import Plan
from reporting.image import Moment, Reading
from reporting.indicators import OneOf, Span, Term
from reporting.indicators.terms import Values, terms_for_rows, where_of

Raw = tuple[str, ...]
"""Values of the facts that were read apart, in the order of `Reading.facts`."""
Row = tuple[str, ...]


async def evaluate(moment: Moment, plan: Plan, spans: Sequence[Span]) -> dict[Span, dict[Row, int]]:
    """For each span the sums of the plan's rows; a row with nothing in it may be missing.

    Spans that nobody can be counted in have no rows at all.
    """
    terms = {span: terms_for_rows(plan.catalogue, plan.indicator, span, plan.chosen, plan.by) for span in spans}
    every = [term for span_terms in terms.values() for term in span_terms]
    if not every:
        return {span: {} for span in spans}
    reading = _reading_of(plan, every)
    rows = await moment.read(reading)
    # A large table takes some tenths of a second to fold: nobody else waits for it.
    return await asyncio.to_thread(_folded, plan, reading, rows, terms)


def _folded(
    plan: Plan, reading: Reading, rows: Sequence[Any], terms: Mapping[Span, Sequence[Term]]
) -> dict[Span, dict[Row, int]]:
    folder = _Folder(plan, reading, _accumulated(reading, rows))
    return {span: folder.fold(span_terms) for span, span_terms in terms.items()}


def _reading_of(plan: Plan, terms: Sequence[Term]) -> Reading:
    measures = tuple(sorted({term.measure for term in terms}))
    pushed: dict[str, frozenset[str]] = {}
    apart: dict[str, None] = {}
    for dimension, codes in zip(plan.by, plan.codes, strict=True):
        for term in {term.measure: term for term in terms}.values():
            for where in where_of(plan.catalogue, plan.indicator, dimension, codes[:1], term):
                apart.update(dict.fromkeys(where))
    for fact in sorted({name for term in terms for name in term.where}):
        selections = [term.where.get(fact) for term in terms]
        if all(isinstance(values, OneOf) for values in selections):
            pushed[fact] = frozenset[str]().union(*(values.codes for values in selections if values is not None))
        if fact not in pushed or any(values != selections[0] for values in selections):
            apart[fact] = None
    ends = {term.until for term in terms} | {term.after for term in terms if term.after is not None}
    from_the_beginning = any(term.after is None for term in terms)
    return Reading(measures, tuple(apart), pushed, tuple(sorted(ends)), from_the_beginning, plan.sight.known_on)


Sums = Mapping[str, Mapping[Raw, Sequence[int]]]
"""By measure and facts, for each day of the reading the sum of all that is not later (and was read)."""


def _accumulated(reading: Reading, rows: Sequence[Any]) -> Sums:
    sums: dict[str, dict[Raw, list[int]]] = {measure: {} for measure in reading.measures}
    for measure, bucket, n, _, *raw in rows:
        sums[measure].setdefault(tuple(raw), [0] * len(reading.days))[bucket] = n
    for by_facts in sums.values():
        for series in by_facts.values():
            for i in range(1, len(series)):
                series[i] += series[i - 1]
    return sums


class _Folder:
    """Folds sums by facts into rows by codes; what it finds out about a combination of facts it remembers."""

    def __init__(self, plan: Plan, reading: Reading, sums: Sums) -> None:
        self._plan = plan
        self._facts = {fact: i for i, fact in enumerate(reading.facts)}
        self._place = {day: i for i, day in enumerate(reading.days)}
        self._sums = sums
        self._splitters: dict[tuple[str, str, int], _Splitter] = {}
        self._rows: dict[tuple[str, int], dict[Raw, Row | None]] = {}

    def fold(self, terms: Sequence[Term]) -> dict[Row, int]:
        folded: dict[Row, int] = {}
        for term in terms:
            conditions = [(self._facts[fact], values) for fact, values in term.where.items() if fact in self._facts]
            until = self._place[term.until]
            after = None if term.after is None else self._place[term.after]
            rows = self._rows.setdefault((term.measure, self._year(term)), {})
            for raw, series in self._sums[term.measure].items():
                n = series[until] if after is None else series[until] - series[after]
                if n == 0 or not all(raw[i] in values for i, values in conditions):
                    continue
                if raw not in rows:
                    rows[raw] = self._row_of(raw, term)
                if (row := rows[raw]) is not None:
                    folded[row] = folded.get(row, 0) + term.weight * n
        return folded

    def _year(self, term: Term) -> int:
        """The year that ages are counted in, where they matter for the rows."""
        return term.until.year if "age_band" in self._plan.by else 0

    def _row_of(self, raw: Raw, term: Term) -> Row | None:
        codes = []
        for dimension, possible in zip(self._plan.by, self._plan.codes, strict=True):
            key = (dimension, term.measure, self._year(term))
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
        value = raw[self._at]
        code = self._code.get(value)
        if code is None and self._rest is not None and value in self._rest[1]:
            code = self._rest[0]
        if code is None or not all(raw[i] in values for i, values in self._further[code]):
            return None
        return code
