"""Loads the plan through the office's initial load: in order, in chunks, and again from the start after a crash.

The keys of the chunks come from the seed and the number of the chunk, and a longer plan begins with the shorter one:
whatever was booked before a crash is answered from the office's memory and not booked twice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event
from typing import Any

from registration.simulation.bookings import Booking, Reference
from registration.simulation.doors import Doors, Refused
from verbund.events.envelope import instant

_ROWS = 1_000  # about half a megabyte, and half of what the desk's queue holds
_BOOKINGS = "/initial-load/bookings"
_CLOSING = "/initial-load/closing"


class RowRefused(Exception):
    """The office refused a booking of the plan; what comes before it is booked, and what follows in its chunk too."""

    def __init__(self, line: int, booking: Booking, result: Mapping[str, Any]) -> None:
        super().__init__(
            f"booking {line} of the plan ({booking.command} of {booking.recorded_at:%Y-%m-%d}) was refused: "
            f"{result.get('status')} {result.get('code', '')} {result.get('detail', '')}".rstrip()
        )
        self.line = line
        self.code = str(result.get("code", ""))


def is_closed(doors: Doors) -> bool:
    """Whether the initial load is closed."""
    return doors.get("/initial-load")["closed_at"] is not None


def load_bookings(
    doors: Doors, bookings: Sequence[Booking], seed: int, stop: Event, progress: Callable[[int, int], None]
) -> bool:
    """Books all of them, or again; True when through, False when stopped before. Raises `RowRefused`."""
    booking_ids: dict[Reference, str] = {}
    corrected = {booking.corrects for booking in bookings if booking.corrects is not None}
    done = 0
    progress(done, len(bookings))
    for number, chunk in enumerate(chunks(bookings)):
        if stop.is_set():
            return False
        rows = [row_of(booking, booking_ids) for booking in chunk]
        results = doors.post_rows(_BOOKINGS, f"simulation-{seed}-{number}", rows)
        for line, (booking, result) in enumerate(zip(chunk, results, strict=True), start=done + 1):
            if result["status"] >= 400:
                raise RowRefused(line, booking, result)
            if booking.reference in corrected:
                booking_ids[booking.reference] = result["booking_id"]
        done += len(chunk)
        progress(done, len(bookings))
    return True


def close(doors: Doors, seed: int) -> None:
    """From here on the office books in real time; nothing happens where it does already."""
    try:
        doors.post(_CLOSING, f"simulation-{seed}-closing", {})
    except Refused as refusal:
        if refusal.code != "initial_load_closed":
            raise


def chunks(bookings: Sequence[Booking]) -> Iterator[Sequence[Booking]]:
    """The bookings in chunks; a correction never stands in one chunk with what it corrects.

    What it corrects has a number only once the office has answered. The chunks of a plan are the first chunks of every
    longer plan, but for the last one.
    """
    chunk: list[Booking] = []
    within: set[Reference] = set()
    for booking in bookings:
        if len(chunk) == _ROWS or booking.corrects in within:
            yield chunk
            chunk, within = [], set()
        chunk.append(booking)
        within.add(booking.reference)
    if chunk:
        yield chunk


def row_of(booking: Booking, booking_ids: Mapping[Reference, str]) -> dict[str, Any]:
    """The row for the office. `booking_ids`: what the office called the bookings that are corrected later."""
    row = {
        "command": booking.command,
        "recorded_at": instant(booking.recorded_at),
        "residence_id": booking.residence_id,
        **booking.fields,
    }
    if booking.corrects is not None:
        row["booking_id"] = booking_ids[booking.corrects]
    return row
