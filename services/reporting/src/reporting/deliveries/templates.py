"""Templates: an empty table for one indicator, with the rows that were delivered last, or else those there can be."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import get_args

import xlsxwriter

from reporting.deliveries.files import COLUMNS
from reporting.deliveries.series import Series
from reporting.deliveries.spec import Spec, expected_codes
from reporting.indicators import Catalogue
from reporting.wording import Phrases
from verbund.events.reporting.deliveries import DataState, Precision
from verbund.service.words import message_id

_MOST_ROWS = 400


def template_rows(spec: Spec, series: Series) -> list[list[str]]:
    """Head and rows: days and values are left to be filled in."""
    names = [*(() if spec.is_about_days else ("from",)), "to", "unit", *spec.breakdowns]
    rows = [[*names, *(name for name in COLUMNS if name not in ("from", "to", "unit"))]]
    for breakdown in breakdowns_offered(spec, series):
        codes = [breakdown.get(name, "total") for name in spec.breakdowns]
        rows.append(
            [*([""] if spec.is_about_days else ["", ""]), spec.unit, *codes, "", "", "provisional", "exact", "", ""]
        )
    return rows


def breakdowns_offered(spec: Spec, series: Series) -> Iterator[dict[str, str]]:
    """Where numbers stand in a table: where those of the last delivery stood, or else the total and every value."""
    if series.sheets:
        last = max(series.sheets, key=lambda period: period.to_on)
        yield from (dict(row.breakdown) for row in series.sheets[last].rows)
        return
    yield {}
    for name in spec.breakdowns:
        for code in expected_codes(spec, name)[:_MOST_ROWS]:
            yield {name: code}


def template_as_csv(spec: Spec, series: Series) -> bytes:
    """With semicolons and the mark of UTF-8: a German Excel opens it with a double click."""
    file = io.StringIO()
    csv.writer(file, delimiter=";").writerows(template_rows(spec, series))
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def template_as_workbook(catalogue: Catalogue, spec: Spec, series: Series, language: str) -> bytes:
    """The same with lists to choose from, and a second sheet that says what each column is."""
    phrases, file = Phrases(language), io.BytesIO()
    rows = template_rows(spec, series)
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        as_text = book.add_format({"num_format": "@"})  # codes such as 010 stay what they are
        table, words = book.add_worksheet("figures"), book.add_worksheet(phrases.say(message_id("Explanations")))
        for column, name in enumerate(rows[0]):
            table.write_string(0, column, name, bold)
            table.set_column(column, column, 16, as_text if name in spec.breakdowns else None)
            for choice, choices in (("state", get_args(DataState)), ("precision", get_args(Precision))):
                if name == choice:
                    table.data_validation(1, column, 5_000, column, {"validate": "list", "source": list(choices)})
        for place, row in enumerate(rows[1:], start=1):
            for column, cell in enumerate(row):
                if cell:
                    table.write_string(place, column, cell)
        table.freeze_panes(1, 0)
        words.set_column(0, 0, 24)
        words.set_column(1, 1, 100)
        for place, (what, said) in enumerate(_explanations(catalogue, spec, phrases)):
            words.write_string(place, 0, what, bold)
            words.write_string(place, 1, said)
    return file.getvalue()


def _explanations(catalogue: Catalogue, spec: Spec, phrases: Phrases) -> Sequence[tuple[str, str]]:
    indicator, language = catalogue.get_indicator(spec.indicator), phrases.language
    rows = [
        (phrases.say(message_id("Indicator")), indicator.title.say(language)),
        (phrases.say(message_id("What is counted")), indicator.definition.say(language)),
        (phrases.say(message_id("Of whom")), indicator.population.words.say(language)),
        (phrases.say(message_id("Cut-off")), indicator.cut_off.say(language)),
        ("from, to", phrases.say(message_id("Days such as 2018-12-31 or 31.12.2018; of a stock only “to”."))),
        ("unit", phrases.say(message_id("Always {unit}: two units are never mixed up."), unit=spec.unit)),
        ("value", phrases.say(message_id("Digits; decimals behind a point or a comma. 0 means none at all."))),
        ("not_available", phrases.say(message_id("yes, where there is no such number; the value stays empty then."))),
        ("state", phrases.say(message_id("provisional or final"))),
        ("precision", phrases.say(message_id("exact, rounded or estimated"))),
        ("restated", phrases.say(message_id("yes, where your own source has corrected these numbers since"))),
        (
            "source",
            phrases.say(message_id("Where the numbers are from, such as a report with its date; no names of persons.")),
        ),
    ]
    for name in spec.breakdowns:
        codes = [f"{code} ({catalogue.name_of(name, code, indicator).say(language)})" for code in spec.breakdowns[name]]
        rows.append((name, phrases.say(message_id("total, or one of: {codes}"), codes=", ".join(codes))))
    return rows
