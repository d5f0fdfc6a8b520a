"""How far reweighted rows distort the l_p norm, and how certain that number is."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.linalg
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from theorytk._validation import as_generator, check_array, check_int
from theorytk.sensitivity._cells import ratio_upper_bound
from theorytk.sensitivity._kernels import ascend_ratio
from theorytk.sensitivity._linalg import check_exponent, check_matrix
from theorytk.sensitivity._plane import plane_ratios
from theorytk.sensitivity._whitening import Array, whiten

__all__ = ["Distortion", "distortion"]

# Rows up to which rank 3 at p = 1 is enumerated, in O(n^2 log n).
MAX_SPATIAL_ROWS = 2000

# Rank up to which branch and bound certifies, and entries and columns of a lifted matrix.
MAX_CELL_RANK = 4
MAX_LIFTED_ENTRIES = 20_000_000
MAX_LIFTED_COLUMNS = 600

# Largest weights outside this range are divided out, lest their sums overflow or vanish.
SAFE = (1e-100, 1e100)

# Of each kind of informed start.
INFORMED_STARTS = 4

# Relative gain below which an ascent ends and its most steps, from every start and from the best.
ROUGH, FINE = (1e-6, 100), (1e-14, 1000)


@dataclass(frozen=True)
class Distortion:
    """The distortion ``sup_x |sum_i omega_i |a_i.x|^p / ||A x||_p^p - 1|`` of weights omega.

    Parameters
    ----------
    lower : float
        A lower bound, attained at `x_max` or `x_min`.
    upper : float
        An upper bound; infinity if none was found.
    status : str
        ``"exact"`` if both bounds are the distortion up to rounding, ``"certified"`` if the upper
        bound is finite, ``"estimate"`` if only the lower one says anything. That a distortion is
        at most epsilon is shown by the upper bound alone, that it is more by the lower one.
    ratio_max, ratio_min : float
        The extreme ratios that were found.
    x_max, x_min : ndarray, shape (d,)
        Directions at which they are attained.
    """

    lower: float
    upper: float
    status: str
    ratio_max: float
    ratio_min: float
    x_max: Array = field(repr=False)
    x_min: Array = field(repr=False)


def distortion(
    A: Any,
    weights: Any,
    p: float,
    *,
    n_starts: int = 20,
    rng: int | np.random.Generator | None = None,
) -> Distortion:
    """Measure the distortion of the l_p norm of A x by weights on its rows.

    It is exact for p = 2, for rank 1, for rank 2 at p = 1 and for rank 3 at p = 1 with up to 2000
    rows. Otherwise ascent from many starts gives the lower bound, and an upper one is certified
    for rank up to 4, by branch and bound, and for even p, by the eigenvalues of the lifted matrix
    whose rows are the symmetric p/2-fold tensor powers of those of A. A matrix that is
    block-diagonal, but for the order of rows and columns, is measured block by block.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix, of any rank but zero.
    weights : array_like, shape (n,)
        The weights omega >= 0 of the p-th powers, zero for rows left out; 1/q for sampled rows.
    p : float
        The exponent, finite and >= 1.
    n_starts : int, default 20
        Random starts of each ascent; informed starts are added.
    rng : int, Generator or None
        Random state of the starts.

    Returns
    -------
    Distortion

    Raises
    ------
    ValueError
        If A is zero, a weight is negative, or an argument is out of range.

    Notes
    -----
    If the rows with positive weights have a lower rank than A, the least ratio is 0 and the
    distortion at least 1. The lifted bound can be above 1 where the distortion is below.

    References
    ----------
    Woodruff, Yasuda (ICML 2023), for the guarantee that is measured. The ascent is BFGS with weak
    Wolfe conditions, Lewis, Overton (2013), "Nonsmooth optimization via quasi-Newton methods",
    Math. Program. 141; the bounds are derived here.

    Examples
    --------
    >>> from theorytk.sensitivity.distortion import distortion
    >>> found = distortion([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [2.0, 1.0, 1.0], 1)
    >>> found.status, round(found.lower, 12), found.upper == found.lower
    ('exact', 0.5, True)
    """
    A = check_matrix(A)
    weights = check_array("weights", weights, shape=(len(A),))
    if (weights < 0).any():
        raise ValueError(f"weights must be >= 0; got {weights.min():g}")
    p, n_starts = check_exponent(p), check_int("n_starts", n_starts, lower=1)
    if not A.any():
        raise ValueError("A must not be zero: its distortion has no meaning")
    rng = as_generator(rng)
    used = np.flatnonzero(A.any(axis=0))
    pattern = csr_array(A[:, used] != 0, dtype=float)
    _, block = connected_components(pattern.T @ pattern, directed=False)
    found = []
    for label in range(block.max() + 1):
        columns = used[block == label]
        rows = A[:, columns].any(axis=1)
        part = _connected(A[np.ix_(rows, columns)], weights[rows], p, n_starts, rng)
        found.append((part, columns))
    return _joined(found, A.shape[1])


def _joined(parts: list[tuple[Distortion, Any]], d: int) -> Distortion:
    """Return the distortion of a block-diagonal matrix from those of its blocks."""
    (high, at_high) = max(parts, key=lambda part: part[0].ratio_max)
    (low, at_low) = min(parts, key=lambda part: part[0].ratio_min)
    x_max, x_min = np.zeros(d), np.zeros(d)
    x_max[at_high], x_min[at_low] = high.x_max, low.x_min
    upper = max(part.upper for part, _ in parts)
    exact = all(part.status == "exact" for part, _ in parts)
    status = "exact" if exact else "certified" if upper < math.inf else "estimate"
    lower = max(part.lower for part, _ in parts)
    return Distortion(lower, upper, status, high.ratio_max, low.ratio_min, x_max, x_min)


def _connected(
    A: Array, omega: Array, p: float, n_starts: int, rng: np.random.Generator
) -> Distortion:
    """Return the distortion of a matrix without zero rows."""
    # Whitening a single column would cost more than measuring it.
    T, B = whiten(A, p) if A.shape[1] > 1 else (np.ones((1, 1)), A)
    n, r = B.shape
    largest = float(omega.max())
    unit = 1.0 if largest == 0 or SAFE[0] < largest < SAFE[1] else largest
    omega = omega / unit
    exact = p == 2 or r == 1 or (p == 1 and (r == 2 or (r == 3 and n <= MAX_SPATIAL_ROWS)))
    if exact:
        high, low, x_max, x_min = _exact_ratios(B, omega, p)
        high_bound, low_bound = high, low
    else:
        high, low, x_max, x_min = _ascended_ratios(B, omega, p, n_starts, rng)
        high_bound, low_bound = _ratio_bounds(B, omega, p, high, low)
    high, low = unit * float(high), unit * float(low)
    high_bound, low_bound = unit * float(high_bound), unit * float(low_bound)
    lower, upper = max(high - 1, 1 - low), max(high_bound - 1, 1 - low_bound)
    status = "exact" if exact else "certified" if upper < math.inf else "estimate"
    return Distortion(lower, upper, status, high, low, T @ x_max, T @ x_min)


def _exact_ratios(B: Array, omega: Array, p: float) -> tuple[float, float, Array, Array]:
    """Return (largest ratio, least ratio, and where), in the cases that have an algorithm."""
    r = B.shape[1]
    if r == 1:
        x, power = np.ones(1), np.abs(B[:, 0] / np.abs(B).max()) ** p
        value = float(omega @ power / power.sum())
        return value, value, x, x
    if p == 2:
        values, vectors = scipy.linalg.eigh(B.T @ (omega[:, None] * B), B.T @ B)
        return float(values[-1]), max(float(values[0]), 0.0), vectors[:, -1], vectors[:, 0]
    if r == 2:
        return plane_ratios(B, omega)
    # A ratio of piecewise linear functions is extreme where the direction is orthogonal to two
    # independent rows: in the plane orthogonal to the first of them.
    high, low, x_max, x_min = 0.0, math.inf, B[0], B[0]
    sizes = np.linalg.norm(B, axis=1)
    for row in B:
        plane = np.linalg.svd(row[None])[2][1:]
        projected = B @ plane.T
        keep = np.linalg.norm(projected, axis=1) > 1e-12 * sizes
        above, below, at_above, at_below = plane_ratios(projected[keep], omega[keep])
        if above > high:
            high, x_max = above, at_above @ plane
        if below < low:
            low, x_min = below, at_below @ plane
    return high, low, x_max, x_min


def _ascended_ratios(
    B: Array, omega: Array, p: float, n_starts: int, rng: np.random.Generator
) -> tuple[float, float, Array, Array]:
    """Return (largest ratio, least ratio, and where) as far as ascent finds them."""
    n, r = B.shape
    ones, size, few = np.ones(n), np.linalg.norm(B, axis=1), INFORMED_STARTS
    random = rng.standard_normal((2, n_starts, r))
    vectors = np.linalg.eigh(B.T @ (omega[:, None] * B))[1].T
    Bt = np.ascontiguousarray(B.T)

    # In whitened coordinates a row is nearly the direction in which it is the most sensitive.
    heavy = B[np.argsort(-omega * size**p)[:few]]
    starts = np.vstack([random[0], vectors[-few:], heavy])
    high, x_max = _best_ascent(Bt, omega, ones, p, starts)

    kept = omega > 0
    null = _null_vector(B[kept] / size[kept, None])
    if null is not None:
        return high, 0.0, x_max, null
    light = B[np.argsort(-size * ~kept)[:few]]
    starts = np.vstack([random[1], vectors[:few], light])
    inverse, x_min = _best_ascent(Bt, ones, omega, p, starts)
    return high, 1 / inverse, x_max, x_min


def _best_ascent(Bt: Array, u: Array, v: Array, p: float, starts: Array) -> tuple[float, Array]:
    """Return the largest ratio that ascent reaches, and where."""
    ratios, _ = ascend_ratio(Bt, u, v, p, starts, *ROUGH)
    best = starts[[ratios.argmax()]]
    ratios, _ = ascend_ratio(Bt, u, v, p, best, *FINE)
    return float(ratios[0]), best[0]


def _null_vector(B: Array) -> Array | None:
    """Return a direction orthogonal to all rows, which are of unit length, if there is one."""
    r = B.shape[1]
    if len(B) == 0:
        return np.ones(r)
    values, vectors = np.linalg.eigh(B.T @ B) if len(B) > r else (np.zeros(1), np.eye(r))
    if values[0] > 1e-8 * values[-1]:
        return None
    _, s, vectors = np.linalg.svd(B, full_matrices=True)
    lost = len(s) < r or s[-1] <= max(B.shape) * np.finfo(float).eps * s[0]
    return np.asarray(vectors[-1]) if lost else None


def _ratio_bounds(B: Array, omega: Array, p: float, high: float, low: float) -> tuple[float, float]:
    """Return an upper bound on the largest ratio and a lower one on the least."""
    r, ones = B.shape[1], np.ones(len(B))
    high_bound, low_bound = math.inf, 0.0
    half = p / 2
    if half == int(half):
        columns = math.comb(r + int(half) - 1, int(half))
        if columns <= MAX_LIFTED_COLUMNS and columns * len(B) <= MAX_LIFTED_ENTRIES:
            monomials = itertools.combinations_with_replacement(range(r), int(half))
            lifted = np.column_stack([np.prod(B[:, list(m)], axis=1) for m in monomials])
            # |a.x|^p is a square of an inner product of tensors, at which x need not arrive.
            _, whitened = whiten(lifted, 2)
            high_bound, low_bound, _, _ = _exact_ratios(whitened, omega, 2)
    if r <= MAX_CELL_RANK:
        high_bound = min(high_bound, ratio_upper_bound(B, omega, ones, p, high))
        if low > 0:
            low_bound = max(low_bound, 1 / ratio_upper_bound(B, ones, omega, p, 1 / low))
    return max(high_bound, high), min(low_bound, low)
