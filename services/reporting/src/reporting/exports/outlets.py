"""Every kind of file that a question is answered with: its address, its media type, and what makes it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from reporting.exports.csv_files import EXCEL_DE, RFC_4180, Table, as_csv, as_german_csv
from reporting.exports.geo_json import as_geo_json
from reporting.exports.json_stat import as_json_stat
from reporting.exports.kommonitor import as_kommonitor
from reporting.exports.names import file_name
from reporting.exports.pictures import as_png, as_svg
from reporting.exports.workbook import as_workbook
from reporting.figures import Answer
from reporting.indicators import Catalogue

Make = Callable[[Answer, Catalogue, str], bytes]
"""The file of an answer, in a language; raises `RuleBroken` for what this kind of file cannot show."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """One kind of file."""

    address: str
    """What the address of a question ends with."""
    suffix: str
    """What the name of the file ends with."""
    media_type: str
    what: str
    make: Make


CSV = Outlet("csv", "csv", "text/csv", "a table (CSV)", lambda answer, _, __: as_csv(answer))
DIALECTS: dict[str, Make] = {
    "rfc4180": CSV.make,
    "excel_de": lambda answer, _, __: as_german_csv(answer),
    "kommonitor": lambda answer, catalogue, _: as_kommonitor(answer, catalogue),
}
"""The ways in which tables are written."""

TABLES: dict[str, Table] = {"rfc4180": RFC_4180, "excel_de": EXCEL_DE}
"""Those of them that are written line by line, however many there are."""

OUTLETS = (
    CSV,
    Outlet(
        "xlsx",
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "a workbook (values, definition, signs, provenance)",
        lambda answer, _, language: as_workbook(answer, language),
    ),
    Outlet(
        "jsonstat",
        "json",
        "application/vnd.json-stat+json",
        "JSON-stat 2.0",
        lambda answer, _, language: _packed(as_json_stat(answer, language)),
    ),
    Outlet(
        "geojson",
        "geojson",
        "application/geo+json",
        "a map: areas of one level with their borders (GeoJSON)",
        lambda answer, catalogue, language: _packed(as_geo_json(answer, catalogue, language)),
    ),
    Outlet(
        "svg", "svg", "image/svg+xml", "a picture in lines (SVG)", lambda answer, _, language: as_svg(answer, language)
    ),
    Outlet(
        "png", "png", "image/png", "a picture in points (PNG)", lambda answer, _, language: as_png(answer, language)
    ),
)


def headers_of(answer: Answer, outlet: Outlet) -> dict[str, str]:
    """What a response with the file of an answer says of it."""
    media_type = f"{outlet.media_type}; charset=utf-8; header=present" if outlet is CSV else outlet.media_type
    name = file_name(answer, outlet.suffix)
    return {"Content-Type": media_type, "Content-Disposition": f'attachment; filename="{name}"'}


def _packed(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
