"""What the style promises, read back from the drawn lines."""

from __future__ import annotations

import colorsys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from theorytk.reporting import WIDTHS, curve, end_labels, subplots, theory, use_style

X = np.arange(4.0)


def test_style_is_on_inside_and_gone_outside():
    before = dict(mpl.rcParams)
    with use_style():
        assert mpl.rcParams["pdf.fonttype"] == 42
        assert mpl.rcParams["font.family"] == ["STIXGeneral"]
    assert dict(mpl.rcParams) == before


def test_a_map_of_colours_runs_from_paper_to_ink():
    with use_style():
        colours = mpl.colormaps[mpl.rcParams["image.cmap"]](np.linspace(0, 1, 50))
    lightness = [colorsys.rgb_to_hls(*colour[:3])[1] for colour in colours]
    assert lightness == sorted(lightness, reverse=True)
    assert lightness[0] > 0.95
    assert lightness[-1] < 0.3


def test_every_series_differs_by_marker_and_colour_and_none_looks_like_theory():
    with use_style():
        series = list(mpl.rcParams["axes.prop_cycle"])
    assert len({s["marker"] for s in series}) == len(series) == 6
    assert len({s["color"] for s in series}) == 6
    assert all(s["linestyle"] not in ("--", "dashed") for s in series)
    for s in series:
        lightness = colorsys.rgb_to_hls(*to_rgb(f"#{s['color'].lstrip('#')}"))[1]
        assert 0.1 < lightness < 0.75


def test_theory_is_black_dashed_and_takes_no_colour_from_the_curves():
    with use_style():
        _, axes = subplots()
        law = theory(axes[0, 0], X, X)
        first = curve(axes[0, 0], X, X)
        _, others = subplots()
        alone = curve(others[0, 0], X, X)
    assert (law.get_color(), law.get_linestyle(), law.get_marker()) == ("black", "--", "none")
    assert to_hex(first.get_color()) == to_hex(alone.get_color()) == "#0072b2"
    assert first.get_marker() == alone.get_marker() == "o"


def test_curve_fills_between_its_limits_in_its_colour():
    with use_style():
        _, axes = subplots()
        line = curve(axes[0, 0], X, X, X - 1, X + 2, label="k = 3")
        (band,) = axes[0, 0].collections
    assert line.get_label() == "k = 3"
    box = band.get_datalim(axes[0, 0].transData)
    assert (box.x0, box.y0, box.x1, box.y1) == (0, -1, 3, 5)
    assert to_hex(band.get_facecolor()[0]) == to_hex(line.get_color())


def test_long_curves_are_marked_sparsely_short_ones_everywhere():
    _, axes = subplots()
    assert curve(axes[0, 0], X, X).get_markevery() is None
    assert curve(axes[0, 0], np.arange(500.0), np.ones(500)).get_markevery() == 0.12


def test_end_labels_name_lines_at_their_last_point_in_their_colour():
    _, axes = subplots()
    line = curve(axes[0, 0], X, 2 * X, label="k = 3")
    curve(axes[0, 0], X, X)
    end_labels(axes[0, 0])
    (text,) = axes[0, 0].texts
    assert (text.get_text(), text.xy) == ("k = 3", (3.0, 6.0))
    assert text.get_color() == line.get_color()


@pytest.mark.parametrize("width", ["single", "double"])
def test_widths_and_shapes(width):
    fig, axes = subplots(2, 3, width=width, sharey=True)
    assert fig.get_figwidth() == WIDTHS[width]
    assert fig.get_figheight() == pytest.approx(0.75 * WIDTHS[width] * 2 / 3)
    assert axes.shape == (2, 3)
    assert subplots(height=1.5)[0].get_figheight() == 1.5


def test_bad_input():
    with pytest.raises(ValueError, match="width must be one of 'single', 'double'"):
        subplots(width="triple")
    with pytest.raises(ValueError, match="nrows must be an integer >= 1"):
        subplots(0)
    _, axes = subplots()
    with pytest.raises(ValueError, match="low and high must be given together"):
        curve(axes[0, 0], X, X, X)
    with pytest.raises(ValueError, match="y must have shape"):
        curve(axes[0, 0], X, X[:2])
