"""What stands beside the numbers of an answer because people said so: notes and targets, and changed definitions.

Read in the same snapshot as the figures, as known when the question asks for, and as far as the audience may be told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.figures.answer import Answer, DefinitionChange, Key, Note, Target
from reporting.figures.plan import Plan
from reporting.figures.scopes import is_exact_to
from reporting.figures.values import Figure
from reporting.indicators import Span, Words

# What was withdrawn later was there on the day that is asked for.
_NOTES = text("""
    select distinct on (note_id) note_id::text, number, breakdown, value, from_on, to_on, author_role, recorded_on,
           de, en, is_withdrawn
    from notes.note
    where municipality = :municipality and indicator = :indicator
      and (cast(:known_on as date) is null or recorded_on <= :known_on)
    order by note_id, version desc
""")
_TARGETS = text("""
    select target_id::text, number, breakdown, value, from_on, to_on, agreed_on, aim, low, high, de, en
    from targets.target
    where municipality = :municipality and indicator = :indicator
      and case when cast(:known_on as date) is null then withdrawn_on is null
          else recorded_on <= :known_on and (withdrawn_on is null or withdrawn_on > :known_on) end
    order by from_on, number
""")


@dataclass(frozen=True, slots=True)
class Remarks:
    """In the order of display."""

    notes: tuple[Note, ...]
    targets: tuple[Target, ...]
    definition_changes: tuple[DefinitionChange, ...]

    def beside(self, answer: Answer) -> Answer:
        """The answer with these remarks instead of those that it had."""
        said = {"notes": self.notes, "targets": self.targets, "definition_changes": self.definition_changes}
        return answer.model_copy(update=said)


async def read_remarks(connection: AsyncConnection, plan: Plan) -> Remarks:
    """The remarks that belong to the points and rows of a plan."""
    given = {
        "municipality": plan.catalogue.city.municipality,
        "indicator": plan.indicator.id,
        "known_on": plan.sight.known_on,
    }
    notes = sorted(await connection.execute(_NOTES, given), key=lambda row: (row.from_on, row.number))
    return Remarks(
        notes=tuple(_notes(plan, [row for row in notes if not row.is_withdrawn])),
        targets=tuple(_targets(plan, (await connection.execute(_TARGETS, given)).all())),
        definition_changes=tuple(_definition_changes(plan)),
    )


def touched(spans: Sequence[Span], from_on: date, to_on: date | None) -> tuple[int, ...]:
    """The places of the spans that a time belongs to.

    Of periods those that overlap with it. Of days those in it, and the first one after it: what happened since the
    day before in the series is seen there.
    """
    found = []
    before: date | None = None
    for place, span in enumerate(spans):
        first = span.from_on or before or span.to_on
        begins_after_first = span.from_on is None and before is not None
        ends = to_on or date.max
        if from_on <= span.to_on and (ends > first if begins_after_first else ends >= first):
            found.append(place)
        before = span.to_on
    return tuple(found)


def _notes(plan: Plan, rows: Sequence[Any]) -> Iterator[Note]:
    for row in rows:
        points = touched(plan.spans, row.from_on, row.to_on)
        if points and _shows(plan, row.breakdown, row.value) and _may_be_told(plan, row):
            yield Note(
                note_id=row.note_id,
                breakdown=row.breakdown,
                key=_key(plan, row),
                from_on=row.from_on,
                to_on=row.to_on,
                words=Words(de=row.de, en=row.en),
                author_role=row.author_role,
                recorded_on=row.recorded_on,
                points=points,
            )


def _targets(plan: Plan, rows: Sequence[Any]) -> Iterator[Target]:
    for row in rows:
        points = tuple(
            place
            for place, span in enumerate(plan.spans)
            if row.from_on <= (span.from_on or span.to_on) and span.to_on <= row.to_on
        )
        if points and _is_value_of(plan, row.breakdown, row.value) and _may_be_told(plan, row):
            yield Target(
                target_id=row.target_id,
                breakdown=row.breakdown,
                key=_key(plan, row),
                from_on=row.from_on,
                to_on=row.to_on,
                agreed_on=row.agreed_on,
                aim=row.aim,
                low=_figure(row.low),
                high=_figure(row.high),
                source=Words(de=row.de, en=row.en),
                points=points,
            )


def _definition_changes(plan: Plan) -> Iterator[DefinitionChange]:
    """The later definitions that begin within the points, whichever of them was asked."""
    first, last = plan.spans[0].from_on or plan.spans[0].to_on, plan.spans[-1].to_on
    for version in plan.catalogue.versions[plan.indicator.id][1:]:
        if first < version.valid_from <= last:
            points = touched(plan.spans, version.valid_from, version.valid_from)
            yield DefinitionChange(version=version.version, valid_from=version.valid_from, points=points)


def _shows(plan: Plan, breakdown: str | None, value: str | None) -> bool:
    """Whether the cell stands among the rows, or in what they are filtered by."""
    if breakdown is None or value is None:
        return True
    rows = dict(zip(plan.by, plan.codes, strict=True))
    return value in rows.get(breakdown, ()) or value in plan.filters.get(breakdown, ())


def _is_value_of(plan: Plan, breakdown: str | None, value: str | None) -> bool:
    """Whether a value of the answer is that of the cell itself, and not of a part of it."""
    if breakdown is None or value is None:
        return not plan.by and not plan.filters
    if plan.by:
        return plan.by == (breakdown,) and not plan.chosen and value in plan.codes[0]
    return dict(plan.filters) == {breakdown: frozenset((value,))}


def _may_be_told(plan: Plan, row: Any) -> bool:
    on = row.to_on or row.from_on
    return is_exact_to(plan.catalogue, plan.indicator, row.breakdown, row.value, on, plan.audience)


def _key(plan: Plan, row: Any) -> Key | None:
    if row.breakdown is None:
        return None
    return Key(code=row.value, name=plan.catalogue.name_of(row.breakdown, row.value, plan.indicator))


def _figure(number: Decimal | None) -> Figure | None:
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else number
