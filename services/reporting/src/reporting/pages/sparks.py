"""The small line in a tile: what a series looked like. Its first value is said here, the last one by the tile."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 100, 36
"""Units of the drawing; the style sheet stretches it to the width of the tile."""


@dataclass(frozen=True, slots=True)
class Spark:
    """A drawing without words of its own: `lines` and `areas` are paths, `bars` rectangles (x, y, width, height)."""

    first: str
    lines: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    bars: tuple[tuple[float, float, float, float], ...] = ()
    is_part: bool = False
    """Whether the last bar is of a period that is not over: it is drawn as an outline."""


def line(values: Sequence[float | None], first: str) -> Spark | None:
    """A series of stocks, from zero up; missing values stay gaps. None where fewer than two are known."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    top = max(*known, 1)
    step = WIDTH / (len(values) - 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((round(index * step, 2), round(HEIGHT - 2 - (HEIGHT - 4) * value / top, 2)))
    drawn = [run for run in runs if run]
    paths = tuple("M" + "L".join(f"{x} {y}" for x, y in (run if len(run) > 1 else run * 2)) for run in drawn)
    areas = tuple(f"{path}L{run[-1][0]} {HEIGHT}L{run[0][0]} {HEIGHT}Z" for path, run in zip(paths, drawn, strict=True))
    return Spark(first, lines=paths, areas=areas)


def bars(values: Sequence[float | None], first: str, *, is_part: bool = False) -> Spark | None:
    """A series of what happened in each period; a negative value hangs below the zero line."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    top, bottom = max(*known, 0), min(*known, 0)
    scale = (HEIGHT - 2) / max(top - bottom, 1)
    zero = 1 + top * scale
    step = WIDTH / len(values)
    drawn = tuple(
        (
            round(index * step + step * 0.15, 2),
            round(zero - max(value, 0) * scale, 2),
            round(step * 0.7, 2),
            round(max(abs(value) * scale, 0.5), 2),
        )
        for index, value in enumerate(values)
        if value is not None
    )
    return Spark(first, bars=drawn, is_part=is_part)
