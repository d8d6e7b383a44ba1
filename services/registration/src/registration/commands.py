"""What the registration office is asked to do: what a clerk fills in (a form) and the numbers it is filed under.

Names and addresses stand here and in the vault, never in an event.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, StringConstraints

from verbund.events.days import Day
from verbund.events.registration import (
    AreaCode,
    ArrivalKind,
    CorrectionReason,
    DepartureReason,
    DoubtReason,
    LandlordConfirmation,
    MunicipalityKey,
    NationalityKey,
    ResidenceKind,
    Sex,
)

_SEEN = r"\S"  # tells callers that blanks alone are nothing: what stands around is stripped before it is counted
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=_SEEN)]
Street = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=_SEEN)]
HouseNumber = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20, pattern=_SEEN)]
Ags = Annotated[MunicipalityKey, StringConstraints(pattern=r"^[0-9]{8}$")]
"""No list tells which there are, so it has to be said here which digits are meant: `\\d` are those of all scripts."""
PostalCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]
Pseudonym = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
"""A random UUID in lower case; says nothing about whom it stands for."""


def new_pseudonym() -> str:
    """A random number that says nothing about whom it stands for, not even when it was given."""
    return str(uuid4())


class Form(BaseModel):
    """What a clerk fills in; an unknown field is refused, so that a misspelt one is never lost in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Address(Form):
    """Where a resident lives: the area is counted, the rest stays in the vault."""

    area: AreaCode
    """Code of a statistischer Bezirk, or `unplaced`."""
    street: Street
    house_number: HouseNumber
    postal_code: PostalCode | None = None
    city: Name | None = None
    """Only where it is not the municipality's own name."""
    landlord: Name | None = None
    landlord_confirmation: LandlordConfirmation | None = None
    """§ 19 BMG: the confirmation of who provides the dwelling; asked for except for births and the initial stock."""


class ResidenceForm(Address):
    """Anmeldung, § 17 (1) BMG: somebody has moved in, or was born here."""

    resident_id: Pseudonym | None = None
    """Somebody whom the office knows already (second residence, return): name and day of birth are known then."""
    family_name: Name | None = None
    given_names: Name | None = None
    birth_date: Day | None = None
    sex: Sex | None = None
    nationality: NationalityKey
    moved_in_on: Day
    """For a birth: the day of birth."""
    residence_kind: ResidenceKind = "main"
    arrival_kind: ArrivalKind
    """`opening` is for the initial load only."""
    previous_state: NationalityKey | None = None
    """Where they came from, if from abroad."""
    previous_municipality: Ags | None = None
    """AGS of the place they came from, if from another municipality."""


class MoveForm(Address):
    """Ummeldung, § 17 (1) BMG: a resident has moved within the municipality."""

    moved_on: Day


class DeregistrationForm(Form):
    """Abmeldung: § 17 (2) BMG (abroad), § 33 (other municipality), § 6 (ex officio), or death."""

    deregistered_on: Day
    """The first day on which the residence is no more."""
    reason: DepartureReason


class NationalityForm(Form):
    """A resident was naturalised, or lost or gained a nationality."""

    changed_on: Day
    nationality: NationalityKey


class ResidenceKindForm(Form):
    """§ 22 BMG: which of several dwellings is the main one has changed."""

    changed_on: Day
    residence_kind: ResidenceKind
    """What it is from that day on."""


class DoubtForm(Form):
    """Something tells the office that the resident does not live there any more."""

    doubted_on: Day
    """The day on which the office learned of it."""
    doubt_reason: DoubtReason


class ClarificationForm(Form):
    """The inquiry found the resident at the address."""

    confirmed_on: Day


class TrueValues(Form):
    """What is true instead of what was booked; a field left out stays as it was.

    Name, day of birth and address change the vault; the others are facts of the booking. `effective_on` is the date
    of the booking: moved in, moved, deregistered, changed, doubted, or confirmed.
    """

    effective_on: Day | None = None
    area: AreaCode | None = None
    residence_kind: ResidenceKind | None = None
    nationality: NationalityKey | None = None
    birth_date: Day | None = None
    sex: Sex | None = None
    arrival_kind: ArrivalKind | None = None
    previous_state: NationalityKey | None = None
    previous_municipality: Ags | None = None
    landlord_confirmation: LandlordConfirmation | None = None
    reason: DepartureReason | None = None
    """Of a deregistration."""
    doubt_reason: DoubtReason | None = None
    family_name: Name | None = None
    given_names: Name | None = None
    street: Street | None = None
    house_number: HouseNumber | None = None
    postal_code: PostalCode | None = None
    city: Name | None = None
    landlord: Name | None = None

    VAULT_ONLY: ClassVar[frozenset[str]] = frozenset(
        {"family_name", "given_names", "street", "house_number", "postal_code", "city", "landlord"}
    )

    def stated(self) -> dict[str, Any]:
        """The fields that were given, without those that stay as they were."""
        return {name: value for name in self.model_fields_set if (value := getattr(self, name)) is not None}


class CorrectionForm(Form):
    """A booking was wrong: `amendment` says what is true; null cancels it, as if it had never been made."""

    booking_id: Pseudonym
    reason: CorrectionReason
    amendment: TrueValues | None


FormT_co = TypeVar("FormT_co", bound=Form, covariant=True)
Phase = Literal["initial_load", "daily_business"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed(Generic[FormT_co]):
    """A form under the numbers that its booking will carry, so that deciding it twice decides the same."""

    form: FormT_co
    residence_id: str
    """Of the new residence, or of the residence that the form is about."""
    booking_id: str = field(default_factory=new_pseudonym)
    phase: Phase = "daily_business"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterResidence(Filed[ResidenceForm]):
    """Book an Anmeldung."""

    residence_id: str = field(default_factory=new_pseudonym)
    resident_id: str = field(default_factory=new_pseudonym)
    """The resident that the form names, or a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveResidence(Filed[MoveForm]):
    """Book an Ummeldung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeregisterResidence(Filed[DeregistrationForm]):
    """Book an Abmeldung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeNationality(Filed[NationalityForm]):
    """Book a change of nationality of the resident who lives at the residence; it holds for all their residences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeResidenceKind(Filed[ResidenceKindForm]):
    """Book that a main residence became a secondary one, or the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtAddress(Filed[DoubtForm]):
    """Book a doubt, from which the inquiry (§ 6 BMG) begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarifyAddress(Filed[ClarificationForm]):
    """Book that the doubt is over: the resident lives there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectRegistration(Filed[CorrectionForm]):
    """Correct or cancel a booking of the residence, or a correction of one."""


Command = (
    RegisterResidence
    | MoveResidence
    | DeregisterResidence
    | ChangeNationality
    | ChangeResidenceKind
    | DoubtAddress
    | ClarifyAddress
    | CorrectRegistration
)
