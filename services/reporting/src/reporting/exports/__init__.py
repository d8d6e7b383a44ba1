"""Answers as files that other programs read: the same values and signs in each, with what has to stand beside them."""

from reporting.exports.csv_files import as_csv, as_german_csv, guarded, in_lines
from reporting.exports.geo_json import as_geo_json
from reporting.exports.json_stat import as_json_stat
from reporting.exports.kommonitor import as_kommonitor
from reporting.exports.names import file_name
from reporting.exports.outlets import CSV, DIALECTS, OUTLETS, TABLES, Make, Outlet, headers_of
from reporting.exports.pictures import as_png, as_svg
from reporting.exports.signs import sign_of
from reporting.exports.workbook import as_workbook

__all__ = [
    "CSV",
    "DIALECTS",
    "OUTLETS",
    "TABLES",
    "Make",
    "Outlet",
    "as_csv",
    "as_geo_json",
    "as_german_csv",
    "as_json_stat",
    "as_kommonitor",
    "as_png",
    "as_svg",
    "as_workbook",
    "file_name",
    "guarded",
    "headers_of",
    "in_lines",
    "sign_of",
]
