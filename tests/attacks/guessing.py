"""What anybody can conclude from a published count, and when one guesser is better than another one."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from attacks.city import WHOLE, Question, Shares
from attacks.outlets import Outlet
from scipy.stats import binom, binomtest

from verbund.disclosure import perturbation_table

TABLE = perturbation_table()
LAST = max(TABLE)
COUNTS = range(60)
"""Beyond any cell that is attacked."""
LAST_COUNT = COUNTS[-1]
CLUSTERED = 1.4
"""How unevenly origins spread over areas: known. Of a share of one of four, each drawn from a gamma distribution of the
shape 0.8 (`random_city`), the variance is 0.71 of the squared mean, as of a gamma distribution of this shape."""

_MOST_PUBLISHED = 180
_NEGLIGIBLE = 1e-7

Prior = Sequence[float]
BELOW_CHANCE = 1e-6
"""A guesser counts as better when luck alone would look like this in less than one of a million series."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One target: whether the best guess by the noise table alone was right, and whether the attacker's was."""

    by_table: bool
    by_attack: bool


@dataclass(frozen=True, slots=True)
class Series:
    """All guesses of one attack upon one kind of outlet."""

    targets: int
    by_table: float
    by_attack: float
    p_value: float
    """One-sided exact sign test over targets at which just one of both was right: whether the attack is better."""

    @property
    def beats_guessing(self) -> bool:
        return self.p_value < BELOW_CHANCE

    def __str__(self) -> str:
        verdict = "beats guessing" if self.beats_guessing else "no better than guessing"
        return (
            f"{self.targets} targets, guessed by the table {self.by_table:.1%}, by the attack {self.by_attack:.1%},"
            f" p = {self.p_value:.2g}: {verdict}"
        )


def series(guesses: Iterable[Guess]) -> Series:
    all_of_them = list(guesses)
    attack_alone = sum(each.by_attack and not each.by_table for each in all_of_them)
    table_alone = sum(each.by_table and not each.by_attack for each in all_of_them)
    differing = attack_alone + table_alone
    p_value = float(binomtest(attack_alone, differing, 0.5, "greater").pvalue) if differing else 1.0
    return Series(
        len(all_of_them),
        sum(each.by_table for each in all_of_them) / len(all_of_them),
        sum(each.by_attack for each in all_of_them) / len(all_of_them),
        p_value,
    )


def chance_of(published: int, count: int, shares: Shares = WHOLE) -> float:
    """With which probability `count` is published as this, by the public noise table."""
    if shares == WHOLE:
        row = min(count, LAST)
        return TABLE[row].get(published - (count - row), 0.0)
    table = _chances(shares)
    return float(table[count, published]) if count < table.shape[0] and published < table.shape[1] else 0.0


@cache
def _chances(shares: Shares) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """By count and published sum, where those who are counted fall to the parts by their shares, one by one."""
    *others, last = shares
    own = np.zeros((len(COUNTS), _MOST_PUBLISHED))
    for count in COUNTS:
        for published, p in TABLE[min(count, LAST)].items():
            own[count, published + count - min(count, LAST)] = p
    if not others:
        return own
    rest, p_last = _chances(tuple(others)), last / sum(shares)
    found = np.zeros_like(own)
    for count in COUNTS:
        for here, p in enumerate(binom.pmf(range(count + 1), count, p_last)):
            if p > _NEGLIGIBLE:
                found[count] += p * np.convolve(own[here], rest[count - here])[:_MOST_PUBLISHED]
    return found


def expected(outlet: Outlet, question: Question, at: int, areas: int) -> float:
    """How many persons the exact margins alone let one expect in a cell; a space and a band count as their share."""
    city = outlet.ask(Question(), at)
    mean = float(city)
    if question.nationality:
        mean *= outlet.ask(Question(nationality=question.nationality), at) / city
    if question.place:
        district = f"district {question.place.split()[1].split('.')[0]}"
        mean *= outlet.ask(Question(place=district), at) / city
        mean *= {"area": 1 / areas, "space": (areas - 1) / areas, "district": 1.0}[question.place.split()[0]]
    return mean * (0.5 if question.sex else 1.0) * (0.5 if question.band else 1.0)


def prior(mean: float) -> Prior:
    """Counts of a cell of which the mean is known: Poisson, mixed over clusters (negative binomial)."""
    mean = max(mean, 0.01)
    p = CLUSTERED / (CLUSTERED + mean)
    return [
        math.exp(
            math.lgamma(count + CLUSTERED)
            - math.lgamma(CLUSTERED)
            - math.lgamma(count + 1)
            + CLUSTERED * math.log(p)
            + count * math.log1p(-p)
        )
        for count in COUNTS
    ]


def posterior(before: Prior, likelihood: Callable[[int], float]) -> Prior:
    raw = [each * likelihood(count) for count, each in zip(COUNTS, before, strict=True)]
    total = sum(raw)
    return [each / total for each in raw] if total > 0 else list(before)


def says(belief: Prior, counts: Iterable[int]) -> bool:
    """The better bet on whether the count is one of these."""
    return sum(belief[count] for count in counts) > 0.5 * sum(belief)


def likeliest(scores: Mapping[str, float]) -> str:
    return max(scores, key=lambda each: (scores[each], each))
