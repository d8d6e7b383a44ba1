"""Bugs of disclosure control: noise that is no noise, or that tells what it is there to hide."""

from mutants.planting import Bug, Edit

_ENTROPY = "verbund/disclosure/entropy.py"
_TABLE = "verbund/disclosure/table.py"
_PERTURBATION = "verbund/disclosure/perturbation.py"
_TESTS = "verbund/test_disclosure.py"

BUGS = (
    Bug(
        "published one",
        "a one is published, and whoever knows one person of the cell knows that there is no other one",
        f"{_TESTS}::test_the_same_count_under_the_same_key_is_always_published_the_same",
        (
            Edit(
                _PERTURBATION,
                "        return count + self._noises[row][bisect_right(self._ends[row], cell_key % KEY_MODULUS)]\n",
                "        noise = self._noises[row][bisect_right(self._ends[row], cell_key % KEY_MODULUS)]\n"
                "        return max(count + noise, min(count, 1))\n",
            ),
        ),
    ),
    Bug(
        "noise with a bias",
        "sums over many cells drift away from the truth, and figures of years cannot be compared",
        f"{_TESTS}::test_the_table_is_the_one_that_ptable_computes",
        (Edit(_ENTROPY, "        excess = sum(", "        bias -= 0.01\n        excess = sum("),),
    ),
    Bug(
        "monotony forgotten",
        "the table is not the one of the statistical offices",
        f"{_TESTS}::test_the_table_is_the_one_that_ptable_computes",
        (Edit(_ENTROPY, "return noises[: noises.index(0) + 1] if 0 in noises else ()", "return ()"),),
    ),
    Bug(
        "noise from the order of questions",
        "whoever asks often enough averages the noise away",
        f"{_TESTS}::test_the_same_count_under_the_same_key_is_always_published_the_same",
        (
            Edit(
                _PERTURBATION,
                "        row = min(count, self._last)\n",
                "        import random\n\n        row = min(count, self._last)\n",
            ),
            Edit(_PERTURBATION, "cell_key % KEY_MODULUS)]", "random.randrange(KEY_MODULUS))]"),
        ),
    ),
    Bug(
        "noise from the count",
        "all cells of one size have the same noise: one known cell tells all others",
        f"{_TESTS}::test_the_share_of_keys_is_the_probability_and_no_key_is_left_over",
        (Edit(_PERTURBATION, "cell_key % KEY_MODULUS)]", "count * 2654435761 % KEY_MODULUS)]"),),
    ),
    Bug(
        "keys beyond the modulus",
        "the same cell summed up in another order of batches has another noise",
        f"{_TESTS}::test_the_same_count_under_the_same_key_is_always_published_the_same",
        (Edit(_PERTURBATION, "cell_key % KEY_MODULUS)]", "min(abs(cell_key), KEY_MODULUS - 1))]"),),
    ),
    Bug(
        "last keys without an owner",
        "one key in millions breaks the page on which its cell stands",
        f"{_TESTS}::test_the_share_of_keys_is_the_probability_and_no_key_is_left_over",
        (
            Edit(
                _PERTURBATION,
                "    return [*(min(each, KEY_MODULUS) for each in ends[:-1]), KEY_MODULUS]\n",
                "    return [each - 1 for each in ends]\n",
            ),
        ),
    ),
    Bug(
        "impossible table made anyway",
        "a city that asks for more protection than there can be gets less than it was told",
        f"{_TESTS}::test_an_impossible_table_is_refused_with_the_reason",
        (Edit(_TABLE, "    if not lowest < variance < highest:\n", "    if not lowest < variance:\n"),),
    ),
)
