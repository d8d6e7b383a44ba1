"""Puts everything beside the numbers that belongs there, wherever they come from."""

from datetime import datetime

from reporting.audiences import Audience
from reporting.figures.answer import Answer, Cell, Delivery, Freshness, Key, Point
from reporting.figures.breaks import breaks_of
from reporting.figures.moments import ticked_at_of
from reporting.figures.plan import Plan
from reporting.figures.values import NOT_REPORTED, PROTECTED, Value, number_of, value_of
from reporting.image import Moment
from reporting.ticking import pace_of


def described(
    moment: Moment,
    plan: Plan,
    *,
    points: tuple[Point, ...],
    cells: tuple[Cell, ...],
    adds_up: bool,
    freshness: Freshness,
    at: datetime,
    deliveries: tuple[Delivery, ...] = (),
) -> Answer:
    """Values with everything that has to stand beside them."""
    municipality, indicator = plan.catalogue.city.municipality, plan.indicator
    assert municipality == moment.municipality, "the image is another city's"
    return Answer(
        municipality=municipality,
        indicator=indicator.id,
        version=indicator.version,
        valid_from=indicator.valid_from,
        valid_until=indicator.valid_until,
        kind=indicator.kind,
        field_of_action=indicator.field_of_action,
        title=indicator.title,
        definition=indicator.definition,
        cut_off=indicator.cut_off,
        limits=indicator.limits,
        unit=plan.catalogue.unit_of(indicator),
        per_unit=None if indicator.per_unit is None else plan.catalogue.frame.units[indicator.per_unit],
        per=indicator.per,
        measure=None if indicator.delivered is None else indicator.delivered.measure,
        decimals=indicator.decimals or 0,
        percent=indicator.percent,
        population=indicator.population.words,
        source_office=indicator.source_office,
        not_comparable_with=indicator.not_comparable_with,
        by=plan.by,
        filters={
            name: tuple(key_of(plan, name, code) for code in sorted(codes)) for name, codes in plan.filters.items()
        },
        points=points,
        cells=cells,
        areas_on=None if plan.carried is None else plan.carried.carrying.areas_on,
        over_changes="whole" if plan.carried is None else plan.carried.carrying.over_changes,
        breaks=tuple(breaks_of(plan)),
        adds_up=adds_up,
        audience=plan.audience,
        data_state=plan.sight.data_state,
        is_exact=plan.sight.is_exact,
        ticked_at=ticked_at_of(plan),
        next_tick_at=_next_tick_at(plan),
        known_on=plan.sight.known_on,
        compared_known_on=plan.compared_known_on,
        asked_at=at,
        sources=(freshness,),
        deliveries=deliveries,
        batch=moment.head.number,
        generation=moment.head.generation,
    )


def difference(value: Value, compared: Value) -> Value:
    """A change; none where either value is not known or not shown."""
    number, before = number_of(value), number_of(compared)
    if PROTECTED in (value, compared):
        return PROTECTED
    return NOT_REPORTED if number is None or before is None else value_of(number - before)


def key_of(plan: Plan, dimension: str, code: str) -> Key:
    """A value of a breakdown with its name."""
    return Key(code=code, name=plan.catalogue.name_of(dimension, code, plan.indicator))


def _next_tick_at(plan: Plan) -> datetime | None:
    """The earliest moment at which a tick can come; when the next release comes, no clock says."""
    if plan.sight.tick is None or plan.audience is Audience.PUBLIC:
        return None
    return plan.sight.tick.ticked_at + pace_of(plan.indicator).time
