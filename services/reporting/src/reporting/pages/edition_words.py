"""An edition in words: what was frozen, which questions, which files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reporting.editions.reading import EditionShown
from reporting.editions.rendering import KINDS
from reporting.indicators import Words
from reporting.pages.edition_form import AUDIENCES
from reporting.wording import Phrases
from verbund.events.reporting.editions import WithdrawalReason
from verbund.service.words import message_id

_KINDS = {
    "json": "JSON",
    "csv": "CSV",
    "csv_de": message_id("CSV for Excel"),
    "xlsx": message_id("Excel, German"),
    "xlsx_en": message_id("Excel, English"),
    "jsonstat": message_id("JSON-stat, German"),
    "jsonstat_en": message_id("JSON-stat, English"),
}
_REASONS: Mapping[WithdrawalReason, str] = {
    "wrong_figures": message_id("figures are wrong"),
    "wrong_questions": message_id("the questions are wrong"),
    "wrong_audience": message_id("it was frozen for a wrong audience"),
    "replaced": message_id("another edition takes its place"),
}


@dataclass(frozen=True, slots=True)
class Link:
    href: str
    words: str


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """One question of an edition."""

    number: int
    title: str
    days: str
    by: str
    files: Sequence[Link]


@dataclass(frozen=True, slots=True)
class EditionPage:
    """What stands on the page of an edition."""

    edition_id: str
    title: str
    lead: str
    withdrawn: str
    """Why it should not be used any more; empty where it is not withdrawn."""
    facts: Sequence[tuple[str, str]]
    questions: Sequence[QuestionLine]
    comparisons: Sequence[Link]


def edition_page(
    edition: EditionShown,
    manifest: Mapping[str, Any],
    later: Sequence[EditionShown],
    dimensions: Mapping[str, Words],
    phrases: Phrases,
) -> EditionPage:
    """`later`: editions for the same audience that it can be compared with; `dimensions`: names of breakdowns."""
    definitions = {
        (each["definition"]["id"], each["definition"]["version"]): each["definition"]
        for each in manifest["definitions"]
    }
    against = [(f"{each.edition_id}", each.title.say(phrases.language)) for each in reversed(later)]
    return EditionPage(
        edition_id=edition.edition_id,
        title=edition.title.say(phrases.language),
        lead=phrases.say(
            message_id("Frozen for {body}, as of {moment}."),
            body=edition.frozen_for.say(phrases.language),
            moment=phrases.formats.moment(edition.frozen_at),
        ),
        withdrawn=_withdrawn(edition, phrases),
        facts=_facts(edition, manifest, phrases),
        questions=[
            _line(edition, number, each, definitions[each["indicator"], each["version"]], dimensions, phrases)
            for number, each in enumerate(manifest["questions"], start=1)
        ],
        comparisons=[
            Link(f"/editions/{edition.edition_id}/restatement?against={name}&lang={phrases.language}", words)
            for name, words in (("now", phrases.say(message_id("what is known now"))), *against)
        ],
    )


def _withdrawn(edition: EditionShown, phrases: Phrases) -> str:
    if edition.withdrawn is None:
        return ""
    sentence = phrases.say(
        message_id("Withdrawn on {moment}: {reason}."),
        moment=phrases.formats.moment(edition.withdrawn.withdrawn_at),
        reason=phrases.say(_REASONS[edition.withdrawn.reason]),
    )
    return sentence if edition.withdrawn.words is None else f"{sentence} {edition.withdrawn.words}"


def _facts(edition: EditionShown, manifest: Mapping[str, Any], phrases: Phrases) -> Sequence[tuple[str, str]]:
    number = phrases.formats.number
    return [
        (phrases.say(message_id("Figures as seen by")), phrases.say(AUDIENCES[edition.audience])),
        (phrases.say(message_id("Number in the book")), number(edition.number)),
        (phrases.say(message_id("Hash (SHA-256)")), edition.sha256),
        *(
            (
                phrases.say(message_id("Book read up to")),
                phrases.say(
                    message_id("{ledger}: number {n}"), ledger=position["ledger"], n=number(position["number"])
                ),
            )
            for position in manifest["ledgers"]
        ),
    ]


def _line(
    edition: EditionShown,
    number: int,
    question: Mapping[str, Any],
    definition: Mapping[str, Any],
    dimensions: Mapping[str, Words],
    phrases: Phrases,
) -> QuestionLine:
    asked = question["question"]
    days = [asked["from_on"], asked["to_on"]] if asked["from_on"] else asked["as_of"]
    shown = [days[0], days[-1]] if len(days) > 1 else days
    return QuestionLine(
        number=number,
        title=definition["title"][phrases.language],
        days=" – ".join(dict.fromkeys(map(_day, shown))),
        by=", ".join(
            dimensions[name].say(phrases.language) if name in dimensions else name  # a release may drop one
            for name in (*asked["by"], *asked["filters"])
        ),
        files=[
            Link(f"/editions/{edition.edition_id}/figures/{number}.{kind}", phrases.say(_KINDS[kind])) for kind in KINDS
        ],
    )


def _day(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{day}.{month}.{year}"
