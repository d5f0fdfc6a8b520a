"""Kernels of the kernel-sum mechanisms: what each point contributes, rounded point by point.

A point's contribution must not depend on which points come with it. Matrix products of BLAS and
vector functions of NumPy may round a row differently in another batch; these loops do not.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

# Of the series of the sine, divided by its argument, from the tenth power of its square down.
SINE = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(10, -1, -1))


@njit(inline="always")
def _cosine_of_turns(turns: Any) -> Any:
    """Return cos(2 pi turns) to about 1e-15 by the series of the sine on a quarter turn."""
    s = 2 * math.pi * (0.25 - abs(turns - np.rint(turns)))
    u = s * s
    series = SINE[0]
    for coefficient in SINE[1:]:
        series = series * u + coefficient
    return s * series


@njit(cache=True, nogil=True)
def feature_totals(points: Any, frequencies: Any, phases: Any, shifts: Any, height: float) -> Any:
    """Return the sums over points of height cos(2 pi (<w, x> + phase + shift)), in integers.

    All frequencies for one shift after the other; each term is rounded towards zero first.
    Frequencies, phases and shifts are in turns.
    """
    d, m = frequencies.shape
    totals = np.zeros((len(shifts), m), np.int64)
    turns = np.empty(m)
    for i in range(len(points)):
        turns[:] = phases
        for c in range(d):
            x = points[i, c]
            for j in range(m):
                turns[j] += x * frequencies[c, j]
        for s in range(len(shifts)):
            for j in range(m):
                wave = height * _cosine_of_turns(turns[j] + shifts[s])
                # An overflow makes NaN, whose integer would be without bounds.
                totals[s, j] += np.int64(wave if wave == wave else 0.0)
    return totals.ravel()


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
