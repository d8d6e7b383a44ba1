"""Editions: what is asked for when figures are frozen, and when an edition is withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

from verbund.events.days import Day
from verbund.events.reporting.editions import WithdrawalReason

MOST_QUESTIONS = 200
_SEEN = r"\S"  # tells callers that blanks alone are nothing

ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_SEEN)]
Code = Annotated[str, Field(max_length=64)]
IndicatorId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
_ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
EditionId = Annotated[str, Field(pattern=f"^{_ID}$")]
Against = Annotated[str, Field(pattern=f"^(now|{_ID})$")]
"""A later edition, or what is known `now`."""
AudienceName = Literal["statistics", "coordination"]
PeriodName = Literal["day", "month", "quarter", "half_year", "year", "school_year", "rolling_year"]


class Form(BaseModel):
    """What is filled in; an unknown field is refused, so that a misspelt one is never lost in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BothLanguages(Form):
    """One text in German and in English."""

    de: ShortText
    en: ShortText


class QuestionForm(Form):
    """A question about an indicator, under the names that `GET /figures/{indicator_id}` has for its parts."""

    model_config = ConfigDict(populate_by_name=True)

    indicator: IndicatorId
    version: Annotated[int | None, Field(ge=1, le=10_000)] = None
    by: Annotated[tuple[Code, ...], Field(max_length=10)] = ()
    filters: Annotated[Mapping[Code, Annotated[tuple[Code, ...], Field(max_length=300)]], Field(max_length=10)] = Field(
        default_factory=dict
    )
    as_of: Annotated[tuple[Day, ...], Field(max_length=1_000)] = ()
    from_on: Annotated[Day | None, Field(alias="from")] = None
    to_on: Annotated[Day | None, Field(alias="to")] = None
    period: PeriodName | None = None
    known_on: Day | None = None
    compare: Literal["year_before"] | Day | None = None
    compare_known_on: Day | None = None


def _told(questions: object) -> str:
    return "in_a_word" if isinstance(questions, str) else "one_by_one"


# Told apart by what they look like: whoever errs in one question is not told that `all` was expected too.
Questions = Annotated[
    Annotated[Literal["all"], Tag("in_a_word")]
    | Annotated[tuple[QuestionForm, ...], Field(min_length=1, max_length=MOST_QUESTIONS), Tag("one_by_one")],
    Discriminator(_told),
]


class EditionForm(Form):
    """What is to be frozen: for whom, and the answers to which questions."""

    title: BothLanguages
    frozen_for: BothLanguages
    """The body or meeting, in words."""
    audience: AudienceName
    """For whose eyes: never a wider audience than that of whoever freezes."""
    questions: Questions
    """`all`: the question of the tile of every indicator."""
    fields_of_action: Annotated[tuple[Code, ...], Field(max_length=50)] = ()
    """Only with `all`: the indicators of these alone; of every field where none is named."""
    as_of: Day | None = None
    """Only with `all`: the day of these questions; today where none is named."""


class WithdrawalForm(Form):
    """Why an edition should not be used any more."""

    reason: WithdrawalReason
    words: ShortText | None = None


@dataclass(frozen=True, slots=True)
class FrozenFile:
    """One rendered file of an edition, as its manifest and its table name it."""

    question: int
    """From 1 on."""
    kind: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Draft:
    """Files that are stored and not sealed yet, and the manifest that names them."""

    draft_id: str
    manifest: bytes
    files: tuple[FrozenFile, ...]
    batches: tuple[tuple[int, int], ...]
    """Generation and number of the batches of the cube that the answers stand at."""


@dataclass(frozen=True, slots=True)
class FreezeEdition:
    """Seal the files of a draft as an edition."""

    edition_id: str
    form: EditionForm
    draft: Draft | None
    """None where the edition was there already when it was asked for: then the desk knows the answer."""


@dataclass(frozen=True, slots=True)
class WithdrawEdition:
    """Say that an edition should not be used any more."""

    edition_id: str
    form: WithdrawalForm
    audience: str
    """Of whoever withdraws: an edition that they may not see is none to them."""
