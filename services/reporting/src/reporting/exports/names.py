"""Names of files: what, by what, about when, and as known when; nothing that a file system could not keep."""

from reporting.figures import Answer
from verbund.service.pages.formats import TIME_ZONE


def file_name(answer: Answer, suffix: str) -> str:
    """Such as `population_by-district_2014-12-31_2018-12-31_as-known-2026-11-26.csv`."""
    days = [point.from_on or point.to_on for point in answer.points] + [point.to_on for point in answer.points]
    known = answer.known_on or (answer.ticked_at or answer.asked_at).astimezone(TIME_ZONE).date()
    parts = [
        answer.indicator,
        *([f"by-{'-'.join(answer.by)}"] if answer.by else []),
        *dict.fromkeys((min(days).isoformat(), max(days).isoformat())),
        f"as-known-{known.isoformat()}",
    ]
    return f"{'_'.join(parts)}.{suffix}"
