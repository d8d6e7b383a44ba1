"""How many come, go, are born, die and are naturalised in each year, so that every printed figure comes out.

Printed are the stock at some year ends, the movements of 2014 and 2015 (rounded), and arrivals and departures of
2018. Everything else here is an assumption of the simulation and no finding about Dortmund: the stock between printed
year ends (a straight line), after them (mild growth), the movements of the other years, births, deaths and
naturalisations.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from registration.simulation.printed import EU2, Printed

ASSUMPTION = (
    "In 2018 the printed 3,250 arrivals and 2,850 departures leave 124 of the change of the stock (524) open; the "
    "report does not say why. The simulation fills them with births, less deaths and naturalisations: this is its "
    "assumption."
)

# Persons by year.
_MOVEMENTS: Mapping[int, int] = {
    2007: 1400, 2008: 900, 2009: 900, 2010: 1000, 2011: 1500, 2012: 2000, 2013: 3600,
    2016: 5200, 2017: 5200, 2019: 3200, 2020: 2000,
}  # fmt: skip
_MOVEMENTS_LATER = 1800
_GROWTH_PER_MILLE = 18  # a year, after the last printed year end

_BIRTHS_PER_MILLE = 21
_DEATHS_PER_MILLE = 2
_NATURALISATIONS_PER_MILLE = 4
_MOVES_WITHIN_PER_MILLE = 50


@dataclass(frozen=True, slots=True)
class Quota:
    """What happens to one nationality in one year, in persons."""

    year: int
    nationality: str
    arrivals: int
    departures: int
    births: int
    deaths: int
    naturalisations: int
    moves: int
    """Within the city: they change no total."""

    @property
    def change(self) -> int:
        """By how much the stock grows in the year."""
        return self.arrivals - self.departures + self.births - self.deaths - self.naturalisations


def opening_stock(printed: Printed) -> dict[str, int]:
    """The opening stock by nationality, split as the first printed year end with a split is (an assumption)."""
    first = printed.years[0]
    total = sum(printed.stock[first, nationality] for nationality in EU2)
    head = round(printed.opening * printed.stock[first, EU2[0]] / total)
    return {EU2[0]: head, EU2[1]: printed.opening - head}


def year_end_stocks(printed: Printed, last_year: int) -> dict[tuple[int, str], int]:
    """The stock at every year end from the opening to `last_year`, by (year, nationality): printed or assumed."""
    stocks: dict[tuple[int, str], int] = {}
    opening = opening_stock(printed)
    for nationality in EU2:
        known = {printed.opening_on.year: opening[nationality]}
        known |= {year: printed.stock[year, nationality] for year in printed.years}
        for year in range(min(known), last_year + 1):
            stocks[year, nationality] = _stock_at_the_end_of(year, known)
    return stocks


def _stock_at_the_end_of(year: int, known: Mapping[int, int]) -> int:
    if year in known:
        return known[year]
    before = max(other for other in known if other < year)
    after = min((other for other in known if other > year), default=None)
    if after is None:
        return round(known[before] * (1 + _GROWTH_PER_MILLE / 1000) ** (year - before))
    return known[before] + round((known[after] - known[before]) * (year - before) / (after - before))


def yearly_quotas(printed: Printed, last_year: int) -> tuple[Quota, ...]:
    """The quotas of every year after the opening up to `last_year`, in order of year and nationality."""
    stocks = year_end_stocks(printed, last_year)
    years = range(printed.opening_on.year + 1, last_year + 1)
    return tuple(quota for year in years for quota in _quotas_of(year, stocks, printed))


def _quotas_of(year: int, stocks: Mapping[tuple[int, str], int], printed: Printed) -> tuple[Quota, ...]:
    mean = {n: (stocks[year - 1, n] + stocks[year, n]) // 2 for n in EU2}
    change = {n: stocks[year, n] - stocks[year - 1, n] for n in EU2}
    deaths = {n: _per_mille(mean[n], _DEATHS_PER_MILLE) for n in EU2}
    naturalisations = {n: _per_mille(mean[n], _NATURALISATIONS_PER_MILLE) for n in EU2}
    births = {n: _per_mille(mean[n], _BIRTHS_PER_MILLE) for n in EU2}

    total = printed.movements.get(year, _MOVEMENTS.get(year, _MOVEMENTS_LATER))
    natural = sum(births.values()) - sum(deaths.values()) - sum(naturalisations.values())
    if year in printed.arrivals:
        total = printed.arrivals[year] + printed.departures[year]
        open_persons = sum(change.values()) - (printed.arrivals[year] - printed.departures[year])
        births[EU2[0]] += (open_persons - natural) // 2
        births[EU2[1]] += (open_persons - natural) - (open_persons - natural) // 2
    elif (sum(change.values()) - natural - total) % 2:
        # Arrivals + departures and arrivals - departures are both even or both odd.
        births[EU2[0]] += 1

    net = {n: change[n] - births[n] + deaths[n] + naturalisations[n] for n in EU2}
    movements = _split(total, mean, net)
    return tuple(
        Quota(
            year=year,
            nationality=n,
            arrivals=(movements[n] + net[n]) // 2,
            departures=(movements[n] - net[n]) // 2,
            births=births[n],
            deaths=deaths[n],
            naturalisations=naturalisations[n],
            moves=_per_mille(mean[n], _MOVES_WITHIN_PER_MILLE),
        )
        for n in EU2
    )


def _split(total: int, weights: Mapping[str, int], net: Mapping[str, int]) -> dict[str, int]:
    """`total` movements by nationality, each of them possible with its net gain."""
    first, second = EU2
    spare = total - abs(net[first]) - abs(net[second])
    if spare < 0:
        raise ValueError(f"{total} movements cannot bring a net gain of {dict(net)}")
    share = abs(net[first]) + 2 * round(spare * weights[first] / (weights[first] + weights[second]) / 2)
    return {first: share, second: total - share}


def _per_mille(persons: int, rate: int) -> int:
    return round(persons * rate / 1000)
