"""An open page of the coordination group, as its script keeps it: it listens, and comes back when the line is lost."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import sleep
from typing import Any

import httpx
from stage.municipality import Municipality

_SILENCE_SECONDS = 45.0  # as in the page's script
_PAUSE_SECONDS = 0.2


class LivePage:
    """What the page shows, and how often it had to open its stream."""

    def __init__(self, municipality: Municipality) -> None:
        self.shown: dict[str, int | None] = {}
        """The number on each tile, by indicator."""
        self.opened = 0
        self._url = f"{municipality.url('reporting')}/live"
        self._headers = {"Authorization": f"Bearer {municipality.token('reporting', 'coordination')}"}
        self._last_id = ""
        self._closed = Event()

    def follow(self) -> None:
        """Listen until the page is closed."""
        while not self._closed.is_set():
            try:
                self._listen()
            except httpx.HTTPError:
                sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        self._closed.set()

    def _listen(self) -> None:
        headers = {**self._headers, "Last-Event-ID": self._last_id}
        with httpx.stream("GET", self._url, headers=headers, timeout=_SILENCE_SECONDS, trust_env=False) as answer:
            if answer.status_code != httpx.codes.OK:
                assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.read()
                sleep(_PAUSE_SECONDS)
                return
            self.opened += 1
            event: dict[str, str] = {}
            for line in answer.iter_lines():
                if self._closed.is_set():
                    return
                name, _, value = line.partition(": ")
                event[name] = value
                if not line:
                    self._take(event)
                    event = {}

    def _take(self, event: dict[str, str]) -> None:
        self._last_id = event.get("id", self._last_id)
        if event.get("event") == "tiles":
            told: dict[str, Any] = json.loads(event["data"])
            self.shown |= {tile["id"]: tile["number"] for tile in told["tiles"]}


@contextmanager
def live_page(municipality: Municipality) -> Iterator[LivePage]:
    """A page that is open until this is left."""
    page = LivePage(municipality)
    thread = Thread(target=page.follow, name="page", daemon=True)
    thread.start()
    try:
        yield page
    finally:
        page.close()
