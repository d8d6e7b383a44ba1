"""What the registration office books (Bundesmeldegesetz; sections are named where a rule comes from)."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from verbund.events.envelope import Data
from verbund.events.transitions import Facts, Transition

OFFICE = "registration"

Sex = Literal["f", "m", "d", "unknown"]
ResidenceKind = Literal["main", "secondary"]
ArrivalKind = Literal["abroad", "other_municipality", "birth", "opening", "unknown"]
"""Where a residence began: `opening` was there when the office began to book; `unknown` is not "from nowhere"."""
RegisteredFrom = Literal["abroad", "other_municipality", "unknown", "within_municipality"]
"""Where somebody who registered came from; `within_municipality` after a move in the city."""
LandlordConfirmation = Literal["present", "missing", "refused"]  # § 19 BMG
DepartureReason = Literal["abroad", "other_municipality", "death", "ex_officio"]
CorrectionReason = Literal[
    "typing_error",
    "wrong_document",
    "wrong_person",
    "information_of_person",
    "information_of_other_authority",
    "booked_in_error",
]

DoubtReason = Literal["returned_mail", "returned_official_letter", "hint_of_inspection", "notice_of_landlord"]
"""Why the office doubts that somebody still lives where they are registered."""
DoubtOutcome = Literal["confirmed", "moved", "deregistered", "deregistered_ex_officio"]
"""How a doubt ended."""
RegistryKind = Literal["opening", "arrival", "departure", "move", "birth", "death", "change", "recorded"]
"""Kinds of transitions of residents and registrations; those of doubts are their own."""

AreaCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,16}$")]
"""Code of a statistischer Bezirk, or `unplaced` for an address that cannot be placed."""
NationalityKey = Annotated[str, Field(pattern=r"^\d{3}$")]
"""Key of the Destatis list of states and nationalities, three digits."""
MunicipalityKey = Annotated[str, Field(pattern=r"^\d{8}$")]
"""Amtlicher Gemeindeschlüssel, eight digits."""
BirthYear = Annotated[StrictInt, Field(ge=1880, le=2200)]


class ResidentFacts(Facts):
    """One resident at one residence (unit `resident`)."""

    area: AreaCode
    nationality: NationalityKey
    birth_year: BirthYear
    sex: Sex
    residence_kind: ResidenceKind


class RegistrationFacts(Facts):
    """One act of registration (unit `registration`), counted on the day when it was booked.

    What was there when the office began (`opening`) was registered elsewhere, and a child born to its parents' home
    need not be registered (§ 17 (3) BMG): both are no acts. Deliberately without nationality: it must not be crossed
    with `at_flagged_premises`.
    """

    area: AreaCode
    residence_kind: ResidenceKind
    arrival_kind: RegisteredFrom
    late: StrictBool
    """Registered after the period that the law sets (two weeks since 2015-11-01, § 17 (1) BMG)."""
    landlord_confirmation: LandlordConfirmation
    at_flagged_premises: StrictBool


class DoubtFacts(Facts):
    """One doubt whether somebody still lives at a residence (unit `doubt`)."""

    area: AreaCode
    """Where the residence was when the doubt was booked."""
    reason: DoubtReason
    since: date
    """The day from which the office doubted."""
    outcome: DoubtOutcome | None = None
    """None while it is open."""


class ResidentTransition(Transition[ResidentFacts]):
    """A resident came, went, moved or changed; `subject` is the resident's pseudonym."""

    kind: RegistryKind
    unit: Literal["resident"] = "resident"


class RegistrationTransition(Transition[RegistrationFacts]):
    """A registration was booked on `effective_on`; `subject` is the residence's pseudonym, `kind` is `recorded`."""

    kind: RegistryKind
    unit: Literal["registration"] = "registration"


class DoubtTransition(Transition[DoubtFacts]):
    """A doubt was found (`after` is the open one), or resolved (`before` is the open one, `after` tells its outcome).

    `subject` is the pseudonym of the booking that raised it; `effective_on` is the office's day, not the resident's.
    """

    kind: Literal["found", "resolved"]
    unit: Literal["doubt"] = "doubt"


RegistryTransition = Annotated[ResidentTransition | RegistrationTransition, Field(discriminator="unit")]


class _Booked(Data):
    """What every booking of this office carries."""

    booking_id: str
    """Random pseudonym of this booking: corrections name it."""
    booked_on: date
    """Day of the booking at the office (Europe/Berlin)."""
    transitions: tuple[RegistryTransition, ...]
    doubts: tuple[DoubtTransition, ...] = ()
    """Transitions of doubts, in a field of their own: readers of the first release know nothing of them."""

    def counted(self) -> tuple[Transition[Any], ...]:
        """Residents, registrations and doubts."""
        return (*self.transitions, *self.doubts) if self.doubts else self.transitions


class ResidenceRegistered(_Booked, office=OFFICE, version=1):
    """A person has registered a residence (Anmeldung, § 17 (1) BMG)."""

    residence_id: str
    moved_in_on: date
    area: AreaCode
    residence_kind: ResidenceKind
    nationality: NationalityKey
    birth_year: BirthYear
    sex: Sex
    arrival_kind: ArrivalKind
    previous_state: NationalityKey | None = None
    previous_municipality: MunicipalityKey | None = None
    landlord_confirmation: LandlordConfirmation | None = None
    """Null where none is asked for: births, and what was there when the office began."""
    late: StrictBool
    at_flagged_premises: StrictBool


class ResidenceMoved(_Booked, office=OFFICE, version=1):
    """A resident has moved within the municipality (Ummeldung, § 17 (1) BMG)."""

    residence_id: str
    moved_on: date
    area: AreaCode
    landlord_confirmation: LandlordConfirmation
    late: StrictBool
    at_flagged_premises: StrictBool


class ResidenceDeregistered(_Booked, office=OFFICE, version=1):
    """A residence has ended (Abmeldung: § 17 (2) abroad, § 33 other municipality, § 6 ex officio; or death)."""

    residence_id: str
    deregistered_on: date
    reason: DepartureReason


class NationalityChanged(_Booked, office=OFFICE, version=1):
    """A resident's nationality has changed (naturalisation, loss): the stock shifts, nobody moved."""

    residence_id: str
    """At which residence it was told; it holds for all open residences of the resident."""
    changed_on: date
    nationality: NationalityKey


class ResidenceKindChanged(_Booked, office=OFFICE, version=1):
    """A main residence has become a secondary one, or the other way round (§ 21, § 22 BMG)."""

    residence_id: str
    changed_on: date
    residence_kind: ResidenceKind


class AddressDoubted(_Booked, office=OFFICE, version=1):
    """The office doubts that the resident still lives there, and inquires (§ 6 BMG)."""

    residence_id: str
    doubted_on: date
    reason: DoubtReason


class AddressConfirmed(_Booked, office=OFFICE, version=1):
    """The inquiry found the resident where they are registered: the doubt is over."""

    residence_id: str
    confirmed_on: date


class Amendment(BaseModel):
    """The true values of a booking; a field left out stays as it was. Dates: the booking's own effective date."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    effective_on: date | None = None
    area: AreaCode | None = None
    residence_kind: ResidenceKind | None = None
    nationality: NationalityKey | None = None
    birth_year: BirthYear | None = None
    sex: Sex | None = None
    arrival_kind: ArrivalKind | None = None
    previous_state: NationalityKey | None = None
    previous_municipality: MunicipalityKey | None = None
    landlord_confirmation: LandlordConfirmation | None = None
    reason: DepartureReason | None = None
    doubt_reason: DoubtReason | None = None


class RegistrationCorrected(_Booked, office=OFFICE, version=1):
    """A booking was wrong: `amendment` is what is true, or null where the booking never should have been made.

    The booking may itself be a correction: then its amendment is amended, or it has no effect any more.
    """

    corrected_booking_id: str
    reason: CorrectionReason
    amendment: Amendment | None


class InitialLoadClosed(Data, office=OFFICE, version=1):
    """The stock at the start is loaded; from here on the office books in real time."""

    closed_on: date


EVENTS: tuple[type[Data], ...] = (
    ResidenceRegistered,
    ResidenceMoved,
    ResidenceDeregistered,
    NationalityChanged,
    ResidenceKindChanged,
    AddressDoubted,
    AddressConfirmed,
    RegistrationCorrected,
    InitialLoadClosed,
)
