"""Whether what was typed can be a delivery: everything that is wrong is found at once, each with its place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from reporting.commands.deliveries import DeliveryForm, PeriodForm, RowForm, SheetForm
from reporting.delivered import source_hash
from reporting.deliveries.series import Breakdown, Period
from reporting.deliveries.spec import Spec
from reporting.indicators import period_around
from verbund.errors import Finding, Forbidden, RowsRefused
from verbund.events.reporting.deliveries import DeliveredRow, DeliveredSheet
from verbund.service.words import message_id

_EARLIEST = date(1900, 1, 1)
_MOST_BREAKDOWNS = 3
_PLAIN = re.compile(r"(-?)([0-9]+)(?:[.,]([0-9]+))?")
_GROUPED = re.compile(r"(-?)([0-9]{1,3}(?:\.[0-9]{3})+)(?:,([0-9]+))?")  # as German spreadsheets write thousands
_ONE_GROUP = re.compile(r"-?[0-9]{1,3}\.[0-9]{3}")
_LARGEST_DIGITS = 18


@dataclass
class Checking:
    """Collects what is wrong in one form."""

    spec: Spec
    today: date
    findings: list[Finding] = field(default_factory=list)

    def find(self, pointer: str, code: str, message: str, **values: object) -> None:
        self.findings.append(Finding(pointer, code, message, values))

    def settle(self) -> None:
        """Raise `RowsRefused` (`rows_refused`) where anything was found."""
        if self.findings:
            raise RowsRefused(
                "rows_refused",
                "Nothing was booked: {n} entries are not right. Mend them, then send everything again.",
                findings=self.findings,
                n=len(self.findings),
            )


def check_body(spec: Spec, body: str) -> None:
    """Raises `Forbidden` (`not_your_figure`) for a body that does not deliver this indicator."""
    if body not in spec.bodies:
        raise Forbidden(
            "not_your_figure",
            "These figures are delivered by {bodies}. Your access is another body's.",
            bodies=", ".join(spec.bodies),
        )


def read_sheets(form: DeliveryForm, spec: Spec, today: date) -> tuple[DeliveredSheet, ...]:
    """The sheets of a form as they can be booked; raises `RowsRefused` with everything that is wrong."""
    checking = Checking(spec, today)
    if form.unit != spec.unit:
        checking.find(
            "/unit",
            "wrong_unit",
            message_id("This indicator counts {unit}. Two units are never mixed up."),
            unit=spec.unit,
        )
    if form.definition_version not in (None, spec.version):
        message = message_id(
            "The definition that holds is version {version}. Take a new template, and look at what changed."
        )
        checking.find("/definition_version", "wrong_version", message, version=spec.version)
    seen: dict[Period, int] = {}
    sheets = []
    for place, sheet in enumerate(form.sheets):
        pointer = f"/sheets/{place}"
        period = check_period(checking, sheet, pointer)
        if seen.setdefault(period, place) != place:
            message = message_id("This day or period stands here twice. Put its rows into one sheet.")
            checking.find(f"{pointer}/to_on", "period_twice", message)
        sheets.append(_read_sheet(checking, sheet, pointer))
    checking.settle()
    return tuple(sheets)


def check_period(checking: Checking, form: PeriodForm, pointer: str) -> Period:
    """The day or period, after what is wrong with it was found."""
    spec = checking.spec
    for code, place, message, values in _wrong_with(form, spec, checking.today):
        checking.find(f"{pointer}/{place}", code, message, **values)
    return Period(form.from_on, form.to_on)


Wrong = tuple[str, str, str, dict[str, object]]


def _wrong_with(form: PeriodForm, spec: Spec, today: date) -> Iterator[Wrong]:
    first, last = form.from_on, form.to_on
    if last > today:
        yield "not_over_yet", "to_on", message_id("This has not come yet. What is aimed at is a target."), {}
    if min(last, first or last) < _EARLIEST:
        yield "no_such_day", "to_on", message_id("This day is too far away."), {}
    elif spec.is_about_days:
        if first is not None:
            yield (
                "no_period_expected",
                "from_on",
                message_id("This is a stock on a day. Leave the first day empty."),
                {},
            )
        if spec.cut_offs and f"{last:%m-%d}" not in spec.cut_offs:
            days = ", ".join(spec.cut_offs)
            yield (
                "not_the_cut_off",
                "to_on",
                message_id("The cut-off is {days} (month-day), every year."),
                {"days": days},
            )
    elif first is None:
        yield "period_needed", "from_on", message_id("This is about a period. Say its first day too."), {}
    elif first > last:
        yield "from_after_to", "from_on", message_id("The first day lies after the last one."), {}
    elif not _is_whole(first, last, spec):
        message = message_id("Only whole periods are delivered, or several of them together: {allowed}.")
        yield "not_a_period", "from_on", message, {"allowed": ", ".join(spec.every)}


def _is_whole(first: date, last: date, spec: Spec) -> bool:
    """Whether it begins where a period begins and ends where one ends: a printed total may cover several."""
    return any(
        period_around(first, every).from_on == first and period_around(last, every).to_on == last
        for every in spec.every
    )


def _read_sheet(checking: Checking, form: SheetForm, pointer: str) -> DeliveredSheet:
    seen: dict[Breakdown, int] = {}
    rows = []
    for place, row in enumerate(form.rows):
        at = f"{pointer}/rows/{place}"
        _check_breakdown(checking, row, at)
        if seen.setdefault(tuple(sorted(row.breakdown.items())), place) != place:
            checking.find(
                f"{at}/breakdown", "row_twice", message_id("This row stands here twice. Leave one of them out.")
            )
        rows.append(DeliveredRow(breakdown=dict(row.breakdown), value=_read_value(checking, row, f"{at}/value")))
    return DeliveredSheet(
        from_on=form.from_on,
        to_on=form.to_on,
        state=form.state,
        precision=form.precision,
        restated=form.restated,
        rows=tuple(rows),
        source_sha256=source_hash(form.source),
    )


def _check_breakdown(checking: Checking, row: RowForm, pointer: str) -> None:
    spec, names = checking.spec, set(row.breakdown)
    if len(names) > _MOST_BREAKDOWNS:
        message = message_id("A figure can be broken down by {most} things at most.")
        checking.find(f"{pointer}/breakdown", "too_many_breakdowns", message, most=_MOST_BREAKDOWNS)
    for together in spec.never_together:
        if set(together) <= names:
            message = message_id("This indicator is never shown by {names} together. Leave one of them out.")
            checking.find(f"{pointer}/breakdown", "never_together", message, names=", ".join(together))
    for name, code in row.breakdown.items():
        place = f"{pointer}/breakdown/{name}"
        if name not in spec.breakdowns:
            message = message_id("This indicator has no such breakdown. It has: {allowed}.")
            checking.find(place, "no_such_breakdown", message, allowed=", ".join(spec.breakdowns) or "–")
        elif code not in spec.breakdowns[name]:
            message = message_id("There is no such value here. There are: {allowed}.")
            checking.find(place, "no_such_value", message, allowed=_some(spec.breakdowns[name]))


def _some(codes: Sequence[str], most: int = 20) -> str:
    return ", ".join(codes[:most]) + (" ..." if len(codes) > most else "")


def _read_value(checking: Checking, row: RowForm, pointer: str) -> str | None:
    """The number in the one spelling that is booked; None where there is none, or what was typed is none."""
    typed = (row.value or "").replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    if row.not_available:
        if typed:
            message = message_id("There is a number, and it is said not to be available. Leave one of both out.")
            checking.find(pointer, "value_and_not_available", message)
        return None
    if not typed:
        message = message_id(
            "There is no number here. Where there is none, say that it is not available; 0 means none at all."
        )
        checking.find(pointer, "value_missing", message)
        return None
    if _ONE_GROUP.fullmatch(typed) and checking.spec.decimals == 0:
        message = message_id("This could be read in two ways. Write the number without a point between the thousands.")
        checking.find(pointer, "thousands_point", message)
        return None
    found = _PLAIN.fullmatch(typed) or _GROUPED.fullmatch(typed)
    if found is None:
        checking.find(
            pointer,
            "not_a_number",
            message_id("This is no number. Write digits, with a point or a comma before decimals."),
        )
        return None
    sign, digits, decimals = found[1], found[2].replace(".", "").lstrip("0") or "0", found[3] or ""
    return _within_limits(checking, pointer, sign, digits, decimals)


def _within_limits(checking: Checking, pointer: str, sign: str, digits: str, decimals: str) -> str | None:
    spec = checking.spec
    if len(digits) > _LARGEST_DIGITS:
        checking.find(pointer, "too_large", message_id("This number is too large to be one."))
        return None
    if len(decimals.rstrip("0")) > spec.decimals:
        message = message_id("This has more decimals than the {decimals} of the indicator.")
        checking.find(pointer, "too_many_decimals", message, decimals=spec.decimals)
        return None
    places = decimals[: spec.decimals].ljust(spec.decimals, "0")
    number = f"{digits}.{places}" if places else digits
    if sign and Decimal(number):
        if not spec.may_be_negative:
            checking.find(pointer, "negative", message_id("This figure cannot be below zero."))
            return None
        number = f"-{number}"
    if spec.measure == "share" and Decimal(number) > 100:
        checking.find(pointer, "over_hundred", message_id("A share is of a hundred and cannot be more."))
        return None
    return number
