"""How fresh the sources are, in words: no news is something else than no data."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from reporting.figures import Freshness
from reporting.wording.phrases import Phrases
from verbund.service.pages.formats import since
from verbund.service.words import message_id

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

_AGO = (
    (_DAY, message_id("{n} day ago"), message_id("{n} days ago")),
    (_HOUR, message_id("{n} hour ago"), message_id("{n} hours ago")),
    (_MINUTE, message_id("{n} minute ago"), message_id("{n} minutes ago")),
)
_FOR = (
    (_DAY, message_id("nothing heard for {n} day"), message_id("nothing heard for {n} days")),
    (_HOUR, message_id("nothing heard for {n} hour"), message_id("nothing heard for {n} hours")),
    (_MINUTE, message_id("nothing heard for {n} minute"), message_id("nothing heard for {n} minutes")),
)

_NEWS: Mapping[str, str] = {
    "no_news": message_id("no news since {last}, as expected"),
    "overdue": message_id("no news since {last}, overdue"),
}


def freshness_in_words(freshness: Freshness, now: datetime, phrases: Phrases) -> str:
    """When this source last brought news, or since when it is not heard."""
    if freshness.state == "never" or freshness.heard_at is None:
        return phrases.say(message_id("never heard of"))
    if freshness.state == "stopped":
        return phrases.say(message_id("stopped"))
    if freshness.state == "silent":
        return _passed(
            _FOR, message_id("nothing heard for less than a minute"), since(freshness.heard_at, now), phrases
        )
    if freshness.recorded_at is None:
        return phrases.say(message_id("nothing booked yet"))
    if freshness.state in _NEWS:
        last = phrases.formats.moment(freshness.recorded_at)
        return phrases.say(_NEWS[freshness.state], last=last)
    return _passed(_AGO, message_id("just now"), since(freshness.recorded_at, now), phrases)


def troubles_in_words(sources: Iterable[Freshness], phrases: Phrases) -> list[str]:
    """One sentence for each thing that these figures miss and a person has to see to."""
    troubles = []
    for source in sources:
        office = source.name.say(phrases.language)
        if source.state == "stopped":
            troubles.append(
                phrases.say(
                    message_id(
                        "{office}: reading is stopped ({reason}). The figures stand still until this is settled."
                    ),
                    office=office,
                    reason=source.stop_reason or "-",
                )
            )
        if source.state == "overdue" and source.recorded_at is not None:
            last = phrases.formats.moment(source.recorded_at)
            message = message_id("{office}: nothing was booked since {last}. That is longer than usual.")
            troubles.append(phrases.say(message, office=office, last=last))
        if source.parked:
            one = message_id("{office}: {n} booking could not be understood and is missing in the figures.")
            many = message_id("{office}: {n} bookings could not be understood and are missing in the figures.")
            message = one if source.parked == 1 else many
            troubles.append(phrases.say(message, office=office, n=phrases.formats.number(source.parked)))
    return troubles


def _passed(steps: tuple[tuple[timedelta, str, str], ...], moment: str, passed: timedelta, phrases: Phrases) -> str:
    for step, one, many in steps:
        n = passed // step
        if n:
            return phrases.say(one if n == 1 else many, n=n)
    return phrases.say(moment)
