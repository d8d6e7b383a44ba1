"""The pages of who delivers figures in a real browser: by keyboard, without scripts, for everybody, on a phone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from stage.axe import violations

Opener = Callable[..., Page]

PLACE = "/deliver/tuberculosis_cases"
FILE = "from;to;unit;value\n01.01.2016;31.12.2016;case;{first}\n01.01.2017;31.12.2017;case;61\n"


def test_a_period_is_delivered_by_keyboard_without_scripts(open_page: Opener) -> None:
    page = open_page(f"{PLACE}/figures?lang=en", "statistics", java_script_enabled=False)
    expect(page.locator("#from_on")).to_be_focused()
    page.keyboard.type("01012018")
    page.locator("#to_on").fill("2018-12-31")
    page.locator("#value_0").fill("54")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("It is booked.")
    row = page.locator("tbody tr").filter(has_text="31.12.2018")
    expect(row).to_contain_text("54")


@pytest.mark.parametrize("how", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 320, "height": 700}}])
def test_nobody_is_shut_out(open_page: Opener, how: dict[str, object], tmp_path: Path) -> None:
    for path in ("/deliver", f"{PLACE}/figures?lang=de"):
        assert violations(open_page(path, "statistics", **how)) == []
    page = open_page(f"{PLACE}?lang=de", "statistics", **how)
    assert violations(page) == []
    file = tmp_path / "cases.csv"
    for number in ("many", "58"):
        file.write_text(FILE.format(first=number), encoding="utf-8")
        page.locator("#file").set_input_files(file)
        page.get_by_role("button", name="Nur prüfen").click()
        expect(page.locator("#files")).to_be_visible()
        assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
