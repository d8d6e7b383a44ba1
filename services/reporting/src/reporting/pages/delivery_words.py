"""What stands delivered, as its page says it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from reporting.delivered import Standing
from reporting.deliveries import Report, Spec
from reporting.indicators import Catalogue, Indicator
from reporting.wording import Phrases, delivered_number, findings_in_words
from verbund.events.reporting.deliveries import DeliveryFinding
from verbund.service.words import message_id

STATES = {"provisional": message_id("provisional"), "final": message_id("final")}
PRECISIONS = {
    "exact": message_id("exact"),
    "rounded": message_id("rounded"),
    "estimated": message_id("estimated"),
}
REASONS = {
    "typing_error": message_id("typing error"),
    "restated_by_source": message_id("the source has corrected it"),
    "late_reports": message_id("late reports came in"),
    "changed_definition": message_id("another definition"),
    "other": message_id("another reason"),
}
_HAPPENED = {
    "delivered": message_id("delivered"),
    "revised": message_id("revised"),
    "kept": message_id("unchanged"),
    "finalised": message_id("made final"),
    "withdrawn": message_id("withdrawn"),
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """One day or period that stands delivered."""

    from_on: str
    to_on: str
    """As they stand in addresses."""
    period: str
    total: str
    """The number of the whole; how many numbers there are where no whole was delivered."""
    state: str
    is_final: bool
    is_revised: bool
    source: str
    findings: tuple[str, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Deliverable:
    """An indicator that a body delivers, and how far it has got."""

    id: str
    title: str
    field: str
    last: str
    """The last day or period that stands delivered; empty where there is none."""
    open: int
    """Days and periods that are still provisional."""


def delivered_words(standing: Standing, indicator: Indicator, catalogue: Catalogue, phrases: Phrases) -> Delivered:
    """A day or period as it stands."""
    sheet = standing.sheet
    period = phrases.span(sheet.from_on, sheet.to_on)
    whole = [row.value for row in sheet.rows if not row.breakdown]
    many = phrases.say(message_id("{n} numbers"), n=phrases.formats.number(len(sheet.rows)))
    missing = phrases.say(message_id("not available"))
    return Delivered(
        from_on="" if sheet.from_on is None else sheet.from_on.isoformat(),
        to_on=sheet.to_on.isoformat(),
        period=period,
        total=(delivered_number(whole[0], phrases) or missing) if whole else many,
        state=phrases.say(STATES[sheet.state]),
        is_final=sheet.state == "final",
        is_revised=standing.is_revised,
        source=standing.source or "",
        findings=tuple(findings_in_words(indicator, period, standing.findings, catalogue, phrases)),
        number=standing.number,
    )


def deliverable_words(spec: Spec, standing: Sequence[Standing], catalogue: Catalogue, phrases: Phrases) -> Deliverable:
    """An indicator in the list of a body."""
    indicator = catalogue.get_indicator(spec.indicator)
    last = standing[-1].sheet if standing else None
    return Deliverable(
        id=spec.indicator,
        title=indicator.title.say(phrases.language),
        field=catalogue.frame.fields_of_action[indicator.field_of_action].say(phrases.language),
        last="" if last is None else phrases.span(last.from_on, last.to_on),
        open=sum(each.sheet.state == "provisional" for each in standing),
    )


def report_words(
    report: Report, indicator: Indicator, catalogue: Catalogue, phrases: Phrases
) -> tuple[list[str], list[str]]:
    """What a file would book, and what does not fit in it."""
    would = [
        phrases.say(message_id("{n} days or periods: {what}"), n=count, what=phrases.say(_HAPPENED[what]))
        for what, count in report.would_book.items()
        if count
    ]
    return would, list(_of_report(report.findings, indicator, catalogue, phrases))


def _of_report(
    findings: Sequence[Mapping[str, Any]], indicator: Indicator, catalogue: Catalogue, phrases: Phrases
) -> Iterator[str]:
    for told in findings:
        first, last = told["from_on"], told["to_on"]
        period = phrases.span(first and date.fromisoformat(first), date.fromisoformat(last))
        finding = DeliveryFinding.model_validate(told)
        yield from findings_in_words(indicator, period, [finding], catalogue, phrases)
