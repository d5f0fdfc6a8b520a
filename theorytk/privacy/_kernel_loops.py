"""Kernels of the mechanisms that evaluate kernels or moments, point by point.

As in the features, a point's contribution must not depend on which points come with it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit


@njit(inline="always")
def _kernel(code: int, x: Any, y: Any) -> Any:
    """Return the kernel of two points in units of the bandwidth; codes are places in KERNELS."""
    total = 0.0
    for c in range(len(x)):
        away = x[c] - y[c]
        total += abs(away) if code == 2 else away * away
    if code == 0 or code == 2:
        return math.exp(-total)
    if code == 3:
        return 1 / (1 + total)
    away = math.sqrt(total)
    return math.exp(-away) if code == 1 else 1 / (1 + away)


@njit(cache=True, nogil=True)
def lattice_totals(points: Any, lattice: Any, code: int, height: float) -> Any:
    """Return per lattice point the sum over points of height times the kernel, in integers."""
    totals = np.zeros(len(lattice), np.int64)
    for i in range(len(points)):
        for j in range(len(lattice)):
            totals[j] += np.int64(height * _kernel(code, points[i], lattice[j]))
    return totals


@njit(cache=True, nogil=True)
def moment_totals(cells: Any, residuals: Any, shape: Any, degree: int, height: float) -> Any:
    """Return the sums of height times the products of powers of the residuals of every cell.

    Each term is rounded towards zero first. The index of coordinate j is cell * degree + power.
    """
    n, d = cells.shape
    totals = np.zeros(np.prod(shape), np.int64)
    powers = np.ones((d, degree))
    for i in range(n):
        for c in range(d):
            for k in range(1, degree):
                powers[c, k] = powers[c, k - 1] * residuals[i, c]
        for t in range(degree**d):
            rest, place, stride, product = t, 0, 1, height
            for c in range(d - 1, -1, -1):
                k = rest % degree
                rest //= degree
                product *= powers[c, k]
                place += stride * (cells[i, c] * degree + k)
                stride *= shape[c]
            totals[place] += np.int64(product)
    return totals


@njit(cache=True, nogil=True)
def project(points: Any, queries: Any, factor: Any, code: int, out: Any, start: int) -> None:
    """Continue, from query `start` on, ``inverse of factor @ kernel(queries, point)`` for points.

    `out` has shape (n, queries); its first `start` columns are known.
    """
    for i in range(len(points)):
        for j in range(start, len(queries)):
            value = _kernel(code, points[i], queries[j])
            for k in range(j):
                value -= factor[j, k] * out[i, k]
            out[i, j] = value / factor[j, j]


@njit(cache=True, nogil=True)
def extend_factor(queries: Any, factor: Any, code: int, start: int, jitter: float) -> None:
    """Continue, from row `start` on, the Cholesky factor of the kernel matrix plus jitter."""
    for j in range(start, len(queries)):
        square = 1.0 + jitter
        for k in range(j):
            value = _kernel(code, queries[j], queries[k])
            for m in range(k):
                value -= factor[k, m] * factor[j, m]
            factor[j, k] = value / factor[k, k]
            square -= factor[j, k] ** 2
        factor[j, j] = math.sqrt(square)


@njit(cache=True, nogil=True)
def truncated_totals(values: Any, height: float) -> Any:
    """Return the sums over rows of height times the values, each rounded towards zero first."""
    totals = np.zeros(values.shape[1], np.int64)
    for i in range(len(values)):
        for j in range(values.shape[1]):
            totals[j] += np.int64(height * values[i, j])
    return totals
