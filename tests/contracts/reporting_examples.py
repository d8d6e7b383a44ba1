"""One event of every type that reporting itself books, as it travels."""

from datetime import date

from verbund.events.envelope import Data
from verbund.events.reporting.alerts import AlertAcknowledged, AlertOver, AlertRaised, ThresholdRemoved, ThresholdSet
from verbund.events.reporting.notes import NoteRevised, NoteWithdrawn, NoteWritten
from verbund.events.reporting.targets import TargetSet, TargetWithdrawn

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ALERT = "6f9d2c1e-8b1a-5c3d-9e4f-1a2b3c4d5e6f"

DATA: tuple[Data, ...] = (
    NoteWritten(
        indicator="population",
        breakdown="district",
        value="SB02",
        from_on=date(2016, 3, 1),
        to_on=date(2016, 5, 31),
        author_role="statistics",
        words_digest=DIGEST,
    ),
    NoteRevised(from_on=date(2016, 3, 1), to_on=None, author_role="chair", words_digest=DIGEST),
    NoteWithdrawn(),
    TargetSet(
        indicator="arrivals",
        from_on=date(2018, 1, 1),
        to_on=date(2018, 12, 31),
        agreed_on=date(2017, 12, 6),
        aim="between",
        low="1400",
        high="1600",
        words_digest=DIGEST,
    ),
    TargetWithdrawn(),
    ThresholdSet(
        audience="coordination",
        indicator="population_share",
        side="over",
        limit="6.5",
        back="6.2",
        valid_from=date(2018, 1, 1),
        valid_until=date(2019, 12, 31),
    ),
    ThresholdRemoved(),
    AlertRaised(alert_id=ALERT, crossing=1),
    AlertAcknowledged(alert_id=ALERT),
    AlertOver(alert_id=ALERT, reason="back"),
)
