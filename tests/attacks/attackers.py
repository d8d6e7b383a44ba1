"""The attackers. They see what the audience sees, know the method and its table, and guess about single cells.

Each asks an outlet and says of every target whether it was right, beside the best guess that the published count of the
target's cell and the exact margins alone allow (`bench` is the protected outlet that this guess is made with).
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from attacks.city import (
    BETWEEN,
    NATIONALITIES,
    SEXES,
    City,
    Question,
    area_name,
    district_name,
    share_of,
    space_name,
)
from attacks.guessing import (
    COUNTS,
    LAST_COUNT,
    Guess,
    Prior,
    chance_of,
    expected,
    likeliest,
    posterior,
    prior,
    says,
)
from attacks.outlets import Modelled, Outlet, is_exact
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from scipy.stats import binom

from verbund.disclosure import MAXIMUM_NOISE

ONE_OR_TWO = (1, 2)
"""What the threshold is there to hide: whoever knows one person of the cell would learn of the other one."""
ANYBODY = COUNTS[1:]

Attack = Callable[[City, Outlet, Modelled, random.Random], Iterator[Guess]]


class Reading:
    """How an attacker takes what an outlet says, found out by asking."""

    def __init__(self, city: City, outlet: Outlet) -> None:
        at = outlet.ticks[-1]
        asked = [question for question in city.questions() if not is_exact(question)]
        first = [outlet.ask(question, at) for question in asked]
        self.is_exact = any(0 < each <= 2 for each in first)
        self.redraws = first != [outlet.ask(question, at) for question in asked]
        parts = [
            [outlet.ask(question._replace(sex=sex), at) for sex in SEXES] for question in asked if not question.sex
        ]
        wholes = [said for question, said in zip(asked, first, strict=True) if not question.sex]
        self.adds_up = not self.is_exact and wholes == [sum(part) for part in parts]
        self._drawn = outlet.drawn

    def chance(self, question: Question, published: int, count: int) -> float:
        if self.is_exact:
            return float(published == count)
        return chance_of(published, count, self._drawn(question))

    def bounds(self, question: Question, published: int) -> tuple[int, int]:
        """Which counts can be published as this."""
        if self.is_exact:
            return published, published
        parts = len(self._drawn(question))
        return max(0, published - MAXIMUM_NOISE * parts), published + MAXIMUM_NOISE * parts


def repeating(city: City, outlet: Outlet, bench: Modelled, chance: random.Random) -> Iterator[Guess]:
    """Asks the same thirty times between two ticks, and averages where the noise is another one each time."""
    reading = Reading(city, outlet)
    for question, at in _small_cells(city, bench, chance, 20):
        said = [outlet.ask(question, at) for _ in range(30)]
        heard = said if reading.redraws else said[:1]
        before = prior(expected(bench, question, at, city.areas))
        belief = posterior(before, lambda count: math.prod(reading.chance(question, each, count) for each in heard))  # noqa: B023
        yield _judged(bench, question, at, before, belief, ONE_OR_TWO)


def averaging_over_ticks(city: City, outlet: Outlet, bench: Modelled, chance: random.Random) -> Iterator[Guess]:
    """Follows a cell through all ticks: what stays the same is one draw of noise, what moves is a new one."""
    reading = Reading(city, outlet)
    for question, at in _small_cells(city, bench, chance, 20):
        before = prior(mean := expected(bench, question, at, city.areas))
        per_booking = mean / outlet.ask(Question(), at)
        moments = sorted({outlet.stand(question, tick) for tick in outlet.ticks if tick <= at} | {at})
        said = [outlet.ask(question, moment) for moment in moments]
        likelihood = partial(reading.chance, question)
        belief = posterior(before, partial(likelihood, said[0]))
        for (old, here), (new, there) in pairwise(zip(moments, said, strict=True)):
            comes, goes = 0.7 * (new - old) * per_booking, 0.5 * (new - old) * per_booking / mean
            stays = partial(likelihood, there) if reading.redraws else lambda _: float(here == there)  # noqa: B023
            belief = _a_tick_later(belief, partial(likelihood, there), stays, comes, goes)
        yield _judged(bench, question, at, before, belief, ONE_OR_TWO)


def _a_tick_later(
    belief: Prior, seen: Callable[[int], float], stays: Callable[[int], float], comes: float, goes: float
) -> Prior:
    """One step of the forward algorithm: nothing happened and the noise stands, or somebody came, or went, or both."""
    after = [0.0] * len(belief)
    for count, p in enumerate(belief):
        if p == 0:
            continue
        up, down = comes, goes * count
        stood = math.exp(-up - down)
        after[count] += p * stood * stays(count)
        for to, share in ((count + 1, up), (count - 1, down), (count, up * down)):
            if 0 <= to < len(belief) and share > 0:
                after[to] += p * (1 - stood) * share / (up + down + up * down) * seen(to)
    total = sum(after)
    return [each / total for each in after] if total > 0 else belief


def differencing_overlaps(city: City, outlet: Outlet, bench: Modelled, chance: random.Random) -> Iterator[Guess]:
    """Subtracts a part from its whole: areas, sexes, age bands; what is left over is the target. Is anybody there?"""
    reading = Reading(city, outlet)
    for question, at in _small_cells(city, bench, chance, 60):
        before = prior(expected(bench, question, at, city.areas))
        if reading.adds_up:
            # What is left over is the target as it is published: nothing new. But bands say what it is made of.
            belief = posterior(before, _of_finest(city, outlet, reading, question, at))
        else:
            belief = posterior(before, partial(reading.chance, question, outlet.ask(question, at)))
            for whole, part in _pairs(city, question):
                of_part = prior(expected(bench, part, at, city.areas))
                said = outlet.ask(whole, at), outlet.ask(part, at)
                belief = posterior(belief, _left_over(reading, (whole, part), said, of_part))
        yield _judged(bench, question, at, before, belief, ANYBODY)


def _of_finest(city: City, outlet: Outlet, reading: Reading, question: Question, at: int) -> Callable[[int], float]:
    """How likely all finest cells of a cell are, by its count; the one between two offices' bands by subtraction."""
    atoms = city.atoms(question)
    asked = {atom: outlet.ask(atom, at) for atom in atoms if atom.band != BETWEEN}
    rest = outlet.ask(question, at) - sum(asked.values())
    total, chances = 0.0, [1.0] + [0.0] * LAST_COUNT
    for atom in atoms:
        total += share_of(atom)
        own = [reading.chance(atom, asked.get(atom, rest), count) for count in COUNTS]
        split = [binom.pmf(range(count + 1), count, share_of(atom) / total) for count in COUNTS]
        chances = [
            sum(p * own[here] * chances[count - here] for here, p in enumerate(split[count])) for count in COUNTS
        ]
    return chances.__getitem__


def _pairs(city: City, question: Question) -> Iterator[tuple[Question, Question]]:
    """Published cells that differ by the target alone."""
    other = SEXES[1 - SEXES.index(str(question.sex))]
    yield question._replace(sex=None), question._replace(sex=other)
    district, area = str(question.place).split()[1].split(".")
    if int(area) == city.areas - 1:
        yield question._replace(place=district_name(int(district))), question._replace(place=space_name(int(district)))


def _left_over(
    reading: Reading, cells: tuple[Question, Question], said: tuple[int, int], of_part: Prior
) -> Callable[[int], float]:
    whole, part = cells

    def likelihood(count: int) -> float:
        if count == 0 and not reading.redraws:
            return float(said[0] == said[1]) * sum(
                p * reading.chance(part, said[1], there) for there, p in zip(COUNTS, of_part, strict=True)
            )
        return sum(
            p * reading.chance(part, said[1], there) * reading.chance(whole, said[0], there + count)
            for there, p in zip(COUNTS, of_part, strict=True)
        )

    return likelihood


def linear_programming(city: City, outlet: Outlet, bench: Modelled, chance: random.Random) -> Iterator[Guess]:
    """Smallest and largest count that all published tables together, exact margins and the maximum noise allow."""
    reading, at = Reading(city, outlet), outlet.ticks[-1]
    place = {atom: number for number, atom in enumerate(city.atoms(Question()))}
    rows, highest = [], []

    def inside(question: Question) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        row = np.zeros(len(place))
        row[[place[atom] for atom in city.atoms(question)]] = 1
        return row

    for question in city.questions():
        said = outlet.ask(question, at)
        low, high = (said, said) if is_exact(question) else reading.bounds(question, said)
        rows += [inside(question), -inside(question)]
        highest += [high, -low]
    conditions = csr_matrix(np.array(rows))
    for question, _ in _small_cells(city, bench, chance, 10):
        target = inside(question)
        ends = [linprog(sign * target, A_ub=conditions, b_ub=highest, method="highs") for sign in (1, -1)]
        low, high = math.ceil(ends[0].fun - 1e-6), math.floor(-ends[1].fun + 1e-6)
        before = prior(expected(bench, question, at, city.areas))
        likelihood = partial(reading.chance, question, outlet.ask(question, at))
        belief = posterior(before, lambda count: likelihood(count) * (low <= count <= high))  # noqa: B023
        yield _judged(bench, question, at, before, belief, ONE_OR_TWO)


def watching_the_counter(city: City, outlet: Outlet, bench: Modelled, chance: random.Random) -> Iterator[Guess]:
    """Sees a person register, and which cell is redrawn at that moment. Which nationality has the person?"""
    moments = [
        (number, number, number + 1)
        for number, about in _arrivals(city)
        if all(bench.stand(question, number) == bench.stand(question, number + 1) for question in (Question(), about))
    ]
    yield from _whose_cell_moves(city, outlet, bench, moments, chance)


def differencing_ticks(city: City, outlet: Outlet, bench: Modelled, chance: random.Random) -> Iterator[Guess]:
    """Sees a person register, and which cells moved from the tick before to the tick behind. Which nationality?"""
    moments = []
    for number, about in _arrivals(city):
        later = (at for at in range(number + 1, len(city.bookings) + 1) if outlet.stand(about, at) > number)
        if (new := next(later, None)) is not None:
            moments.append((number, outlet.stand(about, number), new))
    yield from _whose_cell_moves(city, outlet, bench, moments, chance)


def _arrivals(city: City) -> list[tuple[int, Question]]:
    """The bookings of arrivals, each with the area that anybody at the counter may know."""
    return [
        (number, Question(area_name(booking.after.district, booking.after.area)))
        for number, booking in enumerate(city.bookings)
        if booking.before is None and booking.after is not None
    ]


def _whose_cell_moves(
    city: City, outlet: Outlet, bench: Modelled, moments: Sequence[tuple[int, int, int]], chance: random.Random
) -> Iterator[Guess]:
    """`moments`: a registration, and the moments before and behind it that are compared."""
    reading = Reading(city, outlet)
    for number, old, new in chance.sample(moments, min(20, len(moments))):
        person = city.bookings[number].after
        assert person is not None
        area_alone = Question(area_name(person.district, person.area))
        by_margins = {
            each: _came(bench, each, number) * _living(bench, area_alone._replace(nationality=each), number, city.areas)
            for each in NATIONALITIES
        }
        by_cells, any_moved = dict(by_margins), False
        for nationality in NATIONALITIES:
            area = Question(area_name(person.district, person.area), nationality)
            for question in (
                area,
                area._replace(sex=person.sex),
                area._replace(sex=person.sex, band="<1980" if person.birth_year < 1980 else ">=1980"),
                Question(district_name(person.district), nationality),
            ):
                mean = expected(bench, question, number, city.areas)
                said = outlet.ask(question, old), outlet.ask(question, new)
                any_moved |= said[0] != said[1]
                bookings = (new - old) / outlet.ask(Question(), old)
                by_cells[nationality] *= _for_a_change(reading, question, said, mean, bookings)
        yield Guess(
            likeliest(by_margins) == person.nationality,
            # Where nothing moved at all there was no tick between: nothing was heard of anybody.
            likeliest(by_cells if any_moved else by_margins) == person.nationality,
        )


def _came(bench: Modelled, nationality: str, number: int) -> float:
    """How many of a nationality came, by the exact margins at both ticks, which everybody sees."""
    question = Question(nationality=nationality)
    tick = bench.stand(question, number)
    behind = min((each for each in bench.ticks if each > number), default=tick)
    here, there = bench.ask(question, tick), bench.ask(question, behind)
    left = 0.3 * (behind - tick) * here / bench.ask(Question(), number)
    return max(there - here + left, 0.05)


def _living(bench: Modelled, question: Question, number: int, areas: int) -> float:
    """How many one would say live in a cell before: who comes often comes to where others have come before."""
    said = bench.ask(question, number)
    belief = posterior(prior(expected(bench, question, number, areas)), partial(_chance, bench, question, said))
    return sum(count * p for count, p in enumerate(belief)) + 0.2


def _for_a_change(
    reading: Reading, question: Question, said: tuple[int, int], mean: float, bookings_per_person: float
) -> float:
    """How much more likely what was seen is if one person came to the cell than if it is a cell like any other."""
    old, new = said
    seen = partial(reading.chance, question, new)
    belief = posterior(prior(mean), partial(reading.chance, question, old))
    if_came = sum(p * seen(count + 1) for count, p in enumerate(belief))
    others = 1 - math.exp(-1.2 * mean * bookings_per_person)
    around = [(sum(p * seen(max(count + d, 0)) for count, p in enumerate(belief))) for d in (-1, 1)]
    stays = sum(p * seen(count) for count, p in enumerate(belief)) if reading.redraws else old == new
    return max(if_came, 1e-9) / max((1 - others) * stays + others * sum(around) / 2, 1e-9)


def _chance(bench: Modelled, question: Question, published: int, count: int) -> float:
    return chance_of(published, count, bench.drawn(question))


def _small_cells(city: City, bench: Modelled, chance: random.Random, most: int) -> list[tuple[Question, int]]:
    """Cells of area, nationality and sex in which the margins let one expect few persons, or nobody; each with the
    moment of its last tick."""
    cells = [
        (question, bench.stand(question, bench.ticks[-1]))
        for district in range(city.districts)
        for area in range(city.areas)
        for nationality in NATIONALITIES
        for sex in SEXES
        for question in [Question(area_name(district, area), nationality, sex)]
    ]
    small = [(each, at) for each, at in cells if expected(bench, each, at, city.areas) < 6]
    return chance.sample(small, min(most, len(small)))


def _judged(bench: Modelled, question: Question, at: int, before: Prior, belief: Prior, counts: Sequence[int]) -> Guess:
    truth = bench.cell(question, at).units in counts
    by_table = posterior(before, partial(_chance, bench, question, bench.ask(question, at)))
    return Guess(says(by_table, counts) == truth, says(belief, counts) == truth)


ATTACKS: dict[str, Attack] = {
    "asking again": repeating,
    "averaging over ticks": averaging_over_ticks,
    "differencing overlaps": differencing_overlaps,
    "linear programming": linear_programming,
    "watching the counter": watching_the_counter,
    "differencing ticks": differencing_ticks,
}
