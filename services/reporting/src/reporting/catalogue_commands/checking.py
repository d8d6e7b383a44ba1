"""`verbund catalogue check` and `publish`: looks a catalogue of indicators through, publishes new definitions."""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from reporting.indicators import BadCatalogue, Catalogue, Indicator, read_catalogue
from reporting.indicators.published import FILE, Published, read_published, with_published
from verbund.cli.output import AsJson, Output
from verbund.events.offices import find_offices

Folder = Annotated[
    Path | None,
    typer.Option("--folder", help="The catalogue's folder; by default the one that comes with reporting."),
]
Municipality = Annotated[str, typer.Option("--municipality", help="The city whose data is read with it (AGS).")]


def check(*, folder: Folder = None, municipality: Municipality = "05913000", as_json: AsJson = False) -> None:
    """Look everything through that reporting reads at its start; each mistake with its file, its line and what to do.

    Ends with 1 where something is wrong. New definitions that are not published yet are named.
    """
    output = Output(as_json=as_json)
    found = _read(folder, municipality, output)
    rows = [
        [indicator.field_of_action, indicator.id, indicator.version, indicator.kind, indicator.title.de]
        for versions in found.versions.values()
        for indicator in versions
    ]
    if not as_json:
        output.table("Indicators", ["field of action", "id", "version", "kind", "title"], rows)
    new = _new(_own(folder, municipality), read_published(_place(folder)))
    output.say(
        f"{len(rows)} definitions, nothing wrong; not published yet: {', '.join(new) or 'none'}",
        definitions=len(rows),
        not_published=new,
    )


def publish(*, folder: Folder = None, municipality: Municipality = "05913000", as_json: AsJson = False) -> None:
    """Write down what the definitions of this catalogue mean: from then on each stays as it is under its version."""
    output = Output(as_json=as_json)
    _read(folder, municipality, output)
    own, place = _own(folder, municipality), _place(folder)
    before = read_published(place)
    new, published = _new(own, before), with_published(before, own)
    (place / FILE).write_text(json.dumps(published, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    output.say(f"published: {', '.join(new) or 'nothing new'}", published=new)


def _read(folder: Path | None, municipality: str, output: Output) -> Catalogue:
    try:
        return read_catalogue(municipality, folder)
    except BadCatalogue as error:
        for problem in str(error).splitlines():
            output.complain(problem)
        raise typer.Exit(1) from error


def _place(folder: Path | None) -> Path:
    return Path(str(files("reporting") / "catalogue")) if folder is None else folder


def _own(folder: Path | None, municipality: str) -> list[Indicator]:
    """The definitions that stand in this folder itself: an office that brings a catalogue publishes its own."""
    found = read_catalogue(municipality, folder, [office for office in find_offices() if office.catalogue is None])
    return [indicator for versions in found.versions.values() for indicator in versions]


def _new(own: Sequence[Indicator], published: Published) -> list[str]:
    return [f"{each.id} {each.version}" for each in own if str(each.version) not in published.get(each.id, {})]
