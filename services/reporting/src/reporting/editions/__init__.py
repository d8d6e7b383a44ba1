"""Editions: what was shown to a meeting or a council, frozen under a hash; and what changed since, and why."""

from reporting.editions.drafts import DraftClearing
from reporting.editions.rules import EditionsBook

__all__ = ["DraftClearing", "EditionsBook"]
