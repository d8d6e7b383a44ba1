"""Deliveries for tests: forms of bodies without a service, and the printed figures of a city as files."""

from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Any

from reporting.commands.deliveries import DeliveryForm, FileForm, RevisionForm
from reporting.deliveries import Spec, spec_of
from reporting.indicators import read_catalogue

CITY = "05913000"
TODAY = date(2019, 6, 1)
CATALOGUE = read_catalogue(CITY)
HEALTH, RENEWAL = "health_office", "urban_renewal_office"

PRINTED = {
    file.name.removesuffix(".csv"): file.read_bytes()
    for file in (files("reporting.printed") / CITY / "deliveries").iterdir()
    if file.name.endswith(".csv")
}
"""By indicator, the file with its printed figures."""


def spec(indicator: str, today: date = TODAY) -> Spec:
    return spec_of(CATALOGUE, indicator, today)


def year(number: int, *values: str | None, **more: Any) -> dict[str, Any]:
    """The sheet of a year with these numbers without a breakdown."""
    rows = [{"value": value} if value is not None else {"not_available": True} for value in values]
    return {"from_on": f"{number}-01-01", "to_on": f"{number}-12-31", "rows": rows, **more}


def row(value: str | None, **breakdown: str) -> dict[str, Any]:
    return {"breakdown": breakdown, "value": value}


def cases(*sheets: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A delivery of cases of tuberculosis."""
    return {"indicator": "tuberculosis_cases", "unit": "case", "sheets": list(sheets), **more}


def premises(*rows: Mapping[str, Any], on: str = "2018-12-31", **more: Any) -> dict[str, Any]:
    """A delivery of premises by their state."""
    sheets = [{"to_on": on, "rows": list(rows), **more}]
    return {"indicator": "renewal_premises", "unit": "premises", "sheets": sheets}


def delivery(said: Mapping[str, Any]) -> DeliveryForm:
    return DeliveryForm.model_validate(said)


def revision(said: Mapping[str, Any], reason: str = "typing_error") -> RevisionForm:
    return RevisionForm.model_validate({**said, "reason": reason})


def file_form(said: Mapping[str, Any], reason: str | None = None) -> FileForm:
    return FileForm.model_validate({**said, "reason": reason})
