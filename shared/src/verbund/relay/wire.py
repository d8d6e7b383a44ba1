"""The way to one topic: a sender, and a new one when it has failed, each time after a longer wait."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from logging import getLogger
from time import monotonic
from typing import TypeVar

from verbund import metrics
from verbund.kafka.messages import Message
from verbund.kafka.settings import KafkaSettings
from verbund.relay.client.connecting import CannotSend, Failure, find_trouble
from verbund.relay.client.sender import Sender, Sending

_log = getLogger(__name__)

_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0
_ASK_SECONDS = 4.0  # at most so often, for however many ledgers

Result = TypeVar("Result")


class Wire:
    """Shared by all ledgers of one topic; a thread of its own does what blocks."""

    def __init__(self, settings: KafkaSettings, topic: str, name: str) -> None:
        """`name`: for the brokers' logs."""
        self._settings = settings
        self._topic = topic
        self._name = name
        self._thread = ThreadPoolExecutor(1, f"wire of {topic}")
        self._opening = asyncio.Lock()
        self._sender: Sender | None = None
        self._wait = _FIRST_WAIT_SECONDS
        self._not_before = 0.0
        self._asked = -_ASK_SECONDS
        self.failure: Failure | None = None
        """What keeps messages from being sent now."""

    @property
    def trouble(self) -> str | None:
        """The same in words, with what to do."""
        if self.failure is None:
            return None
        match self.failure.kind:
            case "no_topic":
                return f"there is no topic {self._topic}: `verbund kafka topics --create` makes it"
            case "not_authorised":
                return (
                    f"Kafka does not let {self._settings.user or 'this relay'} write to {self._topic}"
                    f" ({self.failure.detail}): `verbund kafka topics --create` gives the rights, passwords are the"
                    " brokers' matter"
                )
            case "unreachable":
                # A broker that does not know a password ends the connection, and that is all one hears of it.
                or_else = f", or does not know {self._settings.user}'s password" if self._settings.uses_sasl else ""
                return f"Kafka cannot be reached for {self._topic} ({self.failure.detail}){or_else}"
            case _:
                return f"sending to {self._topic} failed ({self.failure.detail})"

    async def sender(self) -> Sender:
        """One that can send; raises `CannotSend` where there is none now, at once while one has failed just before."""
        async with self._opening:
            if self._sender is None:
                if self.failure is not None and monotonic() < self._not_before:
                    raise CannotSend(self.failure)
                try:
                    self._sender = await self._blocking(lambda: Sender(self._settings, self._topic, self._name))
                except CannotSend as error:
                    self._put_off(error.failure)
                    raise
            return self._sender

    def send(self, sender: Sender, messages: Callable[[], Sequence[Message]]) -> asyncio.Future[Sending]:
        """Make the messages and send them, behind everything that was given before."""
        return self._blocking(lambda: sender.send(messages()))

    def acknowledged(self) -> None:
        """Say that Kafka answered well."""
        self.failure, self._wait = None, _FIRST_WAIT_SECONDS

    def discard(self, sender: Sender, failure: Failure) -> None:
        """Throw a failed sender away; the next one goes on from the positions."""
        sender.close()
        if sender is self._sender:
            self._sender = None
            metrics.RELAY_RESTARTS.inc()
            self._put_off(failure)

    def _put_off(self, failure: Failure) -> None:
        if self.failure is None or self.failure.kind != failure.kind:
            _log.warning("not sending", extra={"topic": self._topic, "kind": failure.kind, "detail": failure.detail})
        self.failure = failure
        self._not_before = monotonic() + self._wait
        self._wait = min(self._wait * 2, _LONGEST_WAIT_SECONDS)

    async def ask(self) -> Failure | None:
        """What Kafka says is wrong with the topic, while nothing is acknowledged."""
        if monotonic() - self._asked < _ASK_SECONDS:
            return self.failure
        self._asked = monotonic()
        # Not in the wire's thread, which may be waiting for the same thing.
        self.failure = await asyncio.to_thread(find_trouble, self._settings, self._topic)
        return self.failure

    def close(self) -> None:
        """Send nothing more; waits for nothing."""
        if self._sender is not None:
            self._sender.close()
            self._sender = None
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _blocking(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)
