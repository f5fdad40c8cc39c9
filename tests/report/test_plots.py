"""Plots are SVG elements in the colours of the page, whatever the names hold."""

import re
import warnings
from xml.etree import ElementTree

import pytest

from spacy_bioner.report.plots import Estimate, make_picture, plot_bars, plot_intervals, plot_lines, plot_panels

NAMES = ["$x_1$", "<b>&", "中文", "_hidden"]


def draw_intervals(names):
    estimates = [Estimate(0.5, 0.4, 0.7), Estimate(1.0, 1.0, 1.0, sure=False), None]
    return plot_intervals(names, {"one": [estimates[place % 3] for place in range(len(names))],
                                  "other": [None] * len(names)}, axis="F1")


PLOTS = [
    pytest.param(lambda: draw_intervals(NAMES), id="intervals"),
    pytest.param(lambda: plot_bars(NAMES, {name: [1, 2, 3, 4] for name in NAMES}, axis="n"), id="bars"),
    pytest.param(lambda: plot_bars(["a" * 60, "b" * 60], {"x": [1, 2], "y": [0, 0]}, axis="n", stacked=True),
                 id="stacked"),
    pytest.param(lambda: plot_lines({name: ([1, 2], [3, 4]) for name in NAMES}, axis="y", across="x"), id="lines"),
    pytest.param(lambda: plot_panels({name: ([1, 2], [3, 4]) for name in NAMES * 2}, axis="y", across="x",
                                     guide=([0, 1], [0, 1])), id="panels"),
    pytest.param(lambda: plot_bars([], {}, axis="n"), id="empty"),
]


@pytest.mark.parametrize("plot", PLOTS)
def test_plot_is_svg_that_needs_nothing_from_outside(plot):
    svg = plot()
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert "var(--ink)" in svg and "DejaVu" not in svg and "<style" not in svg and "<image" not in svg


@pytest.mark.parametrize("plot", PLOTS)
def test_the_same_figures_give_the_same_plot(plot):
    assert plot() == plot()


def test_names_are_shown_as_they_are():
    svg = draw_intervals(NAMES[:3])
    texts = [element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert set(NAMES[:3]) <= set(texts)


@pytest.mark.parametrize("plot", PLOTS)
def test_a_picture_of_its_own_needs_no_page(plot):
    picture = make_picture(plot())
    assert ElementTree.fromstring(picture.encode()).tag.endswith("svg") and "var(" not in picture


@pytest.mark.parametrize("count", [1, 5, 60])
@pytest.mark.parametrize("draw", [plot_lines, plot_panels])
def test_all_names_and_both_axes_are_in_the_picture_however_many_curves_there_are(draw, count):
    names = [f"genia: a selector of kind {number}" for number in range(count)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = draw({name: ([0, 1], [0, 1]) for name in names}, axis="share that is right", across="what was said")
    root = ElementTree.fromstring(svg)
    _, _, width, height = map(float, root.get("viewBox").split())
    shown = {}
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        place = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", text.get("transform", ""))
        x, y = map(float, place.groups() if place else (text.get("x"), text.get("y")))
        assert 0 <= x <= width and 0 <= y <= height, text.text
        shown[text.text] = y
    assert {"share that is right", "what was said"} <= set(shown)
    assert count == 1 and draw is plot_lines or set(names) <= set(shown)


def test_bars_lie_where_their_names_would_not_fit_below_them():
    labels = [f"A_LABEL_{number}" for number in range(12)]
    svg = plot_bars(labels, {"x": [1.0] * 12, "y": [2.0] * 12}, axis="n")
    texts = [each for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
             if each.text in labels]
    assert len(texts) == 12 and not any("rotate(-30" in each.get("transform", "") for each in texts)
    assert len({each.get("y") or each.get("transform") for each in texts}) == 12
