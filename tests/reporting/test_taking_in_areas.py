"""Areas and maps come into the catalogue as a whole or not at all; what is wrong is named by line or feature."""

import itertools
import json
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from reporting.catalogue_commands.taking_in import text_of
from reporting.catalogue_commands.tiling import tiles_of
from reporting.indicators import BadCatalogue, City, read_catalogue
from reporting.indicators.map_files import read_map
from verbund.cli.main import build

CITY = "05913000"
OWN = Path(str(files("reporting") / "catalogue" / CITY))
HEAD = "code,name,level,parent,valid_from,valid_until\n"
TOWN = (
    "05913000,Dortmund,city,,1975-01-01,\n"
    "A,Alt,stadtbezirk,05913000,1975-01-01,\n"
    "1,Eins,statistischer_bezirk,A,1975-01-01,\n"
    "2,Zwei,statistischer_bezirk,A,1975-01-01,2017-12-31\n"
    "3,Drei,statistischer_bezirk,A,2018-01-01,\n"
)
Told = tuple[int, list[dict[str, Any]]]


def run(*words: str) -> Told:
    done = CliRunner().invoke(build(), ["catalogue", *words, "--json"])
    return done.exit_code, [json.loads(line) for line in done.output.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalogue without indicators, in which the city is still to come."""
    made = tmp_path / "catalogue"
    made.mkdir()
    (made / "frame.yaml").write_text(
        "dimensions:\n"
        "  district: {fact: area, level: stadtbezirk, de: Stadtbezirk, en: District}\n"
        "  area: {fact: area, level: statistischer_bezirk, de: Statistischer Bezirk, en: Area}\n"
        "  social_area: {fact: area, level: sozialraum, de: Sozialraum, en: Social area}\n",
        encoding="utf-8",
    )
    return made


def file_of(folder: Path, name: str, text: str) -> str:
    place = folder.parent / name
    place.write_text(text, encoding="utf-8")
    return str(place)


def town(folder: Path) -> str:
    given = file_of(folder, "given.csv", HEAD + TOWN)
    assert run("areas", given, "--into", str(folder))[0] == 0
    return given


def square(west: float, south: float, side: float = 0.1) -> list[list[float]]:
    east, north = west + side, south + side
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def feature(code: Any, ring: Any, **properties: str) -> dict[str, Any]:
    shape = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"code": code, **properties}, "geometry": shape}


GOOD = {
    "1": feature("1", square(7.1, 51.1)),
    "2": feature("2", square(7.3, 51.1)),
    "3": feature("3", square(7.3, 51.1)),
}


def map_of(*features: Any, **more: Any) -> str:
    source = {"de": "Vermessungsamt", "en": "Survey office"}
    document = {"type": "FeatureCollection", "schematic": False, "source": source, "features": list(features), **more}
    return json.dumps({name: value for name, value in document.items() if value is not None})


def good_but(**other: Any) -> str:
    """The good map with other features, by code; None leaves one out."""
    return map_of(*(each for each in {**GOOD, **{code[1:]: one for code, one in other.items()}}.values() if each))


WRONG_AREAS = [
    ("", "1: the column code is missing"),
    ("code;name;level;parent;valid_from\n", "1: the column code is missing; columns are separated by commas"),
    (HEAD.replace("valid_until", "until") + TOWN, "1: there is no column 'until'"),
    (HEAD + TOWN + "4,Vier,statistischer_bezirk,A,2018-01-01\n", "7: 6 fields are expected"),
    (HEAD + TOWN + "4,Vier,statistischer_bezirk,A,2018-01-01,,\n", "7: 6 fields are expected"),
    (HEAD + TOWN + "1,Nochmal,statistischer_bezirk,A,1975-01-01,\n", "7: there is another area of the code 1"),
    (HEAD + TOWN + "3,Drei,statistischer_bezirk,A,2030-01-01,\n", "7: there is another area of the code 3"),
    (HEAD + TOWN + "unplaced,Nirgends,statistischer_bezirk,A,1975-01-01,\n", "7: 'unplaced' cannot be a code"),
    (HEAD + TOWN + "a b,Vier,statistischer_bezirk,A,1975-01-01,\n", "7: 'a b' cannot be a code"),
    (HEAD + TOWN + ",Vier,statistischer_bezirk,A,1975-01-01,\n", "7: '' cannot be a code"),
    (HEAD + TOWN + "4,,statistischer_bezirk,A,1975-01-01,\n", "7: 4 has no name"),
    (HEAD + TOWN + "4,Vier,statistischer_bezrik,A,1975-01-01,\n", "7: there is no level 'statistischer_bezrik'"),
    (HEAD + TOWN + "4,Vier,statistischer_bezirk,B,1975-01-01,\n", "7: the parent of 4, B, is no area in this file"),
    (HEAD + TOWN + "4,Vier,statistischer_bezirk,,1975-01-01,\n", "7: 4 lies in no area that leads to the city"),
    (
        HEAD + TOWN + "4,Vier,statistischer_bezirk,1,1975-01-01,\n",
        "7: 4 lies in 1, which is a statistischer_bezirk too",
    ),
    (HEAD + TOWN + "S,Raum,sozialraum,S,1975-01-01,\n", "7: S lies in itself (S in S)"),
    (HEAD + TOWN.replace("A,Alt,stadtbezirk,05913000", "A,Alt,stadtbezirk,1"), "3: A lies in itself (A in 1 in A)"),
    (HEAD + TOWN + "4,Vier,statistischer_bezirk,A,31.12.1974,\n", "7: Invalid isoformat string"),
    (HEAD + TOWN + "4,Vier,statistischer_bezirk,A,2018-01-01,2017-12-31\n", "7: 4 ends before it begins"),
    (HEAD + TOWN + "4,Vier,statistischer_bezirk,A,1974-12-31,\n", "7: 4 is there on days on which A, that it lies in"),
    (HEAD + TOWN.replace("05913000,1975-01-01,", "05913000,1975-01-01,2020-12-31"), "4: 1 is there on days on which A"),
    (HEAD + TOWN.replace("05913000,Dortmund", "05112000,Duisburg"), "exactly one line has the level city"),
]


@pytest.mark.parametrize(("text", "said"), WRONG_AREAS)
def test_wrong_areas_are_refused_by_line_and_nothing_is_changed(folder: Path, text: str, said: str) -> None:
    given = file_of(folder, "given.csv", text)
    code, told = run("areas", given, "--into", str(folder))
    assert code == 1
    assert any(one["error"].startswith(f"{given}") and said in one["error"] for one in told), told
    assert not (folder / CITY).exists()


WRONG_MAPS: list[tuple[str, str]] = [
    ("{", ":1: is no JSON"),
    ("[]", "a FeatureCollection (GeoJSON, RFC 7946) is expected"),
    (map_of(), "there are no features"),
    (map_of(*GOOD.values(), schematic=None), "say whether these are symbols or borders"),
    (map_of(*GOOD.values(), source="me"), "say where it comes from"),
    (
        map_of(*GOOD.values(), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}),
        "its coordinates are in urn:ogc:def:crs:EPSG::25832",
    ),
    (map_of(*GOOD.values(), "4"), "feature 4: is no Feature"),
    (good_but(_1=feature(1, square(7.1, 51.1))), "feature 1: has no code"),
    (good_but(_4=feature("4", square(7.5, 51.1))), "feature 4 (4): there is no area of this code"),
    (good_but(_A=feature("A", square(7.5, 51.1))), "feature 4 (A): is a stadtbezirk, not a statistischer_bezirk"),
    (good_but(_1=None), "the area 1 (Eins) is missing"),
    (good_but(_4=feature("1", square(7.5, 51.1))), "feature 4 (1): stands there twice"),
    (good_but(_1={**GOOD["1"], "geometry": None}), "feature 1 (1): its geometry is a Polygon or a MultiPolygon"),
    (
        good_but(_1={**GOOD["1"], "geometry": {"type": "Point", "coordinates": [7.1, 51.1]}}),
        "feature 1 (1): its geometry is a Polygon or a MultiPolygon, not Point",
    ),
    (
        good_but(_1=feature("1", square(393_000, 5_708_000, 1_000))),
        "feature 1 (1): [393000, 5708000] is not in degrees",
    ),
    (good_but(_1=feature("1", square(51.1, 7.1))), "feature 1 (1): [51.1, 7.1] does not lie in Germany"),
    (
        good_but(_1=feature("1", [*square(7.1, 51.1)[:-1], [7.1, 51.15]])),
        "feature 1 (1): a ring of its border is not closed",
    ),
    (
        good_but(_1=feature("1", [[7.1, 51.1], [7.2, 51.1], [7.1, 51.1]])),
        "feature 1 (1): a ring of its border has at least",
    ),
    (
        good_but(_1=feature("1", [[7.1, 51.1], [7.2, 51.2], [7.2, 51.1], [7.1, 51.2], [7.1, 51.1]])),
        "feature 1 (1): its border crosses or touches itself",
    ),
    (
        good_but(_1=feature("1", [[7.1, 51.1], [7.2, 51.1], [7.3, 51.1], [7.1, 51.1]])),
        "feature 1 (1): its area is zero",
    ),
    (good_but(_1=feature("1", [["7.1", "51.1"]] * 4)), "feature 1 (1): ['7.1', '51.1'] is no position"),
    (good_but(_1=feature("1", [[7.1]] * 4)), "feature 1 (1): [7.1] is no position"),
    (good_but(_1=feature("1", square(7.35, 51.1))), "feature 1 (1): lies in part on 2"),
    (good_but(_1=feature("1", square(7.1, 51.1), valid_from="2018-01-01")), "feature 1 (1): the area has no shape"),
    (
        good_but(_1=feature("1", square(7.1, 51.1), valid_until="2018-01-01")),
        "the area has no shape from 2018-01-02 on",
    ),
    (good_but(_1=feature("1", square(7.1, 51.1), valid_from="1950-01-01")), "on days on which there is no such area"),
    (good_but(_1=feature("1", square(7.1, 51.1), valid_from="yesterday")), "feature 1 (1): Invalid isoformat string"),
]


@pytest.mark.parametrize(("text", "said"), WRONG_MAPS)
def test_a_wrong_map_is_refused_by_feature_and_nothing_is_changed(folder: Path, text: str, said: str) -> None:
    town(folder)
    given = file_of(folder, "given.geojson", text)
    code, told = run("geometry", given, "--level", "statistischer_bezirk", "--into", str(folder))
    assert code == 1
    assert any(one["error"].startswith(given) and said in one["error"] for one in told), told
    assert not (folder / CITY / "geometry").exists()


def test_everything_that_is_wrong_is_told_at_once(folder: Path) -> None:
    town(folder)
    given = file_of(folder, "given.geojson", good_but(_1=None, _4=feature("4", square(7.5, 51.1))))
    _, told = run("geometry", given, "--level", "statistischer_bezirk", "--into", str(folder))
    assert len(told) == 2


def test_a_good_map_is_kept_as_the_format_wants_it(folder: Path) -> None:
    town(folder)
    clockwise = feature("1", square(7.1, 51.1)[::-1])
    given = file_of(folder, "given.geojson", good_but(_1=clockwise))
    assert run("geometry", given, "--level", "statistischer_bezirk", "--into", str(folder))[0] == 0
    kept = json.loads((folder / CITY / "geometry" / "statistischer_bezirk.geojson").read_text(encoding="utf-8"))
    ring = kept["features"][0]["geometry"]["coordinates"][0]
    area = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in itertools.pairwise(ring))
    assert area > 0, "the outer ring runs counterclockwise"
    assert (kept["schematic"], kept["source"]["en"]) == (False, "Survey office")


def test_a_border_that_changed_has_a_shape_for_each_time(folder: Path) -> None:
    town(folder)
    before = feature("1", square(7.1, 51.1), valid_until="2009-12-31")
    after = feature("1", square(7.1, 51.1, 0.15), valid_from="2010-01-01")
    given = file_of(folder, "given.geojson", good_but(_1=before, _1b=after))
    assert run("geometry", given, "--level", "statistischer_bezirk", "--into", str(folder))[0] == 0


def test_another_property_may_hold_the_code(folder: Path) -> None:
    town(folder)
    features = [{**one, "properties": {"STATBEZ": code}} for code, one in GOOD.items()]
    given = file_of(folder, "given.geojson", map_of(*features))
    words = ["geometry", given, "--level", "statistischer_bezirk", "--into", str(folder)]
    assert run(*words)[0] == 1
    assert run(*words, "--key", "STATBEZ")[0] == 0


def test_a_dry_run_says_what_is_wrong_and_changes_nothing(folder: Path) -> None:
    given = file_of(folder, "given.csv", HEAD + TOWN)
    code, told = run("areas", given, "--into", str(folder), "--dry-run")
    assert (code, told[-1]["files"]) == (0, [])
    assert not (folder / CITY).exists()
    given = file_of(folder, "given.csv", HEAD)
    assert run("areas", given, "--into", str(folder), "--dry-run")[0] == 1


def test_areas_that_leave_a_map_behind_are_refused_and_come_with_a_new_one(folder: Path) -> None:
    town(folder)
    old = file_of(folder, "old.geojson", map_of(*GOOD.values()))
    assert run("geometry", old, "--level", "statistischer_bezirk", "--into", str(folder))[0] == 0
    more = file_of(folder, "more.csv", HEAD + TOWN + "4,Vier,statistischer_bezirk,A,2020-01-01,\n")
    before = (folder / CITY / "areas.csv").read_bytes()
    code, told = run("areas", more, "--into", str(folder))
    assert code == 1
    assert "the area 4 (Vier) is missing" in told[0]["error"]
    assert str(folder / CITY / "geometry") in told[0]["error"], "the file in the catalogue is named, no copy of it"
    assert (folder / CITY / "areas.csv").read_bytes() == before
    new = file_of(folder, "new.geojson", good_but(_4=feature("4", square(7.5, 51.1))))
    code, told = run("areas", more, "--map", f"statistischer_bezirk={new}", "--into", str(folder))
    assert (code, told[-1]["files"]) == (0, ["areas.csv", "geometry/statistischer_bezirk.geojson"])


def test_a_catalogue_is_looked_through_with_its_maps_at_every_start(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    shutil.copytree(str(files("reporting") / "catalogue"), folder)
    place = folder / CITY / "geometry" / "stadtbezirk.geojson"
    document = json.loads(place.read_text(encoding="utf-8"))
    document["features"].pop()
    place.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(BadCatalogue, match=r"the area SB12 \(Mengede\) is missing"):
        read_catalogue(CITY, folder)


@pytest.fixture(scope="module")
def dortmund() -> City:
    return read_catalogue(CITY).city


@pytest.mark.parametrize(("level", "side"), [("stadtbezirk", 4.8), ("statistischer_bezirk", 1.6)])
def test_the_schematic_map_is_what_its_layout_makes(dortmund: City, level: str, side: float, tmp_path: Path) -> None:
    drawn = tmp_path / f"{level}.geojson"
    drawn.write_text(json.dumps(tiles_of(OWN / "tiles" / f"{level}.csv", (7.465, 51.514), side)), encoding="utf-8")
    expected = text_of(read_map(drawn, level, dortmund.areas), dortmund.areas)
    assert (OWN / "geometry" / f"{level}.geojson").read_text(encoding="utf-8") == expected
    assert dortmund.maps[level].is_schematic


def test_districts_lie_where_one_looks_for_them(dortmund: City) -> None:
    def middle(code: str) -> tuple[float, float]:
        ring = corners[code]
        return sum(x for x, _ in ring[:-1]) / 4, sum(y for _, y in ring[:-1]) / 4

    corners: Mapping[str, Any] = {
        shape.area: shape.geometry["coordinates"][0] for shape in dortmund.maps["stadtbezirk"].shapes
    }
    longitudes = {code: middle(code)[0] for code in corners}
    latitudes = {code: middle(code)[1] for code in corners}
    assert latitudes["SB04"] > latitudes["SB02"] > latitudes["SB08"], "Eving, Innenstadt-Nord, Hörde: north to south"
    assert longitudes["SB10"] < longitudes["SB01"] < longitudes["SB03"] < longitudes["SB06"], "west to east"
    assert min(longitudes, key=lambda code: longitudes[code] - latitudes[code]) == "SB12", "Mengede: far north-west"


def test_a_statistical_area_lies_in_the_square_of_its_district(dortmund: City) -> None:
    def box(level: str, code: str) -> tuple[float, float, float, float]:
        (ring,) = dortmund.maps[level].shapes_on(dortmund.areas[code].valid_from)[code].geometry["coordinates"]
        return min(x for x, _ in ring), min(y for _, y in ring), max(x for x, _ in ring), max(y for _, y in ring)

    for area in dortmund.areas.values():
        if area.level == "statistischer_bezirk":
            west, south, east, north = box("statistischer_bezirk", area.code)
            around = box("stadtbezirk", area.parent or "")
            assert around[0] - 1e-6 <= west < east <= around[2] + 1e-6, area
            assert around[1] - 1e-6 <= south < north <= around[3] + 1e-6, area


def test_a_layout_with_two_areas_in_one_place_is_refused(folder: Path) -> None:
    town(folder)
    layout = file_of(folder, "layout.csv", "code,column,row\n1,0,0\n2,0,1\n3,0,1\n")
    words = ["tiles", layout, "--level", "statistischer_bezirk", "--center", "7.4,51.5", "--side", "1"]
    code, told = run(*words, "--into", str(folder))
    assert code == 1
    assert told[0]["error"] == f"{layout}:4: 2 is there already"
