"""Runs a municipality on one machine: PostgreSQL, its databases, and every process of every announced office."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
import psycopg

from verbund.embedded import record
from verbund.embedded.backbone import Backbone
from verbund.embedded.checkpoints import Broken, checkpoint_office
from verbund.embedded.child import Child
from verbund.embedded.environment import environment_of
from verbund.embedded.home import EmbeddedSettings
from verbund.embedded.leftovers import end_leftovers
from verbund.embedded.ports import LOOPBACK, PortTaken, is_free
from verbund.embedded.postgres import Cluster, ClusterFailed
from verbund.events.offices import Office, Process
from verbund.postgres import Tell, prepare_databases

_STOP_SECONDS = 12.0  # longer than a service takes to answer what it has begun
_WATCH_SECONDS = 0.5
_ASK_SECONDS = 5.0
_SILENT_SECONDS = 60.0  # recovering from a crash takes no longer
_LONGEST_WAIT_SECONDS = 30.0
_READY_POLL_SECONDS = 0.1

WhenReady = Callable[[], Awaitable[None]]


class Supervisor:
    """Keeps everything alive from `run` until `stop`; one per home, which `record.lock` sees to."""

    def __init__(
        self, settings: EmbeddedSettings, offices: Sequence[Office], tell: Tell, backbone: Backbone | None = None
    ) -> None:
        """`backbone`: the Kafka between the offices, for the feed `kafka`."""
        self._settings = settings
        self._backbone = backbone
        self._home = settings.layout
        self._offices = offices
        self._tell = tell
        self._children: list[Child] = []
        self._stopping = asyncio.Event()
        self.cluster = Cluster(self._home.folder, settings.postgres_port + settings.port_offset)

    @property
    def link(self) -> str:
        """The page to start at: the door with the lowest port."""
        return url_of(self._offices[0].door, self._settings)

    async def run(self, when_ready: WhenReady) -> None:
        """Start everything, run `when_ready` once every process is ready, and return when everything has ended.

        `when_ready` is cancelled by `stop`; an error in it ends everything and is raised here. Call `run` in the main
        thread and under `record.lock`. Raises `PortTaken`, `ClusterFailed` and `KafkaFailed`.
        """
        self._listen_for_signals()
        ended = end_leftovers(self._home, self.cluster)
        if ended:
            self._tell(f"ended what a killed run had left: {', '.join(ended)}")
        self._check_ports()
        try:
            self._start_databases()
            if self._backbone is not None:
                self._backbone.start(self._tell)
            await self._keep_alive(when_ready)
        finally:
            if self._backbone is not None:
                self._backbone.stop(self._tell)
            self._tell("stopping PostgreSQL")
            self.cluster.stop()
            record.remove(self._home)

    def stop(self) -> None:
        """End everything in order; called once more, at once."""
        if self._stopping.is_set():
            for child in self._children:
                child.kill()
        self._stopping.set()

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop)

    def _check_ports(self) -> None:
        for office in self._offices:
            for process in office.processes_with(self._settings.feed):
                port = process.port + self._settings.port_offset
                if not is_free(port):
                    remedy = "End it, or move every port by setting VERBUND_PORT_OFFSET, for example to 1000."
                    raise PortTaken(port, process.name, remedy)

    def _start_databases(self) -> None:
        self._tell(f"starting PostgreSQL on port {self.cluster.port}")
        self.cluster.start()
        prepare_databases(self.cluster, self._offices, self._tell)

    async def _keep_alive(self, when_ready: WhenReady) -> None:
        self._children = [
            Child(
                process.name,
                process.port + self._settings.port_offset,
                environment_of(process, office, self._offices, self._settings, self.cluster),
                self._home.logs / f"{process.name}.log",
                self._child_changed,
            )
            for office in self._offices
            for process in office.processes_with(self._settings.feed)
        ]
        self._write_record()
        keeping = [asyncio.create_task(child.keep()) for child in self._children]
        watching = [
            asyncio.create_task(self._watch_cluster()),
            asyncio.create_task(self._watch_answers()),
            *([asyncio.create_task(self._backbone.watch(self._child_changed))] if self._backbone is not None else []),
            asyncio.create_task(self._sign_now_and_then()),
            asyncio.create_task(self._await_ready(when_ready)),
        ]
        try:
            await self._until_stopped([*keeping, *watching])
        finally:
            for watcher in watching:
                watcher.cancel()
            await self._end_children(keeping)
            # Cancelled, they have something to put away: a client, a simulation.
            await asyncio.wait(watching)
            await self._sign()

    async def _until_stopped(self, tasks: Sequence["asyncio.Task[None]"]) -> None:
        """Wait for `stop`; an error in one of the tasks ends the wait too, and is raised."""
        stopped = asyncio.ensure_future(self._stopping.wait())
        pending: set[asyncio.Future[Any]] = {stopped, *tasks}
        try:
            while not stopped.done():
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            stopped.cancel()

    async def _end_children(self, keeping: Sequence["asyncio.Task[None]"]) -> None:
        self._stopping.set()
        self._tell("stopping the offices")
        for child in self._children:
            child.stop()
        _, stubborn = await asyncio.wait(keeping, timeout=_STOP_SECONDS)
        if stubborn:
            for child in self._children:
                child.kill()
            await asyncio.wait(stubborn)

    async def _watch_cluster(self) -> None:
        """Start PostgreSQL again when it has died; the offices find it by themselves."""
        wait = _WATCH_SECONDS
        while True:
            await asyncio.sleep(wait)
            if self.cluster.is_running:
                wait = _WATCH_SECONDS
                continue
            self._tell(f"PostgreSQL ended; starting it again; see {self.cluster.log}")
            try:
                # In this thread: PostgreSQL ends with the thread that starts it.
                self.cluster.start()
            except (ClusterFailed, PortTaken, OSError) as error:  # OSError: no room for its configuration
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
                self._tell(f"{error} Trying again in {wait:g} s.")

    async def _watch_answers(self) -> None:
        """End PostgreSQL when it lives and lets nobody in, which it does not mend by itself: frozen, or waiting for a
        process of its own that does not end. Who watches its life then starts it again."""
        answered = time.monotonic()
        while True:
            await asyncio.sleep(_ASK_SECONDS)
            if not self.cluster.is_running or await asyncio.to_thread(self.cluster.takes_connections):
                answered = time.monotonic()
            elif time.monotonic() - answered > _SILENT_SECONDS:
                self._tell(f"PostgreSQL has let nobody in for {_SILENT_SECONDS:g} s; ending it; see {self.cluster.log}")
                self.cluster.stop_immediately()

    async def _sign_now_and_then(self) -> None:
        """Checkpoints on a rhythm; one more is made when everything stops."""
        while True:
            await asyncio.sleep(self._settings.checkpoint_minutes * 60)
            await self._sign()

    async def _sign(self) -> None:
        for office in self._offices:
            if office.keeps_ledgers:
                database = self.cluster.settings(f"{office.package}_owner", office.package)
                try:
                    await asyncio.to_thread(checkpoint_office, self._home, office, database)
                except (Broken, psycopg.Error, OSError) as error:
                    self._tell(f"no checkpoint of {office.name}: {error}")

    async def _await_ready(self, when_ready: WhenReady) -> None:
        waiting = {child.name: child for child in self._children}
        async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
            while waiting:
                for name, child in list(waiting.items()):
                    if await _is_ready(client, child.port):
                        del waiting[name]
                if waiting:
                    await asyncio.sleep(_READY_POLL_SECONDS)
        await when_ready()

    def _child_changed(self, what: str) -> None:
        self._tell(what)
        self._write_record()

    def _write_record(self) -> None:
        started = [child.started for child in self._children if child.started]
        running = record.Running(
            supervisor=record.describe("supervisor", os.getpid(), self._offices[0].door.port),
            municipality=self._settings.municipality,
            port_offset=self._settings.port_offset,
            postgres_port=self.cluster.port,
            link=self.link,
            processes=tuple(started),
            kafka=self._backbone.started if self._backbone is not None else None,
        )
        record.write(self._home, running)


def url_of(process: Process, settings: EmbeddedSettings) -> str:
    """Where a process answers, without a slash at the end."""
    return f"http://{LOOPBACK}:{process.port + settings.port_offset}"


async def _is_ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        answer = await client.get(f"http://{LOOPBACK}:{port}/readyz")
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK
