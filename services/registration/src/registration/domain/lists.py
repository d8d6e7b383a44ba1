"""What the office may write into a fact: the areas of its city and the nationalities there are."""

from dataclasses import dataclass
from functools import cache

from registration.places import UNPLACED, areas, nationalities


@dataclass(frozen=True, slots=True)
class Lists:
    """Codes that a booking may use."""

    municipality: str
    areas: frozenset[str]
    """Statistische Bezirke, and `unplaced`."""
    nationalities: frozenset[str]
    states: frozenset[str]
    """States somebody can come from abroad: without Germany, and without "stateless" and its like."""


@cache
def lists_of(municipality: str) -> Lists:
    """The lists of a municipality (AGS); `LookupError` where the package has no data of it."""
    districts = {area.code for area in areas(municipality).values() if area.level == "statistischer_bezirk"}
    known = nationalities()
    abroad = {key for key, entry in known.items() if entry.iso2 is not None and entry.iso2 != "DE"}
    return Lists(municipality, frozenset({*districts, UNPLACED}), frozenset(known), frozenset(abroad))
