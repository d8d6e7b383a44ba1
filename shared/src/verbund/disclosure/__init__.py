"""Disclosure control by the cell-key method: the same cell always gets the same small noise, wherever it is asked.

- `perturbation_table`: with which probability a count is published as which other one; may be known to everybody.
- `Perturbation`: what a count with a cell key is published as. The key decides; only whoever holds the key of the
  record keys can tell.
"""

from verbund.disclosure.perturbation import KEY_MODULUS, Perturbation
from verbund.disclosure.table import MAXIMUM_NOISE, THRESHOLD, VARIANCE, ImpossibleTable, perturbation_table

__all__ = [
    "KEY_MODULUS",
    "MAXIMUM_NOISE",
    "THRESHOLD",
    "VARIANCE",
    "ImpossibleTable",
    "Perturbation",
    "perturbation_table",
]
