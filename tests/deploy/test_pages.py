"""What administrators read leads somewhere: links to pages that are there, commands and services that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from stage.compose_file import CHECKOUT, read_compose

from verbund.cli.main import build

PAGES = [CHECKOUT / "docs" / "operations.md", *sorted((CHECKOUT / "docs" / "runbooks").glob("*.md"))]
SERVICES = read_compose().services
_OF_COMPOSE = re.compile(r"docker compose (up|stop|start|restart|logs|exec|ps)\b([^`#\n]*)")
_OURS = re.compile(r"(?:--rm tools|`verbund) ([a-z]+)(?: ([a-z]+))?")
_ANYTHING = {"SERVICE", "sh", "python"}


def text_of(page: Path) -> str:
    """The page, with commands that go over a line end in one line."""
    return re.sub(r"\\?\n +", " ", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
class TestEveryPage:
    def test_leads_to_pages_that_are_there(self, page: Path) -> None:
        for link in re.findall(r"\]\(([^)]+)\)", text_of(page)):
            place, _, part = link.partition("#")
            if not place.startswith("http"):
                target = (page.parent / place).resolve() if place else page
                assert target.exists(), link
                headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
                assert not part or part in {heading.lower().replace(" ", "-") for heading in headings}, link

    def test_names_commands_that_exist(self, page: Path) -> None:
        command: Any = typer.main.get_command(build())
        context = command.make_context("verbund", ["--help"], resilient_parsing=True)
        for word, next_word in _OURS.findall(text_of(page)):
            found = command.get_command(context, word)
            assert found is not None, f"there is no command {word}"
            if hasattr(found, "list_commands"):
                assert next_word in found.list_commands(context), f"there is no command {word} {next_word}"

    def test_names_services_that_are_there(self, page: Path) -> None:
        for _, words in _OF_COMPOSE.findall(text_of(page)):
            for word in re.sub(r"--\w[\w-]*( \d+)?|-T", "", words).split():
                if word in ("sh", "python", "|"):
                    break
                assert word.strip(",;.") in SERVICES or word in _ANYTHING, f"{word} in docker compose {words}"
