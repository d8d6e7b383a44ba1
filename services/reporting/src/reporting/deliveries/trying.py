"""Deciding a delivery without booking it: what would be booked, and what does not fit."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.commands.deliveries import DeliveryCommand
from reporting.deliveries.book import load_series, receipt_of
from reporting.deliveries.decisions import decide
from reporting.deliveries.spec import Spec, spec_of
from reporting.deltas import day_of
from reporting.indicators import Catalogue


class Report(BaseModel):
    """What would be booked; nothing was."""

    indicator: str
    would_book: Mapping[str, int]
    findings: list[dict[str, Any]]


def spec_today(catalogue: Catalogue, indicator_id: str) -> Spec:
    """What can be delivered to an indicator today; raises as `spec_of` does."""
    return spec_of(catalogue, indicator_id, day_of(datetime.now(UTC)))


async def try_out(books: AsyncEngine, catalogue: Catalogue, command: DeliveryCommand) -> Report:
    """Refused as the delivery itself would be."""
    spec = spec_today(catalogue, command.form.indicator)
    async with books.connect() as connection:
        series = (await load_series(connection, catalogue.city.municipality, [spec.indicator]))[spec.indicator]
    events = decide(series, command, day_of(datetime.now(UTC)), spec)
    told = receipt_of(spec.indicator, events, 0)
    return Report(indicator=spec.indicator, would_book=told["booked"], findings=told["findings"])
