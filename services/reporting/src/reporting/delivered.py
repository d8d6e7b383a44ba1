"""What stands delivered, as of now or as it was known on a day: the bitemporal table of deliveries, read."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from verbund.events.reporting.deliveries import DeliveredPeriod, DeliveredRow, DeliveredSheet, DeliveryFinding

Happened = Literal["delivered", "revised", "kept", "finalised", "withdrawn"]

_COLUMNS = """
    indicator, number, from_on, to_on, happened, body, definition_version, state, precision, restated, source, reason,
    kept_from_on, kept_to_on, findings, recorded_at
"""
_NUMBERS = """
    left join lateral (
        select jsonb_agg(jsonb_build_array(breakdown, value::text) order by place) as rows
        from deliveries.figure
        where (figure.municipality, figure.indicator, figure.number) = (:municipality, sheet.indicator, sheet.number)
    ) as numbers on true
"""
# The last word on each day or period; what was withdrawn has none.
_STANDING = text(f"""
    with known as (
        select {_COLUMNS},
               row_number() over (partition by indicator, from_on, to_on order by number desc) as age,
               bool_or(happened = 'revised') over (partition by indicator, from_on, to_on) as is_revised
        from deliveries.sheet
        where municipality = :municipality and indicator = any(:indicators)
          and recorded_on <= coalesce(:known_on, 'infinity'::date)
    )
    select sheet.*, numbers.rows from known as sheet {_NUMBERS}
    where age = 1 and happened <> 'withdrawn'
    order by indicator, to_on, from_on
""")  # noqa: S608 - constants of ours
_HISTORY = text(f"""
    select {_COLUMNS}, false as is_revised, numbers.rows from deliveries.sheet {_NUMBERS}
    where municipality = :municipality and indicator = :indicator and number < coalesce(:below, 9223372036854775807)
    order by number desc limit :limit
""")  # noqa: S608 - constants of ours


@dataclass(frozen=True, slots=True)
class Standing:
    """A sheet with what is known about its delivery."""

    indicator: str
    number: int
    """Of the event in the book of reporting."""
    sheet: DeliveredSheet
    happened: Happened
    body: str
    definition_version: int
    source: str | None
    reason: str | None
    kept_from: DeliveredPeriod | None
    findings: tuple[DeliveryFinding, ...]
    recorded_at: datetime
    is_revised: bool
    """Whether other numbers were delivered for this day or period before."""


async def read_standing(
    connection: AsyncConnection, municipality: str, indicators: Collection[str], known_on: date | None = None
) -> Mapping[str, Sequence[Standing]]:
    """By indicator, every sheet that holds, in order of time; `known_on`: as known at the end of that day."""
    asked = {"municipality": municipality, "indicators": list(indicators), "known_on": known_on}
    found: defaultdict[str, list[Standing]] = defaultdict(list)
    for row in await connection.execute(_STANDING, asked):
        found[row.indicator].append(_standing(row))
    return found


async def list_history(
    connection: AsyncConnection, municipality: str, indicator: str, below: int | None, limit: int
) -> Sequence[Standing]:
    """Everything that was ever delivered to an indicator, the last one first."""
    asked = {"municipality": municipality, "indicator": indicator, "below": below, "limit": limit}
    return [_standing(row) for row in await connection.execute(_HISTORY, asked)]


def source_hash(source: str | None) -> str | None:
    """SHA-256 of the words in which a body names its source: all that the event says of them."""
    return None if source is None else sha256(source.encode()).hexdigest()


def _standing(row: Any) -> Standing:
    rows = tuple(DeliveredRow(breakdown=breakdown, value=value) for breakdown, value in row.rows or ())
    sheet = DeliveredSheet(
        from_on=row.from_on,
        to_on=row.to_on,
        state=row.state,
        precision=row.precision,
        restated=row.restated,
        rows=rows,
        source_sha256=source_hash(row.source),
    )
    kept_from = None if row.kept_to_on is None else DeliveredPeriod(from_on=row.kept_from_on, to_on=row.kept_to_on)
    return Standing(
        indicator=row.indicator,
        number=row.number,
        sheet=sheet,
        happened=row.happened,
        body=row.body,
        definition_version=row.definition_version,
        source=row.source,
        reason=row.reason,
        kept_from=kept_from,
        findings=tuple(DeliveryFinding.model_validate(found) for found in row.findings),
        recorded_at=row.recorded_at,
        is_revised=row.is_revised,
    )
