"""The book of targets: what was agreed that a figure should come to."""

from reporting.targets.reading import ListedTarget, get_target, list_targets
from reporting.targets.rules import TargetsBook

__all__ = ["ListedTarget", "TargetsBook", "get_target", "list_targets"]
