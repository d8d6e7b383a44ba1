"""The attackers. They see what the audience sees, know the method and its table, and guess about single cells.

Each asks an outlet and says of every target whether it was right, beside the best guess that the published count of the
target's cell and the exact margins alone allow (`bench` is the protected outlet that this guess is made with).
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from attacks.city import NATIONALITIES, SEXES, City, Question, area_name, district_name, space_name
from attacks.guessing import (
    COUNTS,
    LAST,
    TABLE,
    Guess,
    Prior,
    chance_of,
    expected,
    likeliest,
    posterior,
    prior,
    says,
)
from attacks.outlets import Outlet, Protected, is_exact
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

ONE_OR_TWO = (1, 2)
"""What the threshold is there to hide: whoever knows one person of the cell would learn of the other one."""
ANYBODY = COUNTS[1:]

Attack = Callable[[City, Outlet, Protected, random.Random], Iterator[Guess]]


class Reading:
    """How an attacker takes what an outlet says, found out by asking."""

    def __init__(self, city: City, outlet: Outlet) -> None:
        at = outlet.ticks[-1]
        asked = [question for question in city.questions() if not is_exact(question)]
        first = [outlet.ask(question, at) for question in asked]
        self.is_exact = any(0 < each <= 2 for each in first)
        self.redraws = first != [outlet.ask(question, at) for question in asked]

    def chance(self, published: int, count: int) -> float:
        return float(published == count) if self.is_exact else chance_of(published, count)

    def bounds(self, published: int) -> tuple[int, int]:
        """Which counts can be published as this."""
        possible = [count for count in range(published + LAST + 1) if self.chance(published, count) > 0]
        return possible[0], possible[-1]


def repeating(city: City, outlet: Outlet, bench: Protected, chance: random.Random) -> Iterator[Guess]:
    """Asks the same thirty times between two ticks, and averages where the noise is another one each time."""
    reading, at = Reading(city, outlet), outlet.ticks[-1]
    for question in _small_cells(city, bench, at, chance, 20):
        said = [outlet.ask(question, at) for _ in range(30)]
        heard = said if reading.redraws else said[:1]
        before = prior(expected(bench, question, at, city.areas))
        belief = posterior(before, lambda count: math.prod(reading.chance(each, count) for each in heard))  # noqa: B023
        yield _judged(bench, question, at, before, belief, ONE_OR_TWO)


def averaging_over_ticks(city: City, outlet: Outlet, bench: Protected, chance: random.Random) -> Iterator[Guess]:
    """Follows a cell through all ticks: what stays the same is one draw of noise, what moves is a new one."""
    reading, at = Reading(city, outlet), outlet.ticks[-1]
    for question in _small_cells(city, bench, at, chance, 20):
        before = prior(mean := expected(bench, question, at, city.areas))
        per_booking = mean / outlet.ask(Question(), at)
        said = [outlet.ask(question, tick) for tick in outlet.ticks]
        belief = posterior(before, lambda count: reading.chance(said[0], count))  # noqa: B023
        step = outlet.ticks[1] - outlet.ticks[0]
        for old, new in pairwise(said):
            belief = _a_tick_later(belief, old, new, reading, 0.7 * step * per_booking, 0.5 * step * per_booking / mean)
        yield _judged(bench, question, at, before, belief, ONE_OR_TWO)


def _a_tick_later(belief: Prior, old: int, new: int, reading: Reading, comes: float, goes: float) -> Prior:
    """One step of the forward algorithm: nothing happened and the noise stands, or somebody came, or went, or both."""
    after = [0.0] * len(belief)
    for count, p in enumerate(belief):
        if p == 0:
            continue
        up, down = comes, goes * count
        stays = math.exp(-up - down)
        after[count] += p * stays * (reading.chance(new, count) if reading.redraws else float(old == new))
        moved = 1 - stays
        for to, share in ((count + 1, up), (count - 1, down), (count, up * down)):
            if 0 <= to < len(belief) and share > 0:
                after[to] += p * moved * share / (up + down + up * down) * reading.chance(new, to)
    total = sum(after)
    return [each / total for each in after] if total > 0 else belief


def differencing_overlaps(city: City, outlet: Outlet, bench: Protected, chance: random.Random) -> Iterator[Guess]:
    """Subtracts a part from its whole: areas, sexes, age bands; what is left over is the target. Is anybody there?"""
    reading, at = Reading(city, outlet), outlet.ticks[-1]
    for question in _small_cells(city, bench, at, chance, 20):
        before = prior(expected(bench, question, at, city.areas))
        belief = posterior(before, lambda count: reading.chance(outlet.ask(question, at), count))  # noqa: B023
        for whole, part in _pairs(city, question):
            of_part = prior(expected(bench, part, at, city.areas))
            said = outlet.ask(whole, at), outlet.ask(part, at)
            belief = posterior(belief, _left_over(reading, said, of_part))
        yield _judged(bench, question, at, before, belief, ANYBODY)


def _pairs(city: City, question: Question) -> Iterator[tuple[Question, Question]]:
    """Published cells that differ by the target alone."""
    other = SEXES[1 - SEXES.index(str(question.sex))]
    yield question._replace(sex=None), question._replace(sex=other)
    district, area = str(question.place).split()[1].split(".")
    if int(area) == city.areas - 1:
        yield question._replace(place=district_name(int(district))), question._replace(place=space_name(int(district)))


def _left_over(reading: Reading, said: tuple[int, int], of_part: Prior) -> Callable[[int], float]:
    def likelihood(count: int) -> float:
        if count == 0 and not reading.redraws:
            return float(said[0] == said[1]) * sum(
                p * reading.chance(said[1], part) for part, p in zip(COUNTS, of_part, strict=True)
            )
        return sum(
            p * reading.chance(said[1], part) * reading.chance(said[0], part + count)
            for part, p in zip(COUNTS, of_part, strict=True)
        )

    return likelihood


def linear_programming(city: City, outlet: Outlet, bench: Protected, chance: random.Random) -> Iterator[Guess]:
    """Smallest and largest count that all published tables together, exact margins and the maximum noise allow."""
    reading, at = Reading(city, outlet), outlet.ticks[-1]
    atoms = [
        (district, area, nationality, sex, band)
        for district in range(city.districts)
        for area in range(city.areas)
        for nationality in NATIONALITIES
        for sex in SEXES
        for band in range(3)
    ]
    rows, highest = [], []
    for question in city.questions():
        said = outlet.ask(question, at)
        low, high = (said, said) if is_exact(question) else reading.bounds(said)
        inside = np.array([_lies_in(atom, question, city.areas) for atom in atoms], dtype=float)
        rows += [inside, -inside]
        highest += [high, -low]
    conditions = csr_matrix(np.array(rows))
    for question in _small_cells(city, bench, at, chance, 10):
        target = np.array([_lies_in(atom, question, city.areas) for atom in atoms], dtype=float)
        ends = [linprog(sign * target, A_ub=conditions, b_ub=highest, method="highs") for sign in (1, -1)]
        low, high = math.ceil(ends[0].fun - 1e-6), math.floor(-ends[1].fun + 1e-6)
        before = prior(expected(bench, question, at, city.areas))
        said = outlet.ask(question, at)
        belief = posterior(before, lambda count: reading.chance(said, count) * (low <= count <= high))  # noqa: B023
        yield _judged(bench, question, at, before, belief, ONE_OR_TWO)


def _lies_in(atom: tuple[int, int, str, str, int], question: Question, areas: int) -> bool:
    district, area, nationality, sex, band = atom
    places = [None, district_name(district), area_name(district, area)]
    if area < areas - 1:
        places.append(space_name(district))
    bands = {None, "<1980" if band == 0 else ">=1980", "<1981" if band < 2 else ">=1981"}
    return (
        question.place in places
        and question.nationality in (None, nationality)
        and question.sex in (None, sex)
        and question.band in bands
    )


def watching_the_counter(city: City, outlet: Outlet, bench: Protected, chance: random.Random) -> Iterator[Guess]:
    """Sees a person register, and which cell is redrawn at that moment. Which nationality has the person?"""
    step = outlet.ticks[1] - outlet.ticks[0]
    moments = [(each, each, each + 1) for each in _arrivals(city) if (each + 1) % step]
    yield from _whose_cell_moves(city, outlet, bench, moments, chance)


def differencing_ticks(city: City, outlet: Outlet, bench: Protected, chance: random.Random) -> Iterator[Guess]:
    """Sees a person register, and which cells moved from the tick before to the tick behind. Which nationality?"""
    moments = []
    for number in _arrivals(city):
        person = city.bookings[number].after
        assert person is not None
        about = Question(area_name(person.district, person.area), person.nationality)
        later = (at for at in range(number + 1, len(city.bookings) + 1) if bench.stand(about, at) > number)
        if (new := next(later, None)) is not None:
            moments.append((number, bench.stand(about, number), new))
    yield from _whose_cell_moves(city, outlet, bench, moments, chance)


def _arrivals(city: City) -> list[int]:
    return [number for number, booking in enumerate(city.bookings) if booking.before is None]


def _whose_cell_moves(
    city: City, outlet: Outlet, bench: Protected, moments: Sequence[tuple[int, int, int]], chance: random.Random
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
                Question(district_name(person.district), nationality),
            ):
                mean = expected(bench, question, number, city.areas)
                said = outlet.ask(question, old), outlet.ask(question, new)
                any_moved |= said[0] != said[1]
                bookings = (new - old) / outlet.ask(Question(), old)
                by_cells[nationality] *= _for_a_change(reading, said, mean, bookings)
        yield Guess(
            likeliest(by_margins) == person.nationality,
            # Where nothing moved at all there was no tick between: nothing was heard of anybody.
            likeliest(by_cells if any_moved else by_margins) == person.nationality,
        )


def _came(bench: Protected, nationality: str, number: int) -> float:
    """How many of a nationality came, by the exact margins at both ticks, which everybody sees."""
    question = Question(nationality=nationality)
    tick = bench.stand(question, number)
    behind = min((each for each in bench.ticks if each > number), default=tick)
    here, there = bench.ask(question, tick), bench.ask(question, behind)
    left = 0.3 * (behind - tick) * here / bench.ask(Question(), number)
    return max(there - here + left, 0.05)


def _living(bench: Protected, question: Question, number: int, areas: int) -> float:
    """How many one would say live in a cell before: who comes often comes to where others have come before."""
    said = bench.ask(question, number)
    belief = posterior(prior(expected(bench, question, number, areas)), lambda count: chance_of(said, count))
    return sum(count * p for count, p in enumerate(belief)) + 0.2


def _for_a_change(reading: Reading, said: tuple[int, int], mean: float, bookings_per_person: float) -> float:
    """How much more likely what was seen is if one person came to the cell than if it is a cell like any other."""
    old, new = said
    belief = posterior(prior(mean), lambda count: reading.chance(old, count))
    if_came = sum(p * reading.chance(new, count + 1) for count, p in enumerate(belief))
    others = 1 - math.exp(-1.2 * mean * bookings_per_person)
    around = [(sum(p * reading.chance(new, max(count + d, 0)) for count, p in enumerate(belief))) for d in (-1, 1)]
    stays = sum(p * reading.chance(new, count) for count, p in enumerate(belief)) if reading.redraws else old == new
    return max(if_came, 1e-9) / max((1 - others) * stays + others * sum(around) / 2, 1e-9)


def _small_cells(city: City, bench: Protected, at: int, chance: random.Random, most: int) -> list[Question]:
    """Cells of area, nationality and sex in which the margins let one expect few persons, or nobody."""
    cells = [
        Question(area_name(district, area), nationality, sex)
        for district in range(city.districts)
        for area in range(city.areas)
        for nationality in NATIONALITIES
        for sex in SEXES
    ]
    small = [each for each in cells if expected(bench, each, at, city.areas) < 6]
    return chance.sample(small, min(most, len(small)))


def _judged(
    bench: Protected, question: Question, at: int, before: Prior, belief: Prior, counts: Sequence[int]
) -> Guess:
    truth = bench.cell(question, at).units in counts
    by_table = posterior(before, lambda count: chance_of(bench.ask(question, at), count))
    return Guess(says(by_table, counts) == truth, says(belief, counts) == truth)


ATTACKS: dict[str, Attack] = {
    "asking again": repeating,
    "averaging over ticks": averaging_over_ticks,
    "differencing overlaps": differencing_overlaps,
    "linear programming": linear_programming,
    "watching the counter": watching_the_counter,
    "differencing ticks": differencing_ticks,
}
assert len(TABLE) == LAST + 1
