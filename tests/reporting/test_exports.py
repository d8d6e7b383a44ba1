"""The same question through all outlets: the same values and the same signs, read back by other programs than ours."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest
from pyjstat import pyjstat
from stage.cube import Stage
from stage.facts import arrival, booked, registration, resident, transition

from reporting.audiences import Audience
from reporting.exports import as_csv, as_german_csv, as_json_stat, as_workbook, file_name, sign_of
from reporting.figures import Answer, Question, number_of
from verbund.service.words import load_words

NOW = datetime(2020, 3, 15, 9, tzinfo=UTC)
BEGAN_ON = date(2015, 12, 31)
Table = Mapping[tuple[tuple[str, ...], int], tuple[float | None, str]]
"""By codes of the row and place of the point, the number (None where there is none) and the sign in its place."""


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
@pytest.mark.parametrize("audience", [Audience.STATISTICS, Audience.COORDINATION])
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
    assert ";01.01.2018;31.12.2018;14,0;;ja;" in body.decode("utf-8-sig")


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
