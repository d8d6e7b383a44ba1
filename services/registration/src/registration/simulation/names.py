"""Names, streets and places of origin of people who never lived: put together from syllables, of no language.

None of them says anything about where somebody comes from, on purpose.
"""

import random
from collections.abc import Mapping

_GIVEN = (("Al", "Be", "Ca", "Do", "El", "Fi", "Ga", "Ju", "Ka", "Li", "Mo", "Ne", "Ro", "Sa", "Ti", "Vi"),
          ("bo", "da", "ki", "lo", "mi", "na", "ri", "su", "va"),
          ("", "l", "m", "n", "ra", "s"))  # fmt: skip
_FAMILY = (("Ar", "Bren", "Cas", "Dal", "Er", "Fal", "Gor", "Hal", "Kel", "Lam", "Mar", "Nor", "Pel", "Ran"),
           ("ba", "de", "ki", "lo", "ma", "ni", "re", "ta", "vo"),
           ("", "dan", "ler", "mor", "nik", "rin", "sen", "van"))  # fmt: skip
_STREETS = (("Nebel", "Zahlen", "Kreidel", "Wolken", "Murmel", "Tinten", "Kompass", "Ankerl", "Silben", "Würfel"),
            ("allee", "gasse", "pfad", "ring", "straße", "weg", "zeile"))  # fmt: skip

NO_POSTAL_CODE = "00000"
"""Of no place in Germany: these addresses are invented."""

_STATES: Mapping[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "125": (("125", "134", "137", "161"), (88, 5, 4, 3)),
    "154": (("154", "137", "161", "151"), (86, 6, 6, 2)),
}
"""States that people come from, with shares, by nationality (Destatis keys; an assumption)."""
_MUNICIPALITIES = ("05112000", "05113000", "05513000", "05911000", "05914000", "05915000", "05916000", "11000000")


def given_name(rng: random.Random) -> str:
    return _word(_GIVEN, rng)


def family_name(rng: random.Random) -> str:
    return _word(_FAMILY, rng)


def street(rng: random.Random) -> str:
    return _word(_STREETS, rng)


def house_number(rng: random.Random) -> str:
    return f"{int(rng.random() * 148) + 1}"


def previous_state(nationality: str, rng: random.Random) -> str:
    """Destatis key of the state somebody came from: most often their own."""
    states, shares = _STATES[nationality]
    return rng.choices(states, shares)[0]


def previous_municipality(rng: random.Random) -> str:
    """AGS of a city elsewhere in Germany."""
    return _MUNICIPALITIES[int(rng.random() * len(_MUNICIPALITIES))]


def _word(parts: tuple[tuple[str, ...], ...], rng: random.Random) -> str:
    return "".join(part[int(rng.random() * len(part))] for part in parts)
