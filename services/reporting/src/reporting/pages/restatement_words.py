"""A restatement in words: a table of what changed and why, with the files it can be taken along in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reporting.editions.reason_words import cell_in_words, reason_in_words
from reporting.editions.restatement import CellAt, Changed, OneSided, Restatement
from reporting.editions.restatement_files import reasons_in_words
from reporting.figures import Value
from reporting.wording import Phrases
from verbund.service.pages.formats import NOTHING, ZERO
from verbund.service.words import message_id

_MOST_LINES = 500  # more is a file, and the page says so


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """One cell that changed."""

    title: str
    of_which: str
    days: str
    before: str
    after: str
    difference: str
    reasons: str


@dataclass(frozen=True, slots=True)
class OneSidedLine:
    """One cell that only one of the two knows."""

    title: str
    of_which: str
    days: str
    state: str


@dataclass(frozen=True, slots=True)
class RestatementPage:
    """What stands on the page of a restatement."""

    edition_id: str
    title: str
    lead: str
    why: str
    """The reasons, with the number of values that each is given for; empty where nothing changed."""
    changed: Sequence[ChangedLine]
    one_sided: Sequence[OneSidedLine]
    more: str
    """How many lines the files have beyond those of the page; empty where they have none."""
    not_answered: str
    files: Sequence[tuple[str, str]]


def restatement_page(found: Restatement, phrases: Phrases) -> RestatementPage:
    against = "now" if found.against is None else found.against.edition_id
    address = f"/editions/{found.edition.edition_id}/restatement"
    one_sided = [
        *(_one_sided(cell, message_id("added"), phrases) for cell in found.added),
        *(_one_sided(cell, message_id("removed"), phrases) for cell in found.removed),
    ]
    hidden = max(len(found.changed) - _MOST_LINES, 0) + max(len(one_sided) - _MOST_LINES, 0)
    more = message_id("{n} more lines stand in the files.")
    return RestatementPage(
        edition_id=found.edition.edition_id,
        title=found.edition.title.say(phrases.language),
        lead=_lead(found, phrases),
        why=_why(found, phrases),
        changed=[_changed(cell, phrases) for cell in found.changed[:_MOST_LINES]],
        one_sided=one_sided[:_MOST_LINES],
        more=phrases.say(more, n=phrases.formats.number(hidden)) if hidden else "",
        not_answered=_not_answered(found, phrases),
        files=[(f"{address}.csv?against={against}", "CSV"), (f"{address}.xlsx?against={against}", "Excel")],
    )


def _lead(found: Restatement, phrases: Phrases) -> str:
    number = phrases.formats.number
    other = (
        phrases.say(message_id("what is known now"))
        if found.against is None
        else phrases.say(message_id("the edition {title}"), title=found.against.title.say(phrases.language))
    )
    return phrases.say(
        message_id("Compared with {other}. Changed: {changed} of {compared} values that both have."),
        other=other,
        compared=number(found.compared),
        changed=number(len(found.changed)),
    )


def _why(found: Restatement, phrases: Phrases) -> str:
    """Each reason with the number of values that it is given for, the most frequent one first."""
    counted = Counter(
        reason_in_words(reason.model_copy(update={"amount": None}), phrases)
        for cell in found.changed
        for reason in cell.reasons
    )
    if not counted:
        return ""
    said = [f"{words} ({phrases.formats.number(times)})" for words, times in counted.most_common()]
    return phrases.say(message_id("Why: {reasons}."), reasons="; ".join(said))


def _not_answered(found: Restatement, phrases: Phrases) -> str:
    if not found.not_answered:
        return ""
    return phrases.say(
        message_id("Not asked any more, because this is not shown today: questions {numbers}."),
        numbers=", ".join(str(one.question) for one in found.not_answered),
    )


def _changed(cell: Changed, phrases: Phrases) -> ChangedLine:
    def written(value: Value) -> str:
        return phrases.value(value, "stock", NOTHING if cell.is_exact else ZERO)

    return ChangedLine(
        *_where(cell, phrases),
        before=written(cell.before),
        after=written(cell.after),
        difference=phrases.change(cell.difference),
        reasons=reasons_in_words(cell, phrases),
    )


def _one_sided(cell: OneSided, state: str, phrases: Phrases) -> OneSidedLine:
    return OneSidedLine(*_where(cell, phrases), state=phrases.say(state))


def _where(cell: CellAt, phrases: Phrases) -> tuple[str, str, str]:
    return (
        cell.title.say(phrases.language),
        cell_in_words(cell, phrases),
        phrases.span(cell.from_on, cell.to_on),
    )
