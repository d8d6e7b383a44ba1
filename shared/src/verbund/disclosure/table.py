"""The perturbation table: with which probability a count is published as which other one."""

import math
from collections.abc import Mapping
from types import MappingProxyType

from verbund.disclosure.entropy import bounds_of_variance, noise

MAXIMUM_NOISE = 5
"""A published count is never further than this from the true one: one can still steer by it."""
VARIANCE = 3.0
"""About 1.7 persons of standard error: the larger figures of a district do not feel it, and what one person changes
drowns in it."""
THRESHOLD = 2
"""Counts of 1 and 2 are never published: whoever knows of one person in a cell would learn who the other one is."""
_MOST_NOISE = 100  # beyond it nobody could steer by what is published, and the table takes minutes

Table = Mapping[int, Mapping[int, float]]


class ImpossibleTable(ValueError):
    """No noise fulfils what was asked for; the text says at which count it fails, and within which bounds it would."""


def perturbation_table(
    maximum_noise: int = MAXIMUM_NOISE, variance: float = VARIANCE, threshold: int = THRESHOLD
) -> Table:
    """count -> {published count: probability}, ascending; the last row stands, shifted, for all larger counts.

    Zero stays zero. For every other count the noise has mean 0, exactly this variance, at most this size, and never
    leads to 1..`threshold`; probabilities do not fall from below towards the count itself. Of all such
    noises it is the one of maximum entropy, as in Destatis' R package ptable (`create_cnt_ptable`, 0.3.3 and 1.0.0).
    Where ptable would keep to less variance (its check then shows a `p_var` other than V), the variance is held
    here, as with ptable's `optim = 4`. Raises `ImpossibleTable`.
    """
    _refuse_what_is_no_parameter(maximum_noise, variance, threshold)
    last = maximum_noise if threshold == 0 else maximum_noise + threshold + 1
    rows: dict[int, Mapping[int, float]] = {0: MappingProxyType({0: 1.0})}
    for count in range(1, last + 1):
        published = [
            each
            for each in range(max(0, count - maximum_noise), count + maximum_noise + 1)
            if not 1 <= each <= threshold
        ]
        noises = [each - count for each in published]
        _refuse_what_no_noise_fulfils(count, noises, maximum_noise, variance, threshold)
        rows[count] = MappingProxyType(dict(zip(published, noise(noises, variance), strict=True)))
    return MappingProxyType(rows)


def _refuse_what_is_no_parameter(maximum_noise: int, variance: float, threshold: int) -> None:
    for name, value in (("maximum noise", maximum_noise), ("threshold", threshold)):
        if type(value) is not int:
            raise ImpossibleTable(f"the {name} counts units and has to be a whole number, not {value!r}")
    if not 1 <= maximum_noise <= _MOST_NOISE:
        raise ImpossibleTable(f"the maximum noise has to lie between 1 and {_MOST_NOISE}, not at {maximum_noise}")
    if threshold < 0:
        raise ImpossibleTable(f"the threshold has to be 0 (every count may be published) or more, not {threshold}")
    if maximum_noise <= threshold:
        raise ImpossibleTable(
            f"count {threshold + 1} can become no smaller one with noise of at most {maximum_noise}"
            f"{_never_published(threshold)}, so that it would always be published as it is: the maximum noise has to be"
            f" above {threshold}"
        )
    if type(variance) not in (int, float) or not math.isfinite(variance):
        raise ImpossibleTable(f"the variance has to be a number, not {variance!r}")
    if variance <= 0:
        raise ImpossibleTable(f"the variance has to be above 0, not {variance:g}: nothing would be protected")


def _refuse_what_no_noise_fulfils(
    count: int, noises: list[int], maximum_noise: int, variance: float, threshold: int
) -> None:
    lowest, highest = bounds_of_variance(noises)
    if not lowest < variance < highest:
        raise ImpossibleTable(
            f"count {count} can have a variance above {float(lowest):g} and below {float(highest):g} only, not"
            f" {variance:g}, with noise of at most {maximum_noise}{_never_published(threshold)}"
        )


def _never_published(threshold: int) -> str:
    if threshold == 0:
        return ""
    return f" and {'1' if threshold == 1 else f'1 to {threshold}'} never published"
