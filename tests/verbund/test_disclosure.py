"""The cell-key method: tables of maximum entropy, and what a count with its key is published as."""

import csv
import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from verbund.disclosure import (
    KEY_MODULUS,
    MAXIMUM_NOISE,
    THRESHOLD,
    VARIANCE,
    ImpossibleTable,
    Perturbation,
    perturbation_table,
)
from verbund.disclosure.entropy import bounds_of_variance

REFERENCE = Path(__file__).with_name("perturbation_d2_v0.9_js0.csv")
ORACLE = [(2, 0.9, 0), (5, 3.0, 2), (2, 1.0, 0), (4, 2.0, 1), (7, 3.0, 0), (6, 4.5, 3), (4, 2.3, 2)]
parameters = st.tuples(st.integers(1, 10), st.floats(0.05, 12), st.integers(0, 4))


@pytest.fixture(scope="module")
def default() -> Perturbation:
    return Perturbation(perturbation_table())


def test_the_table_is_the_one_that_ptable_computes() -> None:
    """D = 2, V = 0.9, js = 0 with ptable 0.3.3, where monotony binds in the row of count 1."""
    with REFERENCE.open(encoding="utf-8", newline="") as lines:
        expected = {(int(row["from"]), int(row["to"])): float(row["p"]) for row in csv.DictReader(lines)}
    table = perturbation_table(2, 0.9, 0)
    found = {(count, published): p for count, row in table.items() for published, p in row.items()}
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_default_moves_by_up_to_five_and_publishes_no_one_and_no_two() -> None:
    table = perturbation_table()
    assert table == perturbation_table(MAXIMUM_NOISE, VARIANCE, THRESHOLD) == perturbation_table(5, 3, 2)
    assert list(table) == list(range(9))
    assert {count: list(row) for count, row in table.items()} == {
        0: [0],
        1: [0, 3, 4, 5, 6],
        2: [0, 3, 4, 5, 6, 7],
        3: [0, 3, 4, 5, 6, 7, 8],
        4: [0, 3, 4, 5, 6, 7, 8, 9],
        5: [0, 3, 4, 5, 6, 7, 8, 9, 10],
        6: [3, 4, 5, 6, 7, 8, 9, 10, 11],
        7: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        8: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    }
    assert list(table[8].values()) == pytest.approx(list(table[8].values())[::-1])


@given(parameters)
def test_every_possible_table_keeps_what_it_promises(wished: tuple[int, float, int]) -> None:
    maximum_noise, variance, threshold = wished
    table = possible(*wished)
    assert table[0] == {0: 1.0}
    assert list(table) == list(range((maximum_noise + threshold + 1 if threshold else maximum_noise) + 1))
    for count, row in list(table.items())[1:]:
        noises = [published - count for published in row]
        assert min(row) >= 0
        assert max(map(abs, noises)) <= maximum_noise
        assert not any(1 <= published <= threshold for published in row)
        assert min(row.values()) >= 0
        assert sum(row.values()) == pytest.approx(1, abs=1e-12)
        assert sum(p * each for p, each in zip(row.values(), noises, strict=True)) == pytest.approx(0, abs=1e-9)
        assert sum(p * each**2 for p, each in zip(row.values(), noises, strict=True)) == pytest.approx(variance)
        if count in row:
            assert all(one <= other + 1e-15 for one, other in pairwise(p for to, p in row.items() if to <= count))
    last = list(list(table.values())[-1].values())
    assert last == pytest.approx(last[::-1], abs=1e-9)


@pytest.mark.parametrize("wished", ORACLE, ids=str)
def test_no_other_noise_has_more_entropy(wished: tuple[int, float, int]) -> None:
    """The oracle is scipy's SLSQP on the probabilities themselves, where ours solves the dual."""
    _, variance, _ = wished
    for count, row in list(perturbation_table(*wished).items())[1:]:
        found = entropy_at_its_maximum([published - count for published in row], variance, "eq")
        assert list(row.values()) == pytest.approx(list(found), abs=1e-6), count


@pytest.mark.parametrize("wished", [(5, 3.0, 2), (2, 0.9, 0)], ids=str)
def test_the_default_needs_its_whole_variance_so_that_ptable_has_the_same_table(wished: tuple[int, float, int]) -> None:
    """ptable bounds the variance from above only; there is a difference where maximum entropy needs less than V."""
    for count, row in list(perturbation_table(*wished).items())[1:]:
        found = entropy_at_its_maximum([published - count for published in row], wished[1], "ineq")
        assert list(row.values()) == pytest.approx(list(found), abs=1e-6), count


@given(parameters)
@settings(max_examples=200)
def test_what_is_refused_is_impossible_and_nothing_else(wished: tuple[int, float, int]) -> None:
    maximum_noise, variance, threshold = wished
    rows = [
        [each for each in range(-min(count, maximum_noise), maximum_noise + 1) if not 1 <= count + each <= threshold]
        for count in range(1, maximum_noise + threshold + 2)
    ]
    bounds = list(map(extremes_of_variance, rows)) if maximum_noise > threshold else []
    # The linear program finds its bounds to some places only: what lies upon one is left to the test of bounds.
    assume(not any(variance == pytest.approx(bound, abs=1e-6) for both in bounds for bound in both))
    feasible = bool(bounds) and all(lowest < variance < highest for lowest, highest in bounds)
    try:
        perturbation_table(*wished)
    except ImpossibleTable:
        assert not feasible
    else:
        assert feasible


@pytest.mark.parametrize("noises", [[-1, 0, 1, 2], [-1, 2, 3], [-3, 0, 1, 2, 3], [-2, -1, 0, 1, 2], [-4, -1, 0, 1]])
def test_the_bounds_of_the_variance_are_those_of_a_linear_program(noises: list[int]) -> None:
    assert [float(each) for each in bounds_of_variance(noises)] == pytest.approx(extremes_of_variance(noises))


@pytest.mark.parametrize(
    ("maximum_noise", "variance", "threshold", "reason"),
    [
        (0, 1.0, 0, "the maximum noise has to lie between 1 and 100, not at 0"),
        (101, 1.0, 0, "the maximum noise has to lie between 1 and 100, not at 101"),
        (2.5, 1.0, 0, "the maximum noise counts units and has to be a whole number, not 2.5"),
        (True, 0.5, 0, "the maximum noise counts units and has to be a whole number, not True"),
        (5, 3.0, -1, "the threshold has to be 0 (every count may be published) or more, not -1"),
        (5, 3.0, 1.0, "the threshold counts units and has to be a whole number, not 1.0"),
        (5, 0.0, 2, "the variance has to be above 0, not 0: nothing would be protected"),
        (5, -3.0, 2, "the variance has to be above 0, not -3: nothing would be protected"),
        (5, float("nan"), 2, "the variance has to be a number, not nan"),
        (5, float("inf"), 2, "the variance has to be a number, not inf"),
        (
            2,
            1.5,
            2,
            "count 3 can become no smaller one with noise of at most 2 and 1 to 2 never published, so that it would"
            " always be published as it is: the maximum noise has to be above 2",
        ),
        (
            5,
            2.0,
            2,
            "count 1 can have a variance above 2 and below 5 only, not 2, with noise of at most 5 and 1 to 2 never"
            " published",
        ),
        (
            5,
            6.0,
            2,
            "count 1 can have a variance above 2 and below 5 only, not 6, with noise of at most 5 and 1 to 2 never"
            " published",
        ),
        (
            7,
            3.5,
            3,
            "count 2 can have a variance above 4 and below 14 only, not 3.5, with noise of at most 7 and 1 to 3 never"
            " published",
        ),
        (5, 3.0, 0, "count 1 can have a variance above 0 and below 2.72727 only, not 3, with noise of at most 5"),
        (1, 0.7, 0, "count 1 can have a variance above 0 and below 0.666667 only, not 0.7, with noise of at most 1"),
        (
            2,
            1.9,
            1,
            "count 3 can have a variance above 0 and below 1.2 only, not 1.9, with noise of at most 2 and 1 never"
            " published",
        ),
    ],
)
def test_an_impossible_table_is_refused_with_the_reason(
    maximum_noise: Any, variance: Any, threshold: Any, reason: str
) -> None:
    with pytest.raises(ImpossibleTable) as refused:
        perturbation_table(maximum_noise, variance, threshold)
    assert str(refused.value) == reason


@given(st.integers(0, 100_000), st.integers(-(2**70), 2**70), st.integers(-3, 3))
def test_the_same_count_under_the_same_key_is_always_published_the_same(count: int, key: int, turns: int) -> None:
    made_anew = Perturbation(perturbation_table())
    published = made_anew.published(count, key)
    assert Perturbation(perturbation_table()).published(count, key + turns * KEY_MODULUS) == published
    assert abs(published - count) <= MAXIMUM_NOISE
    assert published == 0 or published > THRESHOLD


@given(st.integers(0, KEY_MODULUS - 1))
def test_a_cell_without_units_is_published_as_zero_whatever_is_left_of_keys(key: int) -> None:
    assert Perturbation(perturbation_table()).published(0, key) == 0


@given(st.integers(8, 10**9), st.integers(0, KEY_MODULUS - 1))
def test_all_large_counts_have_the_noise_of_the_last_row(count: int, key: int) -> None:
    perturbation = Perturbation(perturbation_table())
    assert perturbation.published(count, key) - count == perturbation.published(8, key) - 8


def test_the_share_of_keys_is_the_probability_and_no_key_is_left_over(default: Perturbation) -> None:
    for count, row in perturbation_table().items():
        first = default.published(count, 0)
        assert first == next(iter(row))
        start = 0
        for published, p in row.items():
            end = first_key_beyond(default, count, published)
            assert abs((end - start) / KEY_MODULUS - p) < 2**-31
            start = end
        assert start == KEY_MODULUS


def test_sums_of_record_keys_spread_counts_as_the_table_says(default: Perturbation) -> None:
    chance = random.Random(20261126)
    keys = [chance.randrange(KEY_MODULUS) for _ in range(1000)]
    drawn = 40_000
    for count in (1, 3, 20):
        found = Counter(default.published(count, sum(chance.sample(keys, count))) - count for _ in range(drawn))
        row = perturbation_table()[min(count, 8)]
        for published, p in row.items():
            deviation = (drawn * p * (1 - p)) ** 0.5
            # 1,000 records have 1,000 cells of one: of these few the noise deviates by their own number
            own = 40 if count == 1 else 1
            assert abs(found[published - min(count, 8)] - drawn * p) < 5 * deviation * own**0.5


@pytest.mark.parametrize("count", [-1, -7])
def test_what_is_below_zero_is_no_count_of_a_cell(default: Perturbation, count: int) -> None:
    with pytest.raises(ValueError, match="is not the count of a cell"):
        default.published(count, 0)


def test_a_table_with_holes_or_without_all_keys_is_no_table() -> None:
    with pytest.raises(ValueError, match="one row for every count from 0 to its last"):
        Perturbation({0: {0: 1.0}, 2: {2: 1.0}})
    with pytest.raises(ValueError, match=r"sum up to 0\.9, not to 1"):
        Perturbation({0: {0: 1.0}, 1: {0: 0.4, 2: 0.5}})


def possible(maximum_noise: int, variance: float, threshold: int) -> Any:
    try:
        return perturbation_table(maximum_noise, variance, threshold)
    except ImpossibleTable:
        assume(False)


def first_key_beyond(perturbation: Perturbation, count: int, published: int) -> int:
    low, high = 0, KEY_MODULUS
    while low < high:
        middle = (low + high) // 2
        if perturbation.published(count, middle) <= published:
            low = middle + 1
        else:
            high = middle
    return low


def moments_and_monotony(noises: Sequence[int]) -> tuple[Any, Any]:
    """Rows of coefficients: sum and bias; and those that may not be above 0 for noise that does not fall towards 0."""
    chain = noises.index(0) if 0 in noises else 0
    rising = np.zeros((chain, len(noises)))
    for index in range(chain):
        rising[index, index], rising[index, index + 1] = 1, -1
    return np.array([[1.0] * len(noises), noises]), rising


def extremes_of_variance(noises: Sequence[int]) -> tuple[float, float]:
    squares = np.array(noises, dtype=float) ** 2
    equal, rising = moments_and_monotony(noises)
    bounds = [
        linprog(sign * squares, A_ub=rising, b_ub=np.zeros(len(rising)), A_eq=equal, b_eq=[1, 0]) for sign in (1, -1)
    ]
    return float(bounds[0].fun), -float(bounds[1].fun)


def entropy_at_its_maximum(noises: Sequence[int], variance: float, how: str) -> Any:
    """`how`: whether the variance is reached ("eq") or not exceeded ("ineq")."""
    equal, rising = moments_and_monotony(noises)
    squares = np.array(noises, dtype=float) ** 2
    conditions = [
        {"type": "eq", "fun": lambda p: equal @ p - [1, 0], "jac": lambda _: equal},
        {"type": how, "fun": lambda p: variance - squares @ p, "jac": lambda _: -squares},
    ]
    if len(rising):
        conditions.append({"type": "ineq", "fun": lambda p: -rising @ p, "jac": lambda _: -rising})
    found = minimize(
        lambda p: float(np.sum(p * np.log(p))),
        np.full(len(noises), 1 / len(noises)),
        jac=lambda p: np.log(p) + 1,
        bounds=[(1e-12, 1)] * len(noises),
        constraints=conditions,
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    return found.x
