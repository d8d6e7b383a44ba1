"""What has to be said beside the values of an answer, in sentences: which areas they are of, and what is not exact."""

from collections.abc import Iterator

from reporting.figures import Answer, AreaShare, Break
from reporting.indicators import Words
from reporting.wording import Phrases
from verbund.disclosure import MAXIMUM_NOISE
from verbund.service.words import message_id

SCHEMATIC = Words(de="schematisch, keine amtlichen Grenzen", en="schematic, no official borders")


def notes_of(answer: Answer, phrases: Phrases) -> Iterator[str]:
    """One sentence after another; none where there is nothing to say."""
    if answer.areas_on is not None:
        yield phrases.say(message_id("Areas as of {day}."), day=answer.areas_on)
    yield from (_break(one, phrases) for one in answer.breaks)
    if any(cell.estimated for cell in answer.cells):
        yield phrases.say(message_id("Numbers with an s are estimates, divided by recorded shares of areas."))
    if not answer.is_exact:
        yield phrases.say(
            message_id("Protected: made of numbers that may each be off by up to {most}; sums do not add up."),
            most=phrases.formats.number(MAXIMUM_NOISE),
        )


def state_of(answer: Answer, phrases: Phrases) -> str:
    """As known when: live, at the last tick, or at the end of a day."""
    moment = phrases.formats.moment
    if answer.known_on is not None:
        return phrases.say(message_id("as known at the end of {day}"), day=answer.known_on)
    if answer.ticked_at is not None:
        return phrases.say(message_id("as counted on {moment}"), moment=moment(answer.ticked_at))
    return phrases.say(message_id("as booked until {moment}"), moment=moment(answer.asked_at))


def _break(one: Break, phrases: Phrases) -> str:
    language = phrases.language
    areas = ", ".join(f"{key.name.say(language)} ({key.code})" for key in one.areas)
    said = phrases.say(message_id("From {day} on other areas: {areas}."), day=one.changed_on, areas=areas)
    shares = "; ".join(_share(each, phrases) for each in one.shares)
    sources = dict.fromkeys(each.source.say(language) for each in one.shares if each.source is not None)
    return " ".join(filter(None, (said, f"{shares}." if shares else "", f"({'; '.join(sources)})" if sources else "")))


def _share(one: AreaShare, phrases: Phrases) -> str:
    """Such as `05 → 05a: 40 %, back 100 %`."""

    def percent(share: float | None) -> str:
        return phrases.say(message_id("share not known")) if share is None else phrases.formats.percent(share)

    return phrases.say(
        message_id("{former} → {new}: {share}, back {share_back}"),
        former=one.former.code,
        new=one.new.code,
        share=percent(one.share),
        share_back=percent(one.share_back),
    )
