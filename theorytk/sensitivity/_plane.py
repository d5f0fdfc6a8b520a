"""The l_1 norm of a matrix with two columns: its unit ball is a polygon, given by sorting."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def plane_sensitivities(B: Array, targets: Array) -> tuple[Array, Array]:
    """Return (lower, upper) for sup |b.x| / |B x|_1 of each target b, in O(n log n).

    The dual ball is a zonogon with corners P_k and edges 2 B_k. The edge on the way of a target
    gives the vertex x of the ball, orthogonal to B_k, and with it the lower bound; the target as a
    combination of the two ends of the edge gives the upper one. No row of B may be zero.
    """
    B = _upper_half(B)
    B = B[np.argsort(_angle(B), kind="stable")]
    corners = np.vstack([np.zeros(2), np.cumsum(2 * B, axis=0)]) - B.sum(axis=0)
    turns = _angle(corners)
    turns = np.maximum.accumulate(np.where(turns < turns[0], turns + 2 * np.pi, turns))
    angles = _angle(targets)
    angles += np.pi * np.ceil((turns[0] - angles) / np.pi)
    k = np.clip(np.searchsorted(turns, angles, side="right"), 1, len(B)) - 1
    size = _cross(B, corners[:-1])
    left, edge = corners[k], B[k]
    along = _cross(edge, targets) / size[k]
    share = _cross(targets, left) / (2 * size[k])
    # An edge of the size of rounding can be the wrong one: then what it adds is bounded by length.
    length = np.hypot(edge[:, 0], edge[:, 1])
    longest = np.max(np.hypot(B[:, 0], B[:, 1]) / np.abs(size))
    lower = np.abs(along)
    upper = np.minimum(
        np.abs(along - share) + np.abs(share), lower + 2 * np.abs(share) * length * longest
    )
    return lower, upper


def plane_ratios(B: Array, omega: Array) -> tuple[float, float, Array, Array]:
    """Return the extremes of sum omega |B x| / sum |B x| and where they are, in O(n log n).

    A ratio of two norms that are linear on the same sectors is extreme on a ray between sectors,
    and every such ray is orthogonal to a row.
    """
    B = _upper_half(B)
    order = np.argsort(_angle(B), kind="stable")
    B, omega = B[order], omega[order]
    x = np.column_stack([-B[:, 1], B[:, 0]]) / np.hypot(B[:, 0], B[:, 1])[:, None]
    ratio = _edge_norms(x, omega[:, None] * B) / _edge_norms(x, B)
    high, low = int(np.argmax(ratio)), int(np.argmin(ratio))
    return float(ratio[high]), float(ratio[low]), x[high], x[low]


def _edge_norms(x: Array, B: Array) -> Array:
    """Return the l_1 norms of B x_j, where x_j is orthogonal to row j and rows are sorted."""
    after = B.sum(axis=0) - np.cumsum(B, axis=0)
    before = np.cumsum(B, axis=0) - B
    return np.asarray(np.maximum(np.sum(x * (after - before), axis=1), 0.0))


def _upper_half(B: Array) -> Array:
    """Return the rows of B with signs that bring their angles into [0, pi)."""
    flip = (B[:, 1] < 0) | ((B[:, 1] == 0) & (B[:, 0] < 0))
    return np.where(flip[:, None], -B, B)


def _angle(B: Array) -> Array:
    return np.asarray(np.arctan2(B[:, 1], B[:, 0]))


def _cross(a: Any, b: Any) -> Any:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
