"""Sums of kernels and of distances as they are, fast: what private answers are measured against."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy.spatial.distance import cdist

from theorytk._validation import check_array, check_choice, check_real
from theorytk.privacy._arguments import Array
from theorytk.privacy._sum_kernels import exponential_totals
from theorytk.privacy.kernels import KERNELS, kernel_profile

__all__ = ["distance_sum", "kernel_sum"]

# Pairs at a time: 64 queries with 4096 points stay in the second-level cache.
POINTS, QUERIES = 4096, 64
METRICS = ("l1", "l2", "l2_squared")


def kernel_sum(kernel: str, X: Any, Y: Any, *, bandwidth: float = 1.0) -> Array:
    """Return the sums over points of their kernels with each query; nothing about it is private.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "laplacian", "cauchy", "inverse"}
        As in `kernel_profile`.
    X : array_like, shape (n, d)
        Points.
    Y : array_like, shape (q, d)
        Queries.
    bandwidth : float
        Distances are divided by it, > 0.

    Returns
    -------
    ndarray, shape (q,)

    Notes
    -----
    Time O(n q d), in blocks that stay in the cache; O((n + q) log n) for d = 1 with "exponential"
    and "laplacian", from running sums over the sorted points. Rounding: with u = 2^-53, relative
    errors of about (d + 10) u of each kernel, times the distance over the bandwidth where that is
    larger. "gaussian" and "cauchy" take squared distances from a matrix product; each kernel
    then has an absolute error of at most (d + 8) u (r / bandwidth)^2, r the sum of the
    largest distances of a point and of a query from the mean point.

    References
    ----------
    Derived here: both kernels change by at most as much as the squared distance in bandwidths.

    Examples
    --------
    >>> kernel_sum("exponential", [[0.0], [2.0]], [[1.0]]).round(6)
    array([0.735759])
    """
    kernel = check_choice("kernel", kernel, KERNELS)
    X, Y = _check_pair(X, Y)
    h = check_real("bandwidth", bandwidth, lower=0.0, lower_open=True)
    if X.shape[1] == 1 and kernel in ("exponential", "laplacian"):
        return _sorted_exponentials(np.sort(X[:, 0]) / h, Y[:, 0] / h)
    if kernel in ("gaussian", "cauchy"):
        return _smooth_sums(kernel, X, Y, h)
    metric: Literal["cityblock", "euclidean"]
    metric = "cityblock" if kernel == "laplacian" else "euclidean"
    total = np.zeros(len(Y))
    for _, points in _blocks(X, POINTS):
        for j, queries in _blocks(Y, QUERIES):
            total[j] += kernel_profile(kernel, cdist(queries, points, metric) / h).sum(axis=1)
    return total


def distance_sum(X: Any, Y: Any, *, metric: str = "l1") -> Array:
    """Return the sums over points of their distances from each query; nothing is private about it.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Points.
    Y : array_like, shape (q, d)
        Queries.
    metric : {"l1", "l2", "l2_squared"}
        Distance, as in `PrivateDistanceSum`.

    Returns
    -------
    ndarray, shape (q,)

    Notes
    -----
    "l1" sorts each coordinate and takes O(d log n) for a query, "l2_squared" O(d), "l2" O(n d).
    Both of the first have absolute errors of about n^(3/2) 2^-53 times the largest distance, from
    running sums over the centred points; of n^2 2^-53 at worst.

    Examples
    --------
    >>> distance_sum([[0.0, 0.0], [2.0, 1.0]], [[1.0, 1.0]])
    array([3.])
    """
    metric = check_choice("metric", metric, METRICS)
    X, Y = _check_pair(X, Y)
    if metric == "l2":
        total = np.zeros(len(Y))
        for _, points in _blocks(X, POINTS):
            for j, queries in _blocks(Y, QUERIES):
                total[j] += cdist(queries, points).sum(axis=1)
        return total
    centre = X.mean(axis=0) if len(X) else 0.0
    X, Y = X - centre, Y - centre
    if metric == "l2_squared":
        return np.asarray((X**2).sum() - 2 * Y @ X.sum(axis=0) + len(X) * (Y**2).sum(axis=1))
    return np.asarray(sum(map(_sorted_distances, X.T, Y.T), np.zeros(len(Y))))


def _smooth_sums(kernel: str, X: Array, Y: Array, h: float) -> Array:
    """Return sums of a kernel of squared distances, which a matrix product gives."""
    centre = X.mean(axis=0) if len(X) else 0.0
    Y = (Y - centre) / h
    total, own = np.zeros(len(Y)), (Y**2).sum(axis=1)
    for _, block in _blocks(X, POINTS):
        points = (block - centre) / h
        squares, doubled = (points**2).sum(axis=1), -2 * points.T
        for j, queries in _blocks(Y, QUERIES):
            z = queries @ doubled
            z += squares
            z += own[j, None]
            np.maximum(z, 0, out=z)
            if kernel == "gaussian":
                np.negative(z, out=z)
                np.exp(z, out=z)
            else:
                z += 1
                np.reciprocal(z, out=z)
            total[j] += z.sum(axis=1)
    return total


def _sorted_exponentials(x: Array, y: Array) -> Array:
    """Return the sums of exp(-|x_i - y|) for sorted points."""
    left, right = exponential_totals(x), exponential_totals(-x[::-1])[::-1]
    below = np.searchsorted(x, y, side="right")
    total = np.zeros(len(y))
    some = below > 0
    at = below[some] - 1
    total[some] = left[at] * np.exp(x[at] - y[some])
    some = below < len(x)
    at = below[some]
    total[some] += right[at] * np.exp(y[some] - x[at])
    return total


def _sorted_distances(x: Array, y: Array) -> Array:
    """Return the sums of |x_i - y| on a line."""
    x = np.sort(x)
    sums = np.concatenate([[0.0], np.cumsum(x)])
    below = np.searchsorted(x, y)
    return np.asarray(y * (2 * below - len(x)) + sums[-1] - 2 * sums[below])


def _blocks(rows: Array, size: int) -> Any:
    """Yield slices of so many rows, and the rows."""
    for i in range(0, len(rows), size):
        yield slice(i, i + size), rows[i : i + size]


def _check_pair(X: Any, Y: Any) -> tuple[Array, Array]:
    X = check_array("X", X, shape=(None, None))
    return X, check_array("Y", Y, shape=(None, X.shape[1]))
