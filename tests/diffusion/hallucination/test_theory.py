"""Slopes by differences, exponents by chains, floors by random scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid, quad
from scipy.optimize import minimize_scalar

from theorytk.diffusion import VPDiscrete
from theorytk.diffusion.hallucination import (
    DenoiserTable,
    cap_slope,
    ddim_cdf,
    default_grid,
    density_floor,
    exact_denoiser,
    level_weights,
    line_mixture,
    midpoint_slope,
    ode_exponent,
    ode_valley_density,
    peak_slope,
    propagate_law,
    ramp_rate,
    required_score_slope,
    score_slope,
    sde_exponent,
    separable_rate,
    steep_schedule,
    tabulate,
    three_in_a_row,
)
from theorytk.diffusion.hallucination.ramp import _growing_integral


@pytest.mark.parametrize("s", [0.02, 0.3, 1.0, 4.0])
def test_midpoint_slopes_are_those_of_the_mixture(s):
    target, h = line_mixture([0.0, 1.4], 0.2), 1e-5
    ends = target.data([[0.7 + h], [0.7 - h]], 1.0, s)
    slope = (ends[0, 0] - ends[1, 0]) / (2 * h)
    assert midpoint_slope(1.4, 0.2, s) == pytest.approx(slope, rel=1e-5)
    jacobian = target.score_jacobian_diagonal([[0.7]], 1.0, s)[0, 0]
    assert score_slope(1.4, 0.2, s) == pytest.approx(jacobian, rel=1e-10)


@pytest.mark.parametrize(("spacing", "sigma"), [(1.0, 0.05), (1.0, 0.3), (0.3, 0.1)])
def test_peak_slope_is_the_maximum_over_levels_and_points(spacing, sigma):
    found = minimize_scalar(
        lambda s: -midpoint_slope(spacing, sigma, s), bounds=(0, 3 * sigma), method="bounded"
    )
    assert peak_slope(spacing, sigma) == pytest.approx(-found.fun, rel=1e-8)
    target = line_mixture([0.0, spacing], sigma)
    y = np.linspace(-0.1, spacing + 0.1, 4001)[:, None]
    for s in np.linspace(0.1, 3, 30) * sigma:
        slopes = np.diff(target.data(y, 1.0, s)[:, 0]) / np.diff(y[:, 0])
        assert slopes.max() <= peak_slope(spacing, sigma) * (1 + 1e-9)


def test_peak_slope_of_overlapping_modes_is_one():
    assert peak_slope(1.0, 0.6) == 1.0
    assert midpoint_slope(1.0, 0.6, np.linspace(0, 3, 301)).max() == 1.0


def valley(slope, s, size):
    """Return schedule and table of a capped denoiser of two narrow modes at -1/2 and 1/2."""
    schedule = VPDiscrete(alphas_cumprod=1 / (1 + s**2), clip=None)
    target = line_mixture([-0.5, 0.5], 1e-3)
    table = tabulate(exact_denoiser(target, schedule), schedule, np.linspace(-6, 6, size))
    return schedule, cap_slope(table, schedule, slope, level_weights(target, schedule, table))


@pytest.mark.parametrize("slope", [1.5, 2.0])
def test_ddim_empties_a_valley_with_the_exponent_of_the_flow(slope):
    s, delta, masses = np.geomspace(0.01, 20, 900), 5e-4, []
    levels = s[[0, 150]]
    schedule, table = valley(slope, s, 3001)
    for first, level in zip((0, 150), levels, strict=True):
        kept = VPDiscrete(alphas_cumprod=schedule.alphas_cumprod[first:], clip=None)
        rows = DenoiserTable(table.grid, table.values[first:])
        edges = np.array([-delta, delta]) / np.sqrt(1 + level**2)
        masses.append(float(np.diff(ddim_cdf(rows, kept, edges, last_step=False))[0]))
    np.testing.assert_allclose(
        masses, 2 * delta * ode_valley_density(1.0, slope, levels), rtol=0.05
    )
    found = np.log(masses[1] / masses[0]) / np.log(levels[1] / levels[0])
    assert found == pytest.approx(ode_exponent(slope), abs=0.02)


def test_the_reverse_sde_empties_a_valley_with_twice_the_exponent():
    s, delta, masses = np.geomspace(0.025, 20, 330), 2.5e-3, []
    schedule, table = valley(2.0, s, 20_001)
    levels = s[[0, 30]]
    for first, level in zip((0, 30), levels, strict=True):
        kept = VPDiscrete(alphas_cumprod=schedule.alphas_cumprod[first:], clip=None)
        rows = DenoiserTable(table.grid, table.values[first:])
        law = propagate_law(rows, kept, variance="small", last_step=False)
        masses.append(law.probability([np.array([-delta, delta]) / np.sqrt(1 + level**2)]))
    found = np.log(masses[1] / masses[0]) / np.log(levels[1] / levels[0])
    # Steps of 2 % stretch by 1 + (1 - ratio^2), not by ratio^-2.
    ratio = s[0] / s[1]
    assert found == pytest.approx(np.log(2 - ratio**2) / -np.log(ratio), abs=0.06)
    assert found == pytest.approx(sde_exponent(2.0), abs=0.2)


def test_ramp_rates():
    schedule, target = steep_schedule(), three_in_a_row()
    grid = default_grid(target, 4096)
    table = tabulate(exact_denoiser(target, schedule), schedule, grid, t_start=400)
    weights = level_weights(target, schedule, table)
    for slope in (1.2, 2.0, 2.5):
        capped = cap_slope(table, schedule, slope, weights)
        cdf = ddim_cdf(capped, schedule, [1.3, 1.7], t_start=400)
        options = dict(pair_weight=2 / 3, t_start=400)
        rate = ramp_rate(1.0, 0.05, slope, schedule, eta=0.0, **options)
        assert rate == pytest.approx(cdf[1] - cdf[0], rel=0.06)
        law = propagate_law(capped, schedule, t_start=400)
        ratio = ramp_rate(1.0, 0.05, slope, schedule, **options) / law.masses([1.3, 1.7])[0]
        assert 0.4 < ratio < 1.0


@pytest.mark.parametrize("c", [-7.0, 0.0, 5.0])
def test_integral_of_a_growing_density(c):
    expected = quad(lambda z: np.exp(c * z**2 / 2), 0, 1.3)[0]
    assert _growing_integral(c, 1.3) == pytest.approx(expected, rel=1e-10)


def test_density_floor_holds_for_random_scores_and_is_attained():
    rng, d, L, n = np.random.default_rng(0), 2.0, 3.0, 2001
    x = np.linspace(0, d, n)
    rest = L * np.minimum(x, d - x)
    drops = []
    for _ in range(500):
        score = np.zeros(n)
        for frequency, c in enumerate(rng.standard_normal(12), start=1):
            score += c / frequency * np.sin(np.pi * frequency * x / d)
        # Equal heights, and an L-Lipschitz score that vanishes at both ends.
        score -= np.sin(np.pi * x / d) * score.sum() / np.sin(np.pi * x / d).sum()
        score *= L / np.abs(np.gradient(score, x)).max()
        assert (np.abs(score) <= rest + 1e-6).all()
        drops.append(cumulative_trapezoid(score, x, initial=0).min())
    assert np.exp(min(drops)) >= density_floor(d, L)
    triangle = -np.where(x < d / 2, 1, -1) * L * np.minimum(x % (d / 2), d / 2 - x % (d / 2))
    lowest = cumulative_trapezoid(triangle, x, initial=0).min()
    assert np.exp(lowest) == pytest.approx(density_floor(d, L), rel=1e-5)
    assert required_score_slope(d, -lowest) == pytest.approx(L, rel=1e-5)


def test_separable_rates_keep_small_numbers():
    assert separable_rate(1e-18, 3) == pytest.approx(3e-18, rel=1e-12)
    np.testing.assert_allclose(separable_rate([0.0, 0.3, 1.0], 2), [0.0, 0.51, 1.0])


def test_bad_input():
    schedule = steep_schedule()
    for sigma in (0.0, -0.1):
        with pytest.raises(ValueError, match="sigma must be a number > 0"):
            peak_slope(1.0, sigma)
    with pytest.raises(ValueError, match="spacing must be a number > 0"):
        midpoint_slope(0.0, 0.1, 1.0)
    with pytest.raises(ValueError, match="s must be >= 0"):
        score_slope(1.0, 0.1, [-1.0])
    with pytest.raises(ValueError, match="slope must be a number >= 1"):
        ode_exponent(0.5)
    with pytest.raises(ValueError, match=r"s must be > 0 and <= 0\.5, where the bound binds"):
        ode_valley_density(1.0, 1.0, 0.6)
    with pytest.raises(ValueError, match=r"spacing must exceed 2 k sigma = 0\.6"):
        ramp_rate(0.5, 0.05, 2.0, schedule)
    with pytest.raises(ValueError, match=r"slope must be <= 25\.\d+, the largest exact one"):
        ramp_rate(1.0, 0.05, 30.0, schedule)
    with pytest.raises(ValueError, match="pair_weight must be a number > 0 and <= 1"):
        ramp_rate(1.0, 0.05, 2.0, schedule, pair_weight=1.5)
    coarse = VPDiscrete(alphas_cumprod=1 / (1 + np.array([0.03, 2.0]) ** 2), clip=None)
    with pytest.raises(ValueError, match="slope must be <= "):
        ramp_rate(1.0, 0.05, 24.0, coarse)
    with pytest.raises(ValueError, match=r"rate \(largest\) must be a number <= 1"):
        separable_rate(1.5, 2)
    with pytest.raises(ValueError, match="log_drop must be a number >= 0"):
        required_score_slope(1.0, -1.0)
