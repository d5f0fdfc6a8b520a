"""The checkerboard against brute force over its squares."""

import math

import numpy as np
import pytest
import scipy.stats

from theorytk.paths.checkerboard import (
    checkerboard_posterior_mean,
    checkerboard_sample,
    checkerboard_separation,
    outside_checkerboard,
)
from theorytk.paths.theory import optimal_energy


@pytest.fixture(scope="module")
def fine_grid():
    """Points on the squares: the posterior is their weighted mean."""
    side = math.sqrt(3) / 2
    line = side * (np.arange(-2, 2, 1 / 150) + 1 / 300)
    points = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    cells = np.floor(points / side).astype(int)
    return points[cells.sum(axis=1) % 2 == 0]


@pytest.mark.parametrize("s", [0.0, 0.05, 0.0999, 0.1001, 1.0, 4.0])
def test_posterior_mean_by_brute_force(fine_grid, s):
    y = np.array([[0.3, -0.2], [2.0, 5.0], [-9.0, 4.0]])
    found = checkerboard_posterior_mean(y, s)
    for row, mean in zip(y, found, strict=True):
        logits = -0.5 * ((row - s * fine_grid) ** 2).sum(axis=1)
        w = np.exp(logits - logits.max())
        np.testing.assert_allclose(mean, w @ fine_grid / w.sum(), atol=2e-3)


def test_posterior_mean_far_away_is_a_corner():
    corner = math.sqrt(3)
    far = checkerboard_posterior_mean([[1e4, 1e4], [-1e5, -1e5], [1e4, -1e4]], 10.0)
    np.testing.assert_allclose(far[:2], [[corner, corner], [-corner, -corner]], atol=1e-3)
    assert np.isfinite(far).all()


def test_sample_is_normalised_and_on_the_board():
    x = checkerboard_sample(100_000, rng=0)
    assert outside_checkerboard(x) == 0
    limit = scipy.stats.norm.isf(0.25e-6) / math.sqrt(100_000)
    assert (np.abs(x.mean(axis=0)) < limit).all()
    assert abs((x**2).mean() - 1) < limit
    assert outside_checkerboard(x * [1, -1]) == 1


@pytest.fixture(scope="module")
def law():
    return checkerboard_separation()


def test_separation_by_monte_carlo(law):
    rng = np.random.default_rng(1)
    x = checkerboard_sample(50_000, rng)
    for s in (0.07, 0.5, 2.0, 30.0):
        y = s * x + rng.standard_normal(x.shape)
        missed = checkerboard_posterior_mean(y, s) - s / (1 + s * s) * y
        draws = (1 + s * s) * (missed**2).mean(axis=1)
        error = draws.std() / math.sqrt(len(draws))
        assert abs(draws.mean() - law.gamma(math.atan(s))) < scipy.stats.norm.isf(1e-7) * error


def test_energies(law):
    assert optimal_energy(law.angle()) == pytest.approx(0.1099, abs=1e-4)
    assert law.angle() ** 2 == pytest.approx(0.1109, abs=1e-4)
    assert 2 - law.delta() == pytest.approx(0.5377, abs=1e-4)


def test_bad_arguments():
    with pytest.raises(ValueError, match="n must be an integer >= 1"):
        checkerboard_sample(0)
    with pytest.raises(ValueError, match=r"y must have shape \(any, 2\)"):
        checkerboard_posterior_mean([[1.0]], 1.0)
    with pytest.raises(ValueError, match="s must be a number >= 0"):
        checkerboard_posterior_mean([[1.0, 1.0]], -1.0)
    with pytest.raises(ValueError, match=r"x must have shape \(any, 2\)"):
        outside_checkerboard([1.0, 2.0])
