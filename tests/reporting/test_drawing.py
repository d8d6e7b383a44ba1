"""The process that draws: started when asked, gone when nobody asks or when the service is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil
import pytest
from stage.municipality import until

from reporting.drawing import DrawingFailed, DrawingProcess

SPEC = {"mark": "bar", "data": {"values": [{"a": 1}]}, "encoding": {"y": {"field": "a", "type": "quantitative"}}}


@pytest.fixture
def engine() -> Iterator[DrawingProcess]:
    made = DrawingProcess(idle_seconds=30)
    yield made
    made.close()


def is_gone(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def test_nothing_runs_before_something_is_drawn(engine: DrawingProcess) -> None:
    assert engine.pid is None
    assert engine.ask("vegalite_to_svg", SPEC).startswith("<svg")
    assert engine.pid is not None


def test_threads_that_ask_at_once_get_their_own_answers(engine: DrawingProcess) -> None:
    specs = [{**SPEC, "title": f"number {n}."} for n in range(20)]
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda spec: engine.ask("vegalite_to_svg", spec), specs))
    assert [f"number {n}." in svg for n, svg in enumerate(drawn)] == [True] * 20


def test_what_cannot_be_drawn_is_said_and_the_next_one_is_drawn(engine: DrawingProcess) -> None:
    with pytest.raises(DrawingFailed, match="ValueError"):
        engine.ask("vegalite_to_svg", {"mark": "no such mark"})
    before = engine.pid
    assert engine.ask("vegalite_to_svg", SPEC).startswith("<svg")
    assert engine.pid == before


def test_a_killed_one_is_started_again(engine: DrawingProcess) -> None:
    engine.ask("vegalite_to_svg", SPEC)
    killed = engine.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert engine.ask("vegalite_to_svg", SPEC).startswith("<svg")
    assert engine.pid != killed


def test_it_ends_when_nobody_asks_and_starts_again() -> None:
    hasty = DrawingProcess(idle_seconds=0.1)
    hasty.ask("vegalite_to_svg", SPEC)
    until(lambda: hasty.pid is None, "it has ended")
    assert hasty.ask("vegalite_to_svg", SPEC).startswith("<svg")
    hasty.close()


def test_it_does_not_outlive_the_service() -> None:
    program = (
        "from reporting.drawing import DrawingProcess; engine = DrawingProcess()\n"
        "engine.ask('get_format_locale', 'de-DE'); print(engine.pid, flush=True); input()"
    )
    service = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert service.stdout is not None
    drawing = int(service.stdout.readline())
    assert not is_gone(drawing)
    service.kill()
    service.communicate()
    until(lambda: is_gone(drawing), "the drawing process is gone")
