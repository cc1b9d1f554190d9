"""Charts as inline SVG whose bytes depend on the data alone.

Nothing is placed by the width of a text, which would depend on the machine's fonts: margins are fixed, names are cut to a
number of characters, and legends stand in HTML. Nothing is clipped, since clip paths are numbered per process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import altair as alt
import vl_convert

NAME, HEAD = 32, 11
LEFT = 218
RIGHT, TOP, BOTTOM = 16, 8, 40
STEP, WIDTH = 20, 400
VEGA_LITE = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
MARKS, LINES, NAMES = (alt.NamedData(name) for name in ("marks", "lines", "names"))
TAG = re.compile(r"<[^>]*>")
IDLE = re.compile(
    r' ((xmlns(:xlink)?|version|class|role|aria-[a-z]+|pointer-events|font-family|stroke-miterlimit)="[^"]*"|opacity="1")'
)
EMPTY = re.compile(
    r'<path class="(background|foreground)" aria-hidden="true" d="[^"]*"( pointer-events="none")?( display="none")?/>'
)
LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}(e-?\d+)?")
INK, FAINT, RED, BAND = "#222222", "#9a9a9a", "#d55e00", "#b9d9ec"
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#000000", "#8c6d31")
SHAPES = {
    "circle": "●",
    "square": "■",
    "triangle-up": "▲",
    "diamond": "◆",
    "triangle-down": "▼",
    "cross": "✚",
    "triangle-right": "►",
}
"""Okabe and Ito's colours without the red one, and shapes with the character that stands for each in a legend."""


SHADES = ("#440154", "#3b528b", "#21918c", "#5ec962", "#bddf26")
"""Viridis, from low to high, without its palest end."""


@dataclass(frozen=True)
class Chart:
    """``svg`` with what it shows in one sentence (``label``), and the legend: (character, colour, name) each."""

    svg: str
    label: str
    legend: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Mark:
    """A point at ``x`` in row ``row`` of a chart, with the ends of an interval; ``series`` is the place of what it is of."""

    row: float
    x: float | None
    low: float | None = None
    high: float | None = None
    series: int = 0
    line: str = ""
    red: bool = False


def colour(series: int) -> str:
    """The colour of a series; with the shape no two of the first 49 are alike."""
    return COLOURS[(series + series // len(COLOURS)) % len(COLOURS)]


def legend(names: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    """The legend of series by place."""
    shapes = list(SHAPES.values())
    return tuple((shapes[place % len(shapes)], colour(place), name) for place, name in enumerate(names))


def forest(
    title: str, names: Sequence[str], marks: Iterable[Mark], *, width: int = WIDTH, step: int = STEP, strong: Sequence[int] = ()
) -> str:
    """Rows by name, top down, with points and intervals; ``strong`` rows are in bold. Marks with one ``line`` are joined."""
    told = [mark for mark in marks if mark.x is not None]
    data = [_mark(mark) for mark in told]
    domain = _domain([mark[end] for mark in data for end in ("x", "low", "high") if mark[end] is not None])
    base = alt.Chart(MARKS).encode(y=_rows(len(names)), color=alt.Color("colour:N", scale=None))
    points, ends = base.encode(x=_axis("x", title, domain)), base.encode(x=_axis("low", title, domain), x2="high:Q")
    lines = points.encode(x2="to:Q", y2="to_row:Q").properties(data=LINES)
    layers = [
        lines.mark_rule(strokeWidth=1, opacity=0.6),
        ends.transform_filter("datum.low != null").mark_rule(strokeWidth=2),
        points.mark_point(filled=True, size=52, opacity=1).encode(shape=alt.Shape("shape:N", scale=None)),
        _names(len(names)),
    ]
    return svg(layers, {"marks": data, "lines": _joined(told), "names": _named(names, strong)}, width, step * len(names))


def bands(title: str, names: Sequence[str], marks: Sequence[Mark]) -> str:
    """As ``forest``, but intervals are broad bands in which the points should lie; ``red`` points are larger, and crosses."""
    data = [_mark(mark) for mark in marks if mark.x is not None]
    domain = _domain([mark[end] for mark in data for end in ("x", "low", "high")])
    base = alt.Chart(MARKS).encode(y=_rows(len(names)))
    points = base.encode(x=_axis("x", title, domain))
    layers = [
        base.mark_rule(strokeWidth=11, color=BAND).encode(x=_axis("low", title, domain), x2="high:Q"),
        points.transform_filter("!datum.red").mark_point(filled=True, size=46, opacity=1, color=COLOURS[0]),
        points.transform_filter("datum.red").mark_point(filled=True, size=110, opacity=1, color=RED, shape="cross", angle=45),
        _names(len(names)),
    ]
    return svg(layers, {"marks": data, "names": _named(names)}, WIDTH, STEP * len(names))


def reliability(main: Sequence[Mapping[str, float]], others: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Mean truth by mean prediction in bins: ``main`` as a thick line, ``others`` faintly, and where both are equal."""
    domain = _domain([value for points in [main, *others.values()] for point in points for value in point.values()])
    x, y = _axis("predicted", "mean prediction", domain), _axis_y("observed", "mean truth", domain)
    faint = [{**point, "cell": place} for place, points in enumerate(others.values()) for point in points]
    base = alt.Chart(MARKS).encode(x=x, y=y)
    layers = [
        base.properties(data=LINES).mark_line(strokeDash=[4, 4], color=INK, strokeWidth=1),
        base.properties(data=NAMES).mark_line(color=FAINT, opacity=0.55, strokeWidth=1.2).encode(detail="cell:N"),
        base.mark_line(color=COLOURS[0], strokeWidth=2.5),
        base.mark_point(filled=True, color=COLOURS[0], size=46, opacity=1),
    ]
    equal = [{"predicted": end, "observed": end} for end in domain]
    return svg(layers, {"marks": [dict(point) for point in main], "lines": equal, "names": faint}, 320, 320, left=62)


def bars(title: str, names: Sequence[str], values: Sequence[float]) -> str:
    """Bars from 0 by name, top down."""
    data = [{"row": row, "from": 0, "x": value} for row, value in enumerate(values)]
    base = alt.Chart(MARKS).encode(y=_rows(len(names)))
    shares = base.mark_rule(strokeWidth=11, color=COLOURS[0]).encode(x=_axis("from", title, (0.0, max(values))), x2="x:Q")
    return svg([shares, _names(len(names))], {"marks": data, "names": _named(names)}, 260, STEP * len(names))


def curves(
    titles: tuple[str, str],
    series: Sequence[Sequence[tuple[float, float]]],
    *,
    ticks: Sequence[float] | None = None,
    log: bool = False,
) -> str:
    """Lines through points, upwards from 0, a colour and a shape each; shapes stand at ``ticks`` alone, where there are any."""
    data = [
        {"x": x, "y": y, "colour": colour(place), "shape": list(SHAPES)[place % len(SHAPES)], "told": ticks is None or x in ticks}
        for place, points in enumerate(series)
        for x, y in points
    ]
    across, up = ([point[end] for points in series for point in points] for end in (0, 1))
    x, y = _axis_at("x", titles[0], across, ticks, log), _axis_y("y", titles[1], (0.0, 1.04 * max(up) or 1.0))
    base = alt.Chart(MARKS).encode(x=x, y=y, color=alt.Color("colour:N", scale=None))
    layers = [
        base.mark_line(strokeWidth=1.6).encode(detail="colour:N"),
        base.transform_filter("datum.told")
        .mark_point(filled=True, size=40, opacity=1)
        .encode(shape=alt.Shape("shape:N", scale=None)),
    ]
    return svg(layers, {"marks": data}, WIDTH, 280, left=62)


def scatter(titles: tuple[str, str], points: Sequence[tuple[float, float]], shades: Sequence[int]) -> str:
    """A dot per row, in its shade (a place in ``SHADES``); axes without a title mean nothing and have no numbers."""
    data = [{"x": x, "y": y, "colour": SHADES[place]} for (x, y), place in zip(points, shades, strict=True)]
    across, up = _domain([x for x, _ in points]), _domain([y for _, y in points])
    base = alt.Chart(MARKS).encode(x=_axis("x", titles[0], across), y=_axis_y("y", titles[1], up))
    dots = base.mark_circle(size=14, opacity=0.75).encode(color=alt.Color("colour:N", scale=None))
    return svg([dots], {"marks": data}, 320, 320, left=62)


def shade(values: Sequence[float], low: float, high: float) -> list[int]:
    """Of each value the place of its shade: the range in five equal parts."""
    return [min(max(int((value - low) / (high - low) * len(SHADES)), 0), len(SHADES) - 1) for value in values]


def shade_legend(low: float, high: float) -> tuple[tuple[str, str, str], ...]:
    """The legend of shades: which part of the range each is."""
    edges = [low + (high - low) * place / len(SHADES) for place in range(len(SHADES) + 1)]
    parts = [f"{start:g} to {end:g}" for start, end in pairwise(edges)]
    return tuple(("●", colour, part) for colour, part in zip(SHADES, parts, strict=True))


def svg(layers: Sequence[alt.Chart], data: Mapping[str, Sequence[Any]], width: int, height: int, left: int = LEFT) -> str:
    """The chart as SVG for a page: coordinates to a hundredth, and nothing that only a page of its own would need."""
    margins = {"left": left, "right": RIGHT, "top": TOP, "bottom": BOTTOM}
    sized = alt.layer(*layers).properties(width=width, height=height, padding=margins, autosize="none", background="white")
    whole = sized.configure(font="sans-serif", aria=False).configure_axis(gridColor="#e6e6e6", labelColor=INK, titleColor=INK)
    # The data come last: Altair would copy and validate them with every layer.
    drawn = {**whole.to_dict(validate=False), "datasets": data}
    text = vl_convert.vegalite_to_svg(drawn, vl_version=VEGA_LITE, allowed_base_urls=[])
    least = f"min({left + width + RIGHT}px, 24rem)"  # on a small screen it shrinks that far, and is scrolled then
    hidden = f'<svg aria-hidden="true" focusable="false" style="min-width: {least}"'
    return TAG.sub(_slim, EMPTY.sub("", text)).replace("<svg", hidden, 1)


def cut(name: str) -> str:
    """A name of at most 32 characters, cut in its middle: names of features differ at the end."""
    return name if len(name) <= NAME else f"{name[:HEAD]}…{name[HEAD + 1 - NAME :]}"


def _slim(tag: re.Match[str]) -> str:
    return LONG_NUMBER.sub(lambda number: f"{float(number.group()):.2f}".rstrip("0").rstrip("."), IDLE.sub("", tag.group()))


def _joined(marks: Sequence[Mark]) -> list[dict[str, Any]]:
    """The lines between marks that follow one another on one ``line``."""
    last: dict[str, Mark] = {}
    lines = []
    for mark in marks:
        if mark.line in last:
            before = last[mark.line]
            lines.append({**_mark(before), "to": mark.x, "to_row": mark.row})
        if mark.line:
            last[mark.line] = mark
    return lines


def _mark(mark: Mark) -> dict[str, Any]:
    shape = list(SHAPES)[mark.series % len(SHAPES)]
    ends = {"low": mark.low, "high": mark.high}
    return {
        "row": mark.row,
        "x": mark.x,
        **ends,
        "colour": colour(mark.series),
        "shape": shape,
        "line": mark.line,
        "red": mark.red,
    }


def _domain(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) * 0.04 or 0.05
    return low - room, high + room


def _axis(field: str, title: str, domain: Sequence[float]) -> alt.X:
    shown = bool(title)
    axis = alt.Axis(title=title, labelOverlap=False, tickCount=5, labels=shown, ticks=shown, grid=shown)
    return alt.X(f"{field}:Q", scale=_fixed(domain), axis=axis)


def _axis_at(field: str, title: str, values: Sequence[float], ticks: Sequence[float] | None, log: bool) -> alt.X:
    """A linear or logarithmic axis, with numbers at ``ticks`` where there are any."""
    domain = (min(values), max(values)) if min(values) < max(values) else _domain(values)
    scale = alt.Scale(type="log", domain=list(domain), nice=False) if log else _fixed(domain)
    given = {"values": list(ticks), "format": "~s"} if ticks else {"tickCount": 5}
    return alt.X(f"{field}:Q", scale=scale, axis=alt.Axis(title=title, labelOverlap=False, **given))


def _axis_y(field: str, title: str, domain: Sequence[float]) -> alt.Y:
    """The title stands at a fixed place: its own would depend on the widths of the labels."""
    shown = bool(title)
    axis = alt.Axis(title=title, titleX=-44, labelOverlap=False, tickCount=5, labels=shown, ticks=shown, grid=shown)
    return alt.Y(f"{field}:Q", scale=_fixed(domain), axis=axis)


def _named(names: Sequence[str], strong: Sequence[int] = ()) -> list[dict[str, Any]]:
    return [{"row": row, "name": cut(name), "strong": row in strong} for row, name in enumerate(names)]


def _names(count: int) -> alt.Chart:
    """The names of rows at a fixed place, left of the plot."""
    text = alt.Chart(NAMES).mark_text(align="right", fontSize=11, color=INK, fontWeight=alt.ExprRef("datum.strong ? 600 : 400"))
    return text.encode(x=alt.value(-8), y=_rows(count), text="name:N")


def _rows(count: int) -> alt.Y:
    return alt.Y("row:Q", axis=None, scale=_fixed((count - 0.5, -0.5)))


def _fixed(domain: Sequence[float]) -> alt.Scale:
    return alt.Scale(domain=list(domain), nice=False, zero=False)
