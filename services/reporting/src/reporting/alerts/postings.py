"""What is still to be posted: a row for each change of an alert and each receiver, which outlives every process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from reporting.alerts.reading import ListedAlert, get_alert
from reporting.alerts.wording import What
from verbund.events.reporting.alerts import WatchedBy

LEASE = timedelta(seconds=30)
"""Whoever takes a posting has so long for it; then it is due again: they may be dead."""

_ENROL = text("""
    insert into alerts.receiver (municipality, receiver, begins_after)
    select :municipality, :receiver, coalesce(max(number), 0) from alerts.change where municipality = :municipality
    on conflict do nothing
""")
# Numbers are those of commits: what is behind the last one enlisted is all that is new.
_ENLIST = text("""
    insert into alerts.posting (municipality, receiver, number, alert_id, due_at)
    select municipality, receiver, change.number, alert_id, now()
    from alerts.receiver join alerts.change using (municipality)
    join alerts.alert using (municipality, alert_id) join alerts.threshold using (municipality, threshold_id)
    where municipality = :municipality and receiver = :receiver and threshold.audience = any(:audiences)
      and change.number > greatest(begins_after, (
          select max(posting.number) from alerts.posting
          where posting.municipality = :municipality and posting.receiver = :receiver))
    on conflict do nothing
""")
# Changes of one alert go out one after another; other alerts need not wait for them.
_CLAIM = text("""
    update alerts.posting set tries = tries + 1, due_at = now() + :lease
    from alerts.change
    where posting.municipality = :municipality and posting.receiver = :receiver
      and change.municipality = posting.municipality and change.number = posting.number
      and posting.number = (
          select first.number from alerts.posting as first
          where first.municipality = :municipality and first.receiver = :receiver and first.posted_at is null
            and first.due_at <= now()
            and not exists (
                select from alerts.posting as earlier
                where earlier.municipality = first.municipality and earlier.receiver = first.receiver
                  and earlier.alert_id = first.alert_id and earlier.number < first.number
                  and earlier.posted_at is null)
          order by first.number limit 1 for update skip locked)
    returning posting.number, posting.alert_id::text, posting.tries, change.what, change.at
""")
_POSTED = text("""
    update alerts.posting set posted_at = now()
    where municipality = :municipality and receiver = :receiver and number = :number
""")
_POSTPONE = text("""
    update alerts.posting set due_at = now() + :wait
    where municipality = :municipality and receiver = :receiver and number = :number
""")
_WAITING = text("""
    select count(*), coalesce(extract(epoch from now() - min(change.at)), 0)::float
    from alerts.posting join alerts.change using (municipality, number)
    where municipality = :municipality and receiver = :receiver and posted_at is null
""")


@dataclass(frozen=True, slots=True)
class Posting:
    """One change that this process may post now."""

    number: int
    """Of the change in the book of reporting."""
    alert: ListedAlert
    what: What
    at: datetime
    tries: int


class Postings:
    """What one receiver has not accepted yet. Each step commits: a process may end between any two."""

    def __init__(
        self, engine: AsyncEngine, municipality: str, receiver: str, audiences: Sequence[WatchedBy], lease: timedelta
    ) -> None:
        self._engine = engine
        self._audiences = list(audiences)
        self._place = {"municipality": municipality, "receiver": receiver}
        self._lease = lease

    async def enrol(self) -> None:
        """From now on changes are for this receiver too; what was before it was named is not posted."""
        async with self._engine.begin() as connection:
            await connection.execute(_ENROL, self._place)

    async def enlist(self) -> None:
        """A row for each change that came since."""
        async with self._engine.begin() as connection:
            await connection.execute(_ENLIST, {**self._place, "audiences": self._audiences})

    async def claim(self) -> Posting | None:
        """The next one that is due, for as long as the lease; nobody else gets it meanwhile."""
        async with self._engine.begin() as connection:
            row = (await connection.execute(_CLAIM, {**self._place, "lease": self._lease})).first()
            if row is None:
                return None
            alert = await get_alert(connection, self._place["municipality"], self._audiences, row.alert_id)
            return Posting(row.number, alert, row.what, row.at, row.tries)

    async def settle(self, posting: Posting) -> None:
        """The receiver has accepted it."""
        async with self._engine.begin() as connection:
            await connection.execute(_POSTED, {**self._place, "number": posting.number})

    async def postpone(self, posting: Posting, wait: timedelta) -> None:
        """It has not: try again after this time."""
        async with self._engine.begin() as connection:
            await connection.execute(_POSTPONE, {**self._place, "number": posting.number, "wait": wait})

    async def waiting(self) -> tuple[int, float]:
        """How many wait, and for how many seconds the oldest has."""
        async with self._engine.connect() as connection:
            count, seconds = (await connection.execute(_WAITING, self._place)).one()
            return count, max(seconds, 0.0)
