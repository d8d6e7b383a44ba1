"""Asks the figures what a page needs, all in one snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reporting.alerts import ListedAlert, list_open
from reporting.audiences import Audience
from reporting.figures import Answer, Freshness, Question, answer, answer_plan, plan, plan_of, read_remarks
from reporting.figures.sources import read_freshness
from reporting.image import Moment
from reporting.indicators import Catalogue, Indicator
from reporting.pages.address import View
from reporting.wording import series_question, tile_question
from verbund.errors import Forbidden

_YEARS = 20
"""How far back a series of years goes."""


@dataclass(frozen=True)
class Asker:
    """Asks for one visitor: of one moment of the cube, for one audience, about one view."""

    moment: Moment
    catalogue: Catalogue
    audience: Audience
    at: datetime
    view: View
    held: Mapping[str, Answer]
    """Today's tiles as the live views hold them; empty where they do not."""
    may_acknowledge: bool = False
    """Whether this visitor may acknowledge alerts."""

    async def tile(self, indicator: Indicator) -> Answer:
        """The city's value: exact for everybody who sees figures, so that what is held can be shown to all."""
        question = tile_question(indicator, self.view.as_of, self.view.known_on)
        if self.view.is_today and indicator.id in self.held:
            # The numbers follow the cube; what was noted a moment ago is read now.
            checked = plan_of(self.catalogue, question, self.audience, self.at)
            return (await read_remarks(self.moment.connection, checked)).beside(self.held[indicator.id])
        return await self._ask(question)

    async def years(self, indicator: Indicator) -> Answer:
        """The ends of years, or whole years, and of a flow the present one as far as it has come."""
        return await self._ask(series_question(indicator, self.view.as_of, self.view.known_on, _YEARS))

    async def find_breakdown(self, indicator: Indicator, dimension: str) -> Answer | None:
        """The values along a breakdown on the day; None where this is finer than this visitor may see."""
        question = self.breakdown_question(indicator, dimension)
        try:
            checked = await plan(self.moment, self.catalogue, question, self.audience, self.at)
        except Forbidden:
            return None
        return await answer_plan(self.moment, checked, self.at)

    def breakdown_question(self, indicator: Indicator, dimension: str) -> Question:
        """The values along a breakdown on the day, beside those a year before."""
        return Question(
            indicator=indicator.id,
            by=(dimension,),
            as_of=(self.view.as_of,),
            every=None if indicator.is_about_days or indicator.delivered is not None else "year",
            known_on=self.view.known_on,
            compare="year_before",
        )

    async def freshness(self) -> list[Freshness]:
        """How the sources of all indicators stand."""
        sources = dict.fromkeys(indicator.source_office for indicator in self.catalogue.indicators.values())
        return [await read_freshness(self.moment.connection, self.catalogue, name, self.at) for name in sources]

    async def alerts(self) -> list[ListedAlert]:
        """The alerts of this audience that are not over; none beside a view of another day."""
        if not self.view.is_today:
            return []
        return await list_open(self.moment.connection, self.catalogue.city.municipality, self.audience)

    async def _ask(self, question: Question) -> Answer:
        return await answer(self.moment, self.catalogue, question, self.audience, self.at)
