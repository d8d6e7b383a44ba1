"""Places in code as announcements name them: `module:name`."""

from importlib import import_module
from typing import Any


def resolve(place: str) -> Any:
    """The object at a place; what it has to be is said where the announcement is defined."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
