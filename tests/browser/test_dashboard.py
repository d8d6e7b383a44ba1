"""The coordination group's page in a real browser: alive, by keyboard, without scripts, on paper, for everybody."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect
from stage.axe import violations
from stage.reporting_office import ReportingOffice

Opener = Callable[..., Page]


def number(page: Page, tile: str) -> int:
    return int(page.locator(f"#tile-{tile} [data-part=value]").inner_text().replace(".", "").replace("–", "0"))


def live(page: Page) -> Page:
    """Wait until the page is told what changes."""
    expect(page.locator("#live-sign")).to_have_attribute("data-state", "live")
    return page


def test_a_booking_shows_within_a_second_or_two_without_reloading(
    open_page: Opener, book: Callable[[int], None]
) -> None:
    page = live(open_page())
    page.evaluate("window.untouched = true")
    population, arrivals = number(page, "population"), number(page, "arrivals")
    book(7)
    expect(page.locator("#tile-population [data-part=value]")).to_have_text(f"{population + 7:,}".replace(",", "."))
    expect(page.locator("#tile-arrivals [data-part=value]")).to_have_text(f"{arrivals + 7:,}".replace(",", "."))
    assert page.evaluate("window.untouched") is True
    expect(page.locator("#announcer")).to_contain_text("Bevölkerung aus Bulgarien und Rumänien")


def test_changes_are_announced_together_and_not_one_by_one(open_page: Opener, book: Callable[[int], None]) -> None:
    page = live(open_page())
    page.evaluate(
        "window.said = 0;"
        "new MutationObserver(() => window.said++).observe(document.getElementById('announcer'), {childList: true})"
    )
    start = number(page, "population")
    for _ in range(4):
        book(1)
    expect(page.locator("#tile-population [data-part=value]")).to_have_text(f"{start + 4:,}".replace(",", "."))
    assert page.evaluate("window.said") <= 1
    assert page.locator("#announcer").get_attribute("aria-live") == "polite"


def test_an_alert_comes_is_acknowledged_and_goes_without_reloading(open_page: Opener, office: ReportingOffice) -> None:
    page = live(open_page())
    page.evaluate("window.untouched = true")
    form = {
        "audience": "coordination",
        "indicator": "population",
        "side": "over",
        "limit": "10",
        "back": "9",
        "valid_from": "2020-01-01",
    }
    threshold = order(office, "/thresholds", form)["threshold_id"]
    alert = page.locator("#alerts li")
    expect(alert).to_have_count(1)
    expect(page.locator("#alerts")).to_contain_text("über 10 Personen")
    expect(page.locator("#announcer")).to_contain_text("über 10 Personen")
    assert violations(page) == []
    other = live(open_page())
    other.get_by_role("button", name=re.compile("Bevölkerung.*über 10")).click()
    expect(alert).to_contain_text("Zur Kenntnis genommen am")
    expect(alert.get_by_role("button")).to_have_count(0)
    order(office, f"/thresholds/{threshold}/removals", {})
    expect(page.locator("#alerts")).to_be_hidden()
    expect(alert).to_have_count(0)
    assert page.evaluate("window.untouched") is True


def order(office: ReportingOffice, path: str, form: dict[str, str]) -> dict[str, Any]:
    """What somebody of the group books at the doors for programs."""
    headers = {"Authorization": f"Bearer {office.token('chair')}", "Idempotency-Key": str(uuid4())}
    answer = httpx.post(f"{office.url}{path}", json=form, headers=headers, trust_env=False)
    assert answer.status_code == 201, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


def test_a_paused_page_stands_still_until_it_goes_on(open_page: Opener, book: Callable[[int], None]) -> None:
    page = live(open_page())
    other = live(open_page())
    start = number(page, "population")
    page.get_by_role("button", name="Anhalten").click()
    expect(page.locator("#live-sign")).to_have_attribute("data-state", "paused")
    book(3)
    expect(other.locator("#tile-population [data-part=value]")).to_have_text(f"{start + 3:,}".replace(",", "."))
    assert number(page, "population") == start
    page.get_by_role("button", name="Anhalten").click()
    expect(page.locator("#tile-population [data-part=value]")).to_have_text(f"{start + 3:,}".replace(",", "."))


@pytest.mark.office_is_away
def test_the_page_says_that_the_server_is_away_and_goes_on_when_it_is_back(
    open_page: Opener, office: ReportingOffice, book: Callable[[int], None]
) -> None:
    page = live(open_page())
    start = number(page, "population")
    seconds = office.stop()
    assert seconds < 5, "open streams must not hold up the end of the service"
    expect(page.locator("#lost")).to_be_visible()
    expect(page.locator("#live-sign")).to_have_attribute("data-state", "lost")
    book(2)
    office.start()
    expect(page.locator("#tile-population [data-part=value]")).to_have_text(
        f"{start + 2:,}".replace(",", "."), timeout=30_000
    )
    expect(page.locator("#lost")).to_be_hidden()


def test_without_scripts_everything_is_there_and_the_form_asks(open_page: Opener) -> None:
    page = open_page(java_script_enabled=False)
    assert page.locator(".tile").count() == 19
    expect(page.locator("figure svg").first).to_be_visible()
    expect(page.locator("#pause")).to_be_hidden()
    page.locator("#as_of").fill("2020-12-31")
    page.get_by_role("button", name="Anzeigen").click()
    expect(page.get_by_text("Stand 31.12.2020, mit allem, was heute bekannt ist.")).to_be_visible()
    assert "as_of=2020-12-31" in page.url
    page.get_by_role("link", name="Zurück zu heute").click()
    expect(page.get_by_text("Nicht die Ansicht von heute.")).to_be_hidden()


def test_everything_can_be_reached_and_done_by_keyboard(open_page: Opener) -> None:
    page = live(open_page())
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Zum Inhalt springen")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#tile-population a")).to_be_focused()
    outline = "getComputedStyle(document.activeElement, '::after').outlineWidth"
    assert page.evaluate(outline) == "3px"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/indicators/population"))
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Bevölkerung aus Bulgarien und Rumänien: Wie viele sind es?"
    )


def test_the_browser_draws_the_chart_at_the_width_it_has(open_page: Opener) -> None:
    for width in (1280, 390):
        page = open_page(viewport={"width": width, "height": 800})
        drawing = page.locator(".chart__drawing div svg")
        expect(drawing).to_be_visible()
        box = drawing.bounding_box()
        assert box is not None
        assert box["width"] < width


@pytest.mark.parametrize("path", ["/", "/?as_of=2020-12-31&lang=en", "/indicators/population", "/indicators/arrivals"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_against_wcag_2_2(open_page: Opener, path: str, scheme: str) -> None:
    page = open_page(path, role="statistics", color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator(".chart__drawing div svg")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("path", ["/public", "/public?lang=en", "/public/indicators/population"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_publics_pages(open_page: Opener, path: str, scheme: str) -> None:
    page = open_page(path, color_scheme=scheme, reduced_motion="reduce")
    expect(page.locator("h1")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("form", ["remarks", "notes/new", "targets/new", "thresholds/new"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_forms_of_an_indicator(open_page: Opener, form: str, scheme: str) -> None:
    page = open_page(f"/indicators/arrivals/{form}", role="statistics", color_scheme=scheme)
    expect(page.locator("h1")).to_be_visible()
    assert violations(page) == []


def test_a_note_is_written_without_scripts_after_its_errors_are_mended(open_page: Opener) -> None:
    page = open_page("/indicators/population/remarks", role="chair", java_script_enabled=False)
    page.get_by_role("link", name="Hinweis schreiben").click()
    page.get_by_label("Text, deutsch").fill("Die Beratung war geschlossen.")
    page.get_by_role("button", name="Buchen").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Text, deutsch")).to_have_value("Die Beratung war geschlossen.")
    page.get_by_label("Text, englisch").fill("The consultation was closed.")
    page.get_by_label("Erster Tag").fill("2018-03-01")
    page.get_by_role("button", name="Buchen").click()
    expect(page.get_by_text("Das ist gebucht, unter der Nummer")).to_be_visible()
    page.get_by_role("button", name=re.compile("Zurückziehen")).click()
    expect(page.get_by_text("Kein Hinweis steht hier.")).to_be_visible()


def test_axe_is_seen_to_find_what_is_wrong(open_page: Opener) -> None:
    page = open_page()
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert any(found.startswith("html-has-lang") for found in violations(page))


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
@pytest.mark.parametrize("path", ["/public", "/public/indicators/population"])
def test_nothing_of_the_public_scrolls_sideways(open_page: Opener, path: str, width: int) -> None:
    page = open_page(path, viewport={"width": width, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
@pytest.mark.parametrize("path", ["/", "/indicators/population"])
def test_nothing_scrolls_sideways(open_page: Opener, path: str, width: int) -> None:
    page = open_page(path, role="statistics", viewport={"width": width, "height": 700})
    expect(page.locator(".chart__drawing div svg")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_text_can_be_twice_as_large(open_page: Opener) -> None:
    page = open_page(viewport={"width": 640, "height": 700})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_who_wants_no_motion_gets_none(open_page: Opener, book: Callable[[int], None]) -> None:
    page = live(open_page(reduced_motion="reduce"))
    book(1)
    expect(page.locator("#tile-population.tile--changed")).to_be_visible()
    style = "getComputedStyle(document.getElementById('tile-population')).animationName"
    assert page.evaluate(style) == "none"


def test_on_paper_stands_the_document_and_not_the_controls(open_page: Opener) -> None:
    page = open_page("/?as_of=2020-12-31")
    page.emulate_media(media="print")
    for hidden in ("#as_of", ".languages", ".skip"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("#tile-population")).to_be_visible()
    expect(page.get_by_text("Stand 31.12.2020, mit allem, was heute bekannt ist.")).to_be_visible()
    for table in page.locator(".scrolling").all():
        assert table.evaluate("element => element.scrollHeight <= element.clientHeight + 1")


def test_forced_colours_leave_everything_visible(open_page: Opener) -> None:
    page = open_page(forced_colors="active")
    border = "getComputedStyle(document.querySelector('.tile')).borderTopStyle"
    assert page.evaluate(border) == "solid"
