"""What a cube has to hold, counted again from events as plain JSON; shares no code with whoever filled the cube."""

import hmac
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

Event = Mapping[str, Any]
Row = tuple[str, str, str, str, str]
"""Measure, facts as sorted JSON, effective on, recorded on, cause."""
Sums = dict[Row, tuple[int, int]]
"""How many, and the sum of their record keys."""

KEYS = 2**32
_BERLIN = ZoneInfo("Europe/Berlin")
_ONE_SIDED = {
    "opening": "openings",
    "arrival": "arrivals",
    "departure": "departures",
    "birth": "births",
    "death": "deaths",
}


def recount(events: Iterable[Event], secret: bytes) -> Sums:
    """The sums that these events make; what adds up to nothing is left out. `secret` makes record keys."""
    numbers: defaultdict[Row, int] = defaultdict(int)
    keys: defaultdict[Row, int] = defaultdict(int)
    for event in events:
        recorded_on = str(datetime.fromisoformat(event["time"]).astimezone(_BERLIN).date())
        for transition in (*event["data"].get("transitions", ()), *event["data"].get("doubts", ())):
            key = int.from_bytes(hmac.new(secret, transition["subject"].encode(), "sha256").digest()[:4], "big")
            for measure, facts, n in _changes(transition):
                row = (measure, in_words(facts), transition["effective_on"], recorded_on, transition["cause"])
                numbers[row] += n
                keys[row] = (keys[row] + key * n) % KEYS
    return {row: (n, keys[row]) for row, n in numbers.items() if n or keys[row]}


def in_words(facts: Event) -> str:
    """Facts as a cell names them; a fact that nobody knows is left out."""
    told = {name: str(value).lower() for name, value in facts.items() if value is not None}
    return json.dumps(told, sort_keys=True)


def _changes_of_doubt(transition: Event, n: int) -> Iterator[tuple[str, Event, int]]:
    """Found: one more that is open. Resolved: one less, and one that took so many days."""
    before, after = transition["before"], transition["after"]
    told = {name: after[name] for name in ("area", "reason")}
    if before is None:
        yield "open_doubts", after, n
        yield "doubts", told, n
        return
    took = date.fromisoformat(transition["effective_on"]) - date.fromisoformat(before["since"])
    yield "open_doubts", before, -n
    yield "resolved_doubts", {**told, "outcome": after["outcome"], "days": took.days}, n


def _changes(transition: Event) -> Iterator[tuple[str, Event, int]]:
    """Measure, facts and number of everything that one transition changes."""
    n = transition["sign"] * transition["n"]
    before, after, kind = transition["before"], transition["after"], transition["kind"]
    if transition["unit"] == "registration":
        yield "registrations", after or before, n
        return
    if transition["unit"] == "doubt":
        yield from _changes_of_doubt(transition, n)
        return
    assert transition["unit"] == "resident", f"nobody counts the unit {transition['unit']}"
    if before is not None:
        yield "residents", before, -n
    if after is not None:
        yield "residents", after, n
    if kind in _ONE_SIDED:
        yield _ONE_SIDED[kind], after or before, n
    if kind == "move":
        facts = {name: value for name, value in after.items() if name != "area"}
        yield "moves", {**facts, "area_from": before["area"], "area_to": after["area"]}, n
