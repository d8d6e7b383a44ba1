"""Editions at the desk: what is loaded for a decision, and what is kept of it."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.audiences import Audience
from reporting.commands.editions import FreezeEdition, FrozenFile, WithdrawEdition
from reporting.editions import domain
from reporting.editions.domain import Command, Edition, State, Stored
from verbund.desk.orders import Answer, Draft, Kept, Loaded
from verbund.events.envelope import Data
from verbund.events.reporting.editions import EditionFrozen, EditionWithdrawn

_EDITIONS = text("""
    select edition_id::text, audience, withdrawn_at is not null as is_withdrawn from editions.edition
    where municipality = :municipality and edition_id = any(cast(:edition_ids as uuid[]))
""")
_DRAFTS = text("""
    select draft_id::text from editions.draft
    where municipality = :municipality and draft_id = any(cast(:draft_ids as uuid[]))
""")
_FILES = text("""
    select draft_id::text, question, kind, encode(sha256, 'hex') as sha256 from editions.file
    where municipality = :municipality and draft_id = any(cast(:draft_ids as uuid[]))
""")
_KEEP = text("""
    insert into editions.edition (
        municipality, edition_id, draft_id, number, title_de, title_en, frozen_for_de, frozen_for_en, audience,
        frozen_at, sha256, manifest
    ) values (
        :municipality, :edition_id, :draft_id, :number, :title_de, :title_en, :frozen_for_de, :frozen_for_en,
        :audience, cast(:frozen_at as timestamptz), :sha256, :manifest
    )
""")
_KEEP_CUTS = text("""
    insert into editions.cut (municipality, edition_id, frozen_generation, frozen_number, generation, number)
    select :municipality, cast(:edition_id as uuid), generation, number, generation, number
    from jsonb_to_recordset(cast(:cuts as jsonb)) as cuts (generation integer, number bigint)
""")
_WITHDRAW = text("""
    update editions.edition
    set withdrawn_at = now(), withdrawn_reason = :reason, withdrawn_words = :words
    where municipality = :municipality and edition_id = cast(:edition_id as uuid)
""")


class EditionsBook:
    """The rules of editions, as reporting's desk wants them."""

    commands: tuple[type, ...] = (FreezeEdition, WithdrawEdition)
    events: tuple[type[Data], ...] = (EditionFrozen, EditionWithdrawn)

    def __init__(self, municipality: str) -> None:
        self._municipality = municipality

    async def load(self, connection: AsyncConnection, commands: Sequence[Command]) -> Loaded[State]:
        """The editions, and of those that are to come the files that lie ready."""
        keys = [command.edition_id for command in commands]
        given = {"municipality": self._municipality, "edition_ids": keys}
        states: dict[str, State] = {
            row.edition_id: Edition(row.edition_id, row.audience, 1 + row.is_withdrawn, row.is_withdrawn)
            for row in await connection.execute(_EDITIONS, given)
        }
        wanted = {
            command.draft.draft_id: command.edition_id
            for command in commands
            if isinstance(command, FreezeEdition) and command.draft is not None and command.edition_id not in states
        }
        files = await self._files(connection, list(wanted)) if wanted else {}
        return Loaded(keys, {**{wanted[draft_id]: Stored(found) for draft_id, found in files.items()}, **states})

    async def _files(self, connection: AsyncConnection, draft_ids: list[str]) -> dict[str, frozenset[FrozenFile]]:
        given = {"municipality": self._municipality, "draft_ids": draft_ids}
        files: dict[str, set[FrozenFile]] = {row.draft_id: set() for row in await connection.execute(_DRAFTS, given)}
        for row in await connection.execute(_FILES, given):
            if row.draft_id in files:
                files[row.draft_id].add(FrozenFile(row.question, row.kind, row.sha256))
        return {draft_id: frozenset(found) for draft_id, found in files.items()}

    def decide(self, state: State | None, command: Command, at: datetime) -> tuple[Draft, ...]:
        return domain.decide(state, command, at)

    def evolve(self, state: State | None, draft: Draft, at: datetime) -> State:
        return domain.evolve(state, draft.data)

    def etag(self, state: State) -> str:
        return etag_of(state.version) if isinstance(state, Edition) else '"0"'

    def answer(self, kept: Kept[Command, State]) -> Answer:
        """Where the edition is found, and the hash that stands in the ledger."""
        receipt: dict[str, object] = {"edition_id": kept.command.edition_id, "number": kept.number}
        (draft,) = kept.drafts
        if isinstance(draft.data, EditionFrozen):
            receipt |= {"sha256": draft.data.manifest_sha256, "files": draft.data.files}
        return Answer(201, f"/editions/{kept.command.edition_id}", self.etag(kept.state), receipt)

    async def keep(self, connection: AsyncConnection, kept: Sequence[Kept[Command, State]]) -> None:
        for one in kept:
            place = {"municipality": self._municipality, "edition_id": one.command.edition_id}
            if isinstance(one.command, FreezeEdition):
                await self._seal(connection, one.command, one.number, place)
            else:
                form = one.command.form
                await connection.execute(_WITHDRAW, {**place, "reason": form.reason, "words": form.words})

    async def _seal(
        self, connection: AsyncConnection, command: FreezeEdition, number: int, place: dict[str, Any]
    ) -> None:
        draft, form = command.draft, command.form
        assert draft is not None, "an edition without files was decided"
        manifest = json.loads(draft.manifest)
        await connection.execute(
            _KEEP,
            {
                **place,
                "draft_id": draft.draft_id,
                "number": number,
                "title_de": form.title.de,
                "title_en": form.title.en,
                "frozen_for_de": form.frozen_for.de,
                "frozen_for_en": form.frozen_for.en,
                "audience": Audience(form.audience).value,
                "frozen_at": manifest["asked_at"],
                "sha256": bytes.fromhex(domain.manifest_hash(draft.manifest)),
                "manifest": draft.manifest,
            },
        )
        cuts = [{"generation": generation, "number": batch} for generation, batch in draft.batches]
        await connection.execute(_KEEP_CUTS, {**place, "cuts": json.dumps(cuts)})


def etag_of(version: int) -> str:
    """Names a state of an edition: frozen, or withdrawn."""
    return f'"{version}"'
