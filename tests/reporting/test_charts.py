"""Charts and the small lines in tiles: from zero, gaps stay gaps, the same specification here and in the browser."""

import re

from reporting import charts
from reporting.charts import Point
from reporting.pages import sparks

_YEARS = [Point("2016", 7977, "7.977"), Point("2017", None, "..."), Point("2018", 9039, "9.039")]


def test_a_series_starts_at_zero_and_keeps_its_gaps() -> None:
    spec = charts.series_chart(_YEARS, 0)
    assert spec["encoding"]["y"]["scale"]["zero"] is True
    assert [row["value"] for row in spec["data"]["values"]] == [7977, None, 9039]
    assert spec["layer"][0]["mark"]["invalid"] == "break-paths-show-domains"


def test_the_drawing_shows_the_numbers_of_the_language() -> None:
    german, english = (charts.as_svg(charts.series_chart(_YEARS, 0), language) for language in ("de", "en"))
    assert ">10.000<" in german
    assert ">10,000<" in english
    assert 'aria-hidden="true"' in german[:60]


def test_a_drawing_brings_no_script_and_no_style_that_the_policy_would_refuse() -> None:
    svg = charts.as_svg(charts.bars_chart(_YEARS, 0), "de")
    assert "<script" not in svg
    assert " style=" not in svg


def test_words_stand_below_bars_that_hang() -> None:
    spec = charts.bars_chart([Point("2017", -5, "−5"), Point("2018", 4, "4")], 0)
    assert [layer["mark"]["dy"] for layer in spec["layer"] if layer["mark"]["type"] == "text"] == [-13, 13]


def test_what_has_no_value_keeps_its_place_and_shows_its_sign() -> None:
    rows = [Point("b", 3, "3"), Point("a", None, "."), Point("c", 4, "4")]
    svg = charts.as_svg(charts.with_signs(charts.rows_chart(rows, 0), "x"), "en")
    assert re.findall(r">([abc])</text>", svg) == ["b", "a", "c"]
    assert ">.</text>" in svg


def test_the_library_for_browsers_can_do_without_eval() -> None:
    assert b"expressionInterpreter" in charts.library()


def test_a_small_line_needs_two_values() -> None:
    assert sparks.line([None, 3], "") is None
    assert sparks.bars([3], "") is None


def test_a_small_line_is_broken_where_a_value_is_missing() -> None:
    spark = sparks.line([1, 2, None, 4], "1")
    assert spark is not None
    assert len(spark.lines) == len(spark.areas) == 2


def test_bars_below_zero_hang_from_the_zero_line() -> None:
    spark = sparks.bars([10, -10], "")
    assert spark is not None
    (_, top, _, height), (_, below, _, _) = spark.bars
    assert below == top + height
