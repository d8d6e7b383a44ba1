"""Answers in the layout that KomMonitor imports as a time series: a row for each area, a column for each day."""

import csv
import io

from reporting.exports.one_level import area_breakdown_of
from reporting.figures import Answer, number_of
from reporting.indicators import UNPLACED, Catalogue


def as_kommonitor(answer: Answer, catalogue: Catalogue) -> bytes:
    """RFC 4180 in UTF-8: the key of the area (`ID`), its name, and the days as ISO 8601; a period by its last day.

    Only numbers have a place there: what is protected or not reported is left empty, and what cannot be placed has no
    row; the other files say which. Raises `RuleBroken` where not exactly areas of one level are shown.
    """
    area_breakdown_of(answer, catalogue)
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["ID", "NAME", *(point.to_on.isoformat() for point in answer.points)])
    for cell in answer.cells:
        (key,) = cell.keys
        if key.code != UNPLACED:
            rows.writerow([key.code, key.name.de, *map(number_of, cell.values)])
    return file.getvalue().encode()
