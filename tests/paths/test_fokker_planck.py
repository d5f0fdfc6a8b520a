import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import norm

from theorytk.paths.fokker_planck import (
    fokker_planck_residual,
    kl_along_flow,
    kl_on_grid,
    solve_fokker_planck,
)
from theorytk.paths.interpolants import gamma_schedule, interpolant
from theorytk.paths.kl_examples import tight_gaussian
from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant

TWO = GaussianMixture([0.5, 0.5], [-3.0, 3.0], [0.25, 0.25])
THREE = GaussianMixture([1 / 3] * 3, [-6.0, 0.0, 6.0], [0.5, 0.33, 0.5])
GRID = np.linspace(-12, 12, 1601)
H = GRID[1] - GRID[0]
PATHS = [
    interpolant("linear"),
    interpolant("linear", gamma_schedule("brownian", a=2.0)),
    interpolant("trigonometric"),
    interpolant("encoder-decoder"),
]


def drift_of(flow, epsilon, epsilon_of_score=None):
    """Return the drift b + epsilon s."""
    factor = epsilon if epsilon_of_score is None else epsilon_of_score

    def drift(t, x):
        b, s = flow.velocity_and_score(t, x)
        return b + factor * s

    return drift


@pytest.mark.parametrize("t", [0.2, 0.45, 0.8])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.name}, {path.gamma.name}")
def test_flows_solve_their_equations(path, t):
    flow = MixtureInterpolant(TWO, THREE, path)
    for epsilon in (0.0, 0.7, -0.7):
        drift = drift_of(flow, epsilon)
        residual = fokker_planck_residual(flow.logpdf, drift, t, GRID, diffusion=epsilon)
        assert residual < 1e-10
    wrong = fokker_planck_residual(flow.logpdf, flow.mean_velocity, t, GRID)
    assert wrong > 1e-3
    wrong = fokker_planck_residual(flow.logpdf, drift_of(flow, 0.7), t, GRID, diffusion=-0.7)
    assert wrong > 0.05


def test_a_law_at_rest_without_drift_has_no_residual():
    def normal(t, x):
        return -(x[:, 0] ** 2) / 2

    assert fokker_planck_residual(normal, lambda t, x: 0 * x, 0.5, GRID) < 1e-12


def ornstein_uhlenbeck(t, x):
    return 0.5 - x


def test_the_solver_against_a_gaussian():
    start = norm.pdf(GRID, 2.0, 0.5)
    end = solve_fokker_planck(ornstein_uhlenbeck, start, GRID, epsilon=0.6, n_steps=2000)
    mean = 0.5 + 1.5 * math.exp(-1)
    variance = 0.6 + (0.25 - 0.6) * math.exp(-2)
    assert np.abs(end - norm.pdf(GRID, mean, math.sqrt(variance))).max() < 3e-4
    assert (end >= 0).all()
    assert end.sum() == pytest.approx(start.sum(), rel=1e-12)


def test_the_solver_is_of_order_one_in_time():
    start = norm.pdf(GRID, 2.0, 0.5)
    # Richardson's way: the differences of refinements halve.
    runs = [
        solve_fokker_planck(ornstein_uhlenbeck, start, GRID, epsilon=0.6, n_steps=n)
        for n in (50, 100, 200)
    ]
    first, second = (np.abs(a - b).sum() for a, b in pairwise(runs))
    assert math.log2(first / second) == pytest.approx(1, abs=0.1)


def test_mass_stays_inside():
    # A strong drift out of the grid: everything ends in the last cell, nothing is lost.
    start = norm.pdf(GRID)
    end = solve_fokker_planck(lambda t, x: 100 + 0 * x, start, GRID, epsilon=1e-3, n_steps=50)
    assert end.sum() == pytest.approx(start.sum(), rel=1e-12)
    assert end[-1] == pytest.approx(end.sum(), rel=1e-3)


@pytest.mark.parametrize("epsilon", [0.3, lambda t: 0.2 + t])
def test_generation_both_ways(epsilon):
    flow = MixtureInterpolant(TWO, THREE, interpolant("trigonometric"))
    rate = epsilon if callable(epsilon) else lambda t: epsilon

    def forward(t, x):
        b, s = flow.velocity_and_score(t, x)
        return b + rate(t) * s

    def backward(t, x):
        b, s = flow.velocity_and_score(t, x)
        return b - rate(t) * s

    p0, p1 = (np.exp(flow.logpdf(t, GRID[:, None])) for t in (0.0, 1.0))
    end = solve_fokker_planck(forward, p0, GRID, epsilon=epsilon, n_steps=300)
    assert kl_on_grid(p1, end) < 3e-3
    start = solve_fokker_planck(backward, p1, GRID, epsilon=epsilon, n_steps=300, t_span=(1, 0))
    assert kl_on_grid(p0, start) < 3e-3
    without = solve_fokker_planck(flow.velocity, p0, GRID, epsilon=epsilon, n_steps=300)
    assert kl_on_grid(p1, without) > 0.03


@pytest.mark.parametrize(("m", "v"), [(0.0, 1.0), (1.5, 1.0), (-0.5, 2.0), (8.0, 0.02)])
def test_kl_against_its_closed_form(m, v):
    p, q = norm.pdf(GRID), norm.pdf(GRID, m, math.sqrt(v))
    if v < 0.1:
        assert kl_on_grid(p, q) == math.inf
    else:
        expected = ((1 + m**2) / v - 1 + math.log(v)) / 2
        assert kl_on_grid(7 * p, q) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_kl_along_the_tight_example(epsilon):
    example = tight_gaussian(1.0, epsilon)

    def drift(t, x):
        b, s = example.fields(t, x)
        return b + epsilon * s

    def normal(t, x):
        return norm.logpdf(x[:, 0])

    times = [0.0, 0.5, 1.0]
    found = kl_along_flow(normal, drift, GRID, epsilon=epsilon, times=times, n_steps=400)
    # The mean at t is A e^(-epsilon) (e^(epsilon t) - e^(-epsilon t)) / (2 epsilon).
    half = math.exp(-epsilon) * math.sinh(epsilon / 2) / epsilon
    np.testing.assert_allclose(found, [0, half**2 / 2, example.kl], rtol=0.01, atol=1e-12)


def test_the_exact_fields_leave_little_divergence():
    flow = MixtureInterpolant(TWO, THREE, interpolant("trigonometric"))
    arguments = dict(epsilon=1.0, times=[0, 1], n_steps=300)
    found = kl_along_flow(flow.logpdf, drift_of(flow, 1.0), GRID, **arguments)
    wrong = kl_along_flow(flow.logpdf, drift_of(flow, 1.0, 0.5), GRID, **arguments)
    assert found[0] == pytest.approx(0, abs=1e-14)
    assert found[1] < 1e-3
    assert wrong[1] > 0.02


def still(t, x):
    return 0 * x


P = norm.pdf(GRID)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: fokker_planck_residual(lambda t, x: x[:, 0], still, 0.001, GRID),
            "t must be a number >= 0.004",
        ),
        (
            lambda: solve_fokker_planck(still, P, GRID, epsilon=0.0, n_steps=1),
            "epsilon must be a number > 0",
        ),
        (
            lambda: solve_fokker_planck(still, P[1:], GRID, epsilon=1.0, n_steps=1),
            r"density must have shape \(1601\)",
        ),
        (
            lambda: solve_fokker_planck(still, P, GRID**3, epsilon=1.0, n_steps=1),
            "grid must be increasing and uniform",
        ),
        (
            lambda: solve_fokker_planck(still, P, -GRID, epsilon=1.0, n_steps=1),
            "grid must be increasing and uniform",
        ),
        (
            lambda: solve_fokker_planck(still, P[:16], GRID[:16], epsilon=1.0, n_steps=1),
            "grid must have more than 16 points; got 16",
        ),
        (lambda: kl_on_grid(P, P[1:]), "q must have shape"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
