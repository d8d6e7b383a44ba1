"""The same question through all outlets: the same values and the same signs, read back by other programs than ours."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from pyjstat import pyjstat
from stage.changed_areas import CITY, catalogue_in
from stage.cube import Stage
from stage.facts import arrival, booked, registration, resident, transition

from reporting.audiences import Audience
from reporting.exports import (
    as_csv,
    as_geo_json,
    as_german_csv,
    as_json_stat,
    as_kommonitor,
    as_png,
    as_svg,
    as_workbook,
    file_name,
    sign_of,
)
from reporting.figures import Answer, Question, number_of
from reporting.indicators import read_catalogue
from verbund.errors import RuleBroken
from verbund.service.words import load_words

NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
BEGAN_ON = date(2015, 12, 31)
CATALOGUE = read_catalogue(CITY)
SVG = "{http://www.w3.org/2000/svg}"
Table = Mapping[tuple[tuple[str, ...], int], tuple[float | None, str]]
"""By codes of the row and place of the point, the number (None where there is none) and the sign in its place."""

STEERING = (Audience.STATISTICS, Audience.COORDINATION)


@pytest.fixture
async def city(cube: Stage) -> Stage:
    load_words("reporting")
    people = [
        transition("opening", BEGAN_ON, None, resident(area=area, sex=sex), subject=f"{area} {sex} {n}")
        for area in ("04", "05", "61", "unplaced")
        for sex in ("f", "m")
        for n in range(9 if area == "05" else 1)
    ]
    said = [registration(date(2018, 5, 1), late=n < 7, subject=f"flat {n}") for n in range(50)]
    await cube.take([booked(BEGAN_ON, *people), booked(date(2018, 5, 1), arrival(date(2018, 5, 1)), *said)])
    await cube.tick(NOW)
    return cube


def in_answer(found: Answer) -> Table:
    return {
        (tuple(key.code for key in cell.keys), at): (
            None if sign_of(found, value) else float(number_of(value) or 0),
            sign_of(found, value),
        )
        for cell in found.cells
        for at, value in enumerate(cell.values)
    }


def in_csv(found: Answer) -> Table:
    rows = list(csv.DictReader(io.StringIO(as_csv(found).decode())))
    return _long(found, rows, lambda row: row["value"], lambda row: row["sign"], found.by)


def in_german_csv(found: Answer) -> Table:
    text = as_german_csv(found).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    return _long(found, rows, lambda row: row["Wert"].replace(",", "."), lambda row: row["Zeichen"], found.by)


def _long(
    found: Answer,
    rows: list[dict[str, str]],
    value: Callable[[dict[str, str]], str],
    sign: Callable[[dict[str, str]], str],
    by: tuple[str, ...],
) -> Table:
    points = len(found.points)
    return {
        (tuple(row[name] for name in by), at % points): (None if sign(row) else float(value(row)), sign(row))
        for at, row in enumerate(rows)
    }


def in_workbook(found: Answer) -> Table:
    sheet = openpyxl.load_workbook(io.BytesIO(as_workbook(found, "de"))).worksheets[0]
    keys, told = 2 * len(found.by), {}
    for row in sheet.iter_rows(min_row=5, values_only=True):
        codes = tuple(str(code) for code in row[:keys:2])
        for at, cell in enumerate(row[keys : keys + len(found.points)]):
            told[codes, at] = (None, cell) if isinstance(cell, str) else (float(cell or 0), "")
    return told


def in_json_stat(found: Answer) -> Table:
    """Numbers by pyjstat; the signs, which it does not know, by their places."""
    text = json.dumps(as_json_stat(found, "en"))
    frame = pyjstat.Dataset.read(text).write("dataframe", naming="id")
    told = json.loads(text)
    points = len(found.points)
    return {
        (tuple(str(row[name]) for name in found.by), at % points): (
            None if str(at) in told["status"] else float(row["value"]),
            told["status"].get(str(at), ""),
        )
        for at, row in enumerate(frame.to_dict("records"))
    }


YEARS = {"from_on": date(2014, 1, 1), "to_on": date(2018, 12, 31), "every": "year"}


@pytest.mark.filterwarnings("ignore:Shouldn't use this function anymore:DeprecationWarning")  # pyjstat, of itself
@pytest.mark.parametrize("outlet", [in_csv, in_german_csv, in_workbook, in_json_stat])
@pytest.mark.parametrize("audience", STEERING)
@pytest.mark.parametrize(
    "asked",
    [
        {"indicator": "population"},
        {"indicator": "population", "by": ("area", "sex"), **YEARS},
        {"indicator": "population", "by": ("district",), "as_of": (date(2018, 12, 31),)},
        {"indicator": "population_change", "by": ("sex",), **YEARS},
        {"indicator": "arrivals", "by": ("sex",), **YEARS},
        {"indicator": "share_of_late_registrations", "by": ("landlord_confirmation",), **YEARS},
    ],
    ids=["total", "two breakdowns", "margin", "change", "flow", "share"],
)
async def test_every_outlet_shows_the_same_values_and_signs(
    city: Stage, asked: dict[str, Any], audience: Audience, outlet: Callable[[Answer], Table]
) -> None:
    found = await city.ask(Question(**asked), audience, NOW)
    expected = in_answer(found)
    assert outlet(found) == expected
    assert len(expected) == len(found.cells) * len(found.points)


def in_geo_json(found: Answer) -> Table:
    document = json.loads(json.dumps(as_geo_json(found, CATALOGUE, "de")))
    rows = [feature["properties"] for feature in document["features"]]
    return {((row["code"],), 0): (None if row["sign"] else float(row["value"]), row["sign"]) for row in rows}


def in_svg(found: Answer) -> Table:
    """From its description, every line of which stands in the picture, too."""
    root = ElementTree.fromstring(as_svg(found, "en"))
    desc = root.find(f"{SVG}desc")
    assert desc is not None
    lines = str(desc.text).splitlines()[-len(found.cells) * len(found.points) :]
    told = [line.rpartition(": ")[2] for line in lines]
    drawn = [text.text for text in root.iter(f"{SVG}text")]
    assert set(told) <= set(drawn)
    rows = [(tuple(key.code for key in cell.keys), at) for cell in found.cells for at in range(len(found.points))]
    signs = {"–", "0", ".", "..."}
    return {
        row: (None, words) if words in signs else (float(words.replace(",", "")), "")
        for row, words in zip(rows, told, strict=True)
    }


@pytest.mark.parametrize("outlet", [in_geo_json, in_svg])
@pytest.mark.parametrize("audience", STEERING)
@pytest.mark.parametrize(
    "asked",
    [
        {"indicator": "population", "by": ("district",), "as_of": (date(2018, 12, 31),)},
        {"indicator": "population", "by": ("area",), "as_of": (date(2018, 12, 31),)},
        {"indicator": "arrivals", "by": ("area",), "from_on": date(2018, 1, 1), "to_on": date(2018, 12, 31)},
        {"indicator": "share_of_late_registrations", "by": ("district",), **YEARS, "from_on": date(2018, 1, 1)},
    ],
    ids=["margin", "areas", "flow", "share"],
)
async def test_maps_and_pictures_show_the_same_values_and_signs(
    city: Stage, asked: dict[str, Any], audience: Audience, outlet: Callable[[Answer], Table]
) -> None:
    found = await city.ask(Question(**asked), audience, NOW)
    assert outlet(found) == in_answer(found)


@pytest.mark.parametrize("audience", STEERING)
async def test_a_picture_of_a_series_shows_the_same_values_and_signs(city: Stage, audience: Audience) -> None:
    found = await city.ask(Question(indicator="population", **YEARS), audience, NOW)
    assert in_svg(found) == in_answer(found)
    assert "..." in {sign for _, sign in in_svg(found).values()}


@pytest.mark.parametrize("audience", STEERING)
async def test_kommonitor_gets_the_same_numbers_and_nothing_else(city: Stage, audience: Audience) -> None:
    found = await city.ask(Question(indicator="population", by=("area",), **YEARS), audience, NOW)
    rows = list(csv.DictReader(io.StringIO(as_kommonitor(found, CATALOGUE).decode())))
    days = [point.to_on.isoformat() for point in found.points]
    assert list(rows[0]) == ["ID", "NAME", *days]
    told = {((row["ID"],), at): float(row[day]) if row[day] else None for row in rows for at, day in enumerate(days)}
    expected = {
        ((cell.keys[0].code,), at): None if (number := number_of(value)) is None else float(number)
        for cell in found.cells
        for at, value in enumerate(cell.values)
        if cell.keys[0].code != "unplaced"
    }
    assert told == expected
    assert None in told.values()


async def test_a_map_says_that_it_is_schematic_and_what_each_number_is(city: Stage) -> None:
    question = Question(indicator="population", by=("area",), as_of=(date(2018, 12, 31),))
    found = await city.ask(question, Audience.COORDINATION, NOW)
    document = as_geo_json(found, CATALOGUE, "de")
    assert (document["schematic"], document["notes"][0]) == (True, "schematisch, keine amtlichen Grenzen")
    nordmarkt = next(one for one in document["features"] if one["id"] == "05")
    said = nordmarkt["properties"]
    assert (said["unit"], said["to"], said["audience"]) == ("Personen", "2018-12-31", "coordination")
    assert (said["data_state"], said["is_exact"], said["schematic"]) == ("tick", False, True)
    assert nordmarkt["geometry"]["type"] == "Polygon"
    nowhere = document["features"][-1]
    assert (nowhere["id"], nowhere["geometry"]) == ("unplaced", None)


@pytest.mark.parametrize(
    ("make", "asked", "code"),
    [
        (as_geo_json, {"by": ("sex",)}, "areas_alone"),
        (as_geo_json, {"by": ("area", "sex")}, "areas_alone"),
        (as_geo_json, {"by": ("area",), **YEARS}, "one_point"),
        (lambda found, catalogue, _: as_kommonitor(found, catalogue), {"by": ()}, "areas_alone"),
        (lambda found, _, language: as_svg(found, language), {"by": ("area",), **YEARS}, "no_picture"),
        (lambda found, _, language: as_svg(found, language), {"by": ("area", "sex")}, "no_picture"),
        (
            lambda found, _, language: as_svg(found, language),
            {"from_on": date(2010, 1, 1), "to_on": date(2018, 12, 31), "every": "month"},
            "too_many_marks",
        ),
    ],
)
async def test_what_a_kind_of_file_cannot_show_is_refused(
    city: Stage, make: Callable[..., Any], asked: dict[str, Any], code: str
) -> None:
    found = await city.ask(Question(indicator="population", **asked), Audience.STATISTICS, NOW)
    with pytest.raises(RuleBroken) as refused:
        make(found, CATALOGUE, "de")
    assert refused.value.code == code


async def test_a_city_without_a_map_is_refused_one(city: Stage) -> None:
    found = await city.ask(Question(indicator="population", by=("area",)), Audience.STATISTICS, NOW)
    without = replace(CATALOGUE, city=replace(CATALOGUE.city, maps={}))
    with pytest.raises(RuleBroken) as refused:
        as_geo_json(found, without, "de")
    assert refused.value.code == "no_map"


async def test_a_picture_stands_alone(city: Stage) -> None:
    question = Question(indicator="population", by=("district",), as_of=(date(2018, 12, 31),))
    found = await city.ask(question, Audience.COORDINATION, NOW)
    root = ElementTree.fromstring(as_svg(found, "de"))
    said = " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
    for words in (
        "Bevölkerung",
        "Personen, 31.12.2018",
        "Bestand am Ende des Tages",
        "Quelle: Einwohnermeldeamt",
        "Zählung vom",
        "nichts vorhanden",
    ):
        assert words in said
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == found.title.de
    assert root.get("role") == "img"
    names = [cell.keys[0].name.de for cell in found.cells]
    drawn = [text.text for text in root.iter(f"{SVG}text") if text.text in names]
    assert drawn == names, "in the order of the catalogue: no ranking"
    assert as_png(found, "de").startswith(b"\x89PNG")


COMPARED: dict[str, Any] = {
    "indicator": "population",
    "by": ("area",),
    "as_of": (date(2018, 12, 31),),
    "compare": "year_before",
}


@pytest.mark.filterwarnings("ignore:Shouldn't use this function anymore:DeprecationWarning")  # pyjstat, of itself
@pytest.mark.parametrize("audience", STEERING)
async def test_what_values_are_compared_with_stands_in_every_file(city: Stage, audience: Audience) -> None:
    found = await city.ask(Question(**COMPARED), audience, NOW)
    expected = [
        [(None if sign_of(found, v) else float(number_of(v) or 0), sign_of(found, v)) for v in values]
        for cell in found.cells
        for values in [(cell.values[0], cell.compared[0], cell.changes[0])]
    ]
    rows = list(csv.DictReader(io.StringIO(as_csv(found).decode())))
    in_table = [
        [
            _told(row, "value", "sign"),
            _told(row, "compared_value", "compared_sign"),
            _told(row, "change", "change_sign"),
        ]
        for row in rows
    ]
    assert in_table == expected
    assert {(row["compared_from"], row["compared_to"]) for row in rows} == {("", "2017-12-31")}
    document = as_json_stat(found, "de")
    assert (document["id"], document["size"][-1]) == (["area", "time", "measure"], 3)
    flat = [one for row in expected for one in row]
    assert [
        (None if str(at) in document["status"] else v, document["status"].get(str(at), ""))
        for at, v in enumerate(document["value"])
    ] == flat
    sheet = openpyxl.load_workbook(io.BytesIO(as_workbook(found, "de"))).worksheets[0]
    in_sheet = [
        [(None, cell) if isinstance(cell, str) else (float(cell), "") for cell in row[2:5]]
        for row in sheet.iter_rows(min_row=5, values_only=True)
    ]
    assert in_sheet == expected
    assert [cell.value for cell in sheet[4]][2:5] == ["31.12.2018", "Vergleich: 31.12.2017", "Veränderung: 31.12.2018"]


def _told(row: dict[str, str], value: str, sign: str) -> tuple[float | None, str]:
    return (None if row[sign] else float(row[value]), row[sign])


async def test_files_say_which_numbers_are_estimates_and_why(cube: Stage, tmp_path: Path) -> None:
    load_words("reporting")
    cube.catalogue = read_catalogue(CITY, catalogue_in(tmp_path))
    people = [transition("opening", BEGAN_ON, None, resident(area="05"), subject=str(n)) for n in range(10)]
    await cube.take([booked(BEGAN_ON, *people)])
    asked = Question(
        indicator="population",
        by=("area",),
        as_of=(date(2017, 12, 31),),
        areas_on=date(2018, 12, 31),
        over_changes="apportioned",
    )
    found = await cube.ask(asked, Audience.STATISTICS, NOW)
    rows = {row["area"]: row for row in csv.DictReader(io.StringIO(as_csv(found).decode()))}
    assert [rows[code]["estimated"] for code in ("05a", "05b", "04")] == ["true", "true", "false"]
    assert (rows["05a"]["areas_on"], rows["05a"]["breaks"]) == ("2018-12-31", "2018-01-01")
    document = as_json_stat(found, "de")
    at = document["dimension"]["area"]["category"]["index"].index("05a")
    assert (document["value"][at], document["status"][str(at)]) == (4, "s")
    split = "Ab 01.01.2018 andere Gebiete: Nordmarkt-Süd (05a), Nordmarkt-Ost (05b)."
    assert any(note.startswith(split) and "05 → 05a: 40,0\N{NO-BREAK SPACE}%" in note for note in document["note"])
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(found, "de")))
    cells = {row[0].value: row[2] for row in book.worksheets[0].iter_rows(min_row=5)}
    assert (cells["05a"].value, cells["05a"].number_format) == (4, '#,##0" s"')
    said = [row[1] for row in book["Herkunft der Zahlen"].iter_rows(values_only=True) if row[0] == "Zu beachten"]
    assert any(str(note).startswith(split) for note in said)
    root = ElementTree.fromstring(as_svg(found.model_copy(update={"cells": found.cells[-8:]}), "de"))
    assert "6 s" in [text.text for text in root.iter(f"{SVG}text")]


async def test_a_protected_zero_is_a_nought_and_an_exact_one_a_dash(city: Stage) -> None:
    question = Question(indicator="population", by=("area",), as_of=(date(2018, 12, 31),))
    exact = await city.ask(question, Audience.STATISTICS, NOW)
    protected = await city.ask(question, Audience.COORDINATION, NOW)
    assert {sign for _, sign in in_csv(exact).values()} == {"", "–"}
    assert {sign for _, sign in in_csv(protected).values()} == {"", "0"}


async def test_a_german_excel_opens_it_with_a_double_click(city: Stage) -> None:
    asked = Question(indicator="share_of_late_registrations", from_on=date(2018, 1, 1), to_on=date(2018, 12, 31))
    body = as_german_csv(await city.ask(asked, Audience.STATISTICS, NOW))
    assert body.startswith(b"\xef\xbb\xbf")
    assert ";01.01.2018;31.12.2018;14,0;;nein;;ja;" in body.decode("utf-8-sig")


async def test_a_file_says_what_and_when(city: Stage) -> None:
    question = Question(indicator="population", by=("district",), as_of=(date(2017, 12, 31), date(2018, 12, 31)))
    found = await city.ask(question, Audience.STATISTICS, NOW)
    assert file_name(found, "csv") == "population_by-district_2017-12-31_2018-12-31_as-known-2020-03-15.csv"


async def test_nothing_that_is_text_is_carried_out(city: Stage) -> None:
    """A name that begins like a formula comes as text into a spreadsheet."""
    found = await city.ask(Question(indicator="population", by=("sex",)), Audience.STATISTICS, NOW)
    key = found.cells[0].keys[0]
    bad = key.model_copy(update={"name": key.name.model_copy(update={"de": "=1+1", "en": "=1+1"})})
    found = found.model_copy(update={"cells": (found.cells[0].model_copy(update={"keys": (bad,)}),)})
    assert ",'=1+1," in as_csv(found).decode()
    assert ";'=1+1;" in as_german_csv(found).decode("utf-8-sig")
    cell = openpyxl.load_workbook(io.BytesIO(as_workbook(found, "de"))).worksheets[0]["B5"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


async def test_a_workbook_says_what_the_numbers_mean_and_where_they_come_from(city: Stage) -> None:
    found = await city.ask(Question(indicator="population", by=("area",)), Audience.COORDINATION, NOW)
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(found, "de")))
    assert book.sheetnames == ["Werte", "Definition", "Zeichen", "Herkunft der Zahlen", "Hinweise"]
    said = {row[0]: row[1] for sheet in book.worksheets[1:] for row in sheet.iter_rows(values_only=True)}
    assert said["Genaue Zahlen"] == "nein"
    assert said["Einheit"] == "Personen"
    limits = [row[1] for row in book["Definition"].iter_rows(values_only=True) if row[0] == "Was die Quelle nicht weiß"]
    assert "Melderegister" in str(limits[0])
    assert {"–", "0", ".", "..."} <= said.keys()
