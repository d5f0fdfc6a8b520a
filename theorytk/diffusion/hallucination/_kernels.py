"""Inner loops of the chains, the laws and the projection: numba only, no validation.

Grids are uniform. The state of a generator is four words, (a, b, c, counter) of SFC64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["bin_moments", "deposit", "fill_normal", "isotonic", "table_step", "window_sums"]

# The ziggurat of 256 layers of equal area for exp(-x^2 / 2): where its tail starts, and that area.
TAIL, AREA, LAYERS = 3.6541528853610088, 0.00492867323399, 256


def _ziggurat() -> tuple[Any, Any]:
    """Return the right ends of the layers (257,), the widest first, and the density there."""
    x = np.empty(LAYERS + 1)
    x[0], x[1], x[LAYERS] = AREA * np.exp(0.5 * TAIL**2), TAIL, 0.0
    for i in range(2, LAYERS):
        x[i] = np.sqrt(-2 * np.log(AREA / x[i - 1] + np.exp(-0.5 * x[i - 1] ** 2)))
    return x, np.exp(-0.5 * x**2)


EDGES, HEIGHTS = _ziggurat()
SCALES = EDGES[:-1] * 2.0**-53
INSIDE = (EDGES[1:] / EDGES[:-1] * 2.0**53).astype(np.int64)


@njit(cache=True, nogil=True)
def fill_normal(out, state):
    """Write standard normals to out (n,) and advance the state."""
    a, b, c, counter = state[0], state[1], state[2], state[3]
    tail, i = 0, 0  # tail: 0 outside, 1 after the first draw of a pair in the tail, or 2 in a wedge
    x, sign, layer = 0.0, 1.0, np.int64(0)
    while i < out.size:
        word = a + b + counter
        counter += np.uint64(1)
        a = b ^ (b >> np.uint64(11))
        b = c + (c << np.uint64(3))
        c = ((c << np.uint64(24)) | (c >> np.uint64(40))) + word
        bits = np.int64(word >> np.uint64(11))
        if tail == 0:
            layer = np.int64(word & np.uint64(255))
            sign = 1.0 - 2.0 * np.int64((word >> np.uint64(8)) & np.uint64(1))
            x = bits * SCALES[layer]
            if bits < INSIDE[layer]:
                out[i] = sign * x
                i += 1
            else:
                tail = 1 if layer == 0 else 2
            continue
        u = (bits + 0.5) * 2.0**-53
        if tail == 1:  # an exponential beyond the tail's start, then accepted by the next draw
            x = -np.log(u) / TAIL
            tail = 3
            continue
        if tail == 3:
            accepted = -2 * np.log(u) > x * x
            x += TAIL
        else:
            low, high = HEIGHTS[layer], HEIGHTS[layer + 1]
            accepted = low + u * (high - low) < np.exp(-0.5 * x * x)
        if accepted:
            out[i] = sign * x
            i += 1
        tail = 1 if tail == 3 and not accepted else 0
    state[0], state[1], state[2], state[3] = a, b, c, counter


@njit(cache=True, nogil=True)
def table_step(x, predicted, z, row, low, spacing, signal, keep, noise):
    """Write the row's values at x to predicted, and move x; return where x leaves the grid, or -1.

    The new x is signal predicted + keep x + noise z.
    """
    last, scale = row.size - 2, 1 / spacing
    for i in range(x.size):
        u = (x[i] - low) * scale
        j = int(u)
        if not (u >= 0.0 and j <= last):
            return i
        value = row[j] + (u - j) * (row[j + 1] - row[j])
        predicted[i] = value
        x[i] = signal * value + keep * x[i] + noise * z[i]
    return -1


@njit(cache=True, nogil=True)
def window_sums(predicted, reference, first, second):
    """Add the deviations from the reference, and their squares, to first and second."""
    for i in range(predicted.size):
        deviation = predicted[i] - reference[i]
        first[i] += deviation
        second[i] += deviation * deviation


@njit(cache=True, nogil=True)
def isotonic(values, weights, out):
    """Write the weighted isotonic regression of each row of values (T, G) to out; weights > 0."""
    T, G = values.shape
    means, masses, ends = np.empty(G), np.empty(G), np.empty(G, np.int64)
    for t in range(T):
        top = -1
        for j in range(G):
            mean, mass = values[t, j], weights[t, j]
            while top >= 0 and means[top] >= mean:
                total = masses[top] + mass
                mean += (means[top] - mean) * (masses[top] / total)
                mass = total
                top -= 1
            top += 1
            means[top], masses[top], ends[top] = mean, mass, j + 1
        start = 0
        for k in range(top + 1):
            out[t, start : ends[k]] = means[k]
            start = ends[k]


@njit(cache=True, nogil=True)
def deposit(masses, grid, row, signal, keep, out):
    """Move each mass to signal row + keep grid, shared by its two neighbours; return what left.

    What lands beyond the grid stays at its ends. `out` may be longer than the grid.
    """
    G = grid.size
    low, scale, left = grid[0], (G - 1) / (grid[G - 1] - grid[0]), 0.0
    out[:] = 0.0
    for i in range(G):
        u = (signal * row[i] + keep * grid[i] - low) * scale
        if u < 0.0 or u > G - 1:
            left += masses[i]
            u = min(max(u, 0.0), G - 1.0)
        j = min(int(u), G - 2)
        out[j] += masses[i] * (1 - (u - j))
        out[j + 1] += masses[i] * (u - j)
    return left


@njit(cache=True, nogil=True)
def bin_moments(density, values, spacing, edges, out):
    """Add to out (3, bins) the mass, first and second moments of values within each bin.

    Density and values are linear in each cell, so that every piece is a cubic, which Simpson's
    rule integrates exactly. Bins are half open, (lower, upper].
    """
    bins = edges.size - 1
    for i in range(density.size - 1):
        p, rise = density[i], density[i + 1] - density[i]
        v, slope = values[i], values[i + 1] - values[i]
        if p == 0.0 and rise == 0.0:
            continue
        low, high = min(v, v + slope), max(v, v + slope)
        first = max(np.searchsorted(edges, low) - 1, 0)
        for k in range(first, bins):
            if edges[k] > high:
                break
            if slope == 0.0:
                start, end = (0.0, 1.0) if edges[k] < v <= edges[k + 1] else (0.0, 0.0)
            else:
                start, end = (edges[k] - v) / slope, (edges[k + 1] - v) / slope
                start, end = max(min(start, end), 0.0), min(max(start, end), 1.0)
            if end <= start:
                continue
            for node in range(3):
                at = start + 0.5 * node * (end - start)
                y = v + at * slope
                share = (4.0 if node == 1 else 1.0) / 6 * (end - start) * spacing * (p + at * rise)
                out[0, k] += share
                out[1, k] += share * y
                out[2, k] += share * y * y
