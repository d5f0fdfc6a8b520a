"""The l_1 sensitivities by active-set descent: numba only, no validation.

One sensitivity is 1 / min |B x|_1 over b.x = 1, a piecewise linear problem. A vertex is given by
d - 1 active rows with residual zero. Dropping one of them and moving along the edge past all the
kinks up to the minimum is one pivot (Barrodale and Roberts 1973). Residuals are measured from a
tiny random `shift`, so that no two kinks coincide; the dual solution does not know of the shift,
and the certificate is for the problem without it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# The inverse of the active rows is computed anew after this many pivots.
REFRESH = 20

# An edge on which a row changes by less than this fraction of the most it could has no kink there.
FLAT = 1e-11


@njit(cache=True, nogil=True)
def _select(t: Any, change: Any, index: Any, m: int, need: float) -> int:
    """Order index[:m] so that kinks before the returned one come first and do not reach `need`.

    `t` are positions, `change` the increases of the slope: a weighted median by quickselect.
    """
    low, high = 0, m
    while high - low > 1:
        pivot = t[index[(low + high) // 2]]
        left, right, below = low, high - 1, 0.0
        while left <= right:
            while t[index[left]] < pivot:
                below += change[index[left]]
                left += 1
            while t[index[right]] > pivot:
                right -= 1
            if left <= right:
                index[left], index[right] = index[right], index[left]
                below += change[index[left]]
                left += 1
                right -= 1
        # Now t <= pivot before `left`, whose changes add up to `below`.
        if left == high:
            last = high - 1
            for k in range(low, high):
                if t[index[k]] > t[index[last]]:
                    last = k
            index[last], index[high - 1] = index[high - 1], index[last]
            if need > below - change[index[high - 1]]:
                return high - 1
            high -= 1
        elif need <= below:
            high = left
        else:
            need -= below
            low = left
    return low


@njit(cache=True, nogil=True)
def _span(B: Any, b: Any, norms: Any, order: Any, tolerance: float, active: Any) -> bool:
    """Fill `active` with the first rows in `order` that are independent of b and one another."""
    d = len(b)
    basis, row, count = np.zeros((d, d)), np.empty(d), 1
    basis[0] = b
    for i in order:
        if count == d:
            break
        row[:] = B[i]
        for k in list(range(count)) * 2:
            along = np.dot(basis[k], row)
            for j in range(d):
                row[j] -= along * basis[k, j]
        size = np.sqrt(np.dot(row, row))
        if size > tolerance * norms[i]:
            for j in range(d):
                basis[count, j] = row[j] / size
            active[count - 1] = i
            count += 1
    return count == d


@njit(cache=True, nogil=True)
def _start(B: Any, Bt: Any, b: Any, norms: Any, active: Any) -> bool:
    """Fill `active` with independent rows, those nearest to orthogonal to b first."""
    n, d = B.shape
    closeness, index = np.abs(np.dot(b, Bt)) / norms, np.arange(n)
    few = min(8 * d, n)
    if few < n:
        _select(closeness, np.ones(n), index, n, few)
    nearest = index[:few]
    nearest = nearest[np.argsort(closeness[nearest])]
    if _span(B, b, norms, nearest, 0.1, active):
        return True
    order = np.argsort(closeness)
    return _span(B, b, norms, order, 1e-2, active) or _span(B, b, norms, order, 1e-8, active)


@njit(cache=True, nogil=True)
def _refresh(B: Any, Bt: Any, b: Any, active: Any, shift: Any, sign: Any, x: Any, y: Any) -> Any:
    """Recompute x, y and the signs of the inactive rows; return (inverse, sum of signed rows)."""
    d = len(b)
    M, right = np.empty((d, d)), np.ones(d)
    M[0] = b
    for k in range(1, d):
        M[k] = B[active[k - 1]]
        right[k] = shift[active[k - 1]]
    inverse = np.linalg.inv(M)
    x[:] = np.dot(inverse, right)
    np.dot(x, Bt, y)
    y -= shift
    for i in range(len(y)):
        sign[i] = 1.0 if y[i] >= 0 else -1.0
    for i in active:
        sign[i] = 0.0
        y[i] = 0.0
    return inverse, np.dot(Bt, sign)


@njit(cache=True, nogil=True)
def _kinks(
    y: Any,
    dy: Any,
    sign: Any,
    norms: Any,
    length: float,
    reach: float,
    t: Any,
    change: Any,
    index: Any,
) -> tuple[int, float]:
    """List the kinks up to `reach` along an edge; return (their number, sum of their changes)."""
    m, total = 0, 0.0
    for i in range(len(y)):
        fall = -sign[i] * dy[i]
        if (fall * reach > sign[i] * y[i]) & (fall > FLAT * norms[i] * length):
            t[i] = max(-y[i] / dy[i], 0.0)
            change[i] = 2 * abs(dy[i])
            total += change[i]
            index[m] = i
            m += 1
    return m, total


@njit(cache=True, nogil=True)
def _descend(
    B: Any,
    Bt: Any,
    b: Any,
    norms: Any,
    shift: Any,
    active: Any,
    max_pivots: int,
    sign: Any,
) -> tuple[int, Any, Any]:
    """Return (pivots, inverse, dual of the active rows), having changed `active` and `sign`."""
    n, d = B.shape
    x, y, dy = np.empty(d), np.empty(n), np.empty(n)
    t, change, index = np.empty(n), np.empty(n), np.empty(n, np.int64)
    inverse, total = _refresh(B, Bt, b, active, shift, sign, x, y)
    pivots, since, reach = 0, 0, np.inf
    while True:
        dual = np.dot(total, inverse)
        k, steepest = 0, 0.0
        for j in range(1, d):
            excess = abs(dual[j]) - 1
            if excess > 1e-11:
                steepness = excess * excess / np.sum(inverse[:, j] ** 2)
                if steepness > steepest:
                    k, steepest = j, steepness
        if (k == 0 and since > 0) or since == REFRESH:
            inverse, total = _refresh(B, Bt, b, active, shift, sign, x, y)
            since = 0
            continue
        if k == 0 or pivots == max_pivots:
            return pivots, inverse, dual
        side = -1.0 if dual[k] > 0 else 1.0
        edge = side * inverse[:, k].copy()
        np.dot(edge, Bt, dy)
        length, need = np.sqrt(np.dot(edge, edge)), abs(dual[k]) - 1
        m, total_change = _kinks(y, dy, sign, norms, length, reach / length, t, change, index)
        if total_change < need:
            m, _ = _kinks(y, dy, sign, norms, length, np.inf, t, change, index)
        if m == 0:
            return pivots, inverse, dual
        at = _select(t, change, index, m, need)
        enter, leave = index[at], active[k - 1]
        reach = 4 * t[enter] * length
        for i in index[:at]:
            sign[i] = -sign[i]
            for j in range(d):
                total[j] += 2 * sign[i] * B[i, j]
        for j in range(d):
            total[j] += side * B[leave, j] - sign[enter] * B[enter, j]
        sign[leave], sign[enter] = side, 0.0
        for i in range(n):
            y[i] += t[enter] * dy[i]
        y[enter] = 0.0
        row = np.dot(B[enter], inverse)
        column = inverse[:, k] / row[k]
        for j in range(d):
            if j != k:
                inverse[:, j] -= column * row[j]
        inverse[:, k] = column
        active[k - 1] = enter
        pivots += 1
        since += 1


@njit(cache=True, nogil=True)
def l1_minimise(
    B: Any,
    Bt: Any,
    b: Any,
    norms: Any,
    gram_inverse: Any,
    shift: Any,
    max_pivots: int,
    x: Any,
    dual: Any,
) -> tuple[float, float, int]:
    """Minimise |B x|_1 over b.x = 1 into x, b of unit length; return (lower, upper, pivots).

    The interval is for sup |b.x| / |B x|_1: below it is the ratio at x, above it |v|_inf for a v
    with B'v = b, which is written into `dual`. It holds whether or not the pivots sufficed.
    """
    d = len(b)
    active = np.empty(d - 1, np.int64)
    if not _start(B, Bt, b, norms, active):
        return 0.0, np.inf, 0
    pivots, inverse, multipliers = _descend(B, Bt, b, norms, shift, active, max_pivots, dual)
    x[:] = inverse[:, 0]
    lower = abs(np.dot(b, x)) / np.sum(np.abs(np.dot(x, Bt)))
    for k in range(1, d):
        dual[active[k - 1]] = -multipliers[k]
    # What rounding has left of B'u = lambda b is spread over all rows.
    rest = multipliers[0] * b - np.dot(Bt, dual)
    dual += np.dot(np.dot(gram_inverse, rest), Bt)
    dual /= multipliers[0]
    return lower, np.max(np.abs(dual)), pivots


@njit(cache=True, nogil=True)
def l1_sensitivities(
    B: Any, targets: Any, gram_inverse: Any, shift: Any, max_pivots: int
) -> tuple[Any, Any, Any]:
    """Return (lower, upper, pivots) of each target, certified whether or not it has converged.

    The rows of B and the targets must not be zero.
    """
    (n, d), m = B.shape, len(targets)
    lower, upper, pivots = np.zeros(m), np.full(m, np.inf), np.zeros(m, np.int64)
    norms, Bt = np.sqrt(np.sum(B * B, axis=1)), np.ascontiguousarray(B.T)
    x, dual = np.empty(d), np.empty(n)
    for j in range(m):
        length = np.sqrt(np.dot(targets[j], targets[j]))
        low, high, pivots[j] = l1_minimise(
            B, Bt, targets[j] / length, norms, gram_inverse, shift, max_pivots, x, dual
        )
        lower[j], upper[j] = length * low, length * high
    return lower, upper, pivots
