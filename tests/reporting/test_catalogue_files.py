"""A mistake in the catalogue is refused with its file, its line and what to do: nobody has to search."""

import json
import re
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reporting.indicators import BadCatalogue, read_catalogue
from verbund.cli.main import build

CITY = "05913000"
INDICATORS = "indicators/registration_and_population.yaml"
AREAS, GROUPS, BANDS = f"{CITY}/areas.csv", f"{CITY}/nationality_groups.csv", f"{CITY}/age_bands.csv"

Edit = Callable[[str, str, str], Path]

SHARE = '    where: {late: ["true"]}\n  denominator:\n    counts:\n      - {measure: registrations}\n'


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """A copy of the catalogue in which one text is replaced by another, once."""

    def edit(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "catalogue"
        shutil.copytree(str(files("reporting") / "catalogue"), folder)
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return edit


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        # What stands in one entry.
        (INDICATORS, "  kind: stock", "  kind: heap", "  kind: heap", "population kind: Input should be 'stock'"),
        (INDICATORS, "  version: 1", "  verison: 1", "  verison: 1", "population verison: Extra inputs"),
        (INDICATORS, "    de: >-", "    nl: >-", "  definition:", "population definition.de: Field required"),
        (INDICATORS, "  kind: stock", "  kind: [", "definition", "expected"),
        (INDICATORS, "- id: population\n", "- id: Population!\n", "- id: Pop", "should match pattern"),
        (
            INDICATORS,
            "  version: 1",
            "  version: 1\n  field_of_action: work",
            "field_of",
            "the name of the file says it",
        ),
        (INDICATORS, "  every: [year, half", "  every: [century, half", "  every: [c", "population every.0"),
        (INDICATORS, "- id: population\n", "id: population\n", "  version: 1", "mapping values are not allowed"),
        # What does not go together.
        (INDICATORS, "weight: -1", "weight: 1", "  counts:", "has something with the weight -1"),
        (INDICATORS, "  decimals: 1", "  decimals: 7", "  decimals: 7", "less than or equal to 3"),
        (INDICATORS, "  decimals: 1\n", "", "- id: share", "decimals: a share, rate, mean, percentile or age needs it"),
        (
            INDICATORS,
            "  cut_off_rule: in_period\n",
            "",
            "- id: share",
            "cut_off_rule: a share, a rate, a mean or what is delivered needs",
        ),
        (INDICATORS, "  kind: stock", "  kind: stock\n  per: 100", "  per: 100", "a rate needs it, and only that"),
        (
            INDICATORS,
            "  kind: stock",
            "  kind: percentile",
            "- id: population",
            "days: a percentile or an age needs it",
        ),
        (INDICATORS, "  kind: share", "  kind: mean", "- id: share", "per_unit: a mean needs it"),
        (INDICATORS, SHARE, '    where: {late: ["true"]}\n', "- id: share", "a share, a rate or a mean needs it"),
        (INDICATORS, "  kind: stock", "  kind: share", "  counts:", "has a numerator and a denominator instead"),
        (
            INDICATORS,
            "  age_bands: population\n",
            "",
            "- id: population",
            "a set of bands is needed where age_band is a breakdown",
        ),
        (
            INDICATORS,
            "  age_bands: population\n",
            "  age_bands: population\n  never_together: [[sex, shoe_size]]\n",
            "  never_together",
            "'shoe_size' is none of the breakdowns",
        ),
        (
            INDICATORS,
            "{dimension: district, values: all}",
            "{dimension: village, values: all}",
            "exact_margins",
            "'village' is none of the breakdowns",
        ),
        (
            INDICATORS,
            "      breakdowns: [district, nationality, age_band, sex]\n",
            "      breakdowns: [shoe_size]\n",
            "breakdowns",
            "'shoe_size' is none of the breakdowns",
        ),
        (INDICATORS, "      every: [year]", "      every: [day]", "every", "single persons could be seen"),
        (
            INDICATORS,
            "      every: [year]",
            "      every: [school_year]",
            "every",
            "none of the periods of the indicator",
        ),
        (
            INDICATORS,
            "  audiences: &stock_audiences",
            "  audiences: &stock_audiences\n    most_together: 0",
            "most",
            "most_",
        ),
        # What is not there.
        (INDICATORS, "{measure: residents}", "{measure: ghosts}", "  counts:", "there is no measure 'ghosts'"),
        (INDICATORS, "{measure: residents}", "{measure: arrivals}", "  counts:", "are never mixed"),
        (INDICATORS, "nationalities: EU2", "nationalities: EU9", "  population:", "'EU9'; there are EU2"),
        (INDICATORS, "unit: person", "unit: head", "  unit: head", "no unit 'head'"),
        (INDICATORS, "source_office: registration", "source_office: moon", "  source_office", "no office 'moon'"),
        (INDICATORS, "source_office: registration", "source_office: moon", "  counts:", "comes from registration"),
        (INDICATORS, "[district, area, nat", "[district, village, nat", "  breakdowns", "there is no 'village'"),
        (INDICATORS, "age_bands: population", "age_bands: school", "  age_bands", "no set of age bands 'school'"),
        (INDICATORS, "[net_movements]", "[gross]", "  not_comparable_with", "names gross, which is no indicator"),
        (INDICATORS, "  where: {residence_kind: [main]}", "  where: {shoe: [big]}", "  counts:", "does not know shoe"),
        # Versions.
        (
            INDICATORS,
            "- id: arrivals",
            "- id: population",
            "  version: 1",
            "version 1 stands above: this one has to be 2",
        ),
        (INDICATORS, "  version: 1", "  version: 2", "  version: 2", "no version stands above: this one has to be 1"),
        (
            INDICATORS,
            "- id: arrivals\n  version: 1",
            "- id: population\n  version: 2",
            "  valid_from",
            "version 1 has to be valid until the day before",
        ),
        (
            INDICATORS,
            "  valid_from: 2007-01-01",
            "  valid_from: 2007-01-01\n  valid_until: 2010-12-31",
            "  valid_until",
            "the next version is missing",
        ),
        # What is counted together.
        (
            INDICATORS,
            SHARE,
            SHARE.replace("registrations", "births"),
            "  numerator",
            "two units (registration, resident)",
        ),
        (
            INDICATORS,
            SHARE,
            SHARE + '    where: {late: ["false"]}\n',
            "  numerator",
            "a share is part of its denominator",
        ),
        (
            INDICATORS,
            "  cut_off_rule: in_period",
            "  cut_off_rule: end_of_day",
            "  numerator",
            "stock and flow, and two cut-offs, are never mixed",
        ),
        (
            INDICATORS,
            "      - {measure: registrations}\n    where",
            "      - {measure: registrations}\n      - {measure: births}\n    where",
            "  numerator",
            "two units",
        ),
        (
            INDICATORS,
            '  where: {late: ["true"]}\n  breakdowns: [district,',
            '  where: {late: ["true"]}\n  breakdowns: [nationality, district,',
            "  breakdowns: [nationality",
            "at_flagged_premises and nationality may never be crossed",
        ),
        # Shared words.
        ("frame.yaml", "  registration: {de", "  registry: {de", "", "no office 'registration'"),
        ("frame.yaml", "en: Health}", "fr: Santé}", "  health", "fields_of_action.health.en: Field required"),
        ("frame.yaml", "fact: sex, ", "", "  sex: {de", "dimensions.sex.fact: Field required"),
        ("frame.yaml", "level: statistischer_bezirk", "level: kiez", "", "no areas of the level 'kiez'"),
        ("frame.yaml", "level: stadtbezirk", "level: kiez", "", "there is no level 'stadtbezirk'"),
        ("frame.yaml", "  sex:\n    f:", "  gender:\n    f:", "", "the values of 'sex' have no words in frame.yaml"),
        (
            "frame.yaml",
            "  registration_and_population: {de",
            "  registrations_only: {de",
            "",
            "no field of action is called 'registration_and_population'",
        ),
        # Data of the city.
        (AREAS, "06,Borsigplatz", "05,Borsigplatz", "05,Borsigplatz", "another area of the code 05"),
        (AREAS, "bezirk,SB02", "bezirk,SB99", "04,Hafen", "the parent of 04, SB99, is no area in this file"),
        (
            AREAS,
            "SB02,Innenstadt-Nord,stadtbezirk,05913000",
            "SB02,Innenstadt-Nord,stadtbezirk,",
            "04,",
            "leads to the city",
        ),
        (AREAS, "Nord,stadtbezirk,05913000", "Nord,stadtbezirk,04", "SB02", "SB02 lies in itself"),
        (AREAS, "Dortmund,city", "Dortmund,town", "", "exactly one line has the level city"),
        (GROUPS, "EU2,125", "EU2,12", "EU2,12,", "12 is no key"),
        (GROUPS, "2006-12-31", "31.12.2006", "EU2,125", "isoformat"),
        (BANDS, "6,17", "six,17", "population,6-17", "six"),
        ("nationalities.csv", "key,iso3", "code,iso3", "code,iso3", "the column key is missing"),
    ],
)
def test_a_mistake_is_refused_with_its_place(
    edited: Edit, file: str, old: str, new: str, line: str, message: str
) -> None:
    """`line`: how the line begins that has to be named."""
    folder = edited(file, old, new)
    with pytest.raises(BadCatalogue) as refused:
        read_catalogue(CITY, folder)
    said = [found for found in str(refused.value).splitlines() if message in found]
    assert said, str(refused.value)
    place = re.match(r"(.+?\.(?:yaml|csv))(?::(\d+))?:", said[0])
    assert place is not None, said[0]
    if line:
        assert place[1] == str(folder / file)
        lines = (folder / file).read_text(encoding="utf-8").splitlines()
        assert lines[int(place[2]) - 1].strip().startswith(line.strip()), (said[0], lines[int(place[2]) - 1])


def test_everything_that_does_not_fit_is_said_at_once(edited: Edit) -> None:
    folder = edited(INDICATORS, "nationalities: EU2", "nationalities: EU9")
    file = folder / INDICATORS
    file.write_text(file.read_text(encoding="utf-8").replace("unit: birth", "unit: baby"), encoding="utf-8")
    with pytest.raises(BadCatalogue) as refused:
        read_catalogue(CITY, folder)
    fitting = [line for line in str(refused.value).splitlines() if "was published" not in line]
    assert len(fitting) == 2


def test_a_municipality_without_data_is_refused() -> None:
    with pytest.raises(BadCatalogue, match="no data of the municipality 05112000"):
        read_catalogue("05112000")


def test_a_new_version_leaves_the_old_one_askable(edited: Edit) -> None:
    folder = edited(
        INDICATORS,
        "  version: 1\n  valid_from: 2007-01-01\n",
        "  version: 1\n  valid_from: 2007-01-01\n  valid_until: 2025-12-31\n",
    )
    file = folder / INDICATORS
    text = file.read_text(encoding="utf-8")
    first = text[text.index("- id: population\n") : text.index("- id: population_change")]
    # Anchors may be set once only.
    newer = re.sub(r"&(\w+)", r"*\1", first).replace("version: 1", "version: 2").replace("2007-01-01", "2026-01-01")
    newer = newer.replace("  valid_until: 2025-12-31\n", "").replace("[main]", "[main, secondary]")
    newer = re.sub(r"  limits: \*(\w+)\n(    .*\n)+?(?=  unit)", r"  limits: *\1\n", newer)
    newer = re.sub(r"    words: \*eu2\n(      .*\n)+", "    words: *eu2\n", newer)
    newer = re.sub(r"  audiences: \*(\w+)\n(    .*\n)+", r"  audiences: *\1\n", newer)
    file.write_text(text.replace("- id: population_change", newer + "\n- id: population_change"), encoding="utf-8")
    catalogue = read_catalogue(CITY, folder)
    assert catalogue.get_indicator("population").where == {"residence_kind": ("main", "secondary")}
    assert catalogue.get_indicator("population", 1).where == {"residence_kind": ("main",)}


class TestPublished:
    def test_the_catalogue_that_comes_with_reporting_is_published(self) -> None:
        told = CliRunner().invoke(build(), ["catalogue", "check", "--json"])
        assert told.exit_code == 0, told.output
        assert json.loads(told.output.splitlines()[-1])["not_published"] == []

    def test_what_was_published_keeps_its_meaning(self, edited: Edit) -> None:
        folder = edited(INDICATORS, "[main]", "[main, secondary]")
        with pytest.raises(BadCatalogue, match=r":5: population version: version 1 was published with another defin"):
            read_catalogue(CITY, folder)

    def test_better_words_around_it_are_no_new_definition(self, edited: Edit) -> None:
        read_catalogue(CITY, edited(INDICATORS, "  title: {de: Bevölkerung aus", "  title: {de: Einwohner aus"))

    def test_what_was_published_cannot_vanish(self, edited: Edit) -> None:
        folder = edited(INDICATORS, "- id: births", "- id: newborns")
        with pytest.raises(BadCatalogue, match="births 1 was published and is in no file any more"):
            read_catalogue(CITY, folder)

    def test_publishing_adds_and_changes_nothing(self, edited: Edit) -> None:
        folder = edited("published.json", "{", "{")
        file = folder / INDICATORS
        text = file.read_text(encoding="utf-8")
        births = text[text.index("- id: births") : text.index("- id: deaths")]
        file.write_text(text + "\n" + births.replace("- id: births", "- id: newborns"), encoding="utf-8")
        before = json.loads((folder / "published.json").read_text(encoding="utf-8"))
        told = CliRunner().invoke(build(), ["catalogue", "publish", "--folder", str(folder), "--json"])
        assert json.loads(told.output)["published"] == ["newborns 1"], told.output
        after = json.loads((folder / "published.json").read_text(encoding="utf-8"))
        assert {name: versions for name, versions in after.items() if name != "newborns"} == before
        assert set(after) - set(before) == {"newborns"}

    def test_mistakes_are_told_line_by_line(self, edited: Edit) -> None:
        folder = edited(INDICATORS, "unit: person", "unit: head")
        told = CliRunner().invoke(build(), ["catalogue", "check", "--folder", str(folder), "--json"])
        assert told.exit_code == 1
        told_of = [json.loads(line)["error"] for line in told.output.splitlines()]
        assert len(told_of) == 2  # it was published with another unit, too
        assert "no unit 'head'" in told_of[0]
