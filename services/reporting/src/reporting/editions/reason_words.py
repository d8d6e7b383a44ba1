"""Reasons in words, as a page and a workbook say them."""

from collections.abc import Mapping

from reporting.editions.restatement import CellAt, Reason
from reporting.wording import Phrases
from verbund.service.words import message_id

_WORDS: Mapping[tuple[str, str | None], str] = {
    ("new_data", "booked"): message_id("booked since"),
    ("new_data", "late"): message_id("booked late"),
    ("new_data", "first_report"): message_id("not reported before"),
    ("new_data", "delivered"): message_id("delivered since"),
    ("new_data", "kept"): message_id("delivered as unchanged"),
    ("new_data", "finalised"): message_id("made final"),
    ("correction", "restated_by_source"): message_id("corrected: restated by its source"),
    ("correction", "late_reports"): message_id("corrected: late reports came in"),
    ("correction", "changed_definition"): message_id("corrected: another definition"),
    ("correction", "other"): message_id("corrected: another reason"),
    ("correction", "withdrawn"): message_id("withdrawn"),
    ("correction", "typing_error"): message_id("corrected: typing error"),
    ("correction", "wrong_document"): message_id("corrected: wrong document"),
    ("correction", "wrong_person"): message_id("corrected: wrong person"),
    ("correction", "information_of_person"): message_id("corrected: as the person told"),
    ("correction", "information_of_other_authority"): message_id("corrected: as another authority told"),
    ("correction", "booked_in_error"): message_id("corrected: booked in error"),
    ("correction", "cancelled"): message_id("booking cancelled"),
    ("new_definition", None): message_id("new definition"),
    ("other_protection", None): message_id("protected otherwise"),
    ("not_told", None): message_id("cannot be told any more"),
}
_CORRECTED = message_id("corrected ({code})")
_WITH_AMOUNT = message_id("{reason} ({amount})")


def reason_in_words(reason: Reason, phrases: Phrases) -> str:
    """With its amount where it has one. A reason that another office gives under a code of its own keeps that code."""
    message = _WORDS.get((reason.kind, reason.code))
    said = phrases.say(_CORRECTED, code=reason.code) if message is None else phrases.say(message)
    if reason.amount is None:
        return said
    return phrases.say(_WITH_AMOUNT, reason=said, amount=phrases.formats.signed(reason.amount))


def cell_in_words(cell: CellAt, phrases: Phrases) -> str:
    """What is broken down and filtered, by name."""
    chosen = [", ".join(key.name.say(phrases.language) for key in keys) for keys in cell.filters.values()]
    return " · ".join([*(key.name.say(phrases.language) for key in cell.keys), *chosen])
