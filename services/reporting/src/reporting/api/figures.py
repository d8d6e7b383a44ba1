"""Doors for programs: the catalogue of indicators, and the figures."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, create_model

from reporting.audiences import ROLES_WITH_FIGURES, Audience, audience_of
from reporting.exports import CSV, DIALECTS, OUTLETS, TABLES, Make, Outlet, headers_of, in_lines
from reporting.figures import (
    Answer,
    AnswerInParts,
    Question,
    ReleasedIndicator,
    answer,
    answer_in_parts,
    as_released,
    list_released,
)
from reporting.image import Image
from reporting.indicators import Catalogue, Every, Indicator
from reporting.indicators.carrying import OverChanges
from verbund.errors import RuleBroken
from verbund.events.days import Day
from verbund.service.permissions import Permission, permit, principal_of
from verbund.service.words import language_of

READ = Permission("read_figures", roles=ROLES_WITH_FIGURES, purpose="steering")
"""Open to the public too: `figures` knows what they may see."""

Dialect = Literal["rfc4180", "excel_de", "kommonitor"]
# Where a question says something under another name than its address does.
_PARAMETERS = {"from_on": "from", "to_on": "to", "every": "period"}

IndicatorId = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$", examples=["population"])]
Codes = Annotated[str, Field(max_length=2_000, description="Codes, separated by commas.")]
Days = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(,[0-9]{4}-[0-9]{2}-[0-9]{2})*$", max_length=11_000)]


class Asked(BaseModel):
    """A question as its address says it; what is not a field here, or a breakdown of the catalogue, is refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    version: Annotated[int | None, Field(ge=1, description="Of the definition; the one that holds by default.")] = None
    by: Annotated[str, Field(description="Breakdowns, separated by commas.", examples=["district"])] = ""
    as_of: Annotated[Days | None, Field(description="Days, separated by commas.", examples=["2018-12-31"])] = None
    from_on: Annotated[Day | None, Field(alias="from")] = None
    to_on: Annotated[Day | None, Field(alias="to")] = None
    period: Every | None = None
    known_on: Annotated[Day | None, Field(description="As known at the end of this day.")] = None
    compare: Literal["year_before"] | Day | None = None
    areas_on: Annotated[
        Day | None, Field(description="Break down by the areas of this day, whatever day a value is about.")
    ] = None
    over_changes: Annotated[
        OverChanges, Field(description="With areas_on: also divide areas by recorded shares, or not.")
    ] = "whole"
    compare_known_on: Annotated[
        Day | None, Field(description="Beside each value what was known of it at the end of this day.")
    ] = None

    lang: Annotated[
        Literal["de", "en"] | None, Field(description="Of files with words; else as `Accept-Language` says.")
    ] = None

    def question(self, indicator: str, breakdowns: Iterable[str]) -> Question:
        """The question about this indicator; raises `RuleBroken` for days that are none."""
        return Question(
            indicator=indicator,
            version=self.version,
            by=_codes(self.by),
            filters={name: codes for name in breakdowns if (codes := _codes(getattr(self, name)))},
            as_of=tuple(map(_day, _codes(self.as_of or ""))),
            from_on=self.from_on,
            to_on=self.to_on,
            every=self.period,
            known_on=self.known_on,
            compare=self.compare,
            areas_on=self.areas_on,
            over_changes=self.over_changes,
            compare_known_on=self.compare_known_on,
        )


class AskedForCsv(Asked):
    """The same, and how the table is to be written."""

    dialect: Annotated[
        Dialect, Field(description="For programs, for a double click in Germany, or for KomMonitor.")
    ] = "rfc4180"


def router_of(catalogue: Catalogue) -> APIRouter:
    """The doors to this catalogue: every breakdown that it knows is a parameter, whoever's it is."""
    router = APIRouter(tags=["figures"], dependencies=[permit(READ)])
    filters: Any = dict.fromkeys(catalogue.frame.dimensions, (Codes, ""))
    asked_here = create_model("Asked", __base__=Asked, **filters)
    asked_for_csv = create_model("AskedForCsv", __base__=AskedForCsv, **filters)

    @router.get("/indicators", summary="All indicators, in the order of display")
    async def list_indicators(request: Request) -> list[Indicator] | list[ReleasedIndicator]:
        """Each with definition, population, unit, cut-off, breakdowns, limits of its source, and what it cannot say.

        Without a token those that are released.
        """
        if _audience(request) is Audience.PUBLIC:
            return list_released(catalogue)
        return list(catalogue.indicators.values())

    @router.get("/indicators/{indicator_id}/versions", summary="Every definition that an indicator has had")
    async def list_versions(request: Request, indicator_id: IndicatorId) -> list[Indicator] | list[ReleasedIndicator]:
        """The one that holds stands last; each can still be asked (`version`)."""
        indicator = catalogue.get_indicator(indicator_id)
        versions = catalogue.versions[indicator_id]
        if _audience(request) is not Audience.PUBLIC:
            return list(versions)
        as_released(catalogue, indicator)
        return [as_released(catalogue, one) for one in versions if one.audiences.public is not None]

    @router.get(
        f"/figures/{{indicator_id}}.{CSV.address}",
        summary=f"The figures of an indicator as {CSV.what}",
        response_class=Response,
        responses={200: {"content": {CSV.media_type: {}}}},
    )
    async def read_table(
        request: Request, indicator_id: IndicatorId, asked: Annotated[asked_for_csv, Query()]
    ) -> Response:
        """A large table is written while it is read, one stretch of time after the other, all as of one moment.

        `X-Values` says how many lines there are at most; a download that breaks off is never ended as a whole one is.
        """
        table = TABLES.get(asked.dialect)
        if table is None:
            found = await _ask(request, catalogue, indicator_id, asked)
            return await _file(request, catalogue, found, CSV, DIALECTS[asked.dialect])
        parts = await _ask_in_parts(request, catalogue, indicator_id, asked)
        headers = {**headers_of(parts.first, CSV), "X-Values": str(parts.values)}
        return StreamingResponse(in_lines(table, parts), headers=headers)

    for outlet in OUTLETS[1:]:
        _add_file(router, catalogue, outlet, asked_here)

    @router.get(
        "/figures/{indicator_id}",
        summary="The figures of an indicator",
        response_model=Answer,
        responses={200: {"content": {outlet.media_type: {} for outlet in OUTLETS}}},
    )
    async def read_figures(
        request: Request,
        indicator_id: IndicatorId,
        asked: Annotated[asked_here, Query()],
    ) -> Answer | Response:
        """Values are never bare: `number`, `zero` (known to be none), `protected` or `not_reported`.

        The same as a file where `Accept` asks for one of the types of the other addresses.
        """
        found = await _ask(request, catalogue, indicator_id, asked)
        accepted = request.headers.get("accept", "")
        # A browser that opens the address names pictures too, and does not ask for one.
        kinds = () if "text/html" in accepted else OUTLETS
        wanted = next((outlet for outlet in kinds if outlet.media_type in accepted), None)
        return found if wanted is None else await _file(request, catalogue, found, wanted, wanted.make)

    return router


def _audience(request: Request) -> Audience:
    return audience_of(principal_of(request.scope).roles)


def _add_file(router: APIRouter, catalogue: Catalogue, outlet: Outlet, asked_here: Any) -> None:
    """The door to one kind of file."""

    async def read_file(request: Request, indicator_id: IndicatorId, asked: Annotated[Any, Query()]) -> Response:
        found = await _ask(request, catalogue, indicator_id, asked)
        return await _file(request, catalogue, found, outlet, outlet.make)

    read_file.__annotations__["asked"] = Annotated[asked_here, Query()]
    router.add_api_route(
        f"/figures/{{indicator_id}}.{outlet.address}",
        read_file,
        name=f"read_{outlet.address}",
        summary=f"The figures of an indicator as {outlet.what}",
        response_class=Response,
        responses={200: {"content": {outlet.media_type: {}}}},
    )


async def _ask(request: Request, catalogue: Catalogue, indicator_id: str, asked: Asked) -> Answer:
    audience = _audience(request)
    try:
        question = asked.question(indicator_id, catalogue.frame.dimensions)
        async with _image(request).moment() as moment:
            return await answer(moment, catalogue, question, audience, datetime.now(UTC))
    except RuleBroken as refused:
        raise _at_parameter(refused) from refused


async def _ask_in_parts(request: Request, catalogue: Catalogue, indicator_id: str, asked: Asked) -> AnswerInParts:
    try:
        question = asked.question(indicator_id, catalogue.frame.dimensions)
        return await answer_in_parts(_image(request), catalogue, question, _audience(request), datetime.now(UTC))
    except RuleBroken as refused:
        raise _at_parameter(refused) from refused


def _at_parameter(refused: RuleBroken) -> RuleBroken:
    """The same refusal, pointing at the parameter of the address instead of into the question."""
    (finding,) = refused.findings
    name = finding.pointer.rpartition("/")[2]
    pointer = f"parameter:query:{_PARAMETERS.get(name, name)}"
    return RuleBroken(refused.code, refused.message, pointer=pointer, **refused.values)


async def _file(request: Request, catalogue: Catalogue, found: Answer, outlet: Outlet, make: Make) -> Response:
    """In a thread: to write a workbook, or to draw, takes its time."""
    try:
        body = await asyncio.to_thread(make, found, catalogue, language_of(request))
    except RuleBroken as refused:
        raise _at_parameter(refused) from refused
    return Response(body, headers=headers_of(found, outlet))


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code.strip() for code in text.split(",") if code.strip())


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RuleBroken("no_such_day", "There is no such day.", pointer="/as_of") from None


def _image(request: Request) -> Image:
    image = request.app.state.image
    assert isinstance(image, Image)
    return image
