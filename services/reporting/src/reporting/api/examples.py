"""Examples for the reference of the routes."""

from fastapi.openapi.models import Example

NOTES: dict[str, Example] = {
    "on a time": {
        "value": {
            "indicator": "population",
            "from_on": "2016-03-01",
            "to_on": "2016-05-31",
            "words": {
                "de": "Der Schalter war wegen eines Umzugs geschlossen; Anmeldungen kamen später.",
                "en": "The counter was closed while the office moved; registrations came later.",
            },
        }
    },
    "on one district": {
        "value": {
            "indicator": "population",
            "breakdown": "district",
            "value": "SB02",
            "from_on": "2018-01-01",
            "words": {"de": "Neue Abgrenzung der Adressen.", "en": "Addresses were assigned anew."},
        }
    },
}
REVISIONS: dict[str, Example] = {
    "a longer time": {
        "value": {
            "from_on": "2016-03-01",
            "to_on": "2016-06-30",
            "words": {
                "de": "Der Schalter war bis Ende Juni geschlossen.",
                "en": "The counter was closed until the end of June.",
            },
        }
    }
}
TARGETS: dict[str, Example] = {
    "a range": {
        "value": {
            "indicator": "arrivals",
            "from_on": "2018-01-01",
            "to_on": "2018-12-31",
            "agreed_on": "2017-12-06",
            "aim": "between",
            "low": "1400",
            "high": "1600",
            "source": {"de": "Jahresplanung 2018", "en": "Plan for 2018"},
        }
    }
}
THRESHOLDS: dict[str, Example] = {
    "over": {
        "value": {
            "audience": "coordination",
            "indicator": "population",
            "side": "over",
            "limit": "9000",
            "back": "8900",
            "valid_from": "2018-01-01",
        }
    }
}
