"""Cities that chance has drawn: areas with days, in districts and in quarters that lie across them, as a catalogue.

Only what the list of areas says of itself is used here: who lives where is answered row by row, with nothing kept.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from random import Random

CITY = "05913000"
UNPLACED = "unplaced"
BEGAN = date(2000, 1, 1)
CHANGES = tuple(date(2016, 1, 1) + timedelta(days=91 * n) for n in range(12))
"""Days on which an area may begin or end."""


@dataclass(frozen=True)
class Row:
    """A line of the list of areas, or of the list of what makes up the quarters."""

    code: str
    parent: str
    first: date
    last: date

    def holds(self, on: date) -> bool:
        return self.first <= on <= self.last


@dataclass(frozen=True)
class MadeCity:
    """Districts and areas by their lines; `parts`: in which quarter (`parent`) an area (`code`) lies."""

    districts: Sequence[Row]
    areas: Sequence[Row]
    quarters: Sequence[Row]
    parts: Sequence[Row]

    def codes(self, dimension: str) -> list[str]:
        rows = {"district": self.districts, "area": self.areas, "quarter": self.quarters}[dimension]
        return [*dict.fromkeys(row.code for row in rows), UNPLACED]

    def is_there(self, dimension: str, code: str, on: date) -> bool:
        rows = {"district": self.districts, "area": self.areas, "quarter": self.quarters}[dimension]
        return code == UNPLACED or any(row.code == code and row.holds(on) for row in rows)

    def place(self, area: str, dimension: str, on: date) -> str:
        """Where somebody in this area is counted on a day."""
        if dimension == "area":
            found = {row.code for row in self.areas if row.code == area and row.holds(on)}
        elif dimension == "district":
            above = {row.parent for row in self.areas if row.code == area}
            found = {row.code for row in self.districts if row.code in above and row.holds(on)}
        else:
            above = {row.parent for row in self.parts if row.code == area and row.holds(on)}
            found = {row.code for row in self.quarters if row.code in above and row.holds(on)}
        (place,) = found or {UNPLACED}
        return place


def draw_city(chance: Random) -> MadeCity:
    """Two to four districts of two to four areas; some areas end, some begin in another one's place."""
    districts, areas, parts = [], [], []
    quarters = [Row(f"Q{n}", "", *_days(chance)) for n in range(2)]
    for d in range(chance.randint(2, 4)):
        district = Row(f"D{d}", CITY, BEGAN, date.max)
        districts.append(district)
        for a in range(chance.randint(2, 4)):
            code = f"{d}{a}"
            if chance.random() < 0.4:
                day = chance.choice(CHANGES)
                areas += [
                    Row(code, district.code, BEGAN, day - timedelta(days=1)),
                    *(Row(f"{code}{x}", district.code, day, date.max) for x in "xy"[: chance.randint(1, 2)]),
                ]
            else:
                areas.append(Row(code, district.code, BEGAN, date.max))
    for area in areas:
        inside = [quarter for quarter in quarters if quarter.first < area.last and area.first < quarter.last]
        if inside and chance.random() < 0.6:
            quarter = chance.choice(inside)
            parts.append(Row(area.code, quarter.code, max(area.first, quarter.first), min(area.last, quarter.last)))
    return MadeCity(districts, areas, [q for q in quarters if any(p.parent == q.code for p in parts)], parts)


def _days(chance: Random) -> tuple[date, date]:
    first = chance.choice((BEGAN, *CHANGES[:4]))
    return first, chance.choice((date.max, date.max, CHANGES[-1]))


def catalogue_of(city: MadeCity, folder: Path) -> Path:
    """The catalogue with these areas, in which everything that is broken down by area can be by quarter too."""
    made = folder / "catalogue"
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(str(files("reporting") / "catalogue"), made)
    own = made / CITY
    for name in ("geometry", "tiles"):
        shutil.rmtree(own / name, ignore_errors=True)
    lines = ["code,name,level,parent,valid_from,valid_until", f"{CITY},Stadt,city,,{BEGAN},"]
    for level, rows in (
        ("stadtbezirk", city.districts),
        ("statistischer_bezirk", city.areas),
        ("quarter", city.quarters),
    ):
        lines += [f"{r.code},Name {r.code},{level},{r.parent},{r.first},{_until(r.last)}" for r in rows]
    (own / "areas.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if city.parts:
        parts = [f"{r.parent},{r.code},{r.first},{_until(r.last)}" for r in city.parts]
        (own / "area_parts.csv").write_text(
            "\n".join(["area,part,valid_from,valid_until", *parts]) + "\n", encoding="utf-8"
        )
    frame, indicators = made / "frame.yaml", made / "indicators" / "registration_and_population.yaml"
    _replace(
        frame,
        "  nationality: {fact:",
        "  quarter: {fact: area, level: quarter, de: Quartier, en: Quarter}\n  nationality: {fact:",
    )
    _replace(indicators, "breakdowns: [district, area,", "breakdowns: [district, area, quarter,")
    return made


def _until(last: date) -> str:
    return "" if last == date.max else last.isoformat()


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{file.name} has no {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")
