"""Distances between laws: exact ones between Gaussians, and estimates from samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.spatial.distance import cdist

from theorytk._validation import as_generator, check_array, check_int, check_real

__all__ = ["gaussian_kl", "gaussian_w2", "mmd2_unbiased", "sliced_wasserstein"]

Array = np.ndarray

# Rows of a kernel matrix that are in memory at once.
BLOCK_ROWS = 1024


def gaussian_kl(mean_p: Any, covariance_p: Any, mean_q: Any, covariance_q: Any) -> float:
    """Return the divergence KL(P || Q) of two Gaussians.

    It is computed from the difference of the covariances, so that a small divergence is not the
    rounding error of a large one.

    Parameters
    ----------
    mean_p, mean_q : array_like, shape (d,)
        The means.
    covariance_p, covariance_q : array_like, shape (d, d)
        The covariances, symmetric and positive definite.

    Returns
    -------
    float
        In nats.

    Raises
    ------
    ValueError
        If a covariance is not symmetric positive definite.

    References
    ----------
    Closed form; with the eigenvalues 1 + e of Q^-1 P, the covariances give (e - log(1 + e)) / 2
    each (derived here).

    Examples
    --------
    >>> gaussian_kl([1.0], [[1.0]], [0.0], [[1.0]])
    0.5
    """
    m, P = _check_gaussian("p", mean_p, covariance_p)
    other, Q = _check_gaussian("q", mean_q, covariance_q, len(m))
    _check_definite("covariance_p", P)
    _check_definite("covariance_q", Q)
    excess = eigh(P - Q, Q, eigvals_only=True)
    shift = m - other
    return float(shift @ np.linalg.solve(Q, shift) + _less_log1p(excess).sum()) / 2


def gaussian_w2(mean_p: Any, covariance_p: Any, mean_q: Any, covariance_q: Any) -> float:
    """Return the 2-Wasserstein distance of two Gaussians.

    Parameters
    ----------
    mean_p, mean_q : array_like, shape (d,)
        The means.
    covariance_p, covariance_q : array_like, shape (d, d)
        The covariances, symmetric and positive semidefinite.

    Returns
    -------
    float
        In the unit of the means.

    Raises
    ------
    ValueError
        If a covariance is not symmetric positive semidefinite.

    References
    ----------
    D. C. Dowson and B. V. Landau, J. Multivariate Anal. 12 (1982). The covariances' part is the
    least of |A - B U| over orthogonal U for A A' = P and B B' = Q, which does not cancel.

    Examples
    --------
    >>> gaussian_w2([3.0, 0.0], [[1, 0], [0, 1]], [0.0, 0.0], [[25, 0], [0, 1]])
    5.0
    """
    m, P = _check_gaussian("p", mean_p, covariance_p)
    other, Q = _check_gaussian("q", mean_q, covariance_q, len(m))
    A, B = _root("covariance_p", P), _root("covariance_q", Q)
    left, _, right = np.linalg.svd(B.T @ A)
    return float(np.hypot(np.linalg.norm(m - other), np.linalg.norm(A - B @ left @ right)))


def sliced_wasserstein(
    x: Any,
    y: Any,
    *,
    p: float = 2.0,
    n_projections: int = 64,
    rng: int | np.random.Generator | None = None,
) -> float:
    """Return the sliced Wasserstein distance of two samples, over random directions.

    Parameters
    ----------
    x, y : array_like, shapes (n, d) and (m, d)
        The samples.
    p : float, default 2
        The exponent, >= 1.
    n_projections : int, default 64
        Directions, uniform on the sphere.
    rng : int, Generator or None
        Random state of the directions.

    Returns
    -------
    float
        The p-th root of the mean over directions of the p-th power of the distance of the
        projected samples, in their unit.

    References
    ----------
    N. Bonneel, J. Rabin, G. Peyre and H. Pfister, J. Math. Imaging Vision 51 (2015).

    Examples
    --------
    >>> sliced_wasserstein([[0.0], [1.0]], [[4.0], [3.0]], rng=0)
    3.0
    """
    x, y = _check_samples(x, y, 1)
    p = check_real("p", p, lower=1)
    shape = (check_int("n_projections", n_projections, lower=1), x.shape[1])
    directions = as_generator(rng).standard_normal(shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    n, m = len(x), len(y)
    # The quantile functions are constant between the multiples of 1/n and of 1/m, here in units of
    # 1 / (n m) so that they are exact.
    ends = np.union1d(m * np.arange(n + 1), n * np.arange(m + 1))
    levels, widths = ends[:-1], np.diff(ends) / (n * m)
    ours = np.sort(x @ directions.T, axis=0)[levels // m]
    theirs = np.sort(y @ directions.T, axis=0)[levels // n]
    return float((widths @ np.abs(ours - theirs) ** p).mean() ** (1 / p))


def mmd2_unbiased(x: Any, y: Any, *, bandwidth: float) -> float:
    """Return the unbiased estimate of the squared maximum mean discrepancy, Gaussian kernel.

    Parameters
    ----------
    x, y : array_like, shapes (n, d) and (m, d)
        Independent samples of at least two points.
    bandwidth : float
        The kernel is exp(-|x - y|^2 / (2 bandwidth^2)); > 0.

    Returns
    -------
    float
        Its expectation is the squared discrepancy, so that it can be negative.

    References
    ----------
    A. Gretton et al., J. Mach. Learn. Res. 13 (2012), eq (3).

    Examples
    --------
    >>> mmd2_unbiased([[0.0], [0.0]], [[100.0], [100.0]], bandwidth=1.0)
    2.0
    """
    x, y = _check_samples(x, y, 2)
    bandwidth = check_real("bandwidth", bandwidth, lower=0, lower_open=True)
    n, m = len(x), len(y)
    within = (_kernel_sum(x, x, bandwidth) - n) / (n * (n - 1))
    within += (_kernel_sum(y, y, bandwidth) - m) / (m * (m - 1))
    return within - 2 * _kernel_sum(x, y, bandwidth) / (n * m)


def _kernel_sum(x: Array, y: Array, bandwidth: float) -> float:
    blocks = (x[start : start + BLOCK_ROWS] for start in range(0, len(x), BLOCK_ROWS))
    scale = -0.5 / bandwidth**2
    return float(sum(np.exp(scale * cdist(block, y, "sqeuclidean")).sum() for block in blocks))


def _less_log1p(e: Array) -> Array:
    """Return e - log(1 + e), by its series where it would cancel (relative error below 1e-14)."""
    series = sum((-1) ** j * e**j / j for j in range(2, 9))
    result: Array = np.where(np.abs(e) < 0.005, series, e - np.log1p(e))
    return result


def _root(name: str, covariance: Array) -> Array:
    """Return A with A A' = covariance, refusing one that is not positive semidefinite."""
    values, vectors = np.linalg.eigh(covariance)
    if values[0] < -1e-12 * max(values[-1], 0.0):
        raise ValueError(f"{name} must be positive semidefinite; got the eigenvalue {values[0]}")
    root: Array = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def _check_definite(name: str, covariance: Array) -> None:
    lowest = np.linalg.eigvalsh(covariance)[0]
    if not lowest > 0:
        raise ValueError(f"{name} must be positive definite; got the eigenvalue {lowest}")


def _check_gaussian(
    name: str, mean: Any, covariance: Any, d: int | None = None
) -> tuple[Array, Array]:
    mean = check_array(f"mean_{name}", mean, shape=(d,))
    covariance = check_array(f"covariance_{name}", covariance, shape=(len(mean), len(mean)))
    if np.abs(covariance - covariance.T).max(initial=0.0) > 1e-10 * np.abs(covariance).max():
        raise ValueError(f"covariance_{name} must be symmetric; got one that is not")
    return mean, (covariance + covariance.T) / 2


def _check_samples(x: Any, y: Any, least: int) -> tuple[Array, Array]:
    x = check_array("x", x, shape=(None, None))
    y = check_array("y", y, shape=(None, x.shape[1]))
    for name, sample in (("x", x), ("y", y)):
        check_int(f"{name} (points)", len(sample), lower=least)
    return x, y
