"""Kill whatever can be killed while clerks book: nothing answered 2xx is lost, and nothing counts twice."""

import os
import random
from collections.abc import Sequence

import pytest
from stage.brokers import kafka_or_skip
from stage.checker import check, is_caught_up, residents_of
from stage.clerks import clerks_at_work
from stage.killing import KAFKA_VICTIMS, VICTIMS, Killer, schedule
from stage.live_page import live_page
from stage.municipality import running_municipality, until

KILLS = int(os.environ.get("VERBUND_KILLS", "20"))
"""Deaths by SIGKILL in one run; a whole run makes 200 (VERBUND_KILLS=200)."""
CLERKS = 4
FEEDS = ["ledger", "kafka"]
EU2 = ("125", "154")


@pytest.mark.parametrize(("words", "victims"), [(["up"], VICTIMS), (["up", "--kafka"], KAFKA_VICTIMS)], ids=FEEDS)
def test_killed_at_any_point_nothing_answered_is_lost_and_nothing_counts_twice(
    words: Sequence[str], victims: Sequence[str], seed: int
) -> None:
    if "--kafka" in words:
        kafka_or_skip()
    chance = random.Random(seed)
    with running_municipality(*words) as municipality:
        municipality.close_initial_load()
        killer = Killer(municipality, random.Random(seed))
        with live_page(municipality) as page:
            with clerks_at_work(municipality, seed, CLERKS) as clerks:
                for victim in schedule(chance, KILLS, victims):
                    # Sometimes in the middle of recovering from the last death.
                    clerks.await_bookings(chance.choice([0, chance.randint(1, 30), chance.randint(30, 100)]))
                    killer.kill(victim)
                clerks.await_bookings(20)
            evidence = municipality.evidence()
            until(lambda: is_caught_up(evidence), "the reader has caught up")
            counted = check(evidence, clerks.receipts)
            truth = residents_of(evidence, EU2)
            until(lambda: page.shown.get("population") == truth, f"the page shows {truth} people")
    print(f"killed {killer.killed}; booked {clerks.counted}; page opened {page.opened} times; {counted}")  # noqa: T201
    assert killer.killed.total() - killer.killed["immediate stop"] == KILLS
    # Everybody was answered in the end: nothing stands there that nobody asked for.
    assert counted["bookings"] == len(clerks.receipts) >= 10 * KILLS
