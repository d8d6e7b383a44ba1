"""Each benchmark, tiny: it ends with its one line, and what it says was done. Times and ratios are not judged."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from stage.brokers import cache_folder, kafka_or_skip

from verbund.embedded.kafka_jars import Distribution

_BENCH = Path(__file__).parents[2] / "bench"
_DEADLINE_SECONDS = 240.0


def run(name: str, *words: str, may_be_nothing: bool = False) -> dict[str, Any]:
    """The closing line of a benchmark. `may_be_nothing`: such as the time of a processor that had nothing to do."""
    ran = subprocess.run(
        [sys.executable, str(_BENCH / name), *words],
        capture_output=True,
        text=True,
        timeout=_DEADLINE_SECONDS,
        check=False,
        env={**os.environ, "VERBUND_CACHE": str(cache_folder())},
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    said: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert set(said) == {"bench", "ratios", "figures"}
    assert said["bench"] == Path(name).stem
    assert all(
        value > 0 or (may_be_nothing and value == 0) for value in [*said["ratios"].values(), *said["figures"].values()]
    )
    return said


def test_the_projection_takes_every_event_in_and_makes_no_cell_meanwhile() -> None:
    said = run("projection.py", "--events", "40", "--batch", "20", "--profiles", "30")
    assert set(said["ratios"]) == {"single"}
    assert said["figures"]["events"] == 30 + 5 * (40 + 20)
    assert 60 < said["figures"]["cells"] <= 90


def test_the_projection_from_kafka_holds_everybodys_sums_against_what_was_sent() -> None:
    kafka_or_skip()
    words = ("--events", "200", "--rounds", "1", "--seconds", "1", "--cells", "60", "--peers", "single", "take_events")
    said = run("projection_kafka.py", *words)
    assert set(said["ratios"]) == {"single", "take_events"}
    assert said["figures"]["events"] == 200
    assert 60 < said["figures"]["cells"] <= 90


def test_the_desk_books_what_it_answers_and_so_does_its_reference() -> None:
    said = run("desk.py", "--seconds", "0.3", "--connections", "4", "--rounds", "1")
    assert set(said["ratios"]) == {"orm", "no_database"}
    assert said["figures"]["booked"] >= 2 * 4


def test_the_road_delivers_every_registration_to_the_open_page() -> None:
    said = run("road.py", "--rates", "20", "40", "--seconds", "1", "--connections", "4")
    assert set(said["ratios"]) == {"reached_of_20", "reached_of_40"}
    assert said["figures"]["delivered"] == 50 + 20 + 40


def test_the_road_over_kafka_delivers_every_registration_to_the_open_page() -> None:
    kafka_or_skip()
    said = run("road_kafka.py", "--rates", "20", "--seconds", "1", "--connections", "4")
    assert set(said["ratios"]) == {"reached_of_20"}
    assert said["figures"]["delivered"] == 50 + 20


def test_verification_walks_through_every_record() -> None:
    said = run("verify.py", "--records", "500")
    assert set(said["ratios"]) == {"plain"}


def test_the_machine_runs_every_service() -> None:
    said = run("machine.py", "--settle-seconds", "0", "--watch-seconds", "3", may_be_nothing=True)
    assert set(said["ratios"]) == {"ready", "memory", "cpu"}
    assert {f"{name}_mb" for name in ("registration", "reporting", "reporting-reader")} <= said["figures"].keys()


def test_the_relay_sends_every_record_of_a_ledger(kafka: Distribution) -> None:
    said = run("relay.py", "--records", "600", "--rounds", "1")
    assert set(said["ratios"]) == {"producer_alone"}
    assert said["figures"]["records"] == 600


def test_a_rebuild_folds_what_the_reader_has_read_and_takes_its_place() -> None:
    said = run("rebuild.py", "--records", "300", "--profiles", "30", "--rounds", "1", may_be_nothing=True)
    assert set(said["ratios"]) == {"reader"}
    assert said["figures"]["records"] == 300
