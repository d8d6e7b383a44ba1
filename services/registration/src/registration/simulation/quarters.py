"""In which statistische Bezirke the residents live: exactly as printed on one day, by assumed weights otherwise."""

import random
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate

from registration.places import UNPLACED, areas
from registration.simulation.printed import CITY, Printed

# Assumption: how heavily newcomers settle outside the printed areas; every Bezirk not named here has weight 2.
_USUAL_WEIGHT = 2
_WEIGHTS: Mapping[str, int] = {
    "00": 9, "01": 6, "02": 16, "03": 14, "04": 11, "06": 13, "07": 9, "08": 6, "09": 5, "12": 16, "13": 3, "14": 12,
    "21": 6, "26": 6, "27": 17, "32": 7, "33": 6, "34": 7, "41": 6, "43": 4, "53": 19, "61": 8, "62": 1, "64": 5,
    "65": 7, "71": 7, "73": 13, "74": 14, "75": 4, "82": 10, "84": 7, "92": 9, "93": 7, "95": 1, "96": 12,
}  # fmt: skip
_UNPLACED_PER_MILLE = 4  # addresses that cannot be placed


@cache
def _leaves() -> tuple[str, ...]:
    return tuple(code for code, area in areas(CITY).items() if area.level == "statistischer_bezirk")


def area_counts(persons: int, printed: Mapping[str, int]) -> dict[str, int]:
    """`persons` over all statistische Bezirke and `unplaced`: each printed area exactly, the rest by weight.

    Raises `ValueError` where the printed areas hold more persons than there are.
    """
    counts: dict[str, int] = {}
    for code in sorted(printed, key=lambda code: areas(CITY)[code].level == "stadtbezirk"):
        inside = [leaf for leaf in _leaves() if code in (leaf, areas(CITY)[leaf].parent)]
        done = sum(counts.get(leaf, 0) for leaf in inside)
        counts |= _spread(printed[code] - done, [leaf for leaf in inside if leaf not in counts])
    rest = persons - sum(counts.values())
    counts[UNPLACED] = persons * _UNPLACED_PER_MILLE // 1000
    counts |= _spread(rest - counts[UNPLACED], [leaf for leaf in _leaves() if leaf not in counts])
    return counts


def _spread(persons: int, leaves: Sequence[str]) -> dict[str, int]:
    """Whole persons by weight (largest remainders get what is left over)."""
    if persons < 0 or (persons and not leaves):
        raise ValueError(f"{persons} persons cannot live in {len(leaves)} areas")
    weights = {leaf: _WEIGHTS.get(leaf, _USUAL_WEIGHT) for leaf in leaves}
    total = sum(weights.values())
    counts = {leaf: persons * weight // total for leaf, weight in weights.items()}
    by_remainder = sorted(leaves, key=lambda leaf: -(persons * weights[leaf] % total))
    for leaf in by_remainder[: persons - sum(counts.values())]:
        counts[leaf] += 1
    return counts


class Quarters:
    """Where people live on days for which nothing is printed: in the same proportions as on the printed day."""

    def __init__(self, printed: Printed) -> None:
        last = max(printed.years)
        total = sum(persons for (year, _), persons in printed.stock.items() if year == last)
        self.on_printed_day = area_counts(total, printed.areas)
        self._codes = list(self.on_printed_day)
        self._cumulated = list(accumulate(self.on_printed_day.values()))

    def draw(self, rng: random.Random) -> str:
        """One area code at random."""
        return rng.choices(self._codes, cum_weights=self._cumulated)[0]
