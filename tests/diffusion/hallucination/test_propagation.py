"""Laws of outputs: closed forms for linear denoisers, samples, and tabulated rates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binomtest, norm

from theorytk.diffusion import VPDiscrete
from theorytk.diffusion.hallucination import (
    DenoiserTable,
    GridLaw,
    cap_slope,
    certified_mass,
    ddim_cdf,
    default_grid,
    exact_denoiser,
    level_weights,
    propagate_law,
    reverse_steps,
    sample_chain,
    steep_schedule,
    tabulate,
    three_in_a_row,
    transport_quantiles,
)

SCHEDULE = VPDiscrete(betas=np.linspace(0.02, 0.6, 30), clip=None)
SLOPES = 0.3 + 0.02 * np.arange(30)
GAPS = [[1.3, 1.7], [2.3, 2.7]]


def linear_table(G=4001):
    grid = np.linspace(-9.0, 9.0, G)
    return DenoiserTable(grid, SLOPES[:, None] * grid + 0.5)


def gaussian_moments(start=29, last_step=True, **options):
    """Return mean and variance of the chain of the linear denoiser."""
    steps = reverse_steps(SCHEDULE, **options)
    mean, variance = 0.0, 1.0
    for t in range(start, -1 if last_step else 0, -1):
        slope = steps.signal[t] * SLOPES[t] + steps.keep[t]
        mean = slope * mean + 0.5 * steps.signal[t]
        variance = slope**2 * variance + steps.noise[t] ** 2
    return mean, np.sqrt(variance)


@pytest.fixture(scope="module")
def table():
    schedule, target = steep_schedule(), three_in_a_row()
    grid = default_grid(target, 6144)
    return tabulate(exact_denoiser(target, schedule), schedule, grid, t_start=400)


@pytest.fixture(scope="module")
def capped(table):
    schedule = steep_schedule()
    weights = level_weights(three_in_a_row(), schedule, table)
    return {L: cap_slope(table, schedule, L, weights) for L in (1.5, 2.0, 3.0, 8.0, np.inf)}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"variance": "small"},
        {"eta": 0.6, "variance": "small"},
        {"t_start": 12},
        {"last_step": False},
    ],
)
def test_linear_denoisers_give_gaussians(options):
    law = propagate_law(linear_table(), SCHEDULE, **options)
    chain = dict(options)
    mean, sd = gaussian_moments(chain.pop("t_start", 29), **chain)
    edges = mean + sd * np.array([-4.0, -2.0, -1.0, 0.0, 0.5, 3.0, 4.5])
    expected = np.diff(norm.cdf(edges, mean, sd))
    np.testing.assert_allclose(law.masses(edges), expected, rtol=2e-3)
    mass, centre, width = law.moments([mean - 6 * sd, mean + 6 * sd])
    assert mass[0] == pytest.approx(1.0, abs=1e-8)
    assert centre[0] == pytest.approx(mean, abs=1e-9)
    assert width[0] == pytest.approx(sd, rel=2e-4)
    assert law.escaped < 1e-12
    assert law.mass_error < 1e-10


def test_the_error_is_of_second_order_and_refinement_bounds_it():
    mean, sd = gaussian_moments()
    interval = [[mean + 3 * sd, mean + 4 * sd]]
    exact = norm.sf(3.0) - norm.sf(4.0)
    found = [certified_mass(linear_table(G), SCHEDULE, interval) for G in (1001, 2001)]
    errors = [abs(one.value - exact) for one in found]
    assert 3.5 < errors[0] / errors[1] < 4.5
    for one, error in zip(found, errors, strict=True):
        assert error == pytest.approx(one.refinement / 3, rel=0.05)


@pytest.mark.parametrize(
    ("slope", "ddpm", "ddim"),
    [(1.5, 3.02e-2, 5.25e-2), (2.0, 4.82e-3, 1.38e-2), (3.0, 3.4e-4, 1.89e-3), (8.0, 9.3e-7, None)],
)
def test_rates_of_the_three_modes(capped, slope, ddpm, ddim):
    found = certified_mass(capped[slope], steep_schedule(), GAPS, t_start=400)
    assert found.value == pytest.approx(ddpm, rel=0.015)
    assert found.refinement < 1e-3 * found.value
    assert found.escaped < 1e-12
    if ddim is not None:
        cdf = ddim_cdf(capped[slope], steep_schedule(), GAPS, t_start=400)
        assert np.diff(cdf, axis=1).sum() == pytest.approx(ddim, rel=0.01)


def test_the_exact_denoiser_almost_never_interpolates(capped):
    found = certified_mass(capped[np.inf], steep_schedule(), GAPS, t_start=400)
    assert found.value == pytest.approx(2.5e-8, rel=0.05)
    assert found.refinement + found.escaped + found.mass_error < 0.03 * found.value


@pytest.mark.parametrize("variance", ["large", "small"])
def test_rates_agree_with_samples(capped, variance):
    options = {"t_start": 400, "variance": variance}
    law = propagate_law(capped[1.5], steep_schedule(), **options)
    n = 40_000
    x = sample_chain(capped[1.5], steep_schedule(), n, rng=1, **options).x[:, 0]
    for lower, upper in [*GAPS, (0.0, 0.95), (1.98, 2.02)]:
        count = int(np.sum((x > lower) & (x <= upper)))
        assert binomtest(count, n, law.probability([[lower, upper]])).pvalue > 1e-6
        assert count > 30


def test_the_truncated_start_keeps_rate_and_weights(capped):
    whole = [0.0, 1.5, 2.5, 4.0]
    laws = [propagate_law(capped[2.0], steep_schedule(), t_start=t) for t in (400, 300)]
    weights = [law.masses(whole) for law in laws]
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-4)
    rates = [law.probability(GAPS) for law in laws]
    assert rates[0] == pytest.approx(rates[1], rel=1e-3)
    np.testing.assert_allclose(weights[0], [0.3325, 0.335, 0.3325], atol=5e-4)
    early = propagate_law(capped[2.0], steep_schedule(), t_start=150).masses(whole)
    assert early[0] - early[2] > 0.1


def test_moments_of_a_bent_map():
    grid = np.linspace(-1.0, 2.0, 4)
    law = GridLaw(grid, np.array([0.0, 0.5, 0.4, 0.2]), np.array([1.0, -1.0, -1.0, 2.0]), 0, 0)

    def value(x):
        return np.interp(x, grid, law.values)

    edges = [-1.5, -0.9, 0.3, 1.8]
    points = sorted({*grid, *(x for e in edges for x in (0.0 - (1 + e) / 2, 1 + (1 + e) / 3))})
    for k, (lower, upper) in enumerate(pairwise(edges)):
        parts = np.zeros(3)
        inside = [p for p in points if -1 <= p <= 2]
        for a, b in pairwise(inside):
            if lower < value((a + b) / 2) <= upper:
                for power in range(3):
                    parts[power] += quad(
                        lambda x, p=power: value(x) ** p * np.interp(x, grid, law.density), a, b
                    )[0]
        mass, mean, sd = (m[k] for m in law.moments(edges))
        assert mass == pytest.approx(parts[0], rel=1e-10)
        assert mean == pytest.approx(parts[1] / parts[0], rel=1e-10)
        assert sd == pytest.approx(np.sqrt(parts[2] / parts[0] - mean**2), rel=1e-8)
    assert np.isnan(law.moments([5.0, 6.0])[1][0])
    # The cells have the masses 0.25, 0.45 and 0.3; the map is -1 on the second.
    np.testing.assert_allclose(law.masses([-np.inf, -1.0, np.inf]), [0.45, 0.55], rtol=1e-12)


def test_mass_beyond_the_grid_is_reported():
    grid = np.linspace(-3.0, 3.0, 2001)
    law = propagate_law(DenoiserTable(grid, np.zeros((30, 2001))), SCHEDULE)
    assert law.escaped > 2 * norm.sf(3.0)
    assert law.mass_error < 1e-10


def test_ddim_of_a_linear_denoiser():
    mean, sd = gaussian_moments(eta=0.0)
    y = mean + sd * np.array([[-3.0, -1.0], [0.2, 2.5]])
    np.testing.assert_allclose(
        ddim_cdf(linear_table(), SCHEDULE, y), norm.cdf(y, mean, sd), rtol=1e-10
    )
    quantiles = transport_quantiles(linear_table(), SCHEDULE, 100)
    expected = norm.ppf((np.arange(100) + 0.5) / 100, mean, sd)
    np.testing.assert_allclose(quantiles, expected, rtol=1e-10)


def test_transported_quantiles_have_the_law_traced_back(capped):
    n = 2000
    y = transport_quantiles(capped[2.0], steep_schedule(), n, t_start=400)
    cdf = ddim_cdf(capped[2.0], steep_schedule(), y, t_start=400)
    np.testing.assert_allclose(cdf, (np.arange(n) + 0.5) / n, atol=1e-9)


def test_bad_input(table):
    schedule = steep_schedule()
    with pytest.raises(ValueError, match=r"t_start must be < 401, the table's labels; got 999"):
        propagate_law(table, schedule)
    with pytest.raises(ValueError, match="eta must be a number > 0 and <= 1"):
        propagate_law(table, schedule, eta=0.0, t_start=400)
    with pytest.raises(ValueError, match=r"table's spacing must be <= 0\.025; got 0\.18"):
        propagate_law(linear_table(101), SCHEDULE)
    with pytest.raises(TypeError, match="table must be a DenoiserTable"):
        propagate_law(lambda x, t: x, schedule)
    law = propagate_law(linear_table(), SCHEDULE)
    with pytest.raises(ValueError, match="edges must be increasing"):
        law.masses([0.0, 0.0])
    with pytest.raises(ValueError, match=r"intervals must have shape \(any, 2\)"):
        law.probability([0.0, 1.0])
    falling = linear_table(101)
    falling.values[3] *= -50
    with pytest.raises(ValueError, match="every step increase; step 3 does not"):
        ddim_cdf(falling, SCHEDULE, [0.0])
    with pytest.raises(ValueError, match=r"got \(3,\) at step 29"):
        transport_quantiles(lambda x, t: x[:, 0], SCHEDULE, 3)
    with pytest.raises(ValueError, match="n must be an integer >= 1"):
        transport_quantiles(falling, SCHEDULE, 0)
