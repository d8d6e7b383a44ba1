"""What axe finds in an open page."""

import json
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(page: Page) -> list[str]:
    """What is wrong with it by WCAG 2.2, levels A and AA."""
    # The content policy keeps foreign scripts out of the page; the debugger may still evaluate one.
    page.evaluate(_AXE)
    found: dict[str, Any] = page.evaluate(f"axe.run({{runOnly: {json.dumps(_WCAG)}}})")
    return [
        f"{one['id']}: {one['nodes'][0]['html']} {one['nodes'][0]['failureSummary']}" for one in found["violations"]
    ]
