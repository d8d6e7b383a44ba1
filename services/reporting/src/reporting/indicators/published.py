"""The record of published definitions: what was once shown under an id and a version never means something else."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable

from reporting.indicators.definition import Indicator
from reporting.indicators.lines import BadCatalogue

FILE = "published.json"
"""Beside the folder of indicators; `verbund catalogue publish` adds to it, and nothing takes anything away."""

Published = Mapping[str, Mapping[str, str]]
"""By id and version (as text), a hash of the definition."""

_MEANING = frozenset(
    {
        *("source_office", "kind", "definition", "cut_off", "cut_off_rule", "unit", "per_unit", "per", "population"),
        *("counts", "numerator", "denominator", "where", "overdue_since", "days", "percent", "decimals", "age_bands"),
        *("valid_from", "delivered"),
    }
)
"""What makes a definition. A better title, a further breakdown or a limit that was noticed later is no new one."""


def fingerprint(indicator: Indicator) -> str:
    """SHA-256 of what a definition means."""
    said = indicator.model_dump(mode="json", include=set(_MEANING), exclude_defaults=True)
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def read_published(folder: Traversable) -> Published:
    """What was published from this folder; nothing where nothing was."""
    file = folder / FILE
    if not file.is_file():
        return {}
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadCatalogue(f"{file}:1: cannot be read; get it back from the last release") from error
    published: Published = read
    return published


def with_published(published: Published, indicators: Iterable[Indicator]) -> Published:
    """The record with these definitions as well; those that stand in it stay as they are."""
    extended: dict[str, dict[str, str]] = {name: dict(versions) for name, versions in published.items()}
    for indicator in indicators:
        extended.setdefault(indicator.id, {}).setdefault(str(indicator.version), fingerprint(indicator))
    return extended


def find_change(published: Published, indicator: Indicator) -> str | None:
    """What is wrong with a definition that was published as another one; None where nothing is."""
    known = published.get(indicator.id, {}).get(str(indicator.version))
    if known is None or known == fingerprint(indicator):
        return None
    return (
        f"version {indicator.version} was published with another definition: put that one back with valid_until,"
        f" and write this one below it as version {indicator.version + 1}"
    )


def list_missing(published: Published, indicators: Iterable[Indicator]) -> list[str]:
    """Published definitions that are gone, as `id version`."""
    there = {(indicator.id, str(indicator.version)) for indicator in indicators}
    return sorted(
        f"{name} {version}"
        for name, versions in published.items()
        for version in versions
        if (name, version) not in there
    )
