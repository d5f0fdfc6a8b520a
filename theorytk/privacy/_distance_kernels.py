"""Kernels of the distance mechanisms: splitting points over hats and trees, and queries."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def cell_counts(points: Any, levels: int, bits: int) -> Any:
    """Return the counts of the 2^levels cells; the last cell holds its right end."""
    counts = np.zeros(1 << levels, np.int64)
    for point in points:
        counts[min(point >> (bits - levels), (1 << levels) - 1)] += 1
    return counts


@njit(cache=True, nogil=True)
def cell_offsets(points: Any, levels: int, bits: int) -> Any:
    """Return per cell the sum of the distances from its left end, in units of 2^-bits."""
    sums = np.zeros(1 << levels, np.int64)
    for point in points:
        cell = min(point >> (bits - levels), (1 << levels) - 1)
        sums[cell] += point - (cell << (bits - levels))
    return sums


@njit(cache=True, nogil=True)
def hat_totals(points: Any, levels: int, bits: int) -> Any:
    """Return both end sums and the hat sums, level by level, level l in units of 2^(l - bits)."""
    m = 1 << levels
    shift = bits - levels
    nodes = np.zeros(m + 2, np.int64)
    for point in points:
        cell = point >> shift
        right = point & ((1 << shift) - 1)
        nodes[cell] += (1 << shift) - right
        nodes[cell + 1] += right
    out = np.empty(m + 1, np.int64)
    for level in range(levels, 0, -1):
        half = 1 << (level - 1)
        for j in range(half):
            out[1 + half + j] = nodes[2 * j + 1]
        previous = np.int64(0)
        for j in range(half + 1):
            following = nodes[2 * j + 1] if j < half else np.int64(0)
            nodes[j] = 2 * nodes[2 * j] + previous + following
            previous = following
    out[0] = nodes[1]
    out[1] = nodes[0]
    return out


@njit(cache=True, nogil=True)
def hat_table(released: Any, levels: int) -> Any:
    """Return the sums of distances at the 2^levels + 1 grid points, from coarse to fine."""
    m = 1 << levels
    table = np.empty(m + 1)
    table[0], table[m] = released[0], released[1]
    for level in range(1, levels + 1):
        half = 1 << (level - 1)
        stride = m >> level
        height = 2.0**-level
        for j in range(half):
            node = (2 * j + 1) * stride
            mean = 0.5 * (table[node - stride] + table[node + stride])
            table[node] = mean - height * released[1 + half + j]
    return table


@njit(cache=True, nogil=True)
def interpolate(table: Any, y: Any) -> Any:
    """Return the piecewise linear function of the table at y, outside it that of distances."""
    m = len(table) - 1
    out = np.empty(len(y))
    for i in range(len(y)):
        t = y[i] * m
        if t < 0:
            out[i] = (1 - y[i]) * table[0] - y[i] * table[m]
        elif t > m:
            out[i] = y[i] * table[m] + (y[i] - 1) * table[0]
        else:
            cell = min(int(t), m - 1)
            right = t - cell
            out[i] = (1 - right) * table[cell] + right * table[cell + 1]
    return out


@njit(cache=True, nogil=True)
def heap_sums(leaves: Any) -> Any:
    """Return the sums over all nodes of the binary tree, root first, level by level."""
    m = len(leaves)
    heap = np.empty(2 * m - 1, leaves.dtype)
    heap[m - 1 :] = leaves
    for node in range(m - 2, -1, -1):
        heap[node] = heap[2 * node + 1] + heap[2 * node + 2]
    return heap


@njit(cache=True, nogil=True)
def _range_sum(heap: Any, first: int, last: int) -> float:
    """Return the sum over leaves first, ..., last - 1 from the fewest nodes."""
    total = 0.0
    base = (len(heap) + 1) // 2
    low, high = first + base, last + base
    while low < high:
        if low & 1:
            total += heap[low - 1]
            low += 1
        if high & 1:
            high -= 1
            total += heap[high - 1]
        low >>= 1
        high >>= 1
    return total


@njit(cache=True, nogil=True)
def ring_answers(heap: Any, cells: Any, edges: Any, weights: Any) -> Any:
    """Return per query the weighted counts of its rings, edges[j + 1] < distance <= edges[j]."""
    m = (len(heap) + 1) // 2
    out = np.zeros(len(cells))
    for i in range(len(cells)):
        cell = cells[i]
        for j in range(len(weights)):
            right = _range_sum(heap, min(cell + edges[j + 1] + 1, m), min(cell + edges[j] + 1, m))
            left = _range_sum(heap, max(cell - edges[j], 0), max(cell - edges[j + 1], 0))
            out[i] += weights[j] * (left + right)
    return out


@njit(cache=True, nogil=True)
def ring_noise(variances: Any, cells: Any, edges: Any, weights: Any) -> Any:
    """Return per query and ring (the noise variance, the number of nodes), by level variances."""
    levels = len(variances) - 1
    m = 1 << levels
    noise = np.zeros((len(cells), len(weights)))
    nodes = np.zeros((len(cells), len(weights)))
    for i in range(len(cells)):
        for j in range(len(weights)):
            for side in range(2):
                if side == 0:
                    low = min(cells[i] + edges[j + 1] + 1, m) + m
                    high = min(cells[i] + edges[j] + 1, m) + m
                else:
                    low = max(cells[i] - edges[j], 0) + m
                    high = max(cells[i] - edges[j + 1], 0) + m
                level = levels
                while low < high:
                    used = (low & 1) + (high & 1)
                    nodes[i, j] += used
                    noise[i, j] += used * variances[level] * weights[j] ** 2
                    low = (low + 1) >> 1
                    high >>= 1
                    level -= 1
    return noise, nodes


@njit(cache=True, nogil=True)
def leaf_lines(counts: Any, offsets: Any, levels: int) -> Any:
    """Return per leaf (intercept, slope): the sum over all points outside it at y is the line.

    Heaps of counts and of distances from the left ends of the nodes; the root is not used.
    """
    intercept, slope = np.zeros(1), np.zeros(1)
    for level in range(1, levels + 1):
        size = 1 << level
        below, above = np.empty(size), np.empty(size)
        for node in range(size):
            sibling = node ^ 1
            k = size - 1 + sibling
            total = offsets[k] + counts[k] * (sibling / size)
            sign = 1.0 if sibling > node else -1.0
            below[node] = intercept[node >> 1] + sign * total
            above[node] = slope[node >> 1] - sign * counts[k]
        intercept, slope = below, above
    return intercept, slope


@njit(cache=True, nogil=True)
def flat_answers(counts: Any, y: Any, power: float) -> Any:
    """Return the sums over cells of count times |y - centre|^power."""
    m = len(counts)
    out = np.zeros(len(y))
    for i in range(len(y)):
        for cell in range(m):
            distance = abs(y[i] - (cell + 0.5) / m)
            out[i] += counts[cell] * (distance if power == 1.0 else distance**power)
    return out


@njit(cache=True, nogil=True)
def flat_noise(m: int, y: Any, power: float, runs: int) -> Any:
    """Return per query and run of cells the sum of |y - centre|^(2 power)."""
    out = np.zeros((len(y), runs))
    for i in range(len(y)):
        for cell in range(m):
            out[i, cell * runs // m] += ((y[i] - (cell + 0.5) / m) ** 2) ** power
    return out
