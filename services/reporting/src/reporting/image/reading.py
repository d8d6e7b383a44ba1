"""What is asked of an image, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

Row = tuple[Any, ...]
"""`(measure, bucket, n, key, *facts)`: sums of `n`, of `key` modulo `KEY_MODULUS`, and the facts read apart ('' where
a cell has none of that name). Bucket 0 holds what is not later than the first day of the reading, bucket 1 what is
later and not later than the second one, and so on. Where there is nothing, there is no row."""


@dataclass(frozen=True, slots=True)
class Front:
    """As far as is read: up to a batch, and what is not later than a day."""

    number: int
    on: date


@dataclass(frozen=True, slots=True)
class Fronts:
    """Different fronts for different values of a fact: of these the first one that a measure has."""

    facts: tuple[str, ...]
    by_value: Mapping[str, Front]
    otherwise: Front


@dataclass(frozen=True, slots=True)
class Reading:
    """Sums by measure, by these facts, and by the days between these ones."""

    measures: tuple[str, ...]
    facts: tuple[str, ...]
    pushed: Mapping[str, frozenset[str]]
    """Only cells with these values of facts; '' stands for a fact that a cell does not have."""
    days: tuple[date, ...]
    """In order. What is later than the last one is left out."""
    from_the_beginning: bool = True
    """Whether what is not later than the first day is read too; else there is no bucket 0."""
    known_on: date | None = None
    """What was booked by the end of this day; None is everything."""
    fronts: Fronts | None = None
    """Where what is read ends earlier than the moment that is asked, and not everywhere alike."""
