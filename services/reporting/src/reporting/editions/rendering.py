"""An answer as the files of an edition: made once, and from then on the bytes that are kept."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from reporting.exports import as_csv, as_german_csv, as_json_stat, as_workbook, file_name
from reporting.figures import Answer


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file."""

    media_type: str
    suffix: str
    """Of its name, with the language where it has one."""
    render: Callable[[Answer], bytes]


def _plain(value: object) -> bytes:
    """JSON in one spelling: sorted names, no blanks, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


_CSV = "text/csv; charset=utf-8; header=present"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_JSON_STAT = "application/vnd.json-stat+json"
_JSON = "json"

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        _JSON: Kind("application/json", "json", lambda answer: _plain(answer.model_dump(mode="json"))),
        "csv": Kind(_CSV, "csv", as_csv),
        "csv_de": Kind(_CSV, "de.csv", as_german_csv),
        "xlsx": Kind(_XLSX, "de.xlsx", lambda answer: as_workbook(answer, "de")),
        "xlsx_en": Kind(_XLSX, "en.xlsx", lambda answer: as_workbook(answer, "en")),
        "jsonstat": Kind(_JSON_STAT, "de.jsonstat.json", lambda answer: _plain(as_json_stat(answer, "de"))),
        "jsonstat_en": Kind(_JSON_STAT, "en.jsonstat.json", lambda answer: _plain(as_json_stat(answer, "en"))),
    }
)
"""In the order of a manifest. Those of one language without a word for it are German."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file that was made."""

    kind: str
    name: str
    """What it is about, about when, and as known when."""
    body: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def rendered(number: int, answer: Answer) -> Iterator[Rendered]:
    """The files of the question with this number. A large answer takes some tenths of a second."""
    for name, kind in KINDS.items():
        yield Rendered(name, f"{number:03d}_{file_name(answer, kind.suffix)}", kind.render(answer))


def read_answer(body: bytes) -> Answer:
    """The answer that was frozen, from its JSON file."""
    return Answer.model_validate_json(body)
