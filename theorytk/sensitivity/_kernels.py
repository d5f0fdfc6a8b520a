"""Damped Newton descent in l_p and quasi-Newton ascent of a ratio: numba, no validation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# Curvature is kept finite where a residual is below this fraction of the most that its row allows
# (p < 2), and positive, relative to the largest (p > 2).
FLOOR = 1e-10
RIDGE = 1e-14

# Bisections of a line search, and the least log ratio worth ascending from.
LINE_STEPS = 30
LEAST_LOG = -40.0


@njit(cache=True, nogil=True)
def _curvature(y: Any, x: Any, norms: Any, p: float, D: Any) -> None:
    """Write |y|^(p - 2), y = B x, up to a common factor and floored, into D."""
    largest = np.max(np.abs(y))
    floor = FLOOR * np.sqrt(np.dot(x, x)) / largest
    for i in range(len(y)):
        size = abs(y[i]) / largest
        if p < 2:
            D[i] = max(size, floor * norms[i]) ** (p - 2)
        else:
            D[i] = size ** (p - 2) + RIDGE


@njit(cache=True, nogil=True)
def _power_sum(y: Any, p: float) -> float:
    total = 0.0
    for value in y:
        total += abs(value) ** p
    return total


@njit(cache=True, nogil=True)
def _line_search(y: Any, dy: Any, p: float, value: float) -> float:
    """Return the best step t for sum |y + t dy|^p among Newton's times powers of 2, 0 if none."""
    t = 1 / (p - 1)
    moved, longer = _power_sum(y + t * dy, p), _power_sum(y + 2 * t * dy, p)
    while longer < min(moved, value):
        t, moved = 2 * t, longer
        longer = _power_sum(y + 2 * t * dy, p)
    for _ in range(40):
        shorter = _power_sum(y + t / 2 * dy, p)
        if moved < value and not shorter < moved:
            return t
        t, moved = t / 2, shorter
    return 0.0


@njit(cache=True, nogil=True)
def lp_minimise(
    Bt: Any, b: Any, gram_inverse: Any, p: float, x: Any, dual: Any, tol: float, max_iter: int
) -> tuple[float, float, int]:
    """Minimise |B x|_p over b.x = 1 from x, in place; return (lower, upper, iterations).

    `Bt` is the transpose of B. The interval is for (sup |b.x| / |B x|_p)^p: below it is the ratio
    at x, above it the power of |v|_q for a v with B'v = b, which weighted least squares supplies
    and which is written into `dual`.
    """
    d, n = Bt.shape
    q, norms = p / (p - 1), np.sqrt(np.sum(Bt * Bt, axis=0))
    D, dy, weighted = np.empty(n), np.empty(n), np.empty((n, d))
    y = np.dot(x, Bt)
    value = _power_sum(y, p)
    lower, upper = 1 / value, np.inf
    for iteration in range(max_iter + 1):
        _curvature(y, x, norms, p, D)
        for i in range(n):
            for j in range(d):
                weighted[i, j] = D[i] * Bt[j, i]
        z = np.linalg.solve(np.dot(Bt, weighted), b)
        np.dot(z, Bt, dy)
        v = D * dy
        v += np.dot(np.dot(gram_inverse, b - np.dot(Bt, v)), Bt)
        largest = np.max(np.abs(v))
        bound = largest**p * _power_sum(v / largest, q) ** (p / q)
        if bound < upper:
            upper = bound
            dual[:] = v
        if upper - lower <= tol * upper or iteration == max_iter:
            break
        bz = np.dot(b, z)
        for i in range(n):
            dy[i] = dy[i] / bz - y[i]
        t = _line_search(y, dy, p, value)
        if t == 0:
            break
        for j in range(d):
            x[j] += t * (z[j] / bz - x[j])
        x /= np.dot(b, x)
        y = np.dot(x, Bt)
        value = _power_sum(y, p)
        lower = max(lower, 1 / value)
    return lower, upper, iteration


@njit(cache=True, nogil=True)
def lp_sensitivities(
    B: Any, targets: Any, gram_inverse: Any, p: float, tol: float, max_iter: int
) -> tuple[Any, Any, Any]:
    """Return (lower, upper, iterations) of each target, which must not be zero, for 1 < p < inf."""
    m = len(targets)
    lower, upper, n_iter = np.empty(m), np.empty(m), np.empty(m, np.int64)
    Bt, dual = np.ascontiguousarray(B.T), np.empty(len(B))
    for j in range(m):
        length = np.sqrt(np.dot(targets[j], targets[j]))
        b = targets[j] / length
        low, high, n_iter[j] = lp_minimise(Bt, b, gram_inverse, p, b.copy(), dual, tol, max_iter)
        lower[j], upper[j] = low * length**p, high * length**p
    return lower, upper, n_iter


@njit(cache=True, nogil=True)
def _log_ratio(
    Bt: Any, u: Any, v: Any, p: float, x: Any, y: Any, slope: Any, gradient: Any
) -> float:
    """Return log(sum u |B x|^p / sum v |B x|^p) and write its gradient; y, slope are scratch."""
    np.dot(x, Bt, y)
    above = below = 0.0
    for i in range(len(y)):
        size = abs(y[i])
        if p == 1:
            slope[i] = 1.0
        else:
            slope[i] = np.sqrt(size) if p == 1.5 else size ** (p - 1)
        above += u[i] * slope[i] * size
        below += v[i] * slope[i] * size
    if not (above > 0 and below > 0):
        return -np.inf
    for i in range(len(y)):
        slope[i] *= p * np.sign(y[i]) * (u[i] / above - v[i] / below)
    np.dot(Bt, slope, gradient)
    return float(np.log(above / below))


@njit(cache=True, nogil=True)
def ascend_ratio(
    Bt: Any, u: Any, v: Any, p: float, starts: Any, tol: float, max_iter: int
) -> tuple[Any, Any]:
    """Raise sum u |B x|^p / sum v |B x|^p from each start, in place; return (ratios, iterations).

    BFGS on the logarithm with bisection for the weak Wolfe conditions, which needs no smoothness
    (Lewis and Overton 2013). `Bt` is the transpose of a well conditioned B.
    """
    d, n = Bt.shape
    ratios, n_iter = np.zeros(len(starts)), np.zeros(len(starts), np.int64)
    y, slope, g, moved_g = np.empty(n), np.empty(n), np.empty(d), np.empty(d)
    for k in range(len(starts)):
        x = starts[k] / np.sqrt(np.dot(starts[k], starts[k]))
        value = _log_ratio(Bt, u, v, p, x, y, slope, g)
        H = np.eye(d)
        for iteration in range(max_iter if value > LEAST_LOG else 0):
            step = np.dot(H, g)
            rise = np.dot(step, g)
            if not rise > 0:
                break
            t, low, high, moved, moved_value = 1.0, 0.0, np.inf, x, value
            for _ in range(LINE_STEPS):
                moved = x + t * step
                moved_value = _log_ratio(Bt, u, v, p, moved, y, slope, moved_g)
                if not moved_value >= value + 1e-4 * t * rise:
                    high = t
                elif np.dot(moved_g, step) > 0.9 * rise:
                    low = t
                else:
                    break
                t = (low + high) / 2 if high < np.inf else 2 * low
            gain = moved_value - value
            if not gain > 0:
                break
            change, fall = moved - x, g - moved_g
            curvature = np.dot(change, fall)
            if curvature > 0:
                if iteration == 0:
                    H *= curvature / np.dot(fall, fall)
                left = np.eye(d) - np.outer(change, fall) / curvature
                H = np.dot(np.dot(left, H), left.T) + np.outer(change, change) / curvature
            x, value = moved, moved_value
            g[:] = moved_g
            n_iter[k] += 1
            if gain <= tol:
                break
        ratios[k] = np.exp(value)
        starts[k] = x
    return ratios, n_iter
