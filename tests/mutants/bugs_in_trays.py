"""Bugs of in-trays: what one office tells another is carried out there once, in order, and nothing of it is lost."""

from mutants.planting import Bug, Edit

_EFFECT = "verbund/feeds/in_tray.py"
_IN_TRAY = "verbund/desk/in_tray.py"
_ROWS = "verbund/desk/tray_rows.py"
_TABLES = "verbund/feeds/tray_migrations/versions/0001_in_tray.py"
_TRANSACTION = "verbund/desk/transaction.py"

_HAND_OVER = "        came_of_it = await self._hand_over(orders)\n"
_IN_TURN = "if not waiting or waiting[0] != place.arrival:"
_WRITE_TURNS = "        await turns.write(connection)\n"

BUGS = (
    Bug(
        "marked before it is carried out",
        "an office that dies in between has ticked off what it never did, and the other one waits for good",
        "faults/test_in_tray_kills.py::test_killed_before_its_commit_it_has_carried_out_and_marked_nothing",
        (
            Edit(
                _IN_TRAY,
                _HAND_OVER,
                "        await self._settle([Settlement(row.place, 'done') for row in rows])\n" + _HAND_OVER,
            ),
            Edit(_ROWS, _IN_TURN, "if place.arrival < 1:"),
        ),
    ),
    Bug(
        "marked outside the transaction",
        "what was carried out waits still, and a refusal is decided again on another day",
        "verbund/test_in_tray.py::test_what_is_told_is_carried_out_once_in_order_and_marked_in_the_same_transaction",
        (
            Edit(_TRANSACTION, _WRITE_TURNS, ""),
            Edit(
                _IN_TRAY,
                "                settled = True\n",
                "                settled = True\n                faults.append(settlement)\n",
            ),
        ),
    ),
    Bug(
        "key that is not the event's id",
        "an in-tray that has to be filled again carries everything out a second time",
        "verbund/test_in_tray.py::test_an_in_tray_that_was_lost_and_filled_again_carries_nothing_out_twice",
        (Edit(_IN_TRAY, "idempotency_key=row.event_id,", 'idempotency_key=f"{row.event_id}:{monotonic()}",'),),
    ),
    Bug(
        "order lost where a batch is tried again",
        "an address is flagged again by the notice that came before its flag was taken back",
        "verbund/test_in_tray.py::test_nothing_is_taken_up_before_what_came_earlier_in_its_tray",
        (Edit(_ROWS, _IN_TURN, "if not waiting or place.arrival not in waiting:"),),
    ),
    Bug(
        "carried out by both of two processes",
        "a matter that was refused here is carried out there, and both are booked as the answer",
        "verbund/test_in_tray.py::test_a_refusal_stands_also_for_a_process_that_looked_before_it",
        (Edit(_ROWS, _IN_TURN, "if waiting and waiting[0] > place.arrival:"),),
    ),
    Bug(
        "row not locked",
        "a matter that was carried out is listed as failed, and somebody lets it be carried out again",
        "verbund/test_in_tray.py::test_what_another_process_settles_meanwhile_is_not_settled_twice",
        (Edit(_ROWS, "event.arrival for update of event", "event.arrival"),),
    ),
    Bug(
        "refused while the initial load is open",
        "everything that was told before an office opened is refused for good",
        "verbund/test_in_tray.py::test_everything_waits_while_the_initial_load_is_open_and_that_is_no_trouble",
        (
            Edit(_IN_TRAY, "if not rows or await self._desk.initial_load_closed_at() is None:", "if not rows:"),
            Edit(_ROWS, '_NOT_YET = {"initial_load_open", ', "_NOT_YET = {"),
        ),
    ),
    Bug(
        "fault that stays",
        "one event that nobody can read holds up everything that is told after it",
        "verbund/test_in_tray.py::test_what_cannot_be_carried_out_is_marked_and_the_others_go_on",
        (Edit(_IN_TRAY, "        await self._settle(faults)\n", ""),),
    ),
    Bug(
        "taken in whoever it is for",
        "what is told to the youth office in confidence lies in the school's in-tray",
        "verbund/test_in_tray_reading.py::test_what_is_not_addressed_to_this_office_stops_its_ledger_and_no_other",
        (
            Edit(
                _EFFECT,
                "if event.source != tray_of(self._municipality, office_of(event.source), self._office):",
                "if tray_of(self._municipality, office_of(event.source), self._office) is None:",
            ),
        ),
    ),
    Bug(
        "another event under a known id swallowed",
        "a forged or restored ledger takes the place of a matter, and nobody hears of it",
        "verbund/test_in_tray_reading.py::test_an_event_id_under_another_number_stops_the_ledger",
        (Edit(_EFFECT, "if stored.rowcount < len(events) and", "if stored.rowcount < 0 and"),),
    ),
    Bug(
        "grants too wide on the in-tray",
        "an office changes what it was told, and says that it was told so",
        "verbund/test_in_tray_reading.py::test_nobody_at_work_changes_what_was_told_or_takes_it_away",
        (Edit(_TABLES, "grant select, update (state, code, settled_at) on", "grant all on"),),
    ),
    Bug(
        "restored office heard again behind what it has lost",
        "what it tells since then under known numbers is taken for a repeat, and its tray never goes on",
        "verbund/test_in_tray.py::test_an_office_that_was_restored_and_books_on_is_noticed_and_heard_again_on_request",
        (Edit(_EFFECT, "set number = 0, hash = :genesis,", "set hash = coalesce(hash, :genesis),"),),
    ),
)
