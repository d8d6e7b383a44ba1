"""The public's pages in words: what is released, all of it asked with the public's eyes whoever looks at it."""

from dataclasses import dataclass
from datetime import date, datetime

from reporting.audiences import Audience
from reporting.deltas import day_of
from reporting.figures import Answer, Question, ReleasedIndicator, answer, as_released, list_released, number_of
from reporting.image import Moment
from reporting.indicators import Catalogue
from reporting.pages.address import address
from reporting.pages.breakdowns import Breakdown, breakdown_of
from reporting.pages.indicator_page import Facts, Link, facts_of, question_of
from reporting.pages.series import Series, series_of, spark_of
from reporting.pages.sparks import Spark
from reporting.releases import next_release_on
from reporting.wording import Phrases, Tile, last_tile_of, series_question
from verbund.service.words import message_id

FILES = {
    "csv": message_id("The series as a table (CSV)"),
    "xlsx": message_id("Excel workbook (XLSX)"),
    "jsonstat": message_id("JSON-stat"),
}
"""The kinds of files of a series, by the end of their address."""
_YEARS = 20


@dataclass(frozen=True, slots=True)
class Released:
    """One released indicator with its last value."""

    tile: Tile
    spark: Spark | None
    href: str
    source: str
    release: str
    """When it was released, and when it can be the next time."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of action with what is released of it."""

    title: str
    released: tuple[Released, ...]


@dataclass(frozen=True, slots=True)
class PublicIndicator:
    """The page of a released indicator, ready for its template."""

    shown: Released
    question: str
    charts: tuple[Series, ...]
    breakdowns: tuple[Breakdown, ...]
    facts: Facts
    others: tuple[Link, ...]
    """Released indicators that this one must not be compared with."""
    files: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Looker:
    """Asks for the public, of one moment of the cube."""

    moment: Moment
    catalogue: Catalogue
    at: datetime

    async def series(self, indicator_id: str) -> Answer:
        """What was released of the last years; raises `NotFound` for what is not released."""
        indicator = self.catalogue.get_indicator(indicator_id)
        released = as_released(self.catalogue, indicator)
        if indicator.delivered is not None:
            return await self._ask(series_question(indicator, day_of(self.at), None, _YEARS))
        last = (await self._ask(Question(indicator=released.id))).points[-1].to_on
        first = date(last.year - _YEARS, 1, 1)
        return await self._ask(Question(indicator=released.id, from_on=first, to_on=last, every=released.every[0]))

    async def breakdowns(self, released: ReleasedIndicator) -> list[Answer]:
        """The last period of all that is released, by each of what it may be broken down by."""
        return [
            await self._ask(Question(indicator=released.id, by=(name,), compare="year_before"))
            for name in released.breakdowns
        ]

    async def every_series(self) -> list[Answer]:
        """The series of all released indicators, in the order of display."""
        return [await self.series(released.id) for released in list_released(self.catalogue)]

    async def _ask(self, question: Question) -> Answer:
        return await answer(self.moment, self.catalogue, question, Audience.PUBLIC, self.at)


def fields_of(answers: list[Answer], catalogue: Catalogue, phrases: Phrases) -> list[Field]:
    """What is released, by field of action."""
    titles = catalogue.frame.fields_of_action
    return [
        Field(titles[name].say(phrases.language), tuple(_released(found, catalogue, phrases) for found in of_field))
        for name in titles
        if (of_field := [found for found in answers if found.field_of_action == name])
    ]


def public_indicator_of(
    released: ReleasedIndicator, series: Answer, breakdowns: list[Answer], catalogue: Catalogue, phrases: Phrases
) -> PublicIndicator:
    """The words of the page."""
    language, chart = phrases.language, series_of(series, phrases)
    return PublicIndicator(
        shown=_released(series, catalogue, phrases),
        question=question_of(released.kind, released.title.say(language), phrases),
        charts=() if chart is None else (chart,),
        breakdowns=tuple(breakdown_of(found, catalogue, phrases) for found in breakdowns),
        facts=facts_of(catalogue.get_indicator(released.id), catalogue, phrases),
        others=tuple(
            Link(_place(other, phrases), catalogue.get_indicator(other).title.say(language))
            for other in released.not_comparable_with
        ),
        files=tuple(
            Link(address(f"/public/figures/{released.id}.{kind}", {}, lang=language), phrases.say(words))
            for kind, words in FILES.items()
        ),
    )


def _released(found: Answer, catalogue: Catalogue, phrases: Phrases) -> Released:
    (cell,) = found.cells
    steps = list(zip(found.points, cell.values, strict=True))
    while steps and number_of(steps[0][1]) is None:
        steps.pop(0)  # the small line begins where there is something to draw
    return Released(
        tile=last_tile_of(found, phrases),
        spark=spark_of(found.kind, steps, phrases),
        href=_place(found.indicator, phrases),
        source=catalogue.frame.offices[found.source_office].say(phrases.language),
        release=_release(found, catalogue, phrases),
    )


def _release(found: Answer, catalogue: Catalogue, phrases: Phrases) -> str:
    rule = catalogue.get_indicator(found.indicator).audiences.public
    if rule is None or found.ticked_at is None:
        return phrases.say(message_id("Nothing has been released yet."))
    released_on = day_of(found.ticked_at)
    message = message_id("Released on {day}, next release not before {next}.")
    return phrases.say(message, day=released_on, next=next_release_on(released_on, rule.every))


def _place(indicator_id: str, phrases: Phrases) -> str:
    return address(f"/public/indicators/{indicator_id}", {}, lang=phrases.language)
