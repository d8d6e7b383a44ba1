"""What was noticed in deliveries, and where their numbers are from, in words."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from reporting.figures import Answer, Delivery
from reporting.indicators import Catalogue, Indicator
from reporting.wording.phrases import Phrases
from verbund.events.reporting.deliveries import DeliveryFinding
from verbund.service.words import message_id

_SENTENCES = {
    "sum_differs": message_id("{period}{where}: {printed} was reported, the parts come to {computed}."),
    "sum_over_time_differs": message_id("{period}: {printed} was reported, the shorter periods come to {computed}."),
    "hundred_differs": message_id("{period}{where}: the shares come to {computed}, not to {printed}."),
    "incomplete": message_id("{period}: nothing was reported for {names}."),
    "outlier": message_id("{period}: {printed} was reported; usual was about {computed}."),
}


def deliveries_in_words(answer: Answer, catalogue: Catalogue, phrases: Phrases) -> tuple[str, ...]:
    """A sentence for each thing that does not fit, and for each source that a body named; each once."""
    found = [
        *(sentence for each in answer.deliveries for sentence in _findings(answer, each, catalogue, phrases)),
        *(_source(each, phrases) for each in answer.deliveries),
    ]
    return tuple(dict.fromkeys(sentence for sentence in found if sentence))


def findings_in_words(
    indicator: Indicator, period: str, findings: Iterable[DeliveryFinding], catalogue: Catalogue, phrases: Phrases
) -> Iterator[str]:
    """A sentence for each thing that does not fit in what was delivered for a period."""
    for finding in findings:
        names = _names(indicator, finding, catalogue, phrases)
        yield phrases.say(
            _SENTENCES[finding.code],
            period=period,
            where=f", {names}" if names else "",
            names=names,
            printed=delivered_number(finding.printed, phrases),
            computed=delivered_number(finding.computed, phrases),
        )


def _findings(answer: Answer, delivery: Delivery, catalogue: Catalogue, phrases: Phrases) -> Iterator[str]:
    indicator = catalogue.get_indicator(answer.indicator, answer.version)
    period = phrases.span(delivery.from_on, delivery.to_on)
    return findings_in_words(indicator, period, delivery.findings, catalogue, phrases)


def _names(indicator: Indicator, finding: DeliveryFinding, catalogue: Catalogue, phrases: Phrases) -> str:
    return ", ".join(
        catalogue.name_of(name, code, indicator).say(phrases.language) for name, code in finding.breakdown.items()
    )


def delivered_number(text: str | None, phrases: Phrases) -> str:
    """A number as delivered, as the reader writes it; empty where there is none."""
    if text is None:
        return ""
    number = Decimal(text)
    return phrases.formats.number(int(number) if number == number.to_integral_value() else number)


def _source(delivery: Delivery, phrases: Phrases) -> str:
    if delivery.source is None:
        return ""
    message = message_id("Source as named by {body}: {source}")
    return phrases.say(message, body=delivery.body.say(phrases.language), source=delivery.source)
