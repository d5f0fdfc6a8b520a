"""Kernels of the counter arrays: the bucket of each point in each row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

# Codes that leave 32 bits end at them: neighbouring cells far outside become one.
LIMIT = 2**31 - 1


@njit(inline="always")
def _bucket(point: Any, linear: Any, offsets: Any, signs: bool, keys: Any, bits: int) -> Any:
    """Return the bucket of one point in one row: its codes, hashed by multiply-shift."""
    word = keys[len(offsets)]
    for j in range(len(offsets)):
        position = offsets[j]
        for c in range(len(point)):
            position += point[c] * linear[j, c]
        if signs:
            code = np.int64(position >= 0)
        elif abs(position) < LIMIT:
            code = np.int64(math.floor(position))
        else:
            code = np.int64(LIMIT if position > 0 else -LIMIT)
        word += keys[j] * (np.uint64(code) & np.uint64(0xFFFFFFFF))
    return np.int64(word >> np.uint64(64 - bits))


@njit(cache=True, nogil=True)
def buckets(points: Any, linear: Any, offsets: Any, signs: bool, keys: Any, bits: int) -> Any:
    """Return the bucket of every point in every row, shape (n, rows)."""
    out = np.empty((len(points), len(offsets)), np.int64)
    for i in range(len(points)):
        for r in range(len(offsets)):
            out[i, r] = _bucket(points[i], linear[r], offsets[r], signs, keys[r], bits)
    return out


@njit(cache=True, nogil=True)
def counters(points: Any, linear: Any, offsets: Any, signs: bool, keys: Any, bits: int) -> Any:
    """Return how many points lie in every bucket of every row, shape (rows, 2^bits)."""
    counts = np.zeros((len(offsets), 1 << bits), np.int64)
    for i in range(len(points)):
        for r in range(len(offsets)):
            bucket = _bucket(points[i], linear[r], offsets[r], signs, keys[r], bits)
            counts[r, bucket] += 1
    return counts


@njit(cache=True, nogil=True)
def counter_means(table: Any, chosen: Any) -> Any:
    """Return the mean over rows of the counters in the chosen buckets, shape (q,)."""
    out = np.zeros(len(chosen))
    for i in range(len(chosen)):
        for r in range(len(table)):
            out[i] += table[r, chosen[i, r]]
        out[i] /= len(table)
    return out
