"""Positions are read back from the SVG and compared with the numbers that they stand for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorytk.reporting.forest import Scale, forest


def entry(estimate, interval, **more):
    return {"estimate": estimate, "interval": interval, **more}


def place(strip: str, name: str) -> list[tuple[float, float]]:
    found = re.findall(rf'class="{name}" x1="([\d.]+)%" x2="([\d.]+)%"', strip)
    return [(float(a), float(b)) for a, b in found]


def rects(strip: str, name: str) -> list[tuple[float, float]]:
    found = re.findall(rf'class="{name}" x="([\d.]+)%" width="([\d.]+)%"', strip)
    return [(float(x), float(x) + float(w)) for x, w in found]


def test_interval_dot_region_and_margin_are_in_proportion():
    where = {"lo": None, "hi": 10.0, "margin": 2.0}
    plot = forest(entry(4.0, [2.0, 6.0], region=where, controls=[entry(20.0, [18.0, 22.0])]))
    measured, control = (str(row.strip) for row in plot.rows)
    ((low, high),) = place(measured, "interval")
    dot = float(re.search(r'cx="([\d.]+)%"', measured)[1])
    assert dot == pytest.approx((low + high) / 2, abs=0.02)
    unit = (high - low) / 4
    ((left, bound),) = rects(measured, "region")
    assert left == 0
    assert bound == pytest.approx(high + 4 * unit, abs=0.05)
    ((start, end),) = rects(measured, "margin")
    assert (start, end) == pytest.approx((bound, bound + 2 * unit), abs=0.05)
    ((c_low, _),) = place(control, "interval")
    assert c_low == pytest.approx(high + 12 * unit, abs=0.1)
    assert rects(control, "region") == rects(measured, "region")
    assert "<path" in control
    assert "arrow" not in measured + control


def test_a_lower_bound_shades_to_the_right_edge():
    plot = forest(entry(0.98, [0.97, 0.99], region={"lo": 0.95, "hi": None, "margin": 0.0}))
    ((left, right),) = rects(str(plot.rows[0].strip), "region")
    assert 0 < left < right == 100


def test_without_a_region_nothing_is_shaded():
    assert "region" not in forest(entry(1.0, [0.9, 1.1])).rows[0].strip


def test_a_control_far_off_becomes_an_arrow_and_leaves_the_claim_legible():
    where = {"lo": -1.0, "hi": -1.0, "margin": 0.1}
    plot = forest(entry(-1.0, [-1.05, -0.95], region=where, controls=[entry(-900, [-950, -850])]))
    ((low, high),) = place(str(plot.rows[0].strip), "interval")
    assert high - low > 15
    assert 'class="arrow"' in plot.rows[1].strip
    assert 'class="mark"' not in plot.rows[1].strip


def test_unbounded_interval_points_both_ways():
    plot = forest(entry(2.0, [None, None], region={"lo": 1.9, "hi": 2.1, "margin": 0}))
    assert place(str(plot.rows[0].strip), "interval") == [(0.0, 100.0)]
    assert plot.rows[0].strip.count('class="arrow"') == 2


def test_orders_of_magnitude_take_a_logarithmic_axis():
    where = {"lo": None, "hi": 1e-12, "margin": 0.0}
    plot = forest(entry(1e-16, [1e-16, 1e-16], region=where, controls=[entry(1.0, [1.0, 1.0])]))
    assert plot.log
    dot = float(re.search(r'cx="([\d.]+)%"', plot.rows[0].strip)[1])
    diamond = float(re.search(r'<svg x="([\d.]+)%"', plot.rows[1].strip)[1])
    ((_, bound),) = rects(str(plot.rows[0].strip), "region")
    assert (bound - dot) / (diamond - dot) == pytest.approx(0.25, abs=0.01)


def test_zero_sits_at_the_left_of_a_logarithmic_axis_without_an_arrow():
    where = {"lo": None, "hi": 1e-3, "margin": 0.0}
    plot = forest(entry(0.0, [0.0, 9e-4], region=where, controls=[entry(0.9, [0.8, 0.99])]))
    assert plot.log
    assert 'cx="0.0%"' in plot.rows[0].strip
    assert "arrow" not in plot.rows[0].strip


def test_grid_points_replace_the_worst_one_and_precede_controls():
    points = [entry(float(k), [k - 0.5, k + 0.5], label=str(k)) for k in range(3)]
    plot = forest(entry(2.0, [1.5, 2.5], points=points, controls=[entry(9.0, [8.0, 9.5])]))
    assert [row.role for row in plot.rows] == ["point"] * 3 + ["control"]
    single = forest(entry(2.0, [1.5, 2.5], points=points[:1]))
    assert [row.role for row in single.rows] == ["claim"]


def test_nothing_measured_is_no_plot_and_a_silent_control_keeps_its_row():
    assert forest(entry(None, None, controls=None, points=None)) is None
    plot = forest(entry(1.0, [0.5, 1.5], controls=[entry(None, None)]))
    assert "interval" not in plot.rows[1].strip


def test_equal_values_have_an_axis():
    plot = forest(entry(0.0, [0.0, 0.0], region={"lo": None, "hi": 0.0, "margin": 0.0}))
    assert 'cx="50.0%"' in plot.rows[0].strip


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_say_where_they_are(lo, width):
    scale = Scale(lo, lo + width, False)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 7
    for percent, text in ticks:
        mantissa, _, ten = text.replace("−", "-").partition(" × 10")
        power = int(ten.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0)
        value = float(mantissa) * 10.0**power
        assert percent == pytest.approx(scale.at(value), abs=0.6)
    assert len({text for _, text in ticks}) == len(ticks)


def test_logarithmic_ticks_are_powers_of_ten():
    assert [text for _, text in Scale(-3.2, 0.4, True).ticks()] == ["10⁻³", "10⁻²", "10⁻¹", "10⁰"]
