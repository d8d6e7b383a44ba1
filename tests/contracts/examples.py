"""One event of every type, as it travels."""

from datetime import UTC, date, datetime
from typing import Any, Literal

from contracts import reporting_examples

from verbund.events.envelope import Data, Event, sequence_of
from verbund.events.registration import (
    AddressConfirmed,
    AddressDoubted,
    Amendment,
    DoubtFacts,
    DoubtTransition,
    InitialLoadClosed,
    NationalityChanged,
    RegistrationCorrected,
    RegistrationFacts,
    RegistrationTransition,
    ResidenceDeregistered,
    ResidenceKindChanged,
    ResidenceMoved,
    ResidenceRegistered,
    ResidentFacts,
    ResidentTransition,
)
from verbund.events.reporting.deliveries import (
    DeliveredPeriod,
    DeliveredRow,
    DeliveredSheet,
    DeliveryFinding,
    FigureDelivered,
    FigureFinalised,
    FigureKept,
    FigureRevised,
    FigureWithdrawn,
)
from verbund.events.reporting.editions import EditionFrozen, EditionWithdrawn

RESIDENT = "1b1f4c62-6a9e-4a4b-8c1d-7d3f0f6f2c22"
RESIDENCE = "8d6f2f0a-5a0e-4a53-9f0e-0d7a6a1f3b11"
BOOKING = "c0a8012e-0b56-4f7e-9a52-2f6c1f5b9d33"
EDITION = "6a0e3c1d-55a2-4c3b-9e0f-7b2f1c8d9e55"
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
CORRECTION = "5d1c6a7e-31b4-4c37-8f1e-6f0f8a5f4d44"
LIVING = ResidentFacts(area="05", nationality="154", birth_year=1987, sex="f", residence_kind="main")
MOVED = LIVING.model_copy(update={"area": "04"})
ACT = RegistrationFacts(
    area="05",
    residence_kind="main",
    arrival_kind="abroad",
    late=False,
    landlord_confirmation="present",
    at_flagged_premises=False,
)


def _resident(kind: str, on: date, before: ResidentFacts | None, after: ResidentFacts | None) -> ResidentTransition:
    return ResidentTransition.model_validate(
        {
            "sign": 1,
            "subject": RESIDENT,
            "n": 1,
            "effective_on": on,
            "kind": kind,
            "before": before,
            "after": after,
            "cause": "booked",
        }
    )


def _act(on: date, facts: RegistrationFacts) -> RegistrationTransition:
    return RegistrationTransition(
        sign=1, subject=RESIDENCE, n=1, effective_on=on, kind="recorded", before=None, after=facts, cause="booked"
    )


DOUBTED = DoubtFacts(area="04", reason="returned_official_letter", since=date(2019, 1, 7))


def _doubt(
    kind: Literal["found", "resolved"], on: date, before: DoubtFacts | None, after: DoubtFacts
) -> DoubtTransition:
    return DoubtTransition(
        sign=1, subject=BOOKING, n=1, effective_on=on, kind=kind, before=before, after=after, cause="booked"
    )


ARRIVAL = _resident("arrival", date(2018, 11, 5), None, LIVING)
BULGARIAN = LIVING.model_copy(update={"nationality": "125"})

DELIVERY: dict[str, Any] = {
    "indicator": "gynaecological_contacts",
    "definition_version": 1,
    "unit": "contact",
    "body": "health_office",
}
YEAR_2017 = DeliveredPeriod(from_on=date(2017, 1, 1), to_on=date(2017, 12, 31))
YEAR_2018 = DeliveredPeriod(from_on=date(2018, 1, 1), to_on=date(2018, 12, 31))
SHEET = DeliveredSheet(
    from_on=date(2018, 1, 1),
    to_on=date(2018, 12, 31),
    state="provisional",
    precision="exact",
    restated=False,
    rows=(DeliveredRow(breakdown={}, value="6480"), DeliveredRow(breakdown={"sex": "f"}, value=None)),
    source_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)
DIFFERENCE = DeliveryFinding(code="sum_differs", breakdown={}, dimension="sex", printed="6480", computed="5732")

DATA: tuple[Data, ...] = (
    ResidenceRegistered(
        booking_id=BOOKING,
        booked_on=date(2018, 11, 12),
        transitions=(ARRIVAL, _act(date(2018, 11, 12), ACT)),
        residence_id=RESIDENCE,
        moved_in_on=date(2018, 11, 5),
        area="05",
        residence_kind="main",
        nationality="154",
        birth_year=1987,
        sex="f",
        arrival_kind="abroad",
        previous_state="154",
        landlord_confirmation="present",
        late=False,
        at_flagged_premises=False,
    ),
    ResidenceMoved(
        booking_id=BOOKING,
        booked_on=date(2018, 12, 30),
        transitions=(
            _resident("move", date(2018, 12, 1), LIVING, MOVED),
            _act(
                date(2018, 12, 30),
                ACT.model_copy(update={"area": "04", "arrival_kind": "within_municipality", "late": True}),
            ),
        ),
        residence_id=RESIDENCE,
        moved_on=date(2018, 12, 1),
        area="04",
        landlord_confirmation="present",
        late=True,
        at_flagged_premises=False,
    ),
    ResidenceDeregistered(
        booking_id=BOOKING,
        booked_on=date(2019, 2, 4),
        transitions=(_resident("departure", date(2019, 2, 1), MOVED, None),),
        residence_id=RESIDENCE,
        deregistered_on=date(2019, 2, 1),
        reason="abroad",
    ),
    ResidenceKindChanged(
        booking_id=BOOKING,
        booked_on=date(2018, 12, 30),
        transitions=(
            _resident("change", date(2018, 12, 20), LIVING, LIVING.model_copy(update={"residence_kind": "secondary"})),
        ),
        residence_id=RESIDENCE,
        changed_on=date(2018, 12, 20),
        residence_kind="secondary",
    ),
    AddressDoubted(
        booking_id=BOOKING,
        booked_on=date(2019, 1, 8),
        transitions=(),
        doubts=(_doubt("found", date(2019, 1, 7), None, DOUBTED),),
        residence_id=RESIDENCE,
        doubted_on=date(2019, 1, 7),
        reason="returned_official_letter",
    ),
    AddressConfirmed(
        booking_id=BOOKING,
        booked_on=date(2019, 1, 22),
        transitions=(),
        doubts=(_doubt("resolved", date(2019, 1, 21), DOUBTED, DOUBTED.model_copy(update={"outcome": "confirmed"})),),
        residence_id=RESIDENCE,
        confirmed_on=date(2019, 1, 21),
    ),
    NationalityChanged(
        booking_id=BOOKING,
        booked_on=date(2018, 12, 20),
        transitions=(
            _resident("change", date(2018, 12, 15), LIVING, LIVING.model_copy(update={"nationality": "000"})),
        ),
        residence_id=RESIDENCE,
        changed_on=date(2018, 12, 15),
        nationality="000",
    ),
    RegistrationCorrected(
        booking_id=CORRECTION,
        booked_on=date(2018, 11, 20),
        transitions=(
            ARRIVAL.model_copy(update={"sign": -1, "cause": "corrected:wrong_document"}),
            _resident("arrival", date(2018, 11, 5), None, BULGARIAN).model_copy(
                update={"cause": "corrected:wrong_document"}
            ),
        ),
        corrected_booking_id=BOOKING,
        reason="wrong_document",
        amendment=Amendment(nationality="125"),
    ),
    InitialLoadClosed(closed_on=date(2019, 1, 2)),
    FigureDelivered(**DELIVERY, sheet=SHEET, findings=(DIFFERENCE,)),
    FigureRevised(
        **DELIVERY,
        sheet=SHEET.model_copy(update={"rows": (DeliveredRow(breakdown={}, value="5732"),), "state": "final"}),
        findings=(),
        reason="typing_error",
    ),
    FigureKept(**DELIVERY, kept_from=YEAR_2017, sheet=SHEET, findings=()),
    FigureFinalised(**DELIVERY, period=YEAR_2018),
    FigureWithdrawn(**DELIVERY, period=YEAR_2018, reason="changed_definition"),
    EditionFrozen(
        edition_id=EDITION,
        frozen_on=date(2019, 3, 4),
        audience="coordination",
        questions=11,
        files=77,
        manifest_sha256=HASH,
    ),
    EditionWithdrawn(
        edition_id=EDITION, withdrawn_on=date(2019, 3, 5), reason="wrong_figures", words_sha256=HASH[::-1]
    ),
)


def example_of(office: str, model: type[Data]) -> Event[Any]:
    """An event of this type; raises `StopIteration` where there is no example yet: write one above."""
    return Event[Any](
        id="01938c2e-7a40-7c1d-8f2b-3d5a6b7c8d9e",
        source=f"/05913000/{office}/book",
        type=model.type,
        subject=RESIDENT,
        time=datetime(2019, 2, 4, 9, 30, tzinfo=UTC),
        sequence=sequence_of(80412),
        actor="clerk:5f1c0e9a",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        data=next(data for data in (*DATA, *reporting_examples.DATA) if type(data) is model),
    )
