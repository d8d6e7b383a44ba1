"""Examples for the reference of the routes; nobody in them lives."""

from fastapi.openapi.models import Example

_ADDRESS = {
    "area": "05",
    "street": "Musterstraße",
    "house_number": "12a",
    "postal_code": "44145",
    "landlord_confirmation": "present",
}

FROM_ABROAD = {
    "family_name": "Muster",
    "given_names": "Maria",
    "birth_date": "1987-05-14",
    "sex": "f",
    "nationality": "154",
    "moved_in_on": "2018-11-05",
    "residence_kind": "main",
    "arrival_kind": "abroad",
    "previous_state": "154",
    **_ADDRESS,
}
REGISTRATIONS: dict[str, Example] = {
    "from abroad": {"value": FROM_ABROAD},
    "second residence of somebody known": {
        "value": {
            "resident_id": "1b1f4c62-6a9e-4a4b-8c1d-7d3f0f6f2c22",
            "nationality": "154",
            "moved_in_on": "2018-12-01",
            "residence_kind": "secondary",
            "arrival_kind": "other_municipality",
            "previous_municipality": "05911000",
            **_ADDRESS,
        }
    },
}
MOVES: dict[str, Example] = {"move": {"value": {"moved_on": "2018-12-15", **_ADDRESS, "area": "04"}}}
DEREGISTRATIONS: dict[str, Example] = {
    "moved abroad": {"value": {"deregistered_on": "2018-12-31", "reason": "abroad"}},
    "death": {"value": {"deregistered_on": "2018-12-31", "reason": "death"}},
}
NATIONALITY_CHANGES: dict[str, Example] = {
    "naturalisation": {"value": {"changed_on": "2018-12-20", "nationality": "000"}}
}
KIND_CHANGES: dict[str, Example] = {
    "secondary from now on": {"value": {"changed_on": "2018-12-20", "residence_kind": "secondary"}}
}
DOUBTS: dict[str, Example] = {
    "letter came back": {"value": {"doubted_on": "2018-12-03", "doubt_reason": "returned_official_letter"}}
}
CONFIRMATIONS: dict[str, Example] = {"found there": {"value": {"confirmed_on": "2018-12-19"}}}
_BOOKING = "c0a8012e-0b56-4f7e-9a52-2f6c1f5b9d33"
CORRECTIONS: dict[str, Example] = {
    "another nationality from the start": {
        "value": {"booking_id": _BOOKING, "reason": "wrong_document", "amendment": {"nationality": "125"}}
    },
    "another day": {
        "value": {"booking_id": _BOOKING, "reason": "typing_error", "amendment": {"effective_on": "2018-11-15"}}
    },
    "never should have been booked": {
        "value": {"booking_id": _BOOKING, "reason": "booked_in_error", "amendment": None}
    },
}
