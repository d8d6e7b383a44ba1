"""In which language a page speaks: what its address says, then the reader's choice, then the browser, then German."""

from starlette.requests import HTTPConnection

LANGUAGES = {"de": "Deutsch", "en": "English"}
"""Codes and own names, the default first."""
DEFAULT = next(iter(LANGUAGES))
COOKIE = "verbund_language"


def language_of(request: HTTPConnection) -> str:
    """`de` or `en`; what is asked for and not spoken is passed over."""
    for choice in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if choice in LANGUAGES:
            return choice
    return accepted_language(request.headers.get("accept-language", ""))


def accepted_language(header: str) -> str:
    """The best liked language of an Accept-Language header (RFC 9110, 12.5.4) that is spoken here."""
    best, liking = DEFAULT, 0.0
    for part in header.split(",")[:20]:  # more than a browser sends; a longer list is no reader's wish
        tag, _, weight = part.strip().partition(";q=")
        language = tag.partition("-")[0].lower()
        try:
            weighed = float(weight) if weight else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and weighed > liking:
            best, liking = language, weighed
    return best
