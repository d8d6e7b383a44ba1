"""Restating: an edition beside a later one, or beside what is known now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.audiences import Audience
from reporting.deltas import day_of
from reporting.editions.reading import EditionShown, get_edition, parsed, read_manifest, read_of_kind
from reporting.editions.reasons import Pair, Reasons, is_exact
from reporting.editions.rendering import read_answer
from reporting.editions.restatement import (
    Changed,
    Found,
    NotAnswered,
    Place,
    Restatement,
    Told,
    cells_by_place,
    difference,
    one_sided,
)
from reporting.figures import Answer, Knowledge, Question, answer
from reporting.image import Image, Moment
from reporting.indicators import Catalogue
from reporting.indicators.published import fingerprint
from verbund.errors import Problem, RuleBroken

NOW = "now"

_CUTS = text("""
    select edition_id::text, frozen_generation, frozen_number, number from editions.cut
    where municipality = :municipality and generation = :generation
    and edition_id = any(cast(:edition_ids as uuid[]))
""")

Cuts = Mapping[tuple[str | None, int, int], int]
"""By edition, and generation and number of a batch as they were then, the number of the same batch now."""


@dataclass(frozen=True)
class _Side:
    """What one of the two says."""

    edition_id: str | None
    told: Sequence[Told]

    def knowledge(self, answer: Answer, cuts: Cuts) -> Knowledge:
        """What an answer was made of, in terms of the present cube."""
        if self.edition_id is None:
            return Knowledge(answer.batch, answer.known_on)
        number = cuts.get((self.edition_id, answer.generation, answer.batch))
        if number is not None:
            return Knowledge(number, answer.known_on)
        # The cube was made anew since, and nobody can tell its batches from one another: the day has to do.
        day = day_of(answer.ticked_at or answer.asked_at)
        return Knowledge(None, day if answer.known_on is None else min(day, answer.known_on))


class Restating:
    """Restates the editions of a municipality for one reader."""

    def __init__(self, books: AsyncEngine, image: Image, catalogue: Catalogue, reader: Audience) -> None:
        self._books = books
        self._image = image
        self._catalogue = catalogue
        self._reader = reader

    async def restate(self, edition_id: str, against: str) -> Restatement:
        """What is different in `against` (an edition's number, or `now`) and why.

        Raises `NotFound`, and `RuleBroken` (`parameter:query:against`) where it is not later, or for others.
        """
        older = await get_edition(self._books, self._municipality, edition_id, self._reader)
        newer = None
        if against != NOW:
            newer = await get_edition(self._books, self._municipality, against, self._reader)
            _check_order(older, newer)
        before = await self._frozen(older)
        async with self._image.moment() as moment:
            refused: list[NotAnswered] = []
            if newer is None:
                after, at = await self._asked_now(moment, before, older.audience, refused), datetime.now(UTC)
            else:
                after, at = await self._frozen(newer), newer.frozen_at
            cuts = await _read_cuts(moment, [edition_id, *([] if newer is None else [newer.edition_id])])
            places = cells_by_place(before.told), cells_by_place(after.told)
            changed = await self._changed(moment, before, after, places, cuts, older.audience)
        return Restatement(
            edition=older,
            against=newer,
            against_at=at,
            audience=older.audience,
            compared=len(places[0].keys() & places[1].keys()),
            changed=tuple(changed),
            added=one_sided(places[1], places[0]),
            removed=one_sided(places[0], places[1]),
            not_answered=tuple(refused),
        )

    @property
    def _municipality(self) -> str:
        return self._catalogue.city.municipality

    async def _frozen(self, edition: EditionShown) -> _Side:
        manifest = parsed(await read_manifest(self._books, self._municipality, edition.edition_id))
        fingerprints = {
            (each["definition"]["id"], each["definition"]["version"]): each["fingerprint"]
            for each in manifest["definitions"]
        }
        async with self._books.connect() as connection:
            files = await read_of_kind(connection, self._municipality, edition.edition_id, "json")
        told = []
        for file, said in zip(files, manifest["questions"], strict=True):
            found = read_answer(file.body)
            question = Question.model_validate(said["question"])
            told.append(Told(file.question, question, found, fingerprints[found.indicator, found.version]))
        return _Side(edition.edition_id, told)

    async def _asked_now(self, moment: Moment, before: _Side, audience: Audience, refused: list[NotAnswered]) -> _Side:
        """The same questions asked now, as the audience of the edition sees them."""
        told, at = [], datetime.now(UTC)
        for one in before.told:
            try:
                found = await answer(moment, self._catalogue, one.question, audience, at)
            except Problem as problem:
                refused.append(NotAnswered(question=one.number, indicator=one.question.indicator, code=problem.code))
                continue
            definition = self._catalogue.get_indicator(found.indicator, found.version)
            told.append(Told(one.number, one.question, found, fingerprint(definition)))
        return _Side(None, told)

    async def _changed(
        self,
        moment: Moment,
        before: _Side,
        after: _Side,
        places: tuple[Mapping[Place, Found], Mapping[Place, Found]],
        cuts: Cuts,
        audience: Audience,
    ) -> list[Changed]:
        groups: defaultdict[tuple[int, int], list[Pair]] = defaultdict(list)
        for place, found in places[0].items():
            other = places[1].get(place)
            if other is not None and found.value != other.value:
                groups[found.told.number, other.told.number].append((found, other))
        reasons, changed = Reasons(moment, self._catalogue, audience), []
        for pairs in groups.values():
            earlier = before.knowledge(pairs[0][0].told.answer, cuts)
            later = after.knowledge(pairs[0][1].told.answer, cuts)
            for pair, why in zip(pairs, await reasons.of_pairs(pairs, earlier, later), strict=True):
                changed.append(_restated(pair, why))
        return changed


def _restated(pair: Pair, why: Sequence[Any]) -> Changed:
    before, after = pair
    exact = is_exact(before) and is_exact(after)
    return Changed.model_validate(
        {
            **before.shown(),
            "before": before.value,
            "after": after.value,
            "difference": difference(before.value, after.value),
            "is_exact": exact,
            "reasons_of": "cell" if exact else "indicator",
            "reasons": tuple(why),
        }
    )


def _check_order(older: EditionShown, newer: EditionShown) -> None:
    if newer.number <= older.number:
        raise RuleBroken(
            "edition_not_later",
            "Compare with an edition that was frozen later, or with what is known now.",
            pointer="parameter:query:against",
        )
    if newer.audience != older.audience:
        raise RuleBroken(
            "other_audience",
            "These editions were frozen for different audiences: their figures cannot be compared.",
            pointer="parameter:query:against",
        )


async def _read_cuts(moment: Moment, edition_ids: Sequence[str]) -> Cuts:
    given = {
        "municipality": moment.municipality,
        "generation": moment.head.generation,
        "edition_ids": list(edition_ids),
    }
    return {(row[0], row[1], row[2]): row[3] for row in await moment.connection.execute(_CUTS, given)}
