"""The coordination group's page: one tile per figure, one series, the breakdowns that the printed reports show too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal
from uuid import uuid4

from reporting.alerts import ListedAlert
from reporting.alerts.wording import AlertWords, alert_words
from reporting.figures import Answer, Freshness
from reporting.indicators import Indicator
from reporting.pages.address import address
from reporting.pages.asking import Asker
from reporting.pages.breakdowns import Breakdown, breakdown_of
from reporting.pages.frame import Frame, frame_of
from reporting.pages.series import Series, series_of, spark_of
from reporting.pages.sparks import Spark
from reporting.wording import Phrases, Tile, tile_of, year_series

Place = Literal["", "lead", "wide"]

_BREAKDOWNS = ("district", "nationality")


@dataclass(frozen=True, slots=True)
class ShownTile:
    """A tile in its place on the page."""

    tile: Tile
    spark: Spark | None
    href: str
    office: str
    source: str
    freshness: str
    place: Place


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """An alert above the tiles."""

    words: AlertWords
    href: str
    """The page of its figure."""
    acknowledge_at: str
    """Where its button leads; empty where it is acknowledged, or this visitor may not."""
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Group:
    """Tiles that count the same people."""

    population: str
    tiles: tuple[ShownTile, ...]

    @property
    def is_small(self) -> bool:
        """Whether the tiles stand side by side, with none that leads."""
        return not any(shown.place == "lead" for shown in self.tiles)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was asked for the page."""

    tiles: tuple[Answer, ...]
    years: Answer
    breakdowns: tuple[Answer, ...]
    sources: tuple[Freshness, ...]
    alerts: tuple[ListedAlert, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The page in words, ready for its template."""

    frame: Frame
    groups: tuple[Group, ...]
    charts: tuple[Series, ...]
    breakdowns: tuple[Breakdown, ...]
    alerts: tuple[ShownAlert, ...]


async def ask_figures(asker: Asker) -> Figures:
    """Everything the page shows, of the field of action that its address names."""
    indicators = indicators_of(asker)
    lead = indicators[0]
    along = [name for name in _BREAKDOWNS if name in lead.breakdowns]
    found = [await asker.find_breakdown(lead, name) for name in along]
    return Figures(
        tiles=tuple([await asker.tile(indicator) for indicator in indicators]),
        years=await asker.years(lead),
        breakdowns=tuple(answer for answer in found if answer is not None),
        sources=tuple(await asker.freshness()),
        alerts=tuple(await asker.alerts()),
    )


def indicators_of(asker: Asker) -> list[Indicator]:
    """The indicators of the field of action, the leading one first; all there are where the field has none."""
    every = list(asker.catalogue.indicators.values())
    wanted = asker.view.field_of_action or every[0].field_of_action
    return [indicator for indicator in every if indicator.field_of_action == wanted] or every


def dashboard_of(figures: Figures, asker: Asker, phrases: Phrases) -> Dashboard:
    """The words of the page; raises `NotFound` for a field of action without figures."""
    frame = frame_of("/", asker.view, asker.catalogue, asker.audience, figures.sources, asker.at, phrases)
    series = series_of(figures.years, phrases)
    return Dashboard(
        frame=frame,
        groups=tuple(_groups(figures.tiles, frame, asker, phrases)),
        charts=() if series is None else (series,),
        breakdowns=tuple(breakdown_of(answer, asker.catalogue, phrases) for answer in figures.breakdowns),
        alerts=tuple(_alert(alert, asker, phrases) for alert in figures.alerts),
    )


def _groups(answers: Sequence[Answer], frame: Frame, asker: Asker, phrases: Phrases) -> Iterator[Group]:
    for population, found in groupby(answers, key=lambda answer: answer.population.say(phrases.language)):
        members = list(found)
        places = _places(len(members), leads=members[0] is answers[0])
        shown = (_shown(answer, place, frame, asker, phrases) for answer, place in zip(members, places, strict=True))
        yield Group(population, tuple(shown))


def _alert(alert: ListedAlert, asker: Asker, phrases: Phrases) -> ShownAlert:
    words = alert_words(alert, asker.catalogue, phrases)
    place = f"/alerts/{alert.alert_id}/acknowledge"
    return ShownAlert(
        words=words,
        href=address(f"/indicators/{alert.indicator}", {}, lang=phrases.language),
        acknowledge_at="" if words.is_acknowledged or not asker.may_acknowledge else place,
        idempotency_key=str(uuid4()),
    )


def _places(count: int, *, leads: bool) -> list[Place]:
    """The first tile leads and takes four places of a grid; where one place is left over, the last one takes two."""
    places: list[Place] = ["" for _ in range(count)]
    if not leads:
        return places
    places[0] = "lead"
    if count > 1 and (4 + count - 1) % 4 == 3:
        places[-1] = "wide"
    return places


def _shown(answer: Answer, place: Place, frame: Frame, asker: Asker, phrases: Phrases) -> ShownTile:
    view = asker.view
    return ShownTile(
        tile=tile_of(answer, view.as_of, phrases),
        spark=spark_of(answer.kind, year_series(answer, view.as_of), phrases),
        href=address(f"/indicators/{answer.indicator}", view.parameters(), lang=phrases.language),
        office=answer.source_office,
        source=frame.title_of(answer.source_office),
        freshness=frame.freshness_of(answer.source_office),
        place=place,
    )
