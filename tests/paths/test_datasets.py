"""Normalised data: moments, merged duplicates, posterior means by brute force, bad input."""

import math

import numpy as np
import pytest

from theorytk.paths.datasets import entropy, normalise


@pytest.fixture
def points():
    return np.random.default_rng(0).standard_normal((30, 4)) * [1.0, 2.0, 0.1, 5.0] + 7


def test_moments_are_normalised(points):
    weights = np.random.default_rng(1).random(30)
    data = normalise(points, weights)
    np.testing.assert_allclose(data.weights @ data.points, 0, atol=1e-12)
    assert data.weights @ (data.points**2).sum(axis=1) == pytest.approx(4)
    np.testing.assert_allclose(data.points * data.scale + data.shift, points, rtol=1e-12)


def test_without_centring_the_mean_stays(points):
    data = normalise(points, centre=False)
    assert (data.points**2).sum() / 30 == pytest.approx(4)
    np.testing.assert_allclose(data.points, points / data.scale)
    single = normalise([[3.0, 4.0]], centre=False)
    np.testing.assert_allclose(single.points, np.sqrt(2) * np.array([[0.6, 0.8]]))
    assert single.entropy == 0


def test_what_is_normalised_passes_unscaled(points):
    data = normalise(points)
    again = normalise(data.points, scale=False)
    np.testing.assert_allclose(again.points, data.points, atol=1e-12)
    assert again.scale == 1


def test_duplicates_become_weights():
    X = np.array([[0.0, 1.0], [2.0, 3.0], [-0.0, 1.0], [5.0, 5.0], [2.0, 3.0], [0.0, 1.0]])
    merged = normalise(X, [1, 2, 3, 4, 5, 6])
    listed = normalise([[0.0, 1.0], [2.0, 3.0], [5.0, 5.0]], [10, 7, 4])
    np.testing.assert_allclose(merged.points, listed.points, rtol=1e-14)
    np.testing.assert_allclose(merged.weights, np.array([10, 7, 4]) / 21)
    assert merged.entropy == pytest.approx(-(merged.weights * np.log(merged.weights)).sum())
    assert normalise(X).n == 3


def test_points_of_weight_zero_are_left_out():
    data = normalise([[1.0], [9.0], [3.0]], [1, 0, 1])
    np.testing.assert_allclose(data.points, [[-1.0], [1.0]])


def test_constant_columns_are_allowed(points):
    X = np.c_[points, np.full(30, 3.0)]
    assert np.ptp(normalise(X).points[:, -1]) == 0
    assert normalise(X).d == 5


def test_eigenvalues_of_the_covariance(points):
    weights = np.random.default_rng(1).random(30)
    data = normalise(points, weights, centre=False)
    expected = np.linalg.eigvalsh(np.cov(data.points.T, aweights=data.weights, bias=True))
    np.testing.assert_allclose(data.covariance_eigenvalues(), expected, atol=1e-10)
    wide = normalise(np.random.default_rng(2).standard_normal((3, 6)))
    expected = np.linalg.eigvalsh(np.cov(wide.points.T, bias=True))
    np.testing.assert_allclose(wide.covariance_eigenvalues(), expected, atol=1e-12)


@pytest.mark.parametrize("s", [0.0, 0.3, 2.0, 1e8])
def test_posterior_mean_by_bayes(points, s):
    data = normalise(points, np.arange(1, 31))
    y = s * data.points[:3] + np.random.default_rng(3).standard_normal((3, 4))
    for row, mean in zip(y, data.posterior_mean(y, s), strict=True):
        log_likelihood = -0.5 * ((row - s * data.points) ** 2).sum(axis=1)
        w = data.weights * np.exp(log_likelihood - log_likelihood.max())
        np.testing.assert_allclose(mean, w @ data.points / w.sum(), rtol=1e-8, atol=1e-12)


def test_entropy():
    assert entropy([3, 1]) == pytest.approx(0.75 * math.log(4 / 3) + 0.25 * math.log(4))
    assert entropy([1, 0, 0]) == 0


@pytest.mark.parametrize(
    ("X", "options", "error", "message"),
    [
        ([1.0, 2.0], {}, ValueError, r"X must have 2 dimension\(s\)"),
        (np.empty((0, 3)), {}, ValueError, "X must have rows and columns"),
        ([[1.0], [np.nan]], {}, ValueError, r"X must be finite; got nan at index \(1, 0\)"),
        ([["a"]], {}, TypeError, "X must be an array of real numbers"),
        ([[1.0, 2.0]], {}, ValueError, r"X must not be constant; got 1 distinct row\(s\)"),
        ([[0.1, 2.0]] * 7, {}, ValueError, "X must not be constant"),
        ([[0.0]], {"centre": False}, ValueError, "X must not be constant"),
        (
            [[2.0], [-2.0]],
            {"scale": False},
            ValueError,
            r"E\|x\|\^2/d must be 1; got 4, with .* 0$",
        ),
        ([[1.0], [2.0]], {"weights": [1]}, ValueError, r"weights must have shape \(2\)"),
        ([[1.0], [2.0]], {"weights": [2, -1]}, ValueError, "weights must be >= 0"),
        ([[1.0], [2.0]], {"weights": [0, 0]}, ValueError, "with a positive sum"),
    ],
)
def test_bad_input(X, options, error, message):
    with pytest.raises(error, match=message):
        normalise(X, **options)


def test_bad_amplitude(points):
    with pytest.raises(ValueError, match="s must be a number >= 0"):
        normalise(points).posterior_mean(points, -1.0)
