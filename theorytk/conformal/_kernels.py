"""Counts and leave-one-out selection sizes of sorted scores: numba, no validation, no sorting."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def count(cal: Any, test: Any, out: Any) -> None:
    """Write how many of cal[k] are <= each test[k]; rows ascend."""
    models, n = cal.shape
    m = test.shape[1]
    for k in range(models):
        V, T, counts = cal[k], test[k], out[k]
        # A merge without branches, which no processor could predict here.
        below = i = 0
        while below < n and i < m:
            counts[i] = below
            advance = V[below] <= T[i]
            below += advance
            i += 1 - advance
        counts[i:] = n


@njit(cache=True, nogil=True)
def take(values: Any, places: Any, out: Any) -> None:
    """Write values[k, places[k, i]] into out[k, i]."""
    for k in range(len(places)):
        for i in range(places.shape[1]):
            out[k, i] = values[k, places[k, i]]


@njit(cache=True, nogil=True)
def sizes(cal: Any, test: Any, levels: Any, order: Any, out: Any) -> None:
    """Write the leave-one-out sizes of ascending scores at their places in out (levels, models, m).

    The proof is in sizes.py. Here `top` is B, `reach` the A of the next group of ties, and `last`
    the largest rank l with N_l <= g (l + 1). At most x of the ascending V are <= T just if x >= n
    or V[floor(x)] > T, so that nothing is counted. (A function for this would cost ten times more:
    numba counts references to V at every call.)
    """
    models, m = test.shape
    n = cal.shape[1]
    for k in range(models):
        V, T, places = cal[k], test[k], order[k]
        last = m
        for a in range(len(levels) - 1, -1, -1):
            step = levels[a] * (n + 1) / m
            # Fewer ranks pass at a lower level.
            if a + 1 < len(levels) and levels[a] > levels[a + 1]:
                last = m
            while last > 0:
                x = step * (last + 1)
                if x >= n or V[int(x)] > T[last - 1]:
                    break
                last -= 1
            top = last
            while top > 0:
                x = step * top - 1
                if x >= n or (x >= 0 and V[int(x)] > T[top - 1]):
                    break
                top -= 1
            found = out[a, k]
            found[:] = 1 + last
            for i in range(top):
                found[places[i]] = top
            reach = reached = top
            for i in range(top, m):
                if i == 0 or T[i] != T[i - 1]:
                    reached = reach
                    if i >= last:
                        break
                found[places[i]] = 1 + reached
                x = step * (i + 2)
                if x >= n or V[int(x)] > T[i]:
                    reach = i + 1


@njit(cache=True, nogil=True)
def weighted_sizes(
    test: Any, below: Any, total: Any, weight: Any, levels: Any, order: Any, out: Any
) -> None:
    """Write the leave-one-out sizes of ascending weighted scores at their places in out.

    The proof is in sizes.py; here `most` holds the maxima of M, `least` and `ranks` the stack.
    """
    models, m = test.shape
    most, least = np.empty(m), np.empty(m)
    ranks = np.empty(m, np.int64)
    for k in range(models):
        T, W, w = test[k], below[k], weight[k]
        for a in range(len(levels)):
            best = -np.inf
            for i in range(m - 1, -1, -1):
                share = levels[a] * (i + 1) / m
                best = max(best, (share * total[k] - W[i]) / (1 - share))
                most[i] = best
            depth = first = 0
            while first < m:
                end = first + 1
                while end < m and T[end] == T[first]:
                    end += 1
                for rank in range(max(first, 1), end):
                    bound = W[rank - 1] * m / (levels[a] * (rank + 1)) - total[k]
                    while depth > 0 and least[depth - 1] >= bound:
                        depth -= 1
                    least[depth], ranks[depth] = bound, rank
                    depth += 1
                for i in range(first, end):
                    size = _count_at_least(most, w[i])
                    if size <= end:
                        found = np.searchsorted(least[:depth], w[i], side="right")
                        size = 1 + (ranks[found - 1] if found > 0 else 0)
                    out[a, k, order[k, i]] = size
                first = end


@njit(cache=True, nogil=True)
def _count_at_least(falling: Any, value: float) -> int:
    """Return how many entries of the nonincreasing array are >= value."""
    low, high = 0, len(falling)
    while low < high:
        middle = (low + high) // 2
        if falling[middle] >= value:
            low = middle + 1
        else:
            high = middle
    return low
