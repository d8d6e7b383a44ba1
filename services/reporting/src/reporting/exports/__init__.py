"""Answers as files that other programs read: the same values and signs in each, with what has to stand beside them."""

from reporting.exports.csv_files import as_csv, as_german_csv, guarded
from reporting.exports.json_stat import as_json_stat
from reporting.exports.names import file_name
from reporting.exports.signs import sign_of
from reporting.exports.workbook import as_workbook

__all__ = ["as_csv", "as_german_csv", "as_json_stat", "as_workbook", "file_name", "guarded", "sign_of"]
