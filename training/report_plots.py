"""The plots of a report as inline SVG: no file beside the page, readable on light and on dark ground."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

# Drawn in this colour is what takes the colour of the page's text.
_TEXT = "#010203"
_OURS, _OTHERS = "#d9772b", "#3f7fbf"
# Colours that the colour-blind tell apart (Okabe and Ito, 2008), each with a line of its own.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2)))
# From dark blue to yellow with even steps of lightness: told apart without any colour.
_HEAT = "cividis"
_HATCHES = ("", "//", "..", "\\\\", "xx", "--")
_CELL_INCHES = (0.62, 0.34)
_ROW_INCHES = 0.32
_PIXELS_PER_POINT = 4 / 3


def forest(gains: Mapping[str, Mapping[str, Any]], *, shipped: str | None, label: str, number: str) -> Markup:
    """Gains with their intervals around a line at 0, best on top; the shipped model as a filled diamond."""
    known = {name: one for name, one in gains.items() if one and one.get("mean") is not None}
    ordered = sorted(known.items(), key=lambda one: one[1]["mean"])
    figure, axes = _axes(height=0.9 + _ROW_INCHES * len(ordered))
    axes.axvline(0.0, color=_TEXT, linewidth=1)
    for place, (name, one) in enumerate(ordered):
        colour, mark = (_OURS, "D") if name == shipped else (_OTHERS, "o")
        axes.plot([one["low"], one["high"]], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot([one["mean"]], [place], mark, color=colour, markersize=6)
    axes.set_yticks(range(len(ordered)), [_label(name, shipped) for name, _ in ordered])
    axes.set_ylim(-0.6, len(ordered) - 0.4)
    axes.set_xlabel(label)
    axes.grid(axis="x", color=_TEXT, alpha=0.15)
    return _svg(figure, f"Forest plot: {label}", number)


def calibration(bins: Sequence[Mapping[str, float]], *, happened: str, number: str) -> Markup:
    """Share that it happened to against the mean probability said, one point per bin, beside the perfect line."""
    figure, axes = _axes(height=3.4, width=4.6)
    points = [(one["predicted"], one["happened"]) for one in bins]
    limit = min(1.0, 1.1 * max((max(point) for point in points), default=1.0)) or 1.0
    axes.plot([0, limit], [0, limit], color=_TEXT, linewidth=1, linestyle="--", label="perfect")
    axes.plot(*zip(*points, strict=True), "o-", color=_OURS, label="shipped")
    axes.set_xlabel("mean probability said")
    axes.set_ylabel(happened)
    axes.legend(frameon=False, labelcolor=_TEXT)
    axes.grid(color=_TEXT, alpha=0.15)
    return _svg(figure, f"Calibration: {happened} against the probability said", number)


def cumulative_gains(shares: Sequence[float], *, found: str, number: str) -> Markup:
    """Share found among the highest part of the customers, beside the line of chance."""
    figure, axes = _axes(height=3.4, width=4.6)
    contacted = [place / len(shares) for place in range(len(shares) + 1)]
    axes.plot([0, 1], [0, 1], color=_TEXT, linewidth=1, linestyle="--", label="by chance")
    axes.plot(contacted, [0.0, *shares], color=_OURS, linewidth=2, label="shipped")
    axes.set_xlabel("share of customers, highest probability first")
    axes.set_ylabel(found)
    axes.legend(frameon=False, labelcolor=_TEXT, loc="lower right")
    axes.grid(color=_TEXT, alpha=0.15)
    return _svg(figure, f"Gains: {found}", number)


def over_time(figures: Mapping[str, Mapping[str, Any]], *, label: str, number: str) -> Markup:
    """A figure with its interval at each date, earliest first."""
    known = {date: one for date, one in sorted(figures.items()) if one and one.get("mean") is not None}
    figure, axes = _axes(height=3.0, width=5.6)
    places = range(len(known))
    for place, one in zip(places, known.values(), strict=True):
        if one.get("low") is not None:
            axes.plot([place, place], [one["low"], one["high"]], color=_OURS, linewidth=2, solid_capstyle="butt")
    axes.plot(places, [one["mean"] for one in known.values()], "o-", color=_OURS, linewidth=1)
    axes.set_xticks(places, list(known))
    axes.set_ylabel(label)
    axes.grid(axis="y", color=_TEXT, alpha=0.15)
    return _svg(figure, f"Over time: {label}", number)


def bars(shares: Mapping[str, float], *, label: str, number: str, at_most: int = 20) -> Markup:
    """The largest shares as horizontal bars, largest on top."""
    ordered = sorted(shares.items(), key=lambda one: -one[1])[:at_most][::-1]
    figure, axes = _axes(height=0.8 + 0.28 * len(ordered))
    axes.barh(range(len(ordered)), [value for _, value in ordered], color=_OTHERS)
    axes.set_yticks(range(len(ordered)), [_label(name, None) for name, _ in ordered])
    axes.set_xlabel(label)
    axes.grid(axis="x", color=_TEXT, alpha=0.15)
    return _svg(figure, f"Bars: {label}", number)


def heat_map(
    values: Sequence[Sequence[float | None]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    label: str,
    shown: Callable[[float], str],
    number: str,
) -> Markup:
    """Cells whose lightness and text say a value, rows from top to bottom; None leaves a cell out."""
    import numpy as np

    grid = np.ma.masked_invalid(np.array([[np.nan if one is None else one for one in row] for row in values], float))
    width, height = (size * count for size, count in zip(_CELL_INCHES, (len(columns), len(rows)), strict=True))
    figure, axes = _axes(height=height + 0.9, width=width + 1.6)
    mesh = axes.pcolormesh(grid, cmap=_HEAT, edgecolors="none", vmin=0.0, vmax=float(grid.max() or 1.0))
    for row, column in zip(*np.nonzero(~np.ma.getmaskarray(grid)), strict=True):
        value = float(grid[row, column])
        colour = "#ffffff" if mesh.norm(value) < 0.55 else "#000000"
        axes.text(column + 0.5, row + 0.5, shown(value), ha="center", va="center", color=colour, size=8)
    axes.set_xticks([place + 0.5 for place in range(len(columns))], columns)
    axes.set_yticks([place + 0.5 for place in range(len(rows))], rows)
    axes.invert_yaxis()
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel(label)
    return _svg(figure, f"Heat map: {label}", number)


def curves(lines: Mapping[str, Mapping[str, Sequence[Any]]], *, x_label: str, y_label: str, number: str) -> Markup:
    """Lines of ``x`` and ``y`` by their names, each with a band between ``low`` and ``high`` where it has one."""
    figure, axes = _axes(height=3.8)
    for place, (name, line) in enumerate(lines.items()):
        colour, style = _COLOURS[place % len(_COLOURS)], _LINES[place % len(_LINES)]
        drawn = [float("nan") if one is None else one for one in line["y"]]
        axes.plot(line["x"], drawn, color=colour, linestyle=style, linewidth=2, label=_label(name, None))
        if "low" in line:
            axes.fill_between(line["x"], line["low"], line["high"], color=colour, alpha=0.2, linewidth=0)
        if any(isinstance(one, str) for one in line["x"]):
            axes.tick_params(axis="x", rotation=45)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.set_ylim(bottom=0.0)
    axes.legend(frameon=False, labelcolor=_TEXT, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes.grid(color=_TEXT, alpha=0.15)
    return _svg(figure, f"Lines: {y_label} by {x_label}", number)


def stacked_bars(bars_of: Mapping[str, Mapping[str, float]], *, label: str, number: str) -> Markup:
    """One bar for each name, made of parts of the same names in the same order."""
    figure, axes = _axes(height=3.8)
    parts = list(next(iter(bars_of.values()), {}))
    floor = [0.0] * len(bars_of)
    for place, part in enumerate(parts):
        heights = [float(one[part]) for one in bars_of.values()]
        colour, hatch = _COLOURS[place % len(_COLOURS)], _HATCHES[place % len(_HATCHES)]
        axes.bar(list(bars_of), heights, bottom=floor, color=colour, hatch=hatch, edgecolor="#ffffff", label=part)
        floor = [low + high for low, high in zip(floor, heights, strict=True)]
    axes.set_ylabel(label)
    axes.tick_params(axis="x", rotation=45)
    axes.legend(frameon=False, labelcolor=_TEXT, loc="center left", bbox_to_anchor=(1.0, 0.5), reverse=True)
    axes.grid(axis="y", color=_TEXT, alpha=0.15)
    return _svg(figure, f"Stacked bars: {label}", number)


def _axes(*, height: float, width: float = 7.2) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_TEXT, length=0)
    axes.xaxis.label.set_color(_TEXT)
    axes.yaxis.label.set_color(_TEXT)
    return figure, axes


def _label(name: str, shipped: str | None) -> str:
    # A dollar sign would begin a formula.
    shown = name.replace("$", r"\$")
    return f"{shown} (shipped)" if name == shipped else shown


def _svg(figure: Any, description: str, number: str) -> Markup:
    """The figure as an element of the page; ``number`` keeps its ids apart from those of other figures."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    written = io.StringIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": "regulars", "font.family": "sans-serif", "font.size": 10}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # A letter that the measuring font lacks is drawn by the browser's.
        warnings.simplefilter("ignore", UserWarning)
        FigureCanvasSVG(figure).print_svg(written, metadata={"Date": None, "Creator": None})
    drawn = re.sub(r"<metadata>.*?</metadata>", "", written.getvalue(), flags=re.DOTALL)
    inside = drawn[drawn.index(">", drawn.index("<svg")) + 1 : drawn.rindex("</svg>")]
    box = re.search(r'viewBox="([^"]+)"', drawn)
    prefix = f"plot{number}-"
    for before in (' id="', "url(#", 'href="#'):
        inside = inside.replace(before, before + prefix)
    inside = inside.replace("xlink:href", "href").replace(_TEXT, "currentColor")
    size = box[1] if box else "0 0 1 1"
    width = round(float(size.split()[2]) * _PIXELS_PER_POINT)
    opening = f'<svg role="img" aria-label="{escape(description)}" viewBox="{size}" width="{width}" class="plot">'
    return Markup(f"{opening}{inside}</svg>")
