"""What a delivery to an indicator has to fit: taken from the catalogue, so that the rules need nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from reporting.indicators import OTHER, Catalogue, Delivered, Every, Indicator, Span, codes_of
from verbund.errors import RuleBroken


@dataclass(frozen=True, slots=True)
class Spec:
    """One indicator as who delivers has to know it."""

    indicator: str
    version: int
    unit: str
    bodies: tuple[str, ...]
    measure: Literal["count", "amount", "share"]
    decimals: int
    is_about_days: bool
    every: tuple[Every, ...]
    cut_offs: tuple[str, ...]
    breakdowns: Mapping[str, tuple[str, ...]]
    """By breakdown the codes that there are."""
    listed: frozenset[str]
    """Breakdowns of few fixed values, each of which is expected."""
    never_together: tuple[tuple[str, ...], ...]
    adds_up: frozenset[str]
    adds_up_over_time: bool
    may_be_negative: bool


def spec_of(catalogue: Catalogue, indicator_id: str, on: date) -> Spec:
    """What can be delivered on a day; raises `NotFound`, or `RuleBroken` (`not_delivered`) for what is counted here."""
    indicator = catalogue.get_indicator(indicator_id)
    if indicator.delivered is None:
        raise RuleBroken(
            "not_delivered",
            "This indicator is counted from what its office books. Nothing can be delivered to it.",
            pointer="/indicator",
        )
    return _spec(catalogue, indicator, indicator.delivered, on)


def _spec(catalogue: Catalogue, indicator: Indicator, delivered: Delivered, on: date) -> Spec:
    return Spec(
        indicator=indicator.id,
        version=indicator.version,
        unit=indicator.unit,
        bodies=indicator.delivered_by,
        measure=delivered.measure,
        decimals=indicator.decimals or 0,
        is_about_days=indicator.is_about_days,
        every=indicator.every,
        cut_offs=delivered.cut_offs,
        breakdowns={name: codes_of(catalogue, indicator, name, [Span(on)]) for name in indicator.breakdowns},
        listed=frozenset(name for name in indicator.breakdowns if name in catalogue.frame.values),
        never_together=indicator.never_together,
        adds_up=frozenset(delivered.adds_up),
        adds_up_over_time=delivered.adds_up_over_time and not indicator.is_about_days and delivered.measure != "share",
        may_be_negative=delivered.may_be_negative,
    )


def expected_codes(spec: Spec, breakdown: str) -> tuple[str, ...]:
    """The values of a breakdown that a whole delivery has; the rest (`other`) need not be there."""
    return tuple(code for code in spec.breakdowns[breakdown] if code != OTHER)
