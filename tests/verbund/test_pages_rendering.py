"""Pages: two languages, assets named by their content, forms that say what is wrong and keep what was typed."""

import re
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient
from starlette.types import Receive, Scope, Send

from verbund.errors import NotFound
from verbund.service.pages import Pages, assets_router, templates_for
from verbund.service.permissions import PUBLIC, let_in, permit
from verbund.service.principals import ANYBODY
from verbund.service.words import untranslated

_FORM = """
{% extends "base.html" %}{% import "forms.html" as forms %}{% import "parts.html" as parts %}
{% block main %}{{ forms.error_summary(errors) }}
{{ forms.text("family_name", "Name", value=values.get("family_name", ""), hint="H", error=errors.get("family_name")) }}
{{ forms.date("moved_in_on", "Day", value=values.get("moved_in_on", "")) }}
{{ forms.select("sex", "Sex", [("f", "F"), ("m", "M")], value=values.get("sex", ""), empty="choose") }}
{{ forms.choice("area", "Area", [("04", "Hafen")], value=values.get("area", "")) }}
{{ forms.radios("kind", "Kind", [("main", "Main"), ("secondary", "Secondary", "H")], error=errors.get("kind")) }}
{{ forms.checkbox("sure", "Sure") }}{{ forms.button("Book") }}
{% call forms.booked("Booked", "Number", "17") %}{{ forms.link_button("Next one", "/") }}{% endcall %}
{{ forms.facts([("what", "value")]) }}{{ parts.next_page("?cursor=1") }}
{% call parts.scrolling("Table") %}<table></table>{% endcall %}
{% call parts.notice("warning", "Title") %}words{% endcall %}
{% endblock %}
"""


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    templates = tmp_path / "trial" / "pages" / "templates"
    templates.mkdir(parents=True)
    (tmp_path / "trial" / "__init__.py").touch()
    (tmp_path / "trial" / "pages" / "__init__.py").touch()
    (templates / "form.html").write_text(_FORM, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return templates_for("trial", made_assets={"made.js": lambda: b"made" * 1000}, city="Dortmund", office_title="Amt")


@pytest.fixture
async def browser(pages: Pages) -> AsyncIterator[AsyncClient]:
    app = FastAPI()
    app.include_router(assets_router(pages, permit(PUBLIC)))

    @app.get("/form")
    def form(request: Request) -> object:
        errors = {"family_name": "Enter <the> name.", "kind": "Choose one."}
        return pages.show(
            request, "form.html", errors=errors, values={"family_name": 'O"Neill', "sex": "m"}, status=422
        )

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        let_in(scope, ANYBODY)
        await app(scope, receive, send)

    async with AsyncClient(transport=ASGITransport(door), base_url="http://office") as client:
        yield client


async def test_what_was_typed_is_kept_and_cannot_break_out_of_its_field(browser: AsyncClient) -> None:
    page = (await browser.get("/form")).text
    assert 'value="O&#34;Neill"' in page
    assert '<option value="m" selected>' in page
    assert "Enter &lt;the&gt; name." in page


async def test_the_error_summary_links_to_every_wrong_field(browser: AsyncClient) -> None:
    page = (await browser.get("/form")).text
    assert page.count('href="#family_name"') == page.count('href="#kind"') == 1
    assert 'id="family_name"' in page
    assert 'id="kind"' in page
    assert 'aria-describedby="family_name-hint family_name-error" aria-invalid="true"' in page


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [("", "en-GB,en;q=0.9,de;q=0.5", "en"), ("", "fr", "de"), ("?lang=de", "en", "de"), ("?lang=xx", "en", "en")],
)
async def test_the_address_decides_the_language_and_then_the_browser(
    browser: AsyncClient, query: str, header: str, language: str
) -> None:
    answer = await browser.get(f"/form{query}", headers={"Accept-Language": header})
    assert f'<html lang="{language}">' in answer.text
    assert answer.headers["content-language"] == language


async def test_a_chosen_language_stays_chosen(browser: AsyncClient) -> None:
    await browser.get("/form?lang=en")
    assert '<html lang="en">' in (await browser.get("/form")).text


async def test_the_language_switch_keeps_the_rest_of_the_address(browser: AsyncClient) -> None:
    assert "?as_of=2018-12-31&amp;lang=en" in (await browser.get("/form?as_of=2018-12-31&lang=de")).text


async def test_pages_are_kept_by_no_cache(browser: AsyncClient) -> None:
    assert (await browser.get("/form")).headers["cache-control"] == "no-store"


async def test_an_asset_is_named_by_its_content_and_kept_for_a_year(browser: AsyncClient) -> None:
    address = re.search(r"/assets/style-[0-9a-f]{16}\.css", (await browser.get("/form")).text)
    assert address is not None
    answer = await browser.get(address.group())
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert "--accent" in answer.text
    again = await browser.get(address.group(), headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_an_address_of_older_content_gets_the_present_one_and_is_not_kept(browser: AsyncClient) -> None:
    answer = await browser.get("/assets/style-0000000000000000.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


async def test_made_assets_are_served_like_files(browser: AsyncClient, pages: Pages) -> None:
    assert (await browser.get(pages.assets.get("made.js").address)).text == "made" * 1000


@pytest.mark.parametrize("name", ["nothing-00.css", "..-00.py", "style.css", "-.", "rendering-00.py"])
def test_nothing_but_assets_is_served(pages: Pages, name: str) -> None:
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []})
    with pytest.raises(NotFound):
        pages.assets.answer(request, name)


def test_every_sentence_of_the_shared_pages_is_translated() -> None:
    assert untranslated("verbund.service.pages") == []


def test_the_style_sheet_names_no_colour_outside_its_tokens() -> None:
    sheet = files("verbund.service.pages").joinpath("static", "style.css").read_text(encoding="utf-8")
    body = sheet[sheet.index("/* Ground */") : sheet.index("@media print")]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", body) == []
