"""The noise of one count: of all distributions without bias and with the wished variance, the one that tells least.

Maximum entropy is the choice of Giessing (2016, doi:10.1007/978-3-319-45381-1_18, after Marley and Leaver 2011): any
other distribution under the same conditions would let a reader of the published number conclude more than they say.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import NamedTuple

_STEPS = 500  # Newton needs about ten; close to the bounds of the variance some dozens
_SMALLEST_STEP = 2.0**-60
_EXACT = 1e-13
_GOOD_ENOUGH = 1e-9


class Block(NamedTuple):
    """Noises that get the same probability each. Most stand alone."""

    noises: tuple[int, ...]
    mean: float
    square: float
    """The mean of the noises' squares."""


def bounds_of_variance(noises: Sequence[int]) -> tuple[Fraction, Fraction]:
    """Between which variances unbiased, monotone noise is possible; `noises` (ascending) lie on both sides of 0.

    Every monotone distribution is a mixture of a few simple ones; an extreme of the variance under two conditions
    (sum, bias) mixes at most two of them.
    """
    pure = list(_pure(noises))
    found = [
        (square_up * -down + square_down * up) / (up - down)
        for (down, square_down), (up, square_up) in product(pure, repeat=2)
        if down <= 0 <= up and down < up
    ]
    return min(found), max(found)


def _pure(noises: Sequence[int]) -> Iterator[tuple[Fraction, Fraction]]:
    """Mean and mean square of the distributions that all others are mixtures of."""
    chain = _chain(noises)
    for first in range(len(chain)):
        flat = chain[first:]
        yield Fraction(sum(flat), len(flat)), Fraction(sum(each**2 for each in flat), len(flat))
    for noise in noises[len(chain) :]:
        yield Fraction(noise), Fraction(noise**2)


def _chain(noises: Sequence[int]) -> Sequence[int]:
    """The noises whose probabilities may not fall towards zero: those up to 0, where a count may stay as it is.

    That is what ptable calls monotone (`eval_g_mono`): the side below the count only, and nothing for counts that
    are never published themselves.
    """
    return noises[: noises.index(0) + 1] if 0 in noises else ()


def noise(noises: Sequence[int], variance: float) -> list[float]:
    """Probabilities of these noises (ascending), in their order; the variance has to lie between its bounds.

    The solution is exp(a v + b v^2) up to a factor, with the exponent averaged over the blocks that monotony binds
    together. `a` and `b` are the minimum of a convex function (the dual): Newton's method with steps cut until
    they lead downwards.
    """
    a = b = 0.0
    blocks, weights, height = _exponential(noises, a, b)
    for _ in range(_STEPS):
        bias = sum(weight * block.mean for block, weight in zip(blocks, weights, strict=True))
        excess = sum(weight * (block.square - variance) for block, weight in zip(blocks, weights, strict=True))
        if abs(bias) <= _EXACT and abs(excess) <= _EXACT * max(1.0, variance):
            break
        by_a, by_b = _newton(blocks, weights, bias, excess, variance)
        slope = bias * by_a + excess * by_b
        here = height - b * variance
        step = 1.0
        while step > _SMALLEST_STEP:
            tried = _exponential(noises, a + step * by_a, b + step * by_b)
            if tried[2] - (b + step * by_b) * variance <= here + 1e-4 * step * slope + 1e-15 * (1 + abs(here)):
                break
            step /= 2
        a, b = a + step * by_a, b + step * by_b
        blocks, weights, height = _exponential(noises, a, b)
    else:
        if max(abs(bias), abs(excess)) > _GOOD_ENOUGH:
            raise ArithmeticError(f"no noise found for {list(noises)} and variance {variance}")
    return [weight / len(block.noises) for block, weight in zip(blocks, weights, strict=True) for _ in block.noises]


def _newton(
    blocks: Sequence[Block], weights: Sequence[float], bias: float, excess: float, variance: float
) -> tuple[float, float]:
    """Newton's step, or straight downhill where the curvature is lost in rounding."""
    aa = ab = bb = 0.0
    for block, weight in zip(blocks, weights, strict=True):
        mean, square = block.mean - bias, block.square - variance - excess
        aa += weight * mean * mean
        ab += weight * mean * square
        bb += weight * square * square
    determinant = aa * bb - ab * ab
    if determinant <= 1e-14 * aa * bb:
        return -bias, -excess
    return (ab * excess - bb * bias) / determinant, (ab * bias - aa * excess) / determinant


def _exponential(noises: Sequence[int], a: float, b: float) -> tuple[list[Block], list[float], float]:
    """Blocks of equal probability, the probability of each block, and the logarithm of the sum before scaling."""
    blocks: list[Block] = []
    in_chain = len(_chain(noises))
    for index, each in enumerate(noises):
        block = Block((each,), each, each * each)
        while blocks and index < in_chain and _exponent(blocks[-1], a, b) > _exponent(block, a, b):
            block = _joined(blocks.pop(), block)
        blocks.append(block)
    exponents = [_exponent(block, a, b) for block in blocks]
    highest = max(exponents)
    raw = [math.exp(each - highest) * len(block.noises) for block, each in zip(blocks, exponents, strict=True)]
    total = math.fsum(raw)
    return blocks, [each / total for each in raw], highest + math.log(total)


def _exponent(block: Block, a: float, b: float) -> float:
    return a * block.mean + b * block.square


def _joined(left: Block, right: Block) -> Block:
    one, other = len(left.noises), len(right.noises)
    return Block(
        left.noises + right.noises,
        (left.mean * one + right.mean * other) / (one + other),
        (left.square * one + right.square * other) / (one + other),
    )
