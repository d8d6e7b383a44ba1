"""Why the office refuses a history: each refusal with its code and the words that say what to do."""

from registration.domain.history import Impossible
from verbund.errors import NotNow, RuleBroken

OPEN = ("MoveResidence", "DeregisterResidence", "ChangeNationality", "CorrectRegistration")
"""What can be done with a residence that is open."""
OVER = ("RegisterResidence", "CorrectRegistration")
"""What can be done when a residence is over."""
CORRECT = ("CorrectRegistration",)


def refusal(impossible: Impossible, booking_id: str, pointer: str) -> RuleBroken:
    """The refusal of a booking that made a history impossible. `pointer`: the field that says when it was so."""
    if impossible.code == "main_residence_open":
        return NotNow(
            "main_residence_open",
            "The person would have two main residences here at the same time. "
            "Book the move or the deregistration of the first one, or register a secondary residence.",
            allowed=OPEN,
            pointer=pointer,
        )
    if impossible.booking.booking_id != booking_id:
        return NotNow(
            "later_booking_does_not_fit",
            "A later booking of this resident would then be impossible. Correct or cancel that one first.",
            allowed=CORRECT,
            pointer=pointer,
        )
    return _of_the_day(impossible.code, pointer) or _of_what_is_booked(impossible.code, pointer)


def _of_the_day(code: str, pointer: str) -> RuleBroken | None:
    """Refusals that another day would mend."""
    match code:
        case "twice_on_one_day":
            return RuleBroken(
                code,
                "The same is booked for this day already. Correct that booking, or give another day.",
                pointer=pointer,
            )
        case "before_birth":
            return RuleBroken(
                code, "This day lies before the birth. Check the day and the day of birth.", pointer=pointer
            )
        case "birth_in_another_year":
            return RuleBroken(code, "A birth is registered from the day of birth on. Check both days.", pointer=pointer)
        case "before_moving_in":
            return RuleBroken(code, "This day lies before the day of moving in. Check the day.", pointer=pointer)
    return None


def _of_what_is_booked(code: str, pointer: str) -> NotNow:
    """Refusals that only another booking would mend."""
    match code:
        case "resident_has_died":
            return NotNow(
                code,
                "The death of the resident is booked for an earlier day. If that is wrong, correct it first.",
                allowed=CORRECT,
                pointer=pointer,
            )
        case "residence_exists":
            return NotNow(code, "This residence is registered already.", allowed=OPEN, pointer=pointer)
        case "residence_over":
            return NotNow(
                code,
                "The residence is deregistered from this day or an earlier one on. "
                "If that is wrong, correct it; if the person is back, register a new residence.",
                allowed=OVER,
                pointer=pointer,
            )
        case "not_resident":
            return NotNow(
                code,
                "The person has no residence here on that day. Register the residence first, or check the day.",
                allowed=OVER,
                pointer=pointer,
            )
    raise AssertionError(f"no words for the refusal {code}")
