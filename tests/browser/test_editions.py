"""Editions in a real browser: frozen by keyboard, without scripts, on paper, narrow, in the dark; for everybody."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect
from stage.axe import violations
from stage.editions import QUESTIONS, edition_form
from stage.reporting_office import ReportingOffice

Opener = Callable[..., Page]

WORDS = {
    "title_de": "Zahlen zur Märzsitzung",
    "title_en": "Figures for the March meeting",
    "frozen_for_de": "Koordinierungsgruppe",
    "frozen_for_en": "Coordination group",
}
BY_AREA = {"indicator": "population", "by": ["district", "nationality"], "as_of": ["2024-12-31"]}


@pytest.fixture
def edition(office: ReportingOffice, book: Callable[[int], None], request: pytest.FixtureRequest) -> str:
    """The number of an edition since which something was booked."""
    headers = {
        "Authorization": f"Bearer {office.token('statistics')}",
        "Idempotency-Key": re.sub(r"[^!-~]", "-", request.node.name),
    }
    form = edition_form(questions=[*QUESTIONS, BY_AREA, {"indicator": "population", "by": ["district"]}])
    answer = httpx.post(f"{office.url}/editions", json=form, headers=headers, trust_env=False, timeout=30)
    assert answer.status_code == 201, answer.text
    book(4)
    return str(answer.json()["edition_id"])


PAGES = ("/editions", "/editions/new", "/editions/{edition}", "/editions/{edition}/restatement?against=now")


def test_an_edition_is_frozen_by_keyboard_alone(open_page: Opener) -> None:
    page = open_page("/editions", role="statistics")
    page.get_by_role("link", name="Ausgabe einfrieren").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/editions/new")
    expect(page.locator("#title_de")).to_be_focused()
    for name, words in WORDS.items():
        expect(page.locator(f"#{name}")).to_be_focused()
        page.keyboard.type(words)
        page.keyboard.press("Tab")
    page.locator("#title_en").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/editions/*?frozen=1")
    expect(page.get_by_role("status")).to_contain_text("eingefroren")
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["title_de"])
    page.goto(page.url.partition("/editions/")[0] + "/editions")
    expect(page.get_by_role("link", name=WORDS["title_de"]).first).to_be_visible()


def test_a_long_freezing_says_so_and_a_second_click_sends_nothing_more(open_page: Opener) -> None:
    page = open_page("/editions/new", role="statistics")
    # Held on the way: a browser that waits for an answer answers no test.
    page.evaluate(
        "window.sent = 0; document.querySelector('form').addEventListener('submit', (event) => {"
        " window.sent += !event.defaultPrevented; event.preventDefault(); })"
    )
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("werden eingefroren")
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("button").click(force=True)
    expect(page.locator("[data-seconds]")).not_to_have_text("0")
    assert page.evaluate("window.sent") == 1
    assert violations(page) == []


def test_an_edition_is_frozen_and_compared_without_scripts(open_page: Opener) -> None:
    page = open_page("/editions/new", role="statistics", java_script_enabled=False)
    for name, words in WORDS.items():
        page.fill(f"#{name}", words)
    page.get_by_label("Arbeit").check()
    page.get_by_role("button").click()
    page.wait_for_url("**/editions/*?frozen=1")
    page.get_by_role("link", name="dem heutigen Kenntnisstand").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Was sich seither geändert hat")


def test_a_restatement_says_in_words_what_changed_and_why(open_page: Opener, edition: str) -> None:
    page = open_page(f"/editions/{edition}/restatement?against=now", role="statistics")
    row = page.get_by_role("row").filter(has_text="Bevölkerung aus Bulgarien und Rumänien").last
    expect(page.locator(".lead")).to_contain_text("Geändert: 1 von 56 Werten")
    expect(page.get_by_text("Warum: seither gebucht (1)")).to_be_visible()
    expect(row).to_contain_text("+ 4")
    expect(row).to_contain_text("seither gebucht (+ 4)")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_against_wcag_2_2(open_page: Opener, edition: str, path: str, scheme: str) -> None:
    page = open_page(path.format(edition=edition), role="statistics", color_scheme=scheme, reduced_motion="reduce")
    assert violations(page) == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["de", "en"])
def test_nothing_scrolls_sideways(open_page: Opener, edition: str, path: str, language: str) -> None:
    for width in (320, 390, 768, 1440):
        address = path.format(edition=edition)
        address += f"{'&' if '?' in address else '?'}lang={language}"
        page = open_page(address, role="statistics", viewport={"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_stands_the_document_and_not_the_controls(open_page: Opener, edition: str) -> None:
    page = open_page(f"/editions/{edition}/restatement?against=now", role="statistics")
    page.emulate_media(media="print")
    for hidden in (".languages", ".skip"):
        expect(page.locator(hidden)).to_be_hidden()
    for table in page.locator(".scrolling").all():
        assert table.evaluate("element => element.scrollHeight <= element.clientHeight + 1")
