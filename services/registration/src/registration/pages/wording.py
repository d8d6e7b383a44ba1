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
DOUBT_REASONS = {
    "returned_mail": message_id("mail came back"),
    "returned_official_letter": message_id("an official letter came back"),
    "hint_of_inspection": message_id("hint from an inspection of the order office"),
    "notice_of_landlord": message_id("notice of the landlord"),
}
STATUSES = {
    "registered": message_id("registered"),
    "doubtful": message_id("in doubt"),
    "deregistered": message_id("deregistered"),
    "cancelled": message_id("cancelled"),
}
BOOKINGS = {
    "registration": message_id("Registration"),
    "move": message_id("Move"),
    "deregistration": message_id("Deregistration"),
    "nationality_change": message_id("Change of nationality"),
    "kind_change": message_id("Change of the kind of residence"),
    "doubt": message_id("Doubt"),
    "clarification": message_id("Confirmation"),
    "correction": message_id("Correction"),
}
BOOKED = {
    "registration": message_id("The residence is registered."),
    "move": message_id("The move is booked."),
    "deregistration": message_id("The residence is deregistered."),
    "nationality_change": message_id("The change of nationality is booked."),
    "kind_change": message_id("The change of the kind of residence is booked."),
    "doubt": message_id("The doubt is booked: the inquiry begins."),
    "clarification": message_id("The address is confirmed."),
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
    "changed_on": message_id("Changed on"),
    "doubted_on": message_id("In doubt since"),
    "doubt_reason": message_id("What tells so"),
    "confirmed_on": message_id("Found there on"),
}
"""What the fields of the forms are called."""

WORDING = {
    "residence_kind": RESIDENCE_KINDS,
    "sex": SEXES,
    "arrival_kind": ARRIVAL_KINDS,
    "landlord_confirmation": CONFIRMATIONS,
    "reason": REASONS,
    "doubt_reason": DOUBT_REASONS,
    "status": STATUSES,
    "booking": BOOKINGS,
    "booked": BOOKED,
}
"""By the name of the field; known to every template."""
