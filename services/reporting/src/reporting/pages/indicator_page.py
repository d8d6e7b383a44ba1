"""The page of one indicator: its question, the answer in words, its series and breakdowns, and what it means."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reporting.figures import Answer, Freshness
from reporting.indicators import Catalogue, Indicator, IndicatorKind
from reporting.pages.address import address
from reporting.pages.asking import Asker
from reporting.pages.breakdowns import Breakdown, breakdown_of
from reporting.pages.frame import Frame, frame_of
from reporting.pages.series import Series, series_of
from reporting.wording import Phrases, Tile, deliveries_in_words, tile_of
from verbund.service.words import message_id

_QUESTIONS: dict[IndicatorKind, str] = {
    "stock": message_id("{title}: how many are there?"),
    "flow": message_id("{title}: how many were there?"),
    "net": message_id("{title}: how large is the difference?"),
    "change": message_id("{title}: how large is it?"),
    "share": message_id("{title}: how high?"),
    "rate": message_id("{title}: how high?"),
    "mean": message_id("{title}: how high?"),
    "percentile": message_id("How long did it take?"),
    "age": message_id("How long have they been open?"),
    "delivered": message_id("{title}: what was reported?"),
}

Facts = tuple[tuple[str, tuple[str, ...]], ...]
"""What, and the sentences that say it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was asked for the page."""

    tile: Answer
    years: Answer
    breakdowns: tuple[Answer, ...]
    sources: tuple[Freshness, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """An address and its words."""

    href: str
    words: str


@dataclass(frozen=True, slots=True)
class IndicatorPage:
    """The page in words, ready for its template."""

    frame: Frame
    tile: Tile
    name: str
    question: str
    office: str
    source: str
    freshness: str
    charts: tuple[Series, ...]
    breakdowns: tuple[Breakdown, ...]
    remarks: tuple[str, ...]
    """What was noticed in what was delivered, and where it is from."""
    facts: Facts
    others: tuple[Link, ...]
    """Indicators that this one must not be compared with."""
    files: tuple[Link, ...]
    """The series for other programs."""


async def ask_figures(asker: Asker, indicator: Indicator) -> Figures:
    """Everything the page shows, as far as this visitor may see it."""
    found = [await asker.find_breakdown(indicator, dimension) for dimension in indicator.breakdowns]
    return Figures(
        tile=await asker.tile(indicator),
        years=await asker.years(indicator),
        breakdowns=tuple(answer for answer in found if answer is not None),
        sources=tuple(await asker.freshness()),
    )


def page_of(figures: Figures, asker: Asker, indicator: Indicator, phrases: Phrases) -> IndicatorPage:
    """The words of the page."""
    language, view = phrases.language, replace(asker.view, field_of_action=indicator.field_of_action)
    path = f"/indicators/{indicator.id}"
    frame = frame_of(path, view, asker.catalogue, asker.audience, figures.sources, asker.at, phrases)
    tile, series = tile_of(figures.tile, view.as_of, phrases), series_of(figures.years, phrases)
    name = indicator.title.say(language)
    return IndicatorPage(
        frame=frame,
        tile=tile,
        name=name,
        question=question_of(indicator.kind, name, phrases),
        office=indicator.source_office,
        source=frame.title_of(indicator.source_office),
        freshness=frame.freshness_of(indicator.source_office),
        charts=() if series is None else (series,),
        breakdowns=tuple(breakdown_of(answer, asker.catalogue, phrases) for answer in figures.breakdowns),
        remarks=deliveries_in_words(figures.years, asker.catalogue, phrases),
        facts=facts_of(indicator, asker.catalogue, phrases),
        others=tuple(
            Link(
                address(f"/indicators/{other}", view.parameters(), lang=language),
                asker.catalogue.get_indicator(other).title.say(language),
            )
            for other in indicator.not_comparable_with
        ),
        files=tuple(_files(figures, asker, phrases)),
    )


def question_of(kind: IndicatorKind, name: str, phrases: Phrases) -> str:
    """What the figure of this name answers."""
    return phrases.say(_QUESTIONS[kind], title=name)


def facts_of(indicator: Indicator, catalogue: Catalogue, phrases: Phrases) -> Facts:
    """What a figure means, in plain words: nothing of it is secret, whoever asks."""
    language = phrases.language
    return (
        (phrases.say(message_id("What is counted")), (indicator.definition.say(language),)),
        (phrases.say(message_id("Of whom")), (indicator.population.words.say(language),)),
        (phrases.say(message_id("Unit")), (catalogue.unit_of(indicator).many.say(language),)),
        (phrases.say(message_id("Cut-off")), (indicator.cut_off.say(language),)),
        (phrases.say(message_id("Source")), (catalogue.frame.offices[indicator.source_office].say(language),)),
        (
            phrases.say(message_id("What the source does not know")),
            tuple(one.say(language) for one in indicator.limits),
        ),
        (
            phrases.say(message_id("Definition")),
            (phrases.say(message_id("version {n}, since {day}"), n=indicator.version, day=indicator.valid_from),),
        ),
    )


def _files(figures: Figures, asker: Asker, phrases: Phrases) -> Iterator[Link]:
    """The series as tables and pictures; and the map, where the areas of one level may be seen."""
    asked, place = _asked(figures.years), f"/figures/{figures.years.indicator}"
    language = {"lang": phrases.language}
    yield Link(address(f"{place}.csv", asked), phrases.say(message_id("The series as a table (CSV)")))
    yield Link(
        address(f"{place}.csv", {**asked, "dialect": "excel_de"}), phrases.say(message_id("CSV for a German Excel"))
    )
    yield Link(address(f"{place}.xlsx", asked, **language), phrases.say(message_id("Excel workbook (XLSX)")))
    yield Link(address(f"{place}.jsonstat", asked, **language), phrases.say(message_id("JSON-stat")))
    yield Link(address(f"{place}.svg", asked, **language), phrases.say(message_id("Picture (SVG)")))
    yield Link(address(f"{place}.png", asked, **language), phrases.say(message_id("Picture (PNG)")))
    for answer in figures.breakdowns:
        (dimension,) = answer.by
        if (level := asker.catalogue.level_of(dimension)) is None:
            continue
        mapped, name = _asked_of(answer, asker), asker.catalogue.frame.dimensions[dimension].say(phrases.language)
        if level in asker.catalogue.city.maps:
            words = phrases.say(message_id("Map by {name} (GeoJSON)"), name=name)
            yield Link(address(f"{place}.geojson", mapped, **language), words)
        words = phrases.say(message_id("Table by {name} for KomMonitor (CSV)"), name=name)
        yield Link(address(f"{place}.csv", {**mapped, "dialect": "kommonitor"}), words)


def _asked_of(breakdown: Answer, asker: Asker) -> dict[str, str]:
    """The question of a breakdown of the page, as parameters of its address."""
    question = asker.breakdown_question(asker.catalogue.get_indicator(breakdown.indicator), breakdown.by[0])
    asked = {"by": breakdown.by[0], "as_of": question.as_of[0].isoformat()}
    if question.every is not None:
        asked["period"] = question.every
    return asked if question.known_on is None else {**asked, "known_on": question.known_on.isoformat()}


def _asked(years: Answer) -> dict[str, str]:
    """The question of the series, as parameters of its address."""
    first, last = years.points[0], years.points[-1]
    asked = {"from": (first.from_on or first.to_on).isoformat(), "to": last.to_on.isoformat(), "period": "year"}
    return asked if years.known_on is None else {**asked, "known_on": years.known_on.isoformat()}
