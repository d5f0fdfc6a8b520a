"""Distances between laws against textbook formulas, SciPy and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import multivariate_normal, wasserstein_distance

from theorytk.diffusion.metrics import gaussian_kl, gaussian_w2, mmd2_unbiased, sliced_wasserstein


def gaussians(d=4):
    rng = np.random.default_rng(d)
    A, B = rng.standard_normal((2, d, d))
    m, n = rng.standard_normal((2, d))
    return m, A @ A.T + np.eye(d), n, B @ B.T + 0.3 * np.eye(d)


def test_kl_is_the_expected_log_ratio():
    m, P, n, Q = gaussians(2)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    z = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
    w = np.outer(weights, weights).ravel() / weights.sum() ** 2
    x = m + z @ np.linalg.cholesky(P).T
    ratio = multivariate_normal(m, P).logpdf(x) - multivariate_normal(n, Q).logpdf(x)
    assert gaussian_kl(m, P, n, Q) == pytest.approx(w @ ratio, rel=1e-12)


@pytest.mark.parametrize("e", [1e-9, 1e-5, 4e-3, 6e-3, 0.5])
def test_small_kl_does_not_cancel(e):
    d, (m, P, _, _) = 4, gaussians(4)
    # e - log(1 + e) by the tail of its series, with enough terms.
    exact = d / 2 * sum((-1) ** j * e**j / j for j in range(2, 80))
    assert gaussian_kl(m, P + e * P, m, P) == pytest.approx(exact, rel=1e-5 if e < 1e-8 else 1e-9)
    assert gaussian_kl(m, P, m, P) == 0


def test_w2_by_the_formula_of_square_roots():
    m, P, n, Q = gaussians()
    root = sqrtm(P)
    cross = np.trace(sqrtm(root @ Q @ root)).real
    squared = (m - n) @ (m - n) + np.trace(P) + np.trace(Q) - 2 * cross
    assert gaussian_w2(m, P, n, Q) == pytest.approx(np.sqrt(squared), rel=1e-10)


def test_small_w2_does_not_cancel_and_singular_covariances_are_allowed():
    m, P, _, _ = gaussians()
    # Scaling by (1 + e)^2 moves standard deviations by the factor 1 + e.
    e = 1e-10
    assert gaussian_w2(m, (1 + e) ** 2 * P, m, P) == pytest.approx(
        e * np.sqrt(np.trace(P)), rel=1e-4
    )
    point = np.zeros((4, 4))
    assert gaussian_w2(m, P, m, point) == pytest.approx(np.sqrt(np.trace(P)))


@pytest.mark.parametrize(("n", "m"), [(7, 7), (7, 5), (3, 12)])
def test_sliced_wasserstein_on_the_line(n, m):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((n, 1)), 1 + rng.standard_normal((m, 1))
    found = sliced_wasserstein(x, y, p=1, rng=0)
    assert found == pytest.approx(wasserstein_distance(x[:, 0], y[:, 0]), rel=1e-12)
    # Repeating every point changes no law.
    tripled = sliced_wasserstein(np.repeat(x, 3, axis=0), y, p=2, rng=0)
    assert tripled == pytest.approx(sliced_wasserstein(x, y, p=2, rng=0), rel=1e-12)


def test_sliced_wasserstein_of_a_shift():
    # Along each direction a shift is all the distance: the mean square is |shift|^2 / d.
    x = np.random.default_rng(0).standard_normal((30, 3))
    shift, n = np.array([1.0, -2.0, 2.0]), 4000
    found = sliced_wasserstein(x, x + shift, n_projections=n, rng=1) ** 2
    # The square of a coordinate on the sphere in 3 dimensions has mean 1/3, variance 4/45.
    assert abs(found / 9 - 1 / 3) < 5.5 * np.sqrt(4 / 45 / n)


def test_mmd_by_loops():
    rng = np.random.default_rng(0)
    x, y, s = rng.standard_normal((9, 2)), rng.standard_normal((6, 2)) + 1, 0.7

    def k(a, b):
        return np.exp(-((a - b) ** 2).sum() / (2 * s**2))

    def mean(pairs):
        return np.mean([k(a, b) for a, b in pairs])

    expected = (
        mean([(x[i], x[j]) for i in range(9) for j in range(9) if i != j])
        + mean([(y[i], y[j]) for i in range(6) for j in range(6) if i != j])
        - 2 * mean([(a, b) for a in x for b in y])
    )
    assert mmd2_unbiased(x, y, bandwidth=s) == pytest.approx(expected, rel=1e-12)


def test_mmd_in_blocks_of_rows():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((1500, 2)), rng.standard_normal((1100, 2)) + 0.5
    # E k for normal laws and this kernel in closed form: s^d / (s^2 + 2)^(d/2) exp(-...).
    s2 = 0.5
    same = s2 / (s2 + 2)
    apart = same * np.exp(-0.5 / (2 * (s2 + 2)))
    found = mmd2_unbiased(x, y, bandwidth=np.sqrt(s2))
    assert abs(found - 2 * (same - apart)) < 0.02
    assert found > 0.005


def test_bad_input():
    one = [[1.0]]
    with pytest.raises(ValueError, match="covariance_p must be positive definite"):
        gaussian_kl([0.0], [[0.0]], [0.0], one)
    with pytest.raises(ValueError, match="covariance_q must have shape"):
        gaussian_kl([0.0], one, [0.0], np.eye(2))
    with pytest.raises(ValueError, match="covariance_q must be symmetric"):
        gaussian_w2([0, 0], np.eye(2), [0, 0], [[1.0, 0.5], [0.0, 1.0]])
    with pytest.raises(ValueError, match="covariance_p must be positive semidefinite"):
        gaussian_w2([0, 0], -np.eye(2), [0, 0], np.eye(2))
    with pytest.raises(ValueError, match="y must have shape"):
        sliced_wasserstein(one, np.zeros((3, 2)))
    with pytest.raises(ValueError, match="p must be"):
        sliced_wasserstein(one, one, p=0.5)
    with pytest.raises(ValueError, match=r"x \(points\) must be"):
        mmd2_unbiased(one, [[1.0], [2.0]], bandwidth=1.0)
    with pytest.raises(ValueError, match="bandwidth must be"):
        mmd2_unbiased([[1.0], [2.0]], [[1.0], [2.0]], bandwidth=0.0)
