"""Kernels of the kernel-sum mechanisms: what each point contributes, rounded point by point.

A point's contribution must not depend on which points come with it. Matrix products of BLAS and
vector functions of NumPy may round a row differently in another batch; these loops do not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit


@njit(inline="always")
def _cosine_of_turns(turns: Any) -> Any:
    """Return cos(2 pi turns) to about 1e-15 by the series of the sine on a quarter turn."""
    s = 2 * math.pi * (0.25 - abs(turns - np.rint(turns)))
    u = s * s
    series = 1 - u / 506 * (1 - u / 600)
    series = 1 - u / 342 * (1 - u / 420 * series)
    series = 1 - u / 210 * (1 - u / 272 * series)
    series = 1 - u / 110 * (1 - u / 156 * series)
    series = 1 - u / 42 * (1 - u / 72 * series)
    return s * (1 - u / 6 * (1 - u / 20 * series))


@njit(cache=True, nogil=True)
def feature_totals(points: Any, frequencies: Any, phases: Any, height: float) -> Any:
    """Return per frequency the sum over points of height cos(2 pi (<w, x> + phase)), in integers.

    Each term is rounded towards zero first. Frequencies and phases are in turns.
    """
    d, m = frequencies.shape
    totals = np.zeros(m, np.int64)
    turns = np.empty(m)
    for i in range(len(points)):
        turns[:] = phases
        for c in range(d):
            x = points[i, c]
            for j in range(m):
                turns[j] += x * frequencies[c, j]
        for j in range(m):
            wave = height * _cosine_of_turns(turns[j])
            # An overflow makes NaN, whose integer would be without bounds.
            totals[j] += np.int64(wave if wave == wave else 0.0)
    return totals


@njit(cache=True, nogil=True)
def map_points(points: Any, linear: Any) -> Any:
    """Return ``points @ linear``."""
    mapped = np.zeros((len(points), linear.shape[1]))
    for i in range(len(points)):
        for c in range(points.shape[1]):
            for j in range(linear.shape[1]):
                mapped[i, j] += points[i, c] * linear[c, j]
    return mapped


@njit(cache=True, nogil=True)
def spline_totals(points: Any, levels: int, kappa: float, bits: int) -> Any:
    """Return the sums of the end terms and of all exponential surpluses, in steps of 2^-bits.

    Points are whole multiples of 2^-bits of the unit interval; each term is rounded towards zero.
    """
    totals = np.zeros((1 << levels) + 1, np.int64)
    height = 2.0**bits
    for point in points:
        x = point / height
        left, right = math.exp(-kappa * x), math.exp(-kappa * (1 - x))
        totals[0] += np.int64(height * (left + right))
        totals[1] += np.int64(height * (left - right))
        h = 1.0
        for level in range(1, levels + 1):
            h /= 2
            node = min(point >> (bits - level + 1), (1 << (level - 1)) - 1)
            away = abs(x - (2 * node + 1) * h)
            inside = max(h - away, 0.0)
            surplus = -math.expm1(-2 * kappa * inside) / (1 + math.exp(-2 * kappa * h))
            totals[1 + (1 << (level - 1)) + node] += np.int64(
                height * (math.exp(-kappa * away) * surplus)
            )
    return totals
