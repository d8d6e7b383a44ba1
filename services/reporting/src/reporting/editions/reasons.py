"""The reasons for changed cells: by cause where exact figures are seen, of the whole indicator where they are not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reporting.audiences import Audience
from reporting.editions.delivered_reasons import reasons_of_deliveries
from reporting.editions.restatement import FIRST_REPORT, Found, Reason, Told, reason_of
from reporting.figures import (
    Amounts,
    Booked,
    Content,
    Knowledge,
    NotReported,
    Plan,
    amounts_by_cause,
    causes_of_indicator,
    measures_of,
    number_of,
    plan_of,
    read_between,
)
from reporting.image import Moment
from reporting.indicators import Catalogue, Span
from reporting.indicators.published import fingerprint
from verbund.errors import Problem

_ADD_UP = frozenset({"stock", "flow", "net", "change"})
"""Kinds of indicators whose value is the sum of what was booked: only there a reason has an amount."""

Pair = tuple[Found, Found]
"""The same cell, as it was and as it is."""


@dataclass(frozen=True)
class _Explained:
    """What can be told of the changed cells of one question."""

    plan: Plan
    booked: Sequence[Booked]
    by_cause: Mapping[str, Amounts]


class Reasons:
    """Finds reasons in one moment of the cube, for one audience."""

    def __init__(self, moment: Moment, catalogue: Catalogue, audience: Audience) -> None:
        self._moment = moment
        self._catalogue = catalogue
        self._shows_amounts = audience is Audience.STATISTICS
        self._read: dict[tuple[frozenset[str], Knowledge, Knowledge], Sequence[Booked] | None] = {}

    async def of_pairs(self, pairs: Sequence[Pair], earlier: Knowledge, later: Knowledge) -> list[tuple[Reason, ...]]:
        """For each changed cell of one question, all of which stand at the same two moments."""
        before, after = pairs[0][0].told, pairs[0][1].told
        if before.answer.kind == "delivered":
            return await reasons_of_deliveries(self._moment, pairs)
        explained = await self._explain(pairs, before, earlier, later)
        return [self._of_pair(pair, explained, is_redefined=before.fingerprint != after.fingerprint) for pair in pairs]

    async def _explain(
        self, pairs: Sequence[Pair], told: Told, earlier: Knowledge, later: Knowledge
    ) -> _Explained | None:
        """By the older definition; None where that one is gone, or where too much was booked."""
        plan = self._plan(told)
        if plan is None:
            return None
        key = (measures_of(plan), earlier, later)
        if key not in self._read:
            self._read[key] = await read_between(self._moment, *key)
        booked = self._read[key]
        if booked is None:
            return None
        spans = list(dict.fromkeys(_span(found) for found, _ in pairs if is_exact(found)))
        by_cause = await amounts_by_cause(self._moment, plan, spans, booked) if spans else {}
        return _Explained(plan, booked, by_cause)

    def _plan(self, told: Told) -> Plan | None:
        answer = told.answer
        asked = told.question.model_copy(
            update={"version": answer.version, "known_on": None, "compare": None, "compare_known_on": None}
        )
        try:
            if fingerprint(self._catalogue.get_indicator(answer.indicator, answer.version)) != told.fingerprint:
                return None
            return plan_of(self._catalogue, asked, Audience.STATISTICS, answer.asked_at)
        except Problem:  # the catalogue of today has no such thing any more
            return None

    def _of_pair(self, pair: Pair, explained: _Explained | None, *, is_redefined: bool) -> tuple[Reason, ...]:
        before, after = pair
        if not is_exact(before) or not is_exact(after):
            return self._of_indicator(pair, explained, is_redefined=is_redefined)
        if isinstance(before.value, NotReported) and not is_redefined:
            return (Reason(kind="new_data", code=FIRST_REPORT),)
        if explained is None:
            return (Reason(kind="new_definition" if is_redefined else "not_told"),)
        if explained.plan.indicator.kind in _ADD_UP:
            return self._with_amounts(pair, explained, is_redefined=is_redefined)
        causes = [cause for cause in explained.by_cause if _touches(explained, cause, before)]
        return _listed(map(reason_of, sorted(causes)), is_redefined=is_redefined)

    def _with_amounts(self, pair: Pair, explained: _Explained, *, is_redefined: bool) -> tuple[Reason, ...]:
        amounts = {cause: _amount(explained, cause, pair[0]) for cause in sorted(explained.by_cause)}
        reasons = [reason_of(cause, amount) for cause, amount in amounts.items() if amount]
        old, new = number_of(pair[0].value), number_of(pair[1].value)
        rest = None if old is None or new is None else int(new - old) - sum(amounts.values())
        if is_redefined:
            reasons.append(Reason(kind="new_definition", amount=rest))
        elif rest or not reasons:
            reasons.append(Reason(kind="not_told", amount=rest))
        return tuple(reason if self._shows_amounts else _without_amount(reason) for reason in reasons)

    def _of_indicator(self, pair: Pair, explained: _Explained | None, *, is_redefined: bool) -> tuple[Reason, ...]:
        """What is known of the whole indicator: of a cell this small, a reason could point at a person."""
        causes = () if explained is None else causes_of_indicator(explained.plan, [_span(pair[0])], explained.booked)
        reasons = [reason_of(cause) for cause in sorted(causes)]
        if is_exact(pair[0]) != is_exact(pair[1]):
            reasons.append(Reason(kind="other_protection"))
        return _listed(reasons, is_redefined=is_redefined)


def is_exact(found: Found) -> bool:
    """Whether a cell shows what was counted."""
    return found.told.answer.is_exact


def _without_amount(reason: Reason) -> Reason:
    """The reason alone."""
    return reason.model_copy(update={"amount": None})


def _listed(reasons: Iterable[Reason], *, is_redefined: bool) -> tuple[Reason, ...]:
    found = list(reasons)
    if is_redefined:
        found.append(Reason(kind="new_definition"))
    return tuple(found) or (Reason(kind="not_told"),)


def _contents(explained: _Explained, cause: str, found: Found) -> list[Content]:
    row = tuple(key.code for key in found.keys)
    return [part.get(row, {}) for part in explained.by_cause[cause].get(_span(found), ())]


def _amount(explained: _Explained, cause: str, found: Found) -> int:
    """What a cause adds to a value that is a sum, or a difference of sums."""
    first, *taken_away = [sum(held.n for held in content.values()) for content in _contents(explained, cause, found)]
    return first - sum(taken_away)


def _touches(explained: _Explained, cause: str, found: Found) -> bool:
    return any(held.n for content in _contents(explained, cause, found) for held in content.values())


def _span(found: Found) -> Span:
    return Span(found.point.to_on, found.point.from_on)
