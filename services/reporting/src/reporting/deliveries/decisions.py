"""What is booked when a body delivers, revises, keeps, finalises or withdraws; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from reporting.commands.deliveries import (
    DeliverFigure,
    DeliveryCommand,
    FinaliseFigure,
    KeepFigure,
    PeriodForm,
    ReviseFigure,
    TakeInFigures,
    WithdrawFigure,
)
from reporting.delivered import source_hash
from reporting.deliveries.checks import Checking, check_body, check_period, read_sheets
from reporting.deliveries.series import Period, Series, period_of, says_the_same
from reporting.deliveries.spec import Spec
from reporting.deliveries.sums import findings_in
from verbund.errors import NotNow, RuleBroken
from verbund.events.reporting.deliveries import (
    DeliveredPeriod,
    DeliveredSheet,
    FigureDelivered,
    FigureFinalised,
    FigureKept,
    FigureRevised,
    FigureWithdrawn,
    RevisionReason,
)
from verbund.service.words import message_id

DeliveryEvent = FigureDelivered | FigureRevised | FigureKept | FigureFinalised | FigureWithdrawn

_FIRST = ("DeliverFigure", "KeepFigure", "TakeInFigures")
_LATER = ("ReviseFigure", "TakeInFigures", "FinaliseFigure", "WithdrawFigure")


def decide(series: Series, command: DeliveryCommand, today: date, spec: Spec) -> tuple[DeliveryEvent, ...]:
    """The events that carry out a command; none where a file says only what is known.

    Raises `Forbidden` for another body's figures, `RowsRefused` with all that is wrong, `NotNow` where the command
    does not fit what stands delivered, `RuleBroken` where it would change nothing.
    """
    check_body(spec, command.body)
    match command:
        case DeliverFigure(form=form):
            sheets = read_sheets(form, spec, today)
            _refuse(sheets, series, command="DeliverFigure")
            return tuple(_delivered(sheets, series, spec, command.body))
        case ReviseFigure(form=form):
            sheets = read_sheets(form, spec, today)
            return tuple(_revised(sheets, series, spec, command.body, form.reason))
        case TakeInFigures(form=form):
            sheets = read_sheets(form, spec, today)
            return tuple(_taken_in(sheets, series, spec, command.body, form.reason))
        case KeepFigure():
            return (_kept(command, series, spec, today),)
        case FinaliseFigure():
            return tuple(_finalised(command, series, spec, today))
        case WithdrawFigure():
            return tuple(_withdrawn(command, series, spec, today))


def evolve(series: Series, event: DeliveryEvent, at: datetime) -> Series:
    """What stands delivered after an event that was booked `at`."""
    sheets = dict(series.sheets)
    match event:
        case FigureDelivered(sheet=sheet) | FigureRevised(sheet=sheet) | FigureKept(sheet=sheet):
            sheets[period_of(sheet)] = sheet
        case FigureFinalised(period=period):
            sheets[period_of(period)] = sheets[period_of(period)].model_copy(update={"state": "final"})
        case FigureWithdrawn(period=period):
            del sheets[period_of(period)]
    return replace(series, revision=series.revision + 1, recorded_at=at, sheets=sheets)


def _refuse(sheets: Iterable[DeliveredSheet], series: Series, command: str) -> None:
    for place, sheet in enumerate(sheets):
        if period_of(sheet) in series.sheets:
            raise NotNow(
                "figure_exists",
                "Numbers of this day or period were delivered before. Revise them, and say why.",
                pointer=f"/sheets/{place}/to_on",
                allowed=tuple(name for name in _LATER if name != command),
            )


def _delivered(sheets: Sequence[DeliveredSheet], series: Series, spec: Spec, body: str) -> Iterator[FigureDelivered]:
    standing, together = _beside(series, sheets), frozenset(map(period_of, sheets))
    for sheet in sheets:
        yield FigureDelivered(
            indicator=spec.indicator,
            definition_version=spec.version,
            unit=spec.unit,
            body=body,
            sheet=sheet,
            findings=findings_in(spec, sheet, standing, together),
        )


def _revised(
    sheets: Sequence[DeliveredSheet], series: Series, spec: Spec, body: str, reason: RevisionReason
) -> Iterator[FigureRevised]:
    standing, together = _beside(series, sheets), frozenset(map(period_of, sheets))
    for place, sheet in enumerate(sheets):
        before = series.sheets.get(period_of(sheet))
        if before is None:
            raise _nothing_there(f"/sheets/{place}/to_on")
        if says_the_same(before, sheet):
            raise RuleBroken(
                "nothing_changed",
                "This is what was delivered before. There is nothing to revise.",
                pointer=f"/sheets/{place}",
            )
        yield FigureRevised(
            indicator=spec.indicator,
            definition_version=spec.version,
            unit=spec.unit,
            body=body,
            sheet=sheet,
            findings=findings_in(spec, sheet, standing, together),
            reason=reason,
        )


def _taken_in(
    sheets: Sequence[DeliveredSheet], series: Series, spec: Spec, body: str, reason: RevisionReason | None
) -> Iterator[FigureDelivered | FigureRevised]:
    standing = series.sheets
    new = [sheet for sheet in sheets if period_of(sheet) not in standing]
    other = [
        sheet for sheet in sheets if period_of(sheet) in standing and not _is_known(standing[period_of(sheet)], sheet)
    ]
    if other and reason is None:
        checking = Checking(spec, date.max)
        for place, sheet in enumerate(sheets):
            if sheet in other:
                message = message_id(
                    "Other numbers were delivered for this day or period before. Say why they differ now (reason)."
                )
                checking.find(f"/sheets/{place}/to_on", "reason_needed", message)
        checking.settle()
    all_of_them = _beside(series, sheets)  # what the file says of other days counts for each sheet's sums, too
    yield from _delivered(new, replace(series, sheets=all_of_them), spec, body)
    if reason is not None:
        yield from _revised(other, replace(series, sheets={**all_of_them, **standing}), spec, body, reason)


def _is_known(standing: DeliveredSheet, sheet: DeliveredSheet) -> bool:
    """Whether a file says nothing new: it may have been written before its numbers were made final."""
    if standing.state == "final" and sheet.state == "provisional":
        sheet = sheet.model_copy(update={"state": "final"})
    return says_the_same(standing, sheet)


def _kept(command: KeepFigure, series: Series, spec: Spec, today: date) -> FigureKept:
    form = command.form
    before = _standing(form.kept_from, series, spec, today, "/kept_from")
    period = _checked(form.period, spec, today, "/period")
    if period in series.sheets:
        raise NotNow(
            "figure_exists",
            "Numbers of this day or period were delivered before. Revise them, and say why.",
            pointer="/period/to_on",
            allowed=_LATER,
        )
    if period.to_on <= before.to_on:
        raise RuleBroken(
            "kept_backwards", "Only what was reported earlier can hold for a later time.", pointer="/period/to_on"
        )
    told = {"from_on": period.from_on, "to_on": period.to_on, "state": form.state}
    sheet = before.model_copy(update={**told, "source_sha256": source_hash(form.source) or before.source_sha256})
    return FigureKept(
        indicator=spec.indicator,
        definition_version=spec.version,
        unit=spec.unit,
        body=command.body,
        kept_from=_said(form.kept_from),
        sheet=sheet,
        findings=findings_in(spec, sheet, {**series.sheets, period: sheet}, (period,)),
    )


def _finalised(command: FinaliseFigure, series: Series, spec: Spec, today: date) -> Iterator[FigureFinalised]:
    for place, period in enumerate(_once(command.form.periods)):
        pointer = f"/periods/{place}"
        if _standing(period, series, spec, today, pointer).state == "final":
            raise NotNow(
                "final_already",
                "These numbers are final already.",
                pointer=f"{pointer}/to_on",
                allowed=("ReviseFigure", "WithdrawFigure"),
            )
        yield FigureFinalised(
            indicator=spec.indicator,
            definition_version=spec.version,
            unit=spec.unit,
            body=command.body,
            period=_said(period),
        )


def _withdrawn(command: WithdrawFigure, series: Series, spec: Spec, today: date) -> Iterator[FigureWithdrawn]:
    for place, period in enumerate(_once(command.form.periods)):
        _standing(period, series, spec, today, f"/periods/{place}")
        yield FigureWithdrawn(
            indicator=spec.indicator,
            definition_version=spec.version,
            unit=spec.unit,
            body=command.body,
            period=_said(period),
            reason=command.form.reason,
        )


def _once(periods: Sequence[PeriodForm]) -> Sequence[PeriodForm]:
    if len({Period(period.from_on, period.to_on) for period in periods}) < len(periods):
        raise RuleBroken("period_twice", "The same day or period stands here twice.", pointer="/periods")
    return periods


def _checked(form: PeriodForm, spec: Spec, today: date, pointer: str) -> Period:
    checking = Checking(spec, today)
    period = check_period(checking, form, pointer)
    checking.settle()
    return period


def _standing(form: PeriodForm, series: Series, spec: Spec, today: date, pointer: str) -> DeliveredSheet:
    """What stands delivered for a day or period; raises where nothing does."""
    sheet = series.sheets.get(_checked(form, spec, today, pointer))
    if sheet is None:
        raise _nothing_there(f"{pointer}/to_on")
    return sheet


def _nothing_there(pointer: str) -> NotNow:
    return NotNow(
        "no_such_figure",
        "Nothing stands delivered for this day or period. Deliver it first.",
        pointer=pointer,
        allowed=_FIRST,
    )


def _said(form: PeriodForm) -> DeliveredPeriod:
    return DeliveredPeriod(from_on=form.from_on, to_on=form.to_on)


def _beside(series: Series, sheets: Iterable[DeliveredSheet]) -> dict[Period, DeliveredSheet]:
    """What will stand delivered when these sheets do."""
    return {**series.sheets, **{period_of(sheet): sheet for sheet in sheets}}
