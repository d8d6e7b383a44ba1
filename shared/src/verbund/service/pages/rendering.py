"""Pages from Jinja templates, in the reader's language, with the addresses of their style sheet and scripts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from verbund.service import words
from verbund.service.pages.assets import Assets
from verbund.service.pages.formats import Formats
from verbund.service.pages.languages import COOKIE, LANGUAGES, language_of

_SHARED = "verbund.service.pages"
_YEAR_SECONDS = 365 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of one office."""

    environments: Mapping[str, Environment]
    assets: Assets

    def show(self, request: Request, template: str, /, status: int = HTTPStatus.OK, **context: object) -> HTMLResponse:
        """A whole page. It may show personal data and speaks the reader's language: no cache keeps it."""
        language = language_of(request)
        html = self.render(language, template, request=request, **context)
        answer = HTMLResponse(
            html, status_code=status, headers={"Cache-Control": "no-store", "Content-Language": language}
        )
        if request.query_params.get("lang") == language:
            answer.set_cookie(COOKIE, language, max_age=_YEAR_SECONDS, samesite="lax", httponly=True)
        return answer

    def render(self, language: str, template: str, /, *, request: Request, **context: object) -> str:
        """A page or a part of one, as text."""
        return (
            self.environments[language]
            .get_template(template)
            .render(
                request=request,
                now=datetime.now(UTC),
                in_language=lambda other: address_with(request, lang=other),
                **context,
            )
        )


def templates_for(
    package: str, *, made_assets: Mapping[str, Callable[[], bytes]] | None = None, **names: object
) -> Pages:
    """The pages of an office's package; `names` are known to all of its templates (`office`, `city` ...)."""
    words.load_words(_SHARED)
    words.load_words(package)
    assets = Assets((f"{package}.pages", _SHARED), made_assets or {})
    return Pages({language: _environment(package, language, assets, names) for language in LANGUAGES}, assets)


def assets_router(pages: Pages, *dependencies: Any) -> APIRouter:
    """The door to the assets; `dependencies`: the public permission, declared like that of any other route."""
    router = APIRouter(include_in_schema=False, dependencies=dependencies)

    @router.get("/assets/{name}")
    def read_asset(request: Request, name: str) -> Response:  # in a thread: the first use of some takes a second
        return pages.assets.answer(request, name)

    return router


def address_with(request: Request, **changes: str | None) -> str:
    """The address of this page with some parameters changed; `None` leaves one out."""
    query = [(key, value) for key, value in request.query_params.multi_items() if key not in changes]
    query += [(key, value) for key, value in changes.items() if value is not None]
    return f"?{urlencode(query)}" if query else request.url.path


def _environment(package: str, language: str, assets: Assets, names: Mapping[str, object]) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(f"{package}.pages"), PackageLoader(_SHARED)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    spoken = words.words_for(language)

    def ngettext(singular: str, plural: str, n: int) -> str:
        return spoken.gettext(singular if n == 1 else plural)  # both languages have these two forms

    environment.install_gettext_callables(spoken.gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(
        asset=lambda name: assets.get(name).address,
        formats=Formats(language),
        language=language,
        languages=LANGUAGES,
        **names,
    )
    return environment
