"""The book of deliveries at reporting's desk: loads what stands delivered, decides, keeps every sheet for ever."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.commands.deliveries import (
    DeliverFigure,
    DeliveryCommand,
    FinaliseFigure,
    KeepFigure,
    ReviseFigure,
    TakeInFigures,
    WithdrawFigure,
)
from reporting.delivered import Happened, read_standing, source_hash
from reporting.deliveries.decisions import DeliveryEvent, decide, evolve
from reporting.deliveries.series import Series, period_of
from reporting.deliveries.spec import spec_of
from reporting.deltas import day_of
from reporting.indicators import Catalogue
from verbund.desk.orders import Answer, Draft, Kept, Loaded
from verbund.events.reporting.deliveries import (
    EVENTS,
    DeliveredPeriod,
    FigureDelivered,
    FigureFinalised,
    FigureKept,
    FigureRevised,
    FigureWithdrawn,
)

_COUNTED = text("""
    select indicator, count(*) as events from deliveries.sheet
    where municipality = :municipality and indicator = any(:indicators) group by indicator
""")
_SHEETS = text("""
    insert into deliveries.sheet (
        municipality, indicator, number, from_on, to_on, happened, body, definition_version, state, precision,
        restated, source, reason, kept_from_on, kept_to_on, findings, recorded_at, recorded_on)
    select municipality, indicator, number, from_on, to_on, happened, body, definition_version, state, precision,
           restated, source, reason, kept_from_on, kept_to_on, findings, recorded_at, recorded_on
    from jsonb_populate_recordset(null::deliveries.sheet, cast(:rows as jsonb))
""")
_FIGURES = text("""
    insert into deliveries.figure (municipality, indicator, number, place, breakdown, value)
    select municipality, indicator, number, place, breakdown, value
    from jsonb_populate_recordset(null::deliveries.figure, cast(:rows as jsonb))
""")

_HAPPENED: Mapping[type, Happened] = {
    FigureDelivered: "delivered",
    FigureRevised: "revised",
    FigureKept: "kept",
    FigureFinalised: "finalised",
    FigureWithdrawn: "withdrawn",
}

KeptDelivery = Kept[DeliveryCommand, Series]


class DeliveriesBook:
    """What bodies without a service here report."""

    commands: tuple[type, ...] = (
        *(DeliverFigure, ReviseFigure, TakeInFigures, KeepFigure, FinaliseFigure, WithdrawFigure),
    )
    events = EVENTS

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._municipality = catalogue.city.municipality

    async def load(self, connection: AsyncConnection, commands: Sequence[DeliveryCommand]) -> Loaded[Series]:
        """What stands delivered to the indicators that these commands are about; each has a state, be it empty."""
        keys = [command.form.indicator for command in commands]
        return Loaded(keys, await load_series(connection, self._municipality, keys))

    def decide(self, state: Series | None, command: DeliveryCommand, at: datetime) -> tuple[Draft, ...]:
        """An event for each day or period that changes."""
        today = day_of(at)
        spec = spec_of(self._catalogue, command.form.indicator, today)
        events = decide(state or Series(spec.indicator), command, today, spec)
        return tuple(Draft(spec.indicator, event) for event in events)

    def evolve(self, state: Series | None, draft: Draft, at: datetime) -> Series:
        event: Any = draft.data
        return evolve(state or Series(draft.subject), event, at)

    def etag(self, state: Series) -> str:
        return f'"{state.revision}"'

    def answer(self, kept: KeptDelivery) -> Answer:
        """What was booked, and what was noticed."""
        events: Sequence[Any] = [draft.data for draft in kept.drafts]
        return Answer(
            status=201,
            location=f"/indicators/{kept.state.indicator}/deliveries",
            etag=self.etag(kept.state),
            receipt=receipt_of(kept.state.indicator, events, kept.number),
        )

    async def keep(self, connection: AsyncConnection, kept: Sequence[KeptDelivery]) -> None:
        sheets, figures = [], []
        for one in kept:
            for sheet, numbers in self._rows(one):
                sheets.append(sheet)
                figures += numbers
        for statement, rows in ((_SHEETS, sheets), (_FIGURES, figures)):
            if rows:
                await connection.execute(statement, {"rows": to_json(rows).decode()})

    def _rows(self, kept: KeptDelivery) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        at, sources = kept.state.recorded_at, {**kept.state.sources, **_sources_of(kept.command)}
        assert at is not None, "what was booked was booked at some time"
        for number, draft in enumerate(kept.drafts, start=kept.number - len(kept.drafts) + 1):
            event: Any = draft.data
            period = period_of(event.period if isinstance(event, FigureFinalised | FigureWithdrawn) else event.sheet)
            sheet = event.sheet if hasattr(event, "sheet") else kept.state.sheets.get(period)
            key = {"municipality": self._municipality, "indicator": event.indicator, "number": number}
            kept_from = getattr(event, "kept_from", None)
            yield (
                {
                    **key,
                    "from_on": period.from_on,
                    "to_on": period.to_on,
                    "happened": _HAPPENED[type(event)],
                    "body": event.body,
                    "definition_version": event.definition_version,
                    "state": "final" if sheet is None else sheet.state,
                    "precision": "exact" if sheet is None else sheet.precision,
                    "restated": sheet is not None and sheet.restated,
                    "source": None if sheet is None else sources.get(sheet.source_sha256 or ""),
                    "reason": getattr(event, "reason", None),
                    "kept_from_on": None if kept_from is None else kept_from.from_on,
                    "kept_to_on": None if kept_from is None else kept_from.to_on,
                    "findings": [found.model_dump(mode="json") for found in getattr(event, "findings", ())],
                    "recorded_at": at,
                    "recorded_on": day_of(at),
                },
                [
                    {**key, "place": place, "breakdown": row.breakdown, "value": row.value}
                    for place, row in enumerate(() if sheet is None else sheet.rows)
                ],
            )


async def load_series(connection: AsyncConnection, municipality: str, indicators: Sequence[str]) -> dict[str, Series]:
    """What stands delivered to these indicators; an empty series where nothing does."""
    wanted = list(dict.fromkeys(indicators))
    standing = await read_standing(connection, municipality, wanted)
    counted = await connection.execute(_COUNTED, {"municipality": municipality, "indicators": wanted})
    revisions = {row.indicator: row.events for row in counted}
    return {
        name: Series(
            name,
            revision=revisions.get(name, 0),
            sheets={period_of(each.sheet): each.sheet for each in standing.get(name, ())},
            sources={
                each.sheet.source_sha256: each.source
                for each in standing.get(name, ())
                if each.sheet.source_sha256 is not None and each.source is not None
            },
        )
        for name in wanted
    }


def receipt_of(indicator: str, events: Sequence[DeliveryEvent], number: int) -> dict[str, Any]:
    """What became of an order: how many sheets, under which number the last one stands, and what was noticed."""
    happened = [_HAPPENED[type(event)] for event in events]
    return {
        "indicator": indicator,
        "number": number,
        "booked": {name: happened.count(name) for name in _HAPPENED.values() if name in happened},
        "findings": [
            {**period_said(event.sheet), **found.model_dump(mode="json")}
            for event in events
            if isinstance(event, FigureDelivered | FigureRevised | FigureKept)
            for found in event.findings
        ],
    }


def period_said(said: DeliveredPeriod) -> dict[str, str | None]:
    """A day or period as JSON says it."""
    return {"from_on": None if said.from_on is None else said.from_on.isoformat(), "to_on": said.to_on.isoformat()}


def _sources_of(command: DeliveryCommand) -> dict[str, str]:
    """The words in which a form names its sources, by their hash."""
    match command:
        case DeliverFigure(form=form) | ReviseFigure(form=form) | TakeInFigures(form=form):
            named = [sheet.source for sheet in form.sheets]
        case KeepFigure(form=form):
            named = [form.source]
        case _:
            named = []
    return {found: source for source in named if source is not None and (found := source_hash(source)) is not None}
