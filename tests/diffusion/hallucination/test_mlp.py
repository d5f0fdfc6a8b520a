"""The small network: its derivatives, its optimiser, and what it learns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from theorytk.diffusion.hallucination._mlp_kernels import activate
from theorytk.diffusion.hallucination.chain import levels, steep_schedule
from theorytk.diffusion.hallucination.mixtures import (
    exact_denoiser,
    grid_mixture,
    three_in_a_row,
)
from theorytk.diffusion.hallucination.mlp import (
    _Adam,
    _backward,
    _forward,
    _initialise,
    _split,
    train_mlp,
)
from theorytk.diffusion.hallucination.propagation import propagate_law
from theorytk.diffusion.hallucination.tables import default_grid, tabulate

SCHEDULE = steep_schedule()


def test_activation_and_its_derivative_at_all_scales():
    z = np.concatenate([np.linspace(-30, 30, 4001), [-1e4, -90, 90, 1e4]]).astype(np.float32)
    rows, hidden = z[None].copy(), np.empty((1, z.size), np.float32)
    bias = np.linspace(-1, 1, z.size).astype(np.float32)
    activate(rows, bias, hidden)
    v = (z + bias).astype(float)
    s = expit(v)
    np.testing.assert_allclose(hidden[0], v * s, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(rows[0], s * (1 + v * (1 - s)), rtol=1e-6, atol=2e-6)


def test_gradients_are_differences_of_the_loss_in_double_precision():
    rng = np.random.default_rng(0)
    widths = [5, 7, 6, 2]
    weights, layers = _initialise(widths, rng)
    for _, bias in layers:
        bias[:] = rng.standard_normal(bias.shape)
    features = rng.standard_normal((11, 5)).astype(np.float32)
    noise = rng.standard_normal((11, 2)).astype(np.float32)

    def loss(vector):
        h = features.astype(float)
        for i, (matrix, bias) in enumerate(_split(vector, widths)):
            h = h @ matrix + bias
            h = h * expit(h) if i < 2 else h
        return np.mean((h - noise) ** 2)

    values, slopes = _forward(layers, features)
    gradient = np.empty_like(weights)
    error = values[-1] - noise
    _backward(layers, values, slopes, error * np.float32(2 / error.size), _split(gradient, widths))
    exact, step = weights.astype(float), 1e-5
    shifts = step * np.eye(weights.size)
    differences = [(loss(exact + e) - loss(exact - e)) / (2 * step) for e in shifts]
    np.testing.assert_allclose(gradient, differences, atol=2e-6)


def test_adam_in_double_precision():
    rng = np.random.default_rng(0)
    weights = rng.standard_normal(9).astype(np.float32)
    expected, m, v = weights.astype(float), np.zeros(9), np.zeros(9)
    optimizer = _Adam(weights, 0.1, 20)
    for k in range(20):
        gradient = rng.standard_normal(9).astype(np.float32)
        optimizer.step(gradient, k)
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient.astype(float) ** 2
        rate = 0.05 * (1 + np.cos(np.pi * k / 20))
        unbiased = m / (1 - 0.9 ** (k + 1)), v / (1 - 0.999 ** (k + 1))
        expected -= rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
    np.testing.assert_allclose(weights, expected, atol=2e-5)


def test_one_seed_gives_one_network():
    data = three_in_a_row().sample(500, 0)
    x = data[:5]
    a, b, c = (train_mlp(data, SCHEDULE, n_updates=30, rng=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.losses, b.losses)
    np.testing.assert_array_equal(a(x, 50), b(x, 50))
    assert np.all(a(x, 50) != c(x, 50))


@pytest.mark.parametrize(
    ("target", "options"),
    [
        (three_in_a_row(), {}),
        (grid_mixture(3), {"n_frequencies": 32, "n_updates": 1500}),
    ],
    ids=["line", "plane"],
)
def test_it_comes_close_to_the_exact_denoiser(target, options):
    options = {"n_updates": 1000, "t_start": 400, "rng": 0, **options}
    denoiser = train_mlp(target.sample(20_000, 1), SCHEDULE, **options)
    exact = exact_denoiser(target, SCHEDULE)
    alpha, sigma = levels(SCHEDULE)
    for t in (20, 60, 120):
        x = target.sample(4000, 2, float(alpha[t]), float(sigma[t]))
        truth = exact(x, t)
        assert np.mean((denoiser(x, t) - truth) ** 2) < 0.05 * truth.var(axis=0).mean()


def test_the_data_may_be_anywhere():
    """The network sees centred data, so that a shift of the data shifts what it predicts."""
    data = three_in_a_row().sample(500, 0)
    near = train_mlp(data, SCHEDULE, n_updates=30, rng=1)
    far = train_mlp(data + 1024.0, SCHEDULE, n_updates=30, rng=1)
    x = data[:5]
    moved = far(x + near.alpha[10] * 1024.0, 10) - 1024.0
    np.testing.assert_allclose(moved, near(x, 10), atol=1e-3)


def test_it_hallucinates_because_its_slope_is_not_steep_enough():
    target, rates, slopes = three_in_a_row(), [], []
    data = target.sample(50_000, 0)
    gaps = [[1.3, 1.7], [2.3, 2.7]]
    exact = exact_denoiser(target, SCHEDULE)
    for denoiser in (train_mlp(data, SCHEDULE, n_updates=1000, t_start=400, rng=1), exact):
        table = tabulate(denoiser, SCHEDULE, default_grid(target, 4096), t_start=400)
        rates.append(propagate_law(table, SCHEDULE, t_start=400).probability(gaps))
        slopes.append(table.slopes(SCHEDULE).max())
    assert 1e-3 < rates[0] < 0.1
    assert rates[1] < 1e-6
    assert slopes[0] < 10 < 24 < slopes[1]


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        (np.zeros(5), {}, ValueError, "data must have shape"),
        (np.zeros((0, 1)), {}, ValueError, "samples"),
        ([[np.nan]], {}, ValueError, "data must be finite"),
        ([[1.0]], {"hidden": 0}, ValueError, "hidden must be"),
        ([[1.0]], {"gain": 0.0}, ValueError, "gain must be"),
        ([[1.0]], {"batch_size": 2.5}, TypeError, "batch_size must be"),
        ([[1.0]], {"t_start": 1000}, ValueError, "t_start must be"),
        ([[1.0]], {"learning_rate": 1e30, "n_updates": 5}, ValueError, "diverged"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_bad_arguments(data, options, error, message):
    with pytest.raises(error, match=message):
        train_mlp(data, SCHEDULE, **options)


def test_points_of_another_dimension_are_refused():
    denoiser = train_mlp(np.ones((3, 2)), SCHEDULE, n_updates=1, rng=0)
    with pytest.raises(ValueError, match=r"x must have shape \(any, 2\); got \(4, 1\)"):
        denoiser(np.zeros((4, 1)), 0)
    with pytest.raises(ValueError, match="t must be"):
        denoiser(np.zeros((4, 2)), 1000)
