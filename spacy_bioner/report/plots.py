"""Plots as SVG elements that take colours and fonts from the page that holds them, so that they go dark with it."""

import re
import warnings
from io import StringIO
from typing import Any, Dict, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..extras import extra

with extra("report"):
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours while drawing, and the CSS variables of the page that they become.
INK, SOFT, GRID = "#010203", "#020304", "#030405"
SERIES = tuple(f"#0a0b{index:02x}" for index in range(10))
# Longer names lose their middle in plots; the tables beside them have them whole.
LONGEST = 32
# Curves beyond the tenth have a colour for the second time.
_DASHES = ("-", "--", ":", "-.")
_PANELS_ACROSS = 4
_MARKERS = "osD^vP"
# Inches of a plot; the page shows it a little larger, so that its words have the size of the text.
_WIDTH, _ROW = 10.0, 0.3
# Inches of a row of names.
_LEGEND_ROW = 0.2
_VARIABLES = {INK: "var(--ink)", SOFT: "var(--soft)", GRID: "var(--line)",
              **{colour: f"var(--c{index})" for index, colour in enumerate(SERIES)}}
# What a picture of its own takes in their place: colours that are read on white and on black.
_SERIES_ALONE = ("#1f7fbf", "#d9711a", "#1a9e74", "#c2498f", "#8565d6", "#a88a1c", "#d14a40", "#2b9aa3", "#8c6f5a",
                 "#6f7d3c")
_ALONE = {"var(--ink)": "#5b666b", "var(--soft)": "#7a858a", "var(--line)": "#aab2b6",
          **{f"var(--c{index})": colour for index, colour in enumerate(_SERIES_ALONE)}}
_STYLE: Dict[str, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "spacy-bioner", "font.size": 11, "text.color": INK,
    "axes.edgecolor": GRID, "axes.labelcolor": SOFT, "xtick.color": SOFT, "ytick.color": INK, "grid.color": GRID,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "legend.frameon": False, "axes.titlesize": 11,
}


class Estimate(NamedTuple):
    """A figure and how sure it is.

    value (float): The figure.
    low (float): Lower end of its confidence interval.
    high (float): Upper end.
    sure (bool): Whether there is enough behind it; else it is drawn hollow and without its interval.
    """

    value: float
    low: float
    high: float
    sure: bool = True


def plot_intervals(groups: Sequence[str], series: Mapping[str, Sequence[Optional[Estimate]]], *, axis: str) -> str:
    """Draw figures as points on lines that are their confidence intervals, the first group on top.

    groups (Sequence[str]): Names of the rows.
    series (Mapping[str, Sequence[Optional[Estimate]]]): Name of a series to its figure in each row, None for nothing.
    axis (str): What is measured.
    RETURNS (str): The SVG element.
    """
    with rc_context(_STYLE):
        figure, axes = _new_axes(_WIDTH, 0.8 + _ROW * len(groups) * max(1.0, 0.6 * len(series)))
        step = 0.8 / max(1, len(series))
        for index, (name, estimates) in enumerate(series.items()):
            colour, marker = SERIES[index % len(SERIES)], _MARKERS[index % len(_MARKERS)]
            axes.plot([], [], marker, color=colour, label=_plain(name))
            for row, estimate in enumerate(estimates):
                if estimate is None:
                    continue
                place = row + (index - (len(series) - 1) / 2) * step
                if estimate.sure:
                    axes.plot([estimate.low, estimate.high], [place, place], color=colour, linewidth=4, alpha=0.35,
                              solid_capstyle="round")
                axes.plot([estimate.value], [place], marker, color=colour, markersize=7,
                          markerfacecolor=colour if estimate.sure else "none")
        _name_rows(axes, groups)
        axes.set_xlabel(axis)
        _add_legend(axes, len(series))
        return _to_svg(figure)


def plot_bars(groups: Sequence[str], series: Mapping[str, Sequence[float]], *, axis: str, across: str = "",
              stacked: bool = False) -> str:
    """Draw bars side by side, or on top of each other; they lie where their names would not fit below them.

    groups (Sequence[str]): Names of the groups of bars.
    series (Mapping[str, Sequence[float]]): Name of a series to the length of its bar in each group.
    axis (str): What the lengths are.
    across (str): What the groups are.
    stacked (bool): Whether the series of a group continue each other.
    RETURNS (str): The SVG element.
    """
    lying = max((min(len(name), LONGEST) for name in groups), default=0) * len(groups) > 80
    thick = 0.8 if stacked else 0.8 / max(1, len(series))
    with rc_context(_STYLE):
        rows = len(groups) * (1.0 if stacked else max(1.0, 0.6 * len(series)))
        figure, axes = _new_axes(_WIDTH, 0.9 + _ROW * rows if lying else 3.0)
        floor = [0.0] * len(groups)
        for index, (name, lengths) in enumerate(series.items()):
            shift = 0.0 if stacked else (index - (len(series) - 1) / 2) * thick
            places = [place + shift for place in range(len(groups))]
            looks: Dict[str, Any] = {"label": _plain(name), "color": SERIES[index % len(SERIES)]}
            start = floor if stacked else [0.0] * len(groups)
            if lying:
                axes.barh(places, lengths, thick * 0.92, left=start, **looks)
            else:
                axes.bar(places, lengths, thick * 0.92, bottom=start, **looks)
            floor = [low + length for low, length in zip(floor, lengths)]
        if lying:
            _name_rows(axes, groups)
        else:
            axes.set_xticks(range(len(groups)), [_plain(name) for name in groups])
            axes.grid(axis="x", visible=False)
        if not any(floor):
            (axes.set_xlim if lying else axes.set_ylim)(0, 1)
        axes.set_xlabel(axis if lying else across)
        axes.set_ylabel(across if lying else axis)
        _add_legend(axes, len(series))
        return _to_svg(figure)


def plot_lines(series: Mapping[str, Tuple[Sequence[float], Sequence[float]]], *, axis: str, across: str) -> str:
    """Draw curves.

    series (Mapping[str, Tuple[Sequence[float], Sequence[float]]]): Name of a curve to its x and y values.
    axis (str): What y is.
    across (str): What x is.
    RETURNS (str): The SVG element.
    """
    with rc_context(_STYLE):
        figure, axes = _new_axes(_WIDTH, 3.2)
        for index, (name, (x, y)) in enumerate(series.items()):
            axes.plot(x, y, marker="o", markersize=3, color=SERIES[index % len(SERIES)], label=_plain(name),
                      linestyle=_DASHES[index // len(SERIES) % len(_DASHES)])
        axes.set_xlabel(across)
        axes.set_ylabel(axis)
        _add_legend(axes, len(series))
        return _to_svg(figure)


def plot_panels(series: Mapping[str, Tuple[Sequence[float], Sequence[float]]], *, axis: str, across: str,
                guide: Optional[Tuple[Sequence[float], Sequence[float]]] = None) -> str:
    """Draw each curve in a small panel of its own, all to one scale.

    series (Mapping[str, Tuple[Sequence[float], Sequence[float]]]): Name of a curve to its x and y values.
    axis (str): What y is.
    across (str): What x is.
    guide (Optional[Tuple[Sequence[float], Sequence[float]]]): A line behind each curve, to compare it with.
    RETURNS (str): The SVG element.
    """
    columns = min(len(series), _PANELS_ACROSS)
    rows = -(-len(series) // columns)
    with rc_context({**_STYLE, "font.size": 8, "axes.titlesize": 8}):
        figure = _new_figure(7.2, 0.5 + 1.6 * rows)
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flatten()
        for place, (axes, (name, (x, y))) in enumerate(zip(panels, series.items())):
            axes.patch.set_alpha(0)
            # The last of a column has the numbers below it, also where the last row is not full.
            axes.tick_params(labelbottom=place + columns >= len(series))
            if guide is not None:
                axes.plot(*guide, color=SOFT, linewidth=1, linestyle="--")
            axes.plot(x, y, marker="o", markersize=3, color=SERIES[0])
            axes.set_title(_plain(name), loc="left")
        for axes in panels[len(series):]:
            axes.set_visible(False)
        figure.supxlabel(across, color=SOFT, fontsize=9)
        figure.supylabel(axis, color=SOFT, fontsize=9)
        return _to_svg(figure)


def make_picture(svg: str) -> str:
    """Return an SVG element with colours of its own, as a file that stands without the page."""
    for variable, colour in _ALONE.items():
        svg = svg.replace(variable, colour)
    return svg.replace("<svg ", '<svg font-family="sans-serif" ', 1) + "\n"


def _new_figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    return figure


def _new_axes(width: float, height: float) -> Tuple[Figure, Axes]:
    figure = _new_figure(width, height)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    return figure, axes


def _name_rows(axes: Axes, groups: Sequence[str]) -> None:
    """Name rows on the vertical axis, the first on top."""
    axes.set_yticks(range(len(groups)), [_plain(name) for name in groups])
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)


def _add_legend(axes: Axes, series: int) -> None:
    """Name the series above the plot, which is made higher by as much, so that many leave room for their curves."""
    if series > 1:
        names = axes.get_legend_handles_labels()[1]
        widest = max(len(name) for name in names) + 8
        columns = max(1, min(series, 5, 110 // widest))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0)
        figure: Any = axes.figure
        width, height = figure.get_size_inches()
        figure.set_size_inches(width, height + _LEGEND_ROW * (-(-series // columns) - 1))


def _plain(name: str) -> str:
    """Return a name that fits beside a plot, has no formula for matplotlib, and that a legend does not hide."""
    if len(name) > LONGEST:
        name = f"{name[:LONGEST - 12]}…{name[-11:]}"
    return name.replace("$", r"\$").lstrip("_") or "_"


def _to_svg(figure: Figure) -> str:
    """Return the figure as an SVG element in the colours and fonts of the page."""
    buffer = StringIO()
    with warnings.catch_warnings():
        # The page's own fonts draw the letters; that matplotlib's lacks Chinese ones only makes its measures rough.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(r" ?font-family: [^;\"]*;", "", svg)
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip())
