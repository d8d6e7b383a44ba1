"""An alert in words: which figure lies beyond which limit. It says the threshold's numbers, and never the figure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reporting.alerts.reading import ListedAlert
from reporting.indicators import Catalogue
from reporting.wording import Phrases
from verbund.events.reporting.alerts import Side
from verbund.service.words import message_id

What = Literal["raised", "acknowledged", "over"]
"""A change of an alert."""

_BEYOND: dict[Side, str] = {
    "over": message_id("{figure}: over {limit} {unit} since {moment}."),
    "under": message_id("{figure}: under {limit} {unit} since {moment}."),
}
_BACK: dict[Side, str] = {
    "over": message_id("{figure}: no longer over {limit} {unit} since {moment}."),
    "under": message_id("{figure}: no longer under {limit} {unit} since {moment}."),
}


@dataclass(frozen=True, slots=True)
class AlertWords:
    """An alert as a page shows it."""

    alert_id: str
    indicator: str
    sentence: str
    state: str
    is_acknowledged: bool


def alert_words(alert: ListedAlert, catalogue: Catalogue, phrases: Phrases) -> AlertWords:
    """The words of an alert that is not over."""
    at = alert.acknowledged_at
    state = (
        phrases.say(message_id("Nobody has acknowledged this yet."))
        if at is None
        else phrases.say(message_id("Acknowledged on {moment}."), moment=phrases.formats.moment(at))
    )
    sentence = sentence_of(alert, "raised", alert.raised_at, catalogue, phrases)
    return AlertWords(alert.alert_id, alert.indicator, sentence, state, at is not None)


def sentence_of(alert: ListedAlert, what: What, at: datetime, catalogue: Catalogue, phrases: Phrases) -> str:
    """One change of an alert in a sentence."""
    figure = _figure(alert, catalogue, phrases)
    moment = phrases.formats.moment(at)
    if what == "acknowledged":
        return phrases.say(message_id("{figure}: acknowledged on {moment}."), figure=figure, moment=moment)
    if what == "over" and alert.over_reason != "back":
        return phrases.say(message_id("{figure}: no longer watched since {moment}."), figure=figure, moment=moment)
    message = (_BEYOND if what == "raised" else _BACK)[alert.side]
    limit = phrases.formats.number(alert.limit)
    unit = _unit(alert, catalogue, phrases)
    return phrases.say(message, figure=figure, limit=limit, unit=unit, moment=moment)


def _figure(alert: ListedAlert, catalogue: Catalogue, phrases: Phrases) -> str:
    indicator = catalogue.indicators.get(alert.indicator)
    if indicator is None:  # the catalogue has lost it since
        return alert.indicator
    title = indicator.title.say(phrases.language)
    if alert.breakdown is None or alert.value is None:
        return title
    name = catalogue.name_of(alert.breakdown, alert.value, indicator).say(phrases.language)
    return phrases.say(message_id("{title}, {name}"), title=title, name=name)


def _unit(alert: ListedAlert, catalogue: Catalogue, phrases: Phrases) -> str:
    indicator = catalogue.indicators.get(alert.indicator)
    if indicator is None:
        return ""
    per_unit = None if indicator.per_unit is None else catalogue.frame.units[indicator.per_unit]
    return phrases.unit_of(indicator.kind, catalogue.unit_of(indicator), per_unit, indicator.per)
