"""What can be killed in a municipality: with SIGKILL, which nothing can prepare for."""

import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil
from stage.municipality import Municipality, until

from verbund.embedded import record

PROCESSES = ("registration", "reporting", "reporting-reader")
VICTIMS = ("supervisor", *3 * (*PROCESSES, "backend", "postgres"))
"""Who dies in one round without Kafka."""
KAFKA_VICTIMS = ("supervisor", *3 * (*PROCESSES, "registration-relay", "kafka", "backend", "postgres"))
"""Who dies in one round with Kafka."""
_SERVES_A_CLIENT = 0.75  # of the killed processes of PostgreSQL so many; the others write for all


def schedule(chance: random.Random, kills: int, round_: Sequence[str] = VICTIMS) -> list[str]:
    """So many victims of SIGKILL, and in every round a crash of PostgreSQL by an immediate stop besides.

    In rounds, because a process that dies again and again is started later each time, until its supervisor dies too.
    """
    plan: list[str] = []
    while kills > 0:
        victims = chance.sample(round_, len(round_))[:kills]
        kills -= len(victims)
        victims.insert(chance.randint(0, len(victims)), "immediate stop")
        plan += victims
    return plan


@dataclass
class Killer:
    """Kills in a municipality, and counts what it killed."""

    municipality: Municipality
    chance: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    """By victim; a process of PostgreSQL by what it was doing."""

    def kill(self, victim: str) -> None:
        """End it as soon as it lives; whoever looks after it has to start it again."""
        match victim:
            case "supervisor":
                self._kill_supervisor()
            case "backend":
                until(self._kill_backend, "a process of PostgreSQL was killed")
            case "immediate stop":
                until(lambda: self._send(self._postgres(), signal.SIGQUIT), "PostgreSQL was stopped")
            case "postgres":
                until(lambda: self._send(self._postgres(), signal.SIGKILL), "PostgreSQL was killed")
            case name:
                until(lambda: self._send(self._process(name), signal.SIGKILL), f"{name} was killed")
        if victim != "backend":
            self.killed[victim] += 1

    def _kill_supervisor(self) -> None:
        running = record.find_running(self.municipality.settings.layout)
        assert running is not None, "nobody supervises"
        os.kill(running.supervisor.pid, signal.SIGKILL)
        self.municipality.await_end()
        self.municipality.start()

    def _kill_backend(self) -> bool:
        """Kill one of PostgreSQL's processes but its first one, which then ends all others and recovers."""
        first = self._postgres()
        if first is None:
            return False
        serving: list[tuple[psutil.Process, str]] = []
        writing: list[tuple[psutil.Process, str]] = []
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            for child in first.children():
                # Its title: `postgres: <role> <database> <client> <what it does>`, or `postgres: checkpointer`.
                title = "".join(child.cmdline()[:1])
                if not title.startswith("postgres: "):
                    continue  # it ends, or has only just begun
                words = title.removeprefix("postgres: ").split()
                (serving if len(words) > 2 and "_" in words[0] else writing).append((child, words[0]))
        wanted = serving if self.chance.random() < _SERVES_A_CLIENT else writing
        if not wanted:
            return False
        child, name = self.chance.choice(wanted)
        hit = self._send(child, signal.SIGKILL)
        self.killed[f"backend: {name}"] += hit
        return hit

    def _process(self, name: str) -> psutil.Process | None:
        running = record.find_running(self.municipality.settings.layout)
        started = (*running.processes, *filter(None, [running.kafka])) if running else ()
        found = [each.find() for each in started if each.name == name]
        return found[0] if found else None

    def _postgres(self) -> psutil.Process | None:
        pid = self.municipality.pid("postgres")
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid) if pid else None
            # The number stays in its file after its death.
            return process if process and process.status() != psutil.STATUS_ZOMBIE else None
        return None

    def _send(self, process: psutil.Process | None, how: signal.Signals) -> bool:
        """Whether there was somebody to send it to."""
        with suppress(psutil.NoSuchProcess):
            if process is not None:
                process.send_signal(how)
                return True
        return False
