"""The rules of editions: what is sealed is what was stored, nobody sees more than they may, nothing is ever removed."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime

from reporting.audiences import Audience
from reporting.commands.editions import AudienceName, BothLanguages, FreezeEdition, FrozenFile, WithdrawEdition
from reporting.deltas import day_of
from verbund.desk.orders import Draft as Drafted
from verbund.errors import Conflict, Finding, Forbidden, NotFound, NotNow
from verbund.events.envelope import Data
from verbund.events.reporting.editions import EditionFrozen, EditionWithdrawn


@dataclass(frozen=True, slots=True)
class Stored:
    """The files of a draft, as they lie there."""

    files: frozenset[FrozenFile]


@dataclass(frozen=True, slots=True)
class Edition:
    """What was frozen, as far as the rules ask for it."""

    edition_id: str
    audience: str
    version: int = 1
    is_withdrawn: bool = False


State = Stored | Edition
Command = FreezeEdition | WithdrawEdition


def may_see(reader: Audience, frozen_for: str) -> bool:
    """Whether who belongs to one audience may see what was frozen for another one: the same, or a narrower one."""
    widest_first = [audience.value for audience in Audience]
    return widest_first.index(reader) <= widest_first.index(frozen_for)


def check_audience(own: Audience, wanted: AudienceName) -> Audience:
    """The audience to freeze for; raises `Forbidden` (`wider_audience`) where it sees more than who freezes."""
    if not may_see(own, wanted):
        finding = Finding(
            "/audience",
            "wider_audience",
            "Your roles see less than this audience. Choose your own, or a narrower one.",
        )
        raise Forbidden(finding.code, finding.message, findings=(finding,))
    return Audience(wanted)


def manifest_hash(manifest: bytes) -> str:
    """An edition's hash: SHA-256 of the very bytes of its manifest."""
    return hashlib.sha256(manifest).hexdigest()


def words_hash(words: str | None) -> str | None:
    """SHA-256 of words that stand in the office's own table."""
    return None if words is None else hashlib.sha256(words.encode()).hexdigest()


def decide(state: State | None, command: Command, at: datetime) -> tuple[Drafted, ...]:
    """The event of a command; raises `NotFound`, `NotNow` or `Conflict`."""
    match command:
        case FreezeEdition():
            return (Drafted(command.edition_id, _frozen(state, command, at)),)
        case WithdrawEdition():
            return (Drafted(command.edition_id, _withdrawn(state, command, at)),)


def evolve(state: State | None, data: Data) -> Edition:
    """The edition after an event."""
    match data:
        case EditionFrozen():
            return Edition(data.edition_id, Audience(data.audience).value)
        case EditionWithdrawn():
            assert isinstance(state, Edition)
            return replace(state, version=state.version + 1, is_withdrawn=True)
        case _:
            raise AssertionError(f"{type(data).__name__} is no event of an edition")


def _frozen(state: State | None, command: FreezeEdition, at: datetime) -> EditionFrozen:
    if isinstance(state, Edition):
        raise NotNow("edition_frozen", "This edition is frozen already.", allowed=(WithdrawEdition.__name__,))
    draft = command.draft
    if draft is None or state is None or state.files != set(draft.files) or not _names(draft.manifest, draft.files):
        raise Conflict("draft_gone", "What was prepared is not there any more. Freeze it again.")
    return EditionFrozen(
        edition_id=command.edition_id,
        frozen_on=day_of(at),
        audience=command.form.audience,
        questions=len({file.question for file in draft.files}),
        files=len(draft.files),
        manifest_sha256=manifest_hash(draft.manifest),
    )


def _names(manifest: bytes, files: tuple[FrozenFile, ...]) -> bool:
    """Whether the manifest names these files and no others."""
    return files_in(json.loads(manifest)) == files


def files_in(manifest: dict[str, object]) -> tuple[FrozenFile, ...]:
    """The files that a manifest names, in its order."""
    questions = manifest["questions"]
    assert isinstance(questions, list)
    return tuple(
        FrozenFile(number, file["kind"], file["sha256"])
        for number, question in enumerate(questions, start=1)
        for file in question["files"]
    )


def _withdrawn(state: State | None, command: WithdrawEdition, at: datetime) -> EditionWithdrawn:
    if not isinstance(state, Edition) or not may_see(Audience(command.audience), state.audience):
        raise no_such_edition()
    if state.is_withdrawn:
        raise NotNow("edition_withdrawn", "This edition is withdrawn already.")
    return EditionWithdrawn(
        edition_id=command.edition_id,
        withdrawn_on=day_of(at),
        reason=command.form.reason,
        words_sha256=words_hash(command.form.words),
    )


def no_such_edition() -> NotFound:
    """For what is not there, and for what somebody may not see: nobody can tell the one from the other."""
    return NotFound("no_such_edition", "There is no such edition.")


def title_of(words: BothLanguages) -> dict[str, str]:
    """A text as the manifest holds it."""
    return {"de": words.de, "en": words.en}
