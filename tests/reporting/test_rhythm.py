"""No news is told apart from news that are late, by what is expected of an office, and both from no data."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from stage.cube import Stage
from stage.deliveries import CATALOGUE

from reporting.figures.sources import read_freshness
from reporting.indicators import OfficeWords, Rhythm, passed
from reporting.indicators.rhythm import is_working_day
from reporting.wording import Phrases, freshness_in_words, troubles_in_words
from verbund.service.words import load_words

load_words("reporting")

BERLIN = ZoneInfo("Europe/Berlin")
RHYTHM = Rhythm(days="working_days", within_hours=24)


def at(day: str, hour: int = 12) -> datetime:
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2018, 3, 29), True),
        (date(2018, 3, 30), False),  # Good Friday
        (date(2018, 4, 2), False),  # Easter Monday
        (date(2018, 5, 10), False),  # Ascension
        (date(2018, 5, 21), False),  # Whit Monday
        (date(2018, 5, 31), False),  # Corpus Christi
        (date(2018, 10, 3), False),
        (date(2019, 4, 22), False),  # Easter Monday
        (date(2024, 4, 1), False),  # Easter Monday
        (date(2025, 4, 21), False),  # Easter Monday
        (date(2018, 6, 2), False),  # a Saturday
        (date(2018, 6, 4), True),
    ],
)
def test_offices_work_on_working_days_of_north_rhine_westphalia(day: date, *, works: bool) -> None:
    assert is_working_day(day) is works


def test_time_is_counted_on_working_days_alone() -> None:
    assert passed(RHYTHM, at("2018-06-01"), at("2018-06-04")) == timedelta(hours=24)
    assert passed(RHYTHM, at("2018-06-02"), at("2018-06-03", 23)) == timedelta(0)
    assert passed(RHYTHM, at("2018-06-05", 9), at("2018-06-05", 17)) == timedelta(hours=8)
    every = RHYTHM.model_copy(update={"days": "every_day"})
    assert passed(every, at("2018-06-01"), at("2018-06-04")) == timedelta(hours=72)
    # Clocks went forward on Sunday, 25 March 2018: the working days around it are as long as ever.
    assert passed(RHYTHM, at("2018-03-23", 0), at("2018-03-27", 0)) == timedelta(hours=48)


@pytest.mark.parametrize(
    ("recorded", "now", "heard", "state", "words"),
    [
        ("2018-06-01", "2018-06-02", True, "current", "vor 1 Tag"),
        ("2018-06-01", "2018-06-04", True, "no_news", "nichts Neues seit 01.06.2018, 12:00, wie zu erwarten"),
        ("2018-06-01", "2018-06-05", True, "overdue", "nichts Neues seit 01.06.2018, 12:00, überfällig"),
        ("2018-06-01", "2018-06-05", False, "silent", "seit 1 Stunde nichts gehört"),
    ],
)
async def test_no_news_late_news_and_no_data_are_three_things(
    cube: Stage, recorded: str, now: str, *, heard: bool, state: str, words: str
) -> None:
    moment = at(now)
    await cube.stand(moment if heard else moment - timedelta(hours=1), recorded_at=at(recorded))
    office = OfficeWords(de="Amt", en="office", rhythm=RHYTHM)
    catalogue = replace(CATALOGUE, frame=CATALOGUE.frame.model_copy(update={"offices": {"registration": office}}))
    async with cube.web.connect() as connection:
        found = await read_freshness(connection, catalogue, "registration", moment.astimezone(UTC))
    assert found.state == state
    assert freshness_in_words(found, moment, Phrases("de")) == words
    assert bool(troubles_in_words([found], Phrases("de"))) is (state == "overdue")
