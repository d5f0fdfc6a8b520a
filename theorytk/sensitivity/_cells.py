"""A certified upper bound on a ratio of two l_p norms in few dimensions, by branch and bound."""

from __future__ import annotations

import itertools

import numpy as np

from theorytk.sensitivity._whitening import Array

# Rows times directions evaluated in one search, and at a time.
MAX_EVALUATIONS = 30_000_000
CHUNK = 2_000_000


def ratio_upper_bound(
    B: Array, u: Array, v: Array, p: float, found: float, *, tol: float = 1e-5
) -> float:
    """Return an upper bound on sup_x sum u |B x|^p / sum v |B x|^p, at least `found`.

    Directions are covered by simplicial cones spanned by x_1, ..., x_r of unit denominator. With
    N and D the p-th roots, N(sum c_i x_i) <= sum c_i N(x_i) and D(x) >= g.x for the gradient g of
    D anywhere, so that max_i N(x_i) / g.x_i bounds the cone. Cones that might exceed `found` by
    more than the fraction `tol` are halved, until the work is spent.
    """
    r, goal, most = B.shape[1], (found * (1 + tol)) ** (1 / p), 0.0
    cones = np.array(
        [np.diag([1.0, *signs]) for signs in itertools.product((1.0, -1.0), repeat=r - 1)]
    )
    cones /= _norms(B, v, p, cones.reshape(-1, r)).reshape(-1, r, 1)
    above = _norms(B, u, p, cones.reshape(-1, r)).reshape(-1, r)
    spent = 0
    while True:
        bound = _cone_bounds(B, v, p, cones, above)
        spent += 3 * len(cones) * len(B)
        keep = bound > goal
        most = max(most, bound[~keep].max(initial=0.0))
        if not keep.any():
            break
        if spent > MAX_EVALUATIONS:
            most = max(most, bound.max())
            break
        cones, above = _halve(B, u, v, p, cones[keep], above[keep])
    return float(max(most**p, found))


def _halve(
    B: Array, u: Array, v: Array, p: float, cones: Array, above: Array
) -> tuple[Array, Array]:
    """Return both halves of each cone, cut across its longest edge."""
    r, which = cones.shape[1], np.arange(len(cones))
    pairs = np.array(list(itertools.combinations(range(r), 2)))
    lengths = np.linalg.norm(cones[:, pairs[:, 0]] - cones[:, pairs[:, 1]], axis=2)
    first, second = pairs[lengths.argmax(axis=1)].T
    middle = cones[which, first] + cones[which, second]
    middle /= _norms(B, v, p, middle)[:, None]
    value = _norms(B, u, p, middle)
    left, right, above_left, above_right = cones.copy(), cones.copy(), above.copy(), above.copy()
    left[which, first], right[which, second] = middle, middle
    above_left[which, first], above_right[which, second] = value, value
    return np.concatenate([left, right]), np.concatenate([above_left, above_right])


def _cone_bounds(B: Array, v: Array, p: float, cones: Array, above: Array) -> Array:
    """Return the bound of each cone, infinite where the gradient at its centre gives none."""
    bounds = np.empty(len(cones))
    for part in _parts(len(cones), len(B)):
        y = cones[part].mean(axis=1) @ B.T
        power = np.abs(y) ** (p - 1) if p > 1 else np.ones_like(y)
        norm = ((power * np.abs(y)) @ v) ** (1 / p)
        gradient = (np.sign(y) * power * v) @ B / norm[:, None] ** (p - 1)
        heights = np.einsum("mij,mj->mi", cones[part], gradient)
        safe = np.where(heights > 0, heights, 1.0)
        bounds[part] = np.where(heights > 0, above[part] / safe, np.inf).max(axis=1)
    return bounds


def _norms(B: Array, weights: Array, p: float, x: Array) -> Array:
    """Return (sum weights |B x|^p)^(1/p) of each row of x."""
    norms = np.empty(len(x))
    for part in _parts(len(x), len(B)):
        norms[part] = (np.abs(x[part] @ B.T) ** p @ weights) ** (1 / p)
    return norms


def _parts(count: int, n: int) -> list[slice]:
    size = max(1, CHUNK // n)
    return [slice(start, start + size) for start in range(0, count, size)]
