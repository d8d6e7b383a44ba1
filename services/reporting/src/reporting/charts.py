"""Charts as Vega-Lite specifications: drawn in the browser, and from the same specification on the server."""

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from xml.sax.saxutils import escape

from reporting.drawing import DrawingProcess

engine = DrawingProcess()
"""Draws for every page of this process; `close` it at the end."""
LIBRARY = "vega.js"
_WIDTH = 760
_FONT = '"Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif'
_LOCALES: dict[str, Literal["de-DE", "en-GB"]] = {"de": "de-DE", "en": "en-GB"}
# Mid tones that keep a contrast of 3:1 on the light and on the dark ground; the style sheet sets finer ones over them.
_LINE, _WORDS, _GRID = "#1b7f99", "#5f6d78", "#c8d0d5"


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a series; `value` is None where nothing was reported: the line keeps a gap there."""

    label: str
    value: float | None
    words: str
    """The value as the reader sees it."""
    mark: str = ""
    """The marks of what was noted about it."""
    low: float | None = None
    high: float | None = None
    """What it should come to, where that was agreed."""


def series_chart(points: Sequence[Point], decimals: int) -> dict[str, Any]:
    """Specification of one series of values at the ends of periods: from zero, every point labelled directly."""
    return _chart(
        points,
        decimals,
        {"mark": {"type": "line", "strokeWidth": 2.5, "color": _LINE, "invalid": "break-paths-show-domains"}},
        {"mark": {"type": "point", "filled": True, "size": 60, "opacity": 1, "color": _LINE, "invalid": "filter"}},
    )


def bars_chart(points: Sequence[Point], decimals: int) -> dict[str, Any]:
    """Specification of what happened in each of several periods: bars from zero, each labelled directly."""
    return _chart(
        points, decimals, {"mark": {"type": "bar", "color": _LINE, "width": {"band": 0.6}, "invalid": "filter"}}
    )


def _chart(points: Sequence[Point], decimals: int, *marks: Mapping[str, Any]) -> dict[str, Any]:
    last = len(points) - 1
    rows = [
        {"label": p.label, "value": p.value, "words": p.words, "end": index in (0, last), **_remarks(p)}
        for index, p in enumerate(points)
    ]
    x_axis = {"title": None, "labelAngle": 0, "grid": False, "labelOverlap": True, "labelFlush": False}
    y_axis = {"title": None, "tickCount": 4, "domain": False, "ticks": False, "format": f",.{decimals}f"}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"values": rows},
        "params": [{"name": "narrow", "value": False}],  # the browser sets it where the labels would touch each other
        "width": _WIDTH,
        "height": 300,
        "background": None,
        "padding": {"left": 0, "right": 16, "top": 16, "bottom": 0},
        "layer": [*marks, *_labels(points), *_remarked(points)],
        "encoding": {
            "x": {"field": "label", "type": "ordinal", "sort": None, "axis": x_axis},
            "y": {"field": "value", "type": "quantitative", "scale": {"zero": True, "nice": True}, "axis": y_axis},
        },
        "config": _config(),
    }


def _labels(points: Sequence[Point]) -> Iterator[dict[str, Any]]:
    """Words above what is above zero and below what is below it."""
    values = [point.value for point in points if point.value is not None]
    for wanted, which, distance in (
        (any(value >= 0 for value in values), ">=", -13),
        (any(value < 0 for value in values), "<", 13),
    ):
        if wanted:
            yield {
                "transform": [{"filter": f"isValid(datum.value) && datum.value {which} 0 && (!narrow || datum.end)"}],
                "mark": {"type": "text", "dy": distance, "fontSize": 13, "fontWeight": 600, "color": _WORDS},
                "encoding": {"text": {"field": "words"}},
            }


def _remarks(point: Point) -> dict[str, Any]:
    said = {"mark": point.mark or None, "low": point.low, "high": point.high}
    return {name: value for name, value in said.items() if value is not None}


def _remarked(points: Sequence[Point]) -> Iterator[dict[str, Any]]:
    """The bounds of targets as strokes across their points, and the marks of notes above everything."""
    for bound in ("low", "high"):
        if any(getattr(point, bound) is not None for point in points):
            yield {
                "transform": [{"filter": f"isValid(datum.{bound})"}],
                "mark": {"type": "tick", "thickness": 2, "width": 28, "color": _WORDS},
                "encoding": {"y": {"field": bound, "type": "quantitative"}},
            }
    if any(point.mark for point in points):
        yield {
            "transform": [{"filter": "isValid(datum.mark)"}],
            "mark": {"type": "text", "baseline": "top", "dy": -14, "fontSize": 13, "color": _WORDS},
            "encoding": {"text": {"field": "mark"}, "y": {"value": 0}},
        }


def rows_chart(points: Sequence[Point], decimals: int) -> dict[str, Any]:
    """Specification of one value for each row of a breakdown, in its order: bars from zero, each labelled directly."""
    chart = _chart(
        points, decimals, {"mark": {"type": "bar", "color": _LINE, "height": {"band": 0.7}, "invalid": "filter"}}
    )
    across, up = chart["encoding"]["x"], chart["encoding"]["y"]
    across["axis"] |= {"labelLimit": 260, "labelOverlap": False}
    labels = [layer for layer in chart["layer"] if layer["mark"]["type"] == "text"]
    for layer in labels:
        distance = layer["mark"].pop("dy")
        layer["mark"] |= {"dx": 6 if distance < 0 else -6, "align": "left" if distance < 0 else "right"}
    return chart | {"encoding": {"x": up, "y": across}, "height": {"step": 22}}


def with_signs(chart: dict[str, Any], axis: Literal["x", "y"]) -> dict[str, Any]:
    """The same with the words of what has no value, at the zero of the axis of values."""
    layer = {
        "transform": [{"filter": "!isValid(datum.value)"}, {"calculate": "0", "as": "zero"}],
        "mark": {"type": "text", "fontSize": 13, "fontWeight": 600, "color": _WORDS}
        | ({"dx": 6, "align": "left"} if axis == "x" else {"dy": -8}),
        "encoding": {"text": {"field": "words"}, axis: chart["encoding"][axis] | {"field": "zero"}},
    }
    other = "y" if axis == "x" else "x"
    labels = [row["label"] for row in chart["data"]["values"]]
    # Else those without a value would come last: the other layers do not know them.
    placed = chart["encoding"][other] | {"scale": {"domain": labels}}
    return chart | {"layer": [*chart["layer"], layer], "encoding": chart["encoding"] | {other: placed}}


def captioned(chart: dict[str, Any], title: str, lines: Sequence[str]) -> dict[str, Any]:
    """The same on white ground, with its title and lines of words above it: it can stand alone."""
    words = {"text": title, "subtitle": list(lines), "anchor": "start", "frame": "group", "offset": 18}
    style = {"fontSize": 17, "color": "#1f2a32", "subtitleFontSize": 12, "subtitleColor": _WORDS, "subtitlePadding": 6}
    padding = {"left": 16, "right": 48, "top": 16, "bottom": 16}
    fonts = {"font": _FONT, "subtitleFont": _FONT}
    return chart | {"title": words | style | fonts, "background": "white", "padding": padding}


def as_svg(spec: Mapping[str, Any], language: str) -> str:
    """The drawing, as markup that can stand in a page; it scales with the width it gets."""
    # The page itself describes it (a sentence before it, a table beside it); read out mark by mark it is noise.
    return _drawn(spec, language).replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def as_picture(spec: Mapping[str, Any], language: str, title: str, description: str) -> str:
    """The drawing as a file of its own (SVG), described for those who do not see it."""
    head, opening, rest = _drawn(spec, language).partition(">")
    said = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    named = head.replace("<svg ", f'<svg role="img" lang="{language}" ', 1)
    return f"{named}{opening}{said}{rest}"


def as_png(picture: str) -> bytes:
    """A drawing (SVG) in points, two for each of its units: sharp on paper and on dense screens."""
    return b64decode(engine.ask("svg_to_png", picture, scale=2.0))


def _drawn(spec: Mapping[str, Any], language: str) -> str:
    svg: str = engine.ask("vegalite_to_svg", spec, format_locale=_LOCALES[language])
    return svg


@cache
def number_locale(language: str) -> Mapping[str, Any]:
    """How the drawing library writes numbers in this language."""
    locale: Mapping[str, Any] = engine.ask("get_format_locale", _LOCALES[language])
    return locale


@cache
def library() -> bytes:
    """The drawing library for browsers: Vega, Vega-Lite and Vega-Embed in one script, nothing from elsewhere."""
    script: str = engine.ask("javascript_bundle", "window.vegaEmbed = vegaEmbed;")
    return script.encode()


def _config() -> dict[str, Any]:
    text = {"labelFont": _FONT, "labelFontSize": 13, "labelColor": _WORDS, "domainColor": _GRID, "tickColor": _GRID}
    return {
        "font": _FONT,
        "view": {"stroke": None},
        "axis": text | {"gridColor": _GRID, "gridOpacity": 0.7, "labelPadding": 8},
        "text": {"font": _FONT},
    }
