"""Bugs of the desk and of the ledger: what was answered is booked once, in order, and never changed."""

from mutants.planting import Bug, Edit

_DESK = "verbund/desk/desk.py"
_TRANSACTION = "verbund/desk/transaction.py"
_RECORD = "verbund/ledger/record.py"
_STORE = "verbund/ledger/store.py"
_TABLES = "verbund/ledger/migrations/versions/0001_ledger.py"
_ANOTHER_REQUEST = "verbund/test_desk.py::test_a_key_used_for_another_request_is_refused"

BUGS = (
    Bug(
        "commit after answer",
        "a caller is told 201, and a crash in front of the commit loses what was answered",
        "verbund/test_desk.py::test_nobody_is_answered_before_the_commit",
        (
            Edit(_DESK, "await self._book([job.order for job in jobs])", "await self._book(jobs)"),
            Edit(
                _DESK,
                "            outcomes = await self._transaction.carry_out(connection, orders)\n",
                "            outcomes = await self._transaction.carry_out(connection, [job.order for job in orders])\n"
                "            for job, outcome in zip(orders, outcomes, strict=True):\n"
                "                self._settle(job, outcome)\n",
            ),
        ),
    ),
    Bug(
        "idempotency answer outside the transaction",
        "a crash between the two commits books again what is sent again",
        "verbund/test_desk.py::test_a_commit_whose_word_is_lost_is_found_out_by_the_answers",
        (
            Edit(
                _TRANSACTION,
                '        await connection.execute(_KEEP_ANSWERS, {"answers": json.dumps(answers)})\n',
                "        self.unwritten = (_KEEP_ANSWERS, answers)\n",
            ),
            Edit(
                _DESK,
                "        metrics.DESK_BATCH_SIZE.observe(len(orders))\n",
                "        metrics.DESK_BATCH_SIZE.observe(len(orders))\n"
                "        statement, answers = self._transaction.__dict__.pop('unwritten', (None, ()))\n"
                "        if answers:\n"
                "            import json\n"
                "            async with self._engine.begin() as connection:\n"
                "                await connection.execute(statement, {'answers': json.dumps(answers)})\n",
            ),
        ),
    ),
    Bug(
        "refusal that rolls back its neighbours",
        "a clerk's typing error throws away what others booked in the same batch, and they were told 201",
        "verbund/test_desk.py::test_a_refusal_touches_only_its_own_order",
        (
            Edit(
                _TRANSACTION,
                "                outcome = refusal\n",
                "                outcome = refusal\n"
                "                heads = await lock_heads(connection, self.ledgers)\n"
                "                decided = _Decided(heads, [], [], [], load_open=closed_at is None)\n",
            ),
        ),
    ),
    Bug(
        "error of the database that fails its neighbours",
        "one booking that the database cannot take fails all that came at the same moment",
        "verbund/test_desk.py::test_an_error_of_the_database_fails_only_the_guilty_order",
        (
            Edit(
                _DESK,
                "                    await self._carry_out([job])\n",
                "                    self._settle(job, error)\n",
            ),
        ),
    ),
    Bug(
        "idempotency scope without principal",
        "two clerks whose programs choose the same key get each other's answers",
        _ANOTHER_REQUEST,
        (
            Edit(_TRANSACTION, "return (order.principal, order.route,", 'return ("", order.route,'),
            Edit(_TRANSACTION, '"principal": order.principal,', '"principal": "",'),
        ),
    ),
    Bug(
        "idempotency scope without route",
        "a move under the key of a registration is answered with the registration",
        _ANOTHER_REQUEST,
        (
            Edit(_TRANSACTION, "order.route, order.idempotency_key)", '"", order.idempotency_key)'),
            Edit(_TRANSACTION, '"route": order.route,', '"route": "",'),
        ),
    ),
    Bug(
        "fingerprint not compared",
        "another registration under a used key is answered as booked, and is not",
        _ANOTHER_REQUEST,
        (Edit(_TRANSACTION, "if fingerprint != order.fingerprint:", "if fingerprint is None:"),),
    ),
    Bug(
        "If-Match ignored",
        "a clerk overrides what a colleague has booked since, without having seen it",
        "verbund/test_desk.py::test_a_refused_if_match_books_nothing",
        (Edit(_TRANSACTION, "order.if_match != self._rules.etag(state):", "not self._rules.etag(state):"),),
    ),
    Bug(
        "recorded_at from the clock alone",
        "a clock set back turns the ledger back, and what was known on a day changes afterwards",
        "verbund/test_desk.py::test_a_clock_set_back_does_not_turn_the_ledger_back",
        (Edit(_TRANSACTION, "        return max(now, latest)\n", "        return now\n"),),
    ),
    Bug(
        "trace that crosses into a tray",
        "two offices' logs can be joined to one person's way through the city",
        "verbund/test_desk.py::test_what_is_told_to_a_receiver_stands_in_its_tray_in_the_same_transaction",
        (
            Edit(
                _TRANSACTION,
                "traceparent = order.traceparent if draft.receiver is None else None",
                "traceparent = order.traceparent",
            ),
        ),
    ),
    Bug(
        "head not locked",
        "two desks give one number to two facts, and one of them fails or is lost",
        "verbund/test_ledger_store.py::test_a_head_stays_locked_until_its_transaction_ends",
        (Edit(_STORE, """order by ledger collate "C" for update\n""", """order by ledger collate "C"\n"""),),
    ),
    Bug(
        "chain not carried on",
        "a record can be exchanged and nobody could tell",
        "verbund/test_ledger_record.py::test_numbers_have_no_gap_and_hashes_are_chained",
        (
            Edit(
                _RECORD,
                "head = replace(head, number=number, hash=record.hash, time=entry.time)",
                "head = replace(head, number=number, time=entry.time)",
            ),
        ),
    ),
    Bug(
        "trigger dropped",
        "whoever owns the tables can change what was booked",
        "verbund/test_ledger_store.py::test_nobody_changes_a_ledger[delete from ledger.record-owner]",
        (
            Edit(
                _TABLES,
                "create trigger never_changed before update or delete or truncate on ledger.record\n"
                "    for each statement execute function ledger.refuse_change();\n",
                "",
            ),
            Edit(_TABLES, "alter table ledger.record enable always trigger never_changed;\n", ""),
        ),
    ),
    Bug(
        "trigger that sleeps in a replaying session",
        "one setting of a session, and the ledger can be changed",
        "verbund/test_ledger_store.py::test_even_a_superuser_that_replays_is_stopped_by_the_trigger",
        (Edit(_TABLES, "alter table ledger.record enable always trigger never_changed;\n", ""),),
    ),
    Bug(
        "grants too wide",
        "only the trigger stands between a mistake in the desk and the ledger",
        "verbund/test_ledger_store.py::test_the_desk_has_no_right_to_change_a_ledger[delete from ledger.record]",
        (Edit(_TABLES, "grant select, insert on ledger.record to", "grant all on ledger.record to"),),
    ),
    Bug(
        "view that shows the trays",
        "reporting can read what one office tells another in confidence",
        "verbund/test_ledger_store.py::test_reporting_sees_the_book_alone_and_nothing_else",
        (Edit(_TABLES, '"%/book" if reader', '"%" if reader'),),
    ),
)
