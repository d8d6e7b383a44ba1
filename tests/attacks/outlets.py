"""What an audience sees of a city: the protected outlet, and three that protect badly, for attackers to break."""

import random
from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

from attacks.city import NOBODY, Cell, City, Question

from verbund.disclosure import KEY_MODULUS, Perturbation


class Outlet(Protocol):
    """Answers a question as of a moment: after so many bookings."""

    ticks: Sequence[int]
    """Moments at which the exact margins moved, the first one at 0."""

    def ask(self, question: Question, at: int) -> int: ...

    def stand(self, question: Question, at: int) -> int:
        """Of which moment the answer is that stands there at another one; every figure says so."""
        ...


class _Outlet:
    """The truth behind an outlet. There is a tick after each `k` bookings."""

    def __init__(self, city: City, perturbation: Perturbation, k: int) -> None:
        self._city = city
        self._history = {question: (list(each), list(each.values())) for question, each in city.history().items()}
        self._perturbation = perturbation
        self.ticks: Sequence[int] = range(0, len(city.bookings) + 1, k)

    def cell(self, question: Question, at: int) -> Cell:
        moments, cells = self._history.get(question, ((), ()))
        known = bisect_right(moments, at)
        return cells[known - 1] if known else NOBODY

    def stand(self, question: Question, at: int) -> int:
        return self.ticks[bisect_right(self.ticks, at) - 1]


def is_exact(question: Question) -> bool:
    """City, nationalities and districts, each by itself: what printed reports publish too."""
    return (
        question.sex is None
        and question.band is None
        and (question.place is None or (question.place.startswith("district") and question.nationality is None))
    )


class Protected(_Outlet):
    """The house's rule: totals live, further margins exact at ticks, all else by the cell-key method, at ticks."""

    def ask(self, question: Question, at: int) -> int:
        if question == Question():
            return self.cell(question, at).units
        cell = self.cell(question, self.stand(question, at))
        return cell.units if is_exact(question) else self._perturbation.published(cell.units, cell.key)


class ByDistrict(Protected):
    """The same, but what is asked of a district or a part of it moves when `k` bookings have touched that district."""

    def __init__(self, city: City, perturbation: Perturbation, k: int) -> None:
        super().__init__(city, perturbation, k)
        self._moved: dict[int, list[int]] = {}
        for district in range(city.districts):
            touched, moved = 0, [0]
            for number, booking in enumerate(city.bookings):
                touched += any(
                    each is not None and each.district == district for each in (booking.before, booking.after)
                )
                if touched >= k:
                    touched, moved = 0, [*moved, number + 1]
            self._moved[district] = moved

    def stand(self, question: Question, at: int) -> int:
        if question.place is None or is_exact(question):
            return super().stand(question, at)
        moved = self._moved[int(question.place.split()[1].split(".")[0])]
        return moved[bisect_right(moved, at) - 1]


class Naked(_Outlet):
    """No protection at all."""

    def ask(self, question: Question, at: int) -> int:
        return self.cell(question, at).units


class Live(_Outlet):
    """The cell-key method without ticks: a cell is redrawn the moment a person leaves the counter."""

    def ask(self, question: Question, at: int) -> int:
        cell = self.cell(question, self.stand(question, at) if is_exact(question) else at)
        return cell.units if is_exact(question) else self._perturbation.published(cell.units, cell.key)


class Redrawn(_Outlet):
    """Noise of the same size, but redrawn for every question and at every booking."""

    def __init__(self, city: City, perturbation: Perturbation, k: int) -> None:
        super().__init__(city, perturbation, k)
        self._chance = random.Random(len(city.beginning))

    def ask(self, question: Question, at: int) -> int:
        units = self.cell(question, self.stand(question, at)).units
        return units if is_exact(question) else self._perturbation.published(units, self._chance.randrange(KEY_MODULUS))
