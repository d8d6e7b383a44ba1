"""What does not fit in numbers that were delivered. They are booked as delivered, and it is shown beside them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from statistics import median

from reporting.deliveries.series import Breakdown, Period, breakdown_of, numbers_of, period_of
from reporting.deliveries.spec import Spec, expected_codes
from verbund.events.reporting.deliveries import DeliveredSheet, DeliveryFinding

TOTAL: Breakdown = ()
_HUNDRED = Decimal(100)
# A total that is less than half or more than twice what was usual is looked at again; small numbers jump anyway.
_OUTLIER_FACTOR = 2
_OUTLIER_LEAST = 20
_USUAL_POINTS = 5


def findings_in(
    spec: Spec, sheet: DeliveredSheet, standing: Mapping[Period, DeliveredSheet], together: Collection[Period]
) -> tuple[DeliveryFinding, ...]:
    """Everything noticed about a sheet.

    `standing`: all that will stand delivered; `together`: what is delivered at once, so that one thing is told once.
    """
    return (
        *_sums(spec, sheet, dict(numbers_of(sheet))),
        *_incomplete(spec, sheet),
        *_over_time(spec, sheet, standing, together),
        *_outlier(sheet, standing),
    )


def _sums(spec: Spec, sheet: DeliveredSheet, numbers: Mapping[Breakdown, Decimal]) -> Iterator[DeliveryFinding]:
    """Rows along a breakdown against the row that they are parts of; shares without one against a hundred."""
    parts: dict[tuple[str, Breakdown], list[Decimal | None]] = {}
    for where in map(breakdown_of, sheet.rows):
        for name, _ in where:
            if name in spec.adds_up:
                around = tuple(pair for pair in where if pair[0] != name)
                parts.setdefault((name, around), []).append(numbers.get(where))
    for (name, around), summands in parts.items():
        known = [summand for summand in summands if summand is not None]
        printed, of_hundred = numbers.get(around), spec.measure == "share" and around == TOTAL
        expected = _HUNDRED if of_hundred else printed
        computed = sum(known, Decimal(0))
        if len(known) == len(summands) and expected is not None and computed != expected:
            yield DeliveryFinding(
                code="hundred_differs" if of_hundred else "sum_differs",
                breakdown=dict(around),
                dimension=name,
                printed=_text(expected if printed is None else printed),
                computed=_text(computed),
            )


def _incomplete(spec: Spec, sheet: DeliveredSheet) -> Iterator[DeliveryFinding]:
    """Breakdowns of few fixed values of which some are missing."""
    for name in sorted(spec.listed):
        there = {row.breakdown[name] for row in sheet.rows if name in row.breakdown}
        for code in expected_codes(spec, name) if there else ():
            if code not in there:
                yield DeliveryFinding(code="incomplete", breakdown={name: code}, dimension=name)


def _over_time(
    spec: Spec, sheet: DeliveredSheet, standing: Mapping[Period, DeliveredSheet], together: Collection[Period]
) -> Iterator[DeliveryFinding]:
    """Totals of shorter periods against that of a longer one which they fill without a gap.

    Told with the longer one; where that stands already, with the last of those that are delivered now.
    """
    if not spec.adds_up_over_time:
        return
    period = period_of(sheet)
    for whole in standing:
        parts = _filling(whole, [each for each in standing if each.lies_within(whole)])
        now = [part for part in parts if part in together]
        if not parts or period != (whole if whole in together or not now else now[-1]):
            continue
        printed, totals = _total(standing[whole]), [_total(standing[part]) for part in parts]
        summands = [total for total in totals if total is not None]
        if printed is not None and len(summands) == len(totals) and sum(summands) != printed:
            yield DeliveryFinding(
                code="sum_over_time_differs", printed=_text(printed), computed=_text(sum(summands, Decimal(0)))
            )


def _filling(whole: Period, parts: Collection[Period]) -> Sequence[Period]:
    """Parts that follow each other from the first to the last day, the longest first; none where there is a gap."""
    chain: list[Period] = []
    begins = whole.from_on
    while begins is not None and begins <= whole.to_on:
        following = max((part for part in parts if part.from_on == begins), key=lambda part: part.to_on, default=None)
        if following is None:
            return ()
        chain.append(following)
        begins = following.to_on.fromordinal(following.to_on.toordinal() + 1)
    return chain


def _outlier(sheet: DeliveredSheet, standing: Mapping[Period, DeliveredSheet]) -> Iterator[DeliveryFinding]:
    """A total far from what was usual in the periods before it of about the same length."""
    period, total = period_of(sheet), _total(sheet)
    before = (
        earlier
        for other, delivered in sorted(standing.items(), key=lambda item: item[0].to_on, reverse=True)
        if other.to_on < period.to_on and _is_as_long(period, other) and (earlier := _total(delivered)) is not None
    )
    usual = list(islice(before, _USUAL_POINTS))
    if total is None or len(usual) < 2:  # of a single one nobody knows whether it was usual
        return
    middle = Decimal(median(usual))
    far = total > middle * _OUTLIER_FACTOR or total * _OUTLIER_FACTOR < middle
    if far and abs(total - middle) >= _OUTLIER_LEAST:
        yield DeliveryFinding(code="outlier", printed=_text(total), computed=_text(middle))


def _is_as_long(one: Period, other: Period) -> bool:
    if one.from_on is None or other.from_on is None:
        return one.from_on == other.from_on
    days = (one.to_on - one.from_on).days - (other.to_on - other.from_on).days
    return abs(days) <= 3  # months and leap years


def _total(sheet: DeliveredSheet) -> Decimal | None:
    return dict(numbers_of(sheet)).get(TOTAL)


def _text(number: Decimal) -> str:
    """As events spell decimals: no exponent, no sign of zero."""
    text = format(number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize(), "f")
    return "0" if text == "-0" else text
