"""Words for the codes of the office, as English messages; pages show them in the reader's language."""

from verbund.service.words import message_id

RESIDENCE_KINDS = {
    "main": message_id("main residence"),
    "secondary": message_id("secondary residence"),
}
SEXES = {
    "f": message_id("female"),
    "m": message_id("male"),
    "d": message_id("diverse"),
    "unknown": message_id("no entry"),
}
ARRIVAL_KINDS = {
    "abroad": message_id("from abroad"),
    "other_municipality": message_id("from another municipality"),
    "birth": message_id("born here"),
    "unknown": message_id("not known"),
    "opening": message_id("was here when the office began to book"),
}
CONFIRMATIONS = {
    "present": message_id("is there"),
    "missing": message_id("is missing"),
    "refused": message_id("was refused by the landlord"),
}
REASONS = {
    "abroad": message_id("moved abroad"),
    "other_municipality": message_id("moved to another municipality"),
    "death": message_id("died"),
    "ex_officio": message_id("ex officio"),
}
STATUSES = {
    "open": message_id("registered"),
    "over": message_id("deregistered"),
    "cancelled": message_id("cancelled"),
}
BOOKINGS = {
    "registration": message_id("Registration"),
    "move": message_id("Move"),
    "deregistration": message_id("Deregistration"),
    "nationality_change": message_id("Change of nationality"),
    "correction": message_id("Correction"),
}
BOOKED = {
    "registration": message_id("The residence is registered."),
    "move": message_id("The move is booked."),
    "deregistration": message_id("The residence is deregistered."),
}

LABELS = {
    "family_name": message_id("Family name"),
    "given_names": message_id("Given names"),
    "birth_date": message_id("Date of birth"),
    "sex": message_id("Sex"),
    "nationality": message_id("Nationality"),
    "moved_in_on": message_id("Moved in on"),
    "residence_kind": message_id("Kind of residence"),
    "arrival_kind": message_id("Where from"),
    "previous_state": message_id("Previous state"),
    "previous_municipality": message_id("Previous municipality"),
    "area": message_id("Area"),
    "street": message_id("Street"),
    "house_number": message_id("House number"),
    "postal_code": message_id("Postal code"),
    "landlord_confirmation": message_id("The landlord's confirmation"),
    "landlord": message_id("Landlord"),
    "moved_on": message_id("Moved on"),
    "deregistered_on": message_id("Deregistered from"),
    "reason": message_id("Reason"),
}
"""What the fields of the forms are called."""

WORDING = {
    "residence_kind": RESIDENCE_KINDS,
    "sex": SEXES,
    "arrival_kind": ARRIVAL_KINDS,
    "landlord_confirmation": CONFIRMATIONS,
    "reason": REASONS,
    "status": STATUSES,
    "booking": BOOKINGS,
    "booked": BOOKED,
}
"""By the name of the field; known to every template."""
