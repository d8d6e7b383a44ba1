"""The lookup: what a count is published as, decided by its cell key alone."""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate

KEY_MODULUS = 2**32
"""Record keys are numbers below this one, evenly spread, and a cell key is their sum modulo it: evenly spread too."""


class Perturbation:
    """A perturbation table, ready to be looked up. The same count under the same key is always published the same.

    Each published count owns a run of keys, in ascending order, without a gap; its share of all keys is its
    probability, to less than 2^-31. Counts are what is looked up: a share or a rate is a ratio of published counts.
    """

    def __init__(self, table: Mapping[int, Mapping[int, float]]) -> None:
        self._last = max(table)
        if sorted(table) != list(range(self._last + 1)):
            raise ValueError("a perturbation table has one row for every count from 0 to its last")
        self._noises = [[published - count for published in sorted(table[count])] for count in range(self._last + 1)]
        self._ends = [_ends([table[count][each] for each in sorted(table[count])]) for count in range(self._last + 1)]

    def published(self, count: int, cell_key: int) -> int:
        """What `count` is published as where the record keys of its units sum up to `cell_key` (any whole number).

        A count below zero is no count of a cell but a difference, which has no noise of its own: `ValueError`.
        """
        if count < 0:
            raise ValueError(f"{count} is not the count of a cell")
        row = min(count, self._last)
        return count + self._noises[row][bisect_right(self._ends[row], cell_key % KEY_MODULUS)]


def _ends(probabilities: list[float]) -> list[int]:
    """Where each run of keys ends, the last one at the end of all keys whatever rounding left over."""
    ends = [round(each * KEY_MODULUS) for each in accumulate(probabilities)]
    if abs(ends[-1] - KEY_MODULUS) > 1:
        raise ValueError(f"probabilities of a row sum up to {sum(probabilities)}, not to 1")
    return [*(min(each, KEY_MODULUS) for each in ends[:-1]), KEY_MODULUS]
