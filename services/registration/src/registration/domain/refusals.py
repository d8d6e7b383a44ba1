"""Why the office refuses a history: each refusal with its code and the words that say what to do."""

from registration.domain.bookings import Deregistration
from registration.domain.history import Impossible
from registration.domain.states import State, allowed
from verbund.errors import NotNow, RuleBroken

CORRECT = ("CorrectRegistration",)


def refusal(impossible: Impossible, booking_id: str, pointer: str, state: State) -> RuleBroken:
    """The refusal of a booking that made a history impossible.

    `pointer`: the field that says when it was so. `state`: that of the residence that is open.
    """
    if impossible.code == "main_residence_open":
        return NotNow(
            "main_residence_open",
            "The person would have two main residences here at the same time. "
            "Book the move or the deregistration of the first one, or book one of them as the secondary residence.",
            allowed=allowed(state),
            pointer=pointer,
        )
    if impossible.booking.booking_id != booking_id:
        return NotNow(
            "later_booking_does_not_fit",
            "A later booking of this resident would then be impossible. Correct or cancel that one first.",
            allowed=CORRECT,
            pointer=pointer,
        )
    return (
        _of_the_day(impossible.code, pointer)
        or _of_doubts(impossible, pointer)
        or _of_what_is_booked(impossible.code, pointer, state)
    )


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
        case "before_doubt":
            return RuleBroken(code, "This day lies before the day of the doubt. Check the day.", pointer=pointer)
        case "doubt_after_its_end":
            return RuleBroken(
                code, "On this day the doubt is over already, by what was booked then. Check the day.", pointer=pointer
            )
    return None


def _of_doubts(impossible: Impossible, pointer: str) -> NotNow | None:
    """Refusals because of the state in which the residence is: doubtful, or not."""
    code = impossible.code
    if isinstance(impossible.booking, Deregistration):
        pointer = f"{pointer.rpartition('/')[0]}/reason"  # ex officio, of all reasons, needs the doubt
    match code:
        case "already_doubtful":
            return NotNow(
                code,
                "This address is in doubt already. Book what the inquiry has found.",
                allowed=allowed("doubtful"),
                pointer=pointer,
            )
        case "not_doubtful":
            return NotNow(
                code,
                "This address is not in doubt. A deregistration ex officio (§ 6 BMG) and a confirmation need a doubt "
                "first, and the inquiry that follows it.",
                allowed=allowed("registered"),
                pointer=pointer,
            )
        case "inquiry_running":
            return NotNow(
                code,
                "The inquiry (§ 6 BMG) is not over yet: ex officio this can be booked from {until} on.",
                allowed=allowed("doubtful"),
                pointer=pointer,
                **impossible.values,
            )
    return None


def _of_what_is_booked(code: str, pointer: str, state: State) -> NotNow:
    """Refusals that only another booking would mend."""
    match code:
        case "resident_has_died":
            return NotNow(
                code,
                "The death of the resident is booked for an earlier day. If that is wrong, correct it first.",
                allowed=CORRECT,
                pointer=pointer,
            )
        case "same_residence_kind":
            return NotNow(
                code,
                "On that day it is this kind of residence already. Choose the other kind, or check the day.",
                allowed=allowed(state),
                pointer=pointer,
            )
        case "residence_exists":
            return NotNow(code, "This residence is registered already.", allowed=allowed(state), pointer=pointer)
        case "residence_over":
            return NotNow(
                code,
                "The residence is deregistered from this day or an earlier one on. "
                "If that is wrong, correct it; if the person is back, register a new residence.",
                allowed=allowed("deregistered"),
                pointer=pointer,
            )
        case "not_resident":
            return NotNow(
                code,
                "The person has no residence here on that day. Register the residence first, or check the day.",
                allowed=allowed("deregistered"),
                pointer=pointer,
            )
    raise AssertionError(f"no words for the refusal {code}")
