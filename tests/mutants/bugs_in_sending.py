"""Bugs of the relay: whatever it says was sent is on Kafka, in order, and only the relay that has the lease says so."""

from mutants.planting import Bug, Edit

_LINE = "verbund/relay/line.py"
_READING = "verbund/relay/reading.py"
_SENDER = "verbund/relay/client/sender.py"
_STORE = "verbund/relay/store.py"

BUGS = (
    Bug(
        "flush as proof of sending",
        "what Kafka refused counts as sent, and no reader ever gets it",
        "verbund/test_relay_client.py::test_what_kafka_refuses_is_no_acknowledgement",
        (Edit(_SENDER, "if future.exception is not None:", "if not future.is_done:"),),
    ),
    Bug(
        "sent on behind what failed",
        "later facts overtake one that is sent again, and readers stop at a hole",
        "verbund/test_relay_client.py::test_nothing_follows_what_failed",
        (
            Edit(
                _SENDER,
                "self.failure = failure_of(error)\n            self._producer._sender.force_close()",
                "self.failure = failure_of(error)",
            ),
        ),
    ),
    Bug(
        "skipped on refusal",
        "a fact that does not fit through the wire is missing from every figure, and nobody hears of it",
        "verbund/test_relay.py::test_a_record_that_no_reader_takes_is_refused_before_it_is_sent",
        (Edit(_LINE, 'await self._stop(f"refused: {failure.detail}")', "await self._move(flight.records[0])"),),
    ),
    Bug(
        "position not fenced",
        "a relay that slept moves the position over what another one has not sent",
        "verbund/test_relay_store.py::test_who_was_overtaken_moves_and_stops_nothing",
        (Edit(_STORE, "and hash = :from_hash and epoch = :epoch", "and hash = :from_hash"),),
    ),
    Bug(
        "beat of a relay that was overtaken",
        "an old word about where a book ends passes for a new one, and readers stop it as restored",
        "verbund/test_relay_store.py::test_who_was_overtaken_moves_and_stops_nothing",
        (Edit(_STORE, "lease.office = :office and lease.epoch = :epoch", "lease.office = :office"),),
    ),
    Bug(
        "position before acknowledgement",
        "what was on its way when Kafka died counts as sent",
        "verbund/test_relay.py::test_nothing_moves_while_kafka_does_not_answer",
        (
            Edit(
                _LINE,
                "outcome = await self._await_outcome(flight)",
                "outcome = Outcome(len(flight.records), None)",
            ),
        ),
    ),
    Bug(
        "chunks taken out of order",
        "the position jumps ahead and back: a relay that dies in between skips or stalls",
        "verbund/test_relay.py::test_chunks_are_acknowledged_in_order",
        (Edit(_LINE, "flight = self._flights.popleft()", "flight = self._flights.pop()"),),
    ),
    Bug(
        "sent without looking at the chain",
        "an office that was restored sends other facts under numbers that were sent already",
        "verbund/test_relay_reading.py::test_another_record_than_the_one_that_was_sent_breaks_the_chain",
        (Edit(_READING, "if record.previous != last_hash:", "if not record.previous:"),),
    ),
)
