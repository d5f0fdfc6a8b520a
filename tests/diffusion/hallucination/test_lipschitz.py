"""The projection against bounded least squares, perturbations, and the ramp."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from theorytk.diffusion import VPDiscrete
from theorytk.diffusion.hallucination import (
    DenoiserTable,
    cap_slope,
    exact_denoiser,
    excess_loss,
    level_weights,
    levels,
    line_mixture,
    lipschitz_projection,
    tabulate,
)

SCHEDULE = VPDiscrete(alphas_cumprod=[0.98, 0.9, 0.5], clip=None)
TARGET = line_mixture([-0.5, 0.5], 0.1)


def case(seed, n=40):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.uniform(0.1, 1, n)), 3 * rng.standard_normal(n), rng.exponential(size=n)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("bound", [0.1, 1.0, 5.0])
def test_projection_solves_the_bounded_least_squares(seed, bound):
    x, f, w = case(seed)
    # g = g_0 + bound (x - x_0) less the sum of non-negative deficits before x.
    A = np.hstack([np.ones((x.size, 1)), -np.tri(x.size, x.size - 1, -1)])
    right = f - bound * (x - x[0])
    lower = np.r_[-np.inf, np.zeros(x.size - 1)]
    root = np.sqrt(w)
    solved = lsq_linear(root[:, None] * A, root * right, (lower, np.inf), tol=1e-14, max_iter=500)
    g = lipschitz_projection(x, f, w, bound)
    np.testing.assert_allclose(g, A @ solved.x + bound * (x - x[0]), atol=2e-6)
    assert w @ (g - f) ** 2 <= (w @ (A @ solved.x - right) ** 2) * (1 + 1e-9)


def test_no_feasible_perturbation_is_better_and_averaged_envelopes_are_worse():
    x = np.linspace(-1, 1, 201)
    f, w, bound = np.tanh(30 * x) + 0.2 * np.sin(9 * x), np.exp(-(x**2)), 3.0
    g = lipschitz_projection(x, f, w, bound)
    assert (np.diff(g) <= bound * np.diff(x) + 1e-12).all()
    loss = w @ (g - f) ** 2
    rng = np.random.default_rng(1)
    for _ in range(200):
        other = lipschitz_projection(x, g + 0.05 * rng.standard_normal(x.size), w, bound)
        assert w @ (other - f) ** 2 >= loss
    distances = bound * np.abs(x[:, None] - x)
    averaged = ((f + distances).min(axis=1) + (f - distances).max(axis=1)) / 2
    assert w @ (averaged - f) ** 2 > 1.2 * loss


def test_a_step_becomes_the_ramp():
    x = np.linspace(-1, 1, 4001)
    g = lipschitz_projection(x, 0.5 * np.sign(x), np.ones(x.size), 2.0)
    np.testing.assert_allclose(g, np.clip(2 * x, -0.5, 0.5), atol=1e-3)


def test_increasing_functions_stay_increasing():
    x, f, w = case(3, 500)
    g = lipschitz_projection(x, np.sort(f), w, 0.02)
    assert (np.diff(g) >= -1e-12).all()


def test_nodes_without_weight_decide_nothing():
    x, f, w = case(4)
    w[10:20] = 0.0
    g = lipschitz_projection(x, f, w, 0.7)
    f[10:20] = 100.0
    kept = np.r_[0:10, 20:40]
    np.testing.assert_allclose(lipschitz_projection(x, f, w, 0.7)[kept], g[kept], atol=1e-12)
    np.testing.assert_allclose(
        lipschitz_projection(x[kept], f[kept], w[kept], 0.7), g[kept], atol=1e-12
    )


def test_an_infinite_bound_returns_the_values():
    x, f, w = case(5)
    np.testing.assert_array_equal(lipschitz_projection(x, f, w, np.inf), f)


def test_tables_are_capped_in_units_of_the_data():
    table = tabulate(exact_denoiser(TARGET, SCHEDULE), SCHEDULE, np.linspace(-5, 5, 2001))
    weights = level_weights(TARGET, SCHEDULE, table)
    exact = table.slopes(SCHEDULE)
    capped = cap_slope(table, SCHEDULE, 1.5, weights)
    np.testing.assert_allclose(capped.slopes(SCHEDULE), np.minimum(exact, 1.5), rtol=1e-9)
    assert exact.max() > 3
    assert exact.min() < 1.5
    np.testing.assert_array_equal(cap_slope(table, SCHEDULE, np.inf, weights).values, table.values)


def test_excess_loss_is_the_difference_of_losses():
    grid = np.linspace(-5, 5, 4001)
    table = tabulate(exact_denoiser(TARGET, SCHEDULE), SCHEDULE, grid)
    weights = level_weights(TARGET, SCHEDULE, table)
    np.testing.assert_allclose(weights.sum(axis=1) * table.spacing, 1.0, rtol=1e-6)
    capped = cap_slope(table, SCHEDULE, 1.2, weights)
    rng, n = np.random.default_rng(0), 200_000
    differences = np.zeros(n)
    for t, (alpha, sigma) in enumerate(zip(*levels(SCHEDULE), strict=True)):
        clean, eps = TARGET.sample(n, rng)[:, 0], rng.standard_normal(n)
        x = alpha * clean + sigma * eps
        losses = [((x - alpha * d(x, t)) / sigma - eps) ** 2 for d in (capped, table)]
        differences += (losses[0] - losses[1]) / 3
    excess = excess_loss(capped, table, SCHEDULE, weights)
    error = (differences.mean() - excess) / (differences.std() / np.sqrt(n))
    assert abs(error) < 5
    assert excess > 20 * differences.std() / np.sqrt(n)


def test_bad_input():
    x, f, w = case(6)
    for bound in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="bound must be a number > 0"):
            lipschitz_projection(x, f, w, bound)
    with pytest.raises(ValueError, match="weights must be >= 0"):
        lipschitz_projection(x, f, -w, 1.0)
    with pytest.raises(ValueError, match="weights must be >= 0, and not all 0"):
        lipschitz_projection(x, f, 0 * w, 1.0)
    with pytest.raises(ValueError, match="x must be increasing"):
        lipschitz_projection(x[::-1], f, w, 1.0)
    with pytest.raises(ValueError, match=r"weights must have shape \(40\)"):
        lipschitz_projection(x, f, w[1:], 1.0)
    one = DenoiserTable(np.arange(3.0), np.zeros((1, 3)))
    two = DenoiserTable(np.arange(3.0), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="one grid and the same labels"):
        excess_loss(one, two, SCHEDULE, np.ones((1, 3)))
