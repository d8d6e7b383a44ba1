"""Examples for the reference of the doors for editions."""

from fastapi.openapi.models import Example

_HEAD = {
    "title": {"de": "Kennzahlen zum Jahresende 2018", "en": "Figures at the end of 2018"},
    "frozen_for": {"de": "Koordinierungsgruppe, Sitzung im März", "en": "Coordination group, meeting in March"},
    "audience": "coordination",
}
EDITIONS: dict[str, Example] = {
    "single questions": {
        "value": {
            **_HEAD,
            "questions": [
                {"indicator": "population", "as_of": ["2017-12-31", "2018-12-31"]},
                {"indicator": "population", "by": ["district"], "as_of": ["2018-12-31"]},
                {"indicator": "arrivals", "from": "2018-01-01", "to": "2018-12-31", "period": "year"},
            ],
        }
    },
    "every indicator of a field of action": {
        "value": {
            **_HEAD,
            "questions": "all",
            "fields_of_action": ["registration_and_population"],
            "as_of": "2018-12-31",
        }
    },
}
WITHDRAWALS: dict[str, Example] = {
    "wrong figures": {"value": {"reason": "wrong_figures", "words": "The year end was asked for the wrong year."}},
    "replaced": {"value": {"reason": "replaced"}},
}
