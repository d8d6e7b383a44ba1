"""Mistakes in what stands between Kafka and a reader: hints taken for truth, holes, beats, messages of strangers."""

from mutants.planting import Bug, Edit

_INTAKE = "verbund/feeds/kafka/intake.py"
_READER = "verbund/feeds/reader.py"
_SIFT = "verbund/feeds/sift.py"
_MESSAGES = "verbund/kafka/messages.py"

BUGS = (
    Bug(
        "Kafka's offset as truth",
        "what lies in front of the noted offset counts as read, also for a database that was put back",
        "verbund/test_kafka_intake.py::test_a_database_that_was_put_back_is_read_again_from_in_front_of_the_hint",
        (
            Edit(
                _INTAKE,
                "            for message in messages:\n",
                "            for message in messages:\n"
                "                if message.offset < self._hints.get(place, 0):\n"
                "                    continue\n",
            ),
        ),
    ),
    Bug(
        "offset noted in spite of a hole",
        "a process that is started again goes on behind what is missing",
        "verbund/test_kafka_intake.py::test_a_dropped_batch_is_read_again_from_the_hint",
        (Edit(_READER, "if hint.ledgers.isdisjoint(taken.holes)", "if hint.topic"),),
    ),
    Bug(
        "hole not read again",
        "a batch that was dropped in a rebalance stops its ledger",
        "verbund/test_kafka_intake.py::test_a_dropped_batch_is_read_again_from_the_hint",
        (Edit(_INTAKE, "                self._go_back(seeks, place, self._hints.get(place))\n", ""),),
    ),
    Bug(
        "offsets of another topic",
        "a topic that was made anew is read from where the old one was left",
        "verbund/test_kafka_intake.py::test_a_topic_made_anew_is_read_from_its_beginning",
        (Edit(_INTAKE, "if topic_ids.get(hint.topic) == hint.topic_id", "if hint.topic in topic_ids"),),
    ),
    Bug(
        "old beats believed",
        "a topic that is read again stops every healthy ledger",
        "verbund/test_kafka_intake.py::test_beats_of_long_ago_stop_nothing",
        (Edit(_SIFT, "and beat.as_of <= heard:", "and beat.as_of < heard < heard:"),),
    ),
    Bug(
        "strangers believed",
        "whoever may write to a topic takes the place of the next record",
        "verbund/test_kafka_messages.py::test_what_is_none_of_ours_is_told_apart",
        (Edit(_MESSAGES, 'b"0"), key) not in value:', 'b"0"), key) in b"":'),),
    ),
    Bug(
        "wrong keys believed",
        "somebody else's topic speaks for an office",
        "verbund/test_kafka_messages.py::test_a_key_that_names_no_ledger_of_the_topic_is_wrong",
        (Edit(_MESSAGES, "if _place_of(ledger)[0] != topic:", "if _place_of(ledger)[0] == topic + topic:"),),
    ),
)
