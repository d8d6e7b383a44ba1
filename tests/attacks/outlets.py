"""What an audience sees of a city: the protected outlet, and three that protect badly, for attackers to break."""

import random
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

from attacks.city import NOBODY, WHOLE, Cell, City, Question, Shares, district_name, district_of, share_of

from verbund.disclosure import KEY_MODULUS, Perturbation


class Outlet(Protocol):
    """Answers a question as of a moment: after so many bookings."""

    ticks: Sequence[int]
    """Moments at which the exact margins moved, the first one at 0."""

    def ask(self, question: Question, at: int) -> int:
        """What is published of a cell."""
        ...

    def stand(self, question: Question, at: int) -> int:
        """Of which moment the answer is that stands there at another one; every figure says so."""
        ...

    def drawn(self, question: Question) -> Shares:
        """The parts of a cell that have a noise of their own: the method is no secret."""
        ...


class Modelled(ABC):
    """An outlet with the truth behind it. There is a tick after each `k` bookings."""

    def __init__(self, city: City, perturbation: Perturbation, k: int) -> None:
        self.city = city
        self._history = {question: (list(each), list(each.values())) for question, each in city.history().items()}
        self._perturbation = perturbation
        self.ticks: Sequence[int] = range(0, len(city.bookings) + 1, k)

    def cell(self, question: Question, at: int) -> Cell:
        moments, cells = self._history.get(question, ((), ()))
        known = bisect_right(moments, at)
        return cells[known - 1] if known else NOBODY

    def stand(self, question: Question, at: int) -> int:
        return self.ticks[bisect_right(self.ticks, at) - 1]

    @abstractmethod
    def ask(self, question: Question, at: int) -> int: ...

    def drawn(self, question: Question) -> Shares:
        return WHOLE


def is_exact(question: Question) -> bool:
    """City, nationalities and districts, each by itself: what printed reports publish too."""
    return (
        question.sex is None
        and question.band is None
        and (question.place is None or (question.place.startswith("district") and question.nationality is None))
    )


class OwnNoise(Modelled):
    """The cell-key method alone: each cell has its own noise, and all move after `k` bookings, wherever those are."""

    def ask(self, question: Question, at: int) -> int:
        if question == Question():
            return self.cell(question, at).units
        cell = self.cell(question, self.stand(question, at))
        return cell.units if is_exact(question) else self._perturbation.published(cell.units, cell.key)


class Protected(Modelled):
    """The house's rule: totals live, further margins exact at ticks, all else the sum of its finest cells.

    Those have noise by the cell-key method, and move when `k_of_district` bookings have touched their district.
    """

    def __init__(self, city: City, perturbation: Perturbation, k: int, k_of_district: int = 40) -> None:
        super().__init__(city, perturbation, k)
        self._atoms: dict[Question, list[Question]] = {}
        self.moved = {district_name(number): self._ticks_of(number, k_of_district) for number in range(city.districts)}

    def _ticks_of(self, district: int, k: int) -> list[int]:
        touched, moved = 0, [0]
        for number, booking in enumerate(self.city.bookings):
            touched += any(each is not None and each.district == district for each in (booking.before, booking.after))
            if touched >= k:
                touched, moved = 0, [*moved, number + 1]
        return moved

    def ask(self, question: Question, at: int) -> int:
        if question == Question():
            return self.cell(question, at).units
        if is_exact(question):
            return self.cell(question, super().stand(question, at)).units
        return sum(self._published(atom, at) for atom in self._atoms_of(question))

    def _atoms_of(self, question: Question) -> list[Question]:
        if question not in self._atoms:
            self._atoms[question] = self.city.atoms(question)
        return self._atoms[question]

    def _published(self, atom: Question, at: int) -> int:
        cell = self.cell(atom, self.stand(atom, at))
        return self._perturbation.published(cell.units, cell.key)

    def stand(self, question: Question, at: int) -> int:
        if question.place is None or is_exact(question):
            return super().stand(question, at)
        moved = self.moved[district_of(question.place)]
        return moved[bisect_right(moved, at) - 1]

    def drawn(self, question: Question) -> Shares:
        return WHOLE if is_exact(question) else tuple(sorted(map(share_of, self._atoms_of(question))))


class Naked(Modelled):
    """No protection at all."""

    def ask(self, question: Question, at: int) -> int:
        return self.cell(question, at).units


class Live(Modelled):
    """The cell-key method without ticks: a cell is redrawn the moment a person leaves the counter."""

    def ask(self, question: Question, at: int) -> int:
        cell = self.cell(question, self.stand(question, at) if is_exact(question) else at)
        return cell.units if is_exact(question) else self._perturbation.published(cell.units, cell.key)


class Redrawn(Modelled):
    """Noise of the same size, but redrawn for every question and at every booking."""

    def __init__(self, city: City, perturbation: Perturbation, k: int) -> None:
        super().__init__(city, perturbation, k)
        self._chance = random.Random(len(city.beginning))

    def ask(self, question: Question, at: int) -> int:
        units = self.cell(question, self.stand(question, at)).units
        return units if is_exact(question) else self._perturbation.published(units, self._chance.randrange(KEY_MODULUS))
