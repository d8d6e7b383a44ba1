"""`verbund catalogue areas`, `geometry`, `tiles`: areas and maps are checked as a whole, then put in place."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from reporting.catalogue_commands.staging import Staged
from reporting.catalogue_commands.tiling import tiles_of
from reporting.indicators import Area, BadCatalogue, MapOfLevel
from reporting.indicators.area_files import AREAS, CHANGES, MAPS, PARTS, read_areas
from reporting.indicators.catalogue_files import levels_of, read_frame
from reporting.indicators.map_files import SUFFIX, read_map
from reporting.indicators.shapes import written
from verbund.cli.output import AsJson, Output

Municipality = Annotated[str, typer.Option("--municipality", help="The city (AGS).")]
Into = Annotated[Path, typer.Option("--into", help="The catalogue's folder; the city's own folder is made in it.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, and change nothing.")]
Level = Annotated[str, typer.Option("--level", help="Level of these areas, such as stadtbezirk.")]
Key = Annotated[str, typer.Option("--key", help="The property of each feature that holds the area's code.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]
Optional = Annotated[Path | None, typer.Option(exists=True, dir_okay=False)]


def areas(
    file: File,
    *,
    into: Into,
    parts: Optional = None,
    changes: Optional = None,
    maps: Annotated[list[str] | None, typer.Option("--map", help="LEVEL=FILE; as often as there are maps.")] = None,
    key: Key = "code",
    municipality: Municipality = "05913000",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take in the areas of a city (CSV: code, name, level, parent, valid_from, valid_until), all or nothing.

    What depends on them and changes with them comes along: what makes up further areas (--parts), what became of
    areas (--changes), their maps (--map). Ends with 1, having changed nothing, where anything is wrong.
    """
    output = Output(as_json=as_json)
    with _staged(municipality, into, output) as staged:
        staged.put(AREAS, file)
        for name, given in ((PARTS, parts), (CHANGES, changes)):
            if given is not None:
                staged.put(name, given)
        _refuse_if_wrong(staged, output, maps_too=False)
        for named in maps or ():
            level, _, path = named.partition("=")
            if not path or not Path(path).is_file():
                output.fail(f"--map {named}: LEVEL=FILE is expected, and the file has to be there")
            _put_map(staged, level, Path(path), key, output)
        _finish(staged, output, dry_run=dry_run)


def geometry(
    file: File,
    *,
    level: Level,
    into: Into,
    key: Key = "code",
    municipality: Municipality = "05913000",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take in the map of one level of areas (GeoJSON, RFC 7946, WGS 84), all or nothing.

    The file says of itself whether it is schematic, and where it comes from ("schematic", "source"). Of a feature's
    properties the code is kept, and since and until when the area lies there (valid_from, valid_until), if it says so.
    """
    output = Output(as_json=as_json)
    with _staged(municipality, into, output) as staged:
        _put_map(staged, level, file, key, output)
        _finish(staged, output, dry_run=dry_run)


def tiles(
    file: File,
    *,
    level: Level,
    into: Into,
    center: Annotated[str, typer.Option(help="Longitude and latitude of the middle, in degrees.")],
    side: Annotated[float, typer.Option(help="Side of a tile in kilometres.", min=0.1, max=100)],
    municipality: Municipality = "05913000",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a schematic map where there are no borders: one square for each area (CSV: code, column, row; from the
    north-west), and take it in."""
    output = Output(as_json=as_json)
    with _staged(municipality, into, output) as staged, TemporaryDirectory() as scratch:
        drawn = Path(scratch) / f"{level}{SUFFIX}"
        try:
            longitude, latitude = map(float, center.split(","))
            drawn.write_text(json.dumps(tiles_of(file, (longitude, latitude), side)), encoding="utf-8")
        except ValueError as error:  # a bad catalogue is one
            _complain(output, str(error))
        _put_map(staged, level, drawn, "code", output, said_of=file)
        _finish(staged, output, dry_run=dry_run)


def text_of(made: MapOfLevel, areas: Mapping[str, Area]) -> str:
    """A checked map as it stands in a catalogue: one feature a line, so that changes can be seen; days only where they
    are not all those of the area."""
    head = {"type": "FeatureCollection", "schematic": made.is_schematic, "source": made.source.model_dump()}
    features = []
    for shape in made.shapes:
        area, properties = areas[shape.area], {"code": shape.area}
        if shape.valid_from != area.valid_from:
            properties["valid_from"] = shape.valid_from.isoformat()
        if shape.valid_until != area.valid_until:
            properties["valid_until"] = shape.valid_until.isoformat()
        features.append({"type": "Feature", "properties": properties, "geometry": written(shape.geometry)})
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "features": [\n{lines}\n]}}\n'


def _put_map(staged: Staged, level: str, file: Path, key: str, output: Output, said_of: Path | None = None) -> None:
    try:
        found = read_areas(staged.municipality, staged.city / AREAS, _levels(staged.into))
        made = read_map(file, level, found, key)
    except BadCatalogue as error:
        _complain(output, staged.in_words(str(error)).replace(str(file), str(said_of or file)))
    staged.put_text(f"{MAPS}/{level}{SUFFIX}", text_of(made, found), said_of or file)


def _staged(municipality: str, into: Path, output: Output) -> Staged:
    if not (into / "frame.yaml").is_file():
        output.fail(f"{into}: is no catalogue: frame.yaml is missing")
    return Staged(municipality, into)


def _levels(folder: Path) -> list[str]:
    return levels_of(read_frame(folder))


def _refuse_if_wrong(staged: Staged, output: Output, *, maps_too: bool) -> None:
    try:
        staged.check(_levels(staged.into), maps_too=maps_too)
    except BadCatalogue as error:
        _complain(output, staged.in_words(str(error)))


def _finish(staged: Staged, output: Output, *, dry_run: bool) -> None:
    _refuse_if_wrong(staged, output, maps_too=True)
    names = staged.changed
    if not dry_run:
        staged.put_in_place()
    said = "nothing wrong, nothing changed (--dry-run)" if dry_run else f"taken in: {', '.join(names) or 'nothing new'}"
    output.say(said, files=[] if dry_run else names)


def _complain(output: Output, problems: str) -> None:
    for problem in problems.splitlines():
        output.complain(problem)
    raise typer.Exit(1)
