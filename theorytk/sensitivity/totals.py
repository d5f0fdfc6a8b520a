"""Sums, maxima and block scores of sensitivities, from few of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from theorytk._validation import as_generator, check_int, check_real
from theorytk.sensitivity._linalg import check_exponent, check_matrix
from theorytk.sensitivity._whitening import Array, whiten
from theorytk.sensitivity.leverage import leverage_scores
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.sensitivities import sensitivities, solve
from theorytk.sensitivity.theory import total_sensitivity_range

__all__ = [
    "MaxSensitivity",
    "TotalSensitivity",
    "block_sensitivities",
    "max_sensitivity",
    "total_sensitivity",
]

# Lewis weights good enough to draw by: any weights leave the estimate unbiased.
DRAWING_TOL = 1e-3

# Least relative gain of volume for which rows are exchanged, above rounding.
EXCHANGE = 1e-9


@dataclass(frozen=True)
class TotalSensitivity:
    """The sum of all sensitivities, computed or estimated, between certified bounds.

    Parameters
    ----------
    value : float
        The sum or its unbiased estimate.
    std_error : float
        The standard error of the estimate; 0 if all were computed.
    lower, upper : float
        The sum lies between them for certain: the sums of the bounds of all sensitivities, or for
        an estimate the range that the rank allows.
    n_computed : int
        How many sensitivities were computed.
    """

    value: float
    std_error: float
    lower: float
    upper: float
    n_computed: int


@dataclass(frozen=True)
class MaxSensitivity:
    """The largest sensitivity between certified bounds.

    Parameters
    ----------
    lower : float
        The lower bound of the sensitivity of `row`.
    upper : float
        No row has a larger sensitivity.
    row : int
        The row of the largest sensitivity found.
    n_computed : int
        How many sensitivities were computed.
    """

    lower: float
    upper: float
    row: int
    n_computed: int


def total_sensitivity(
    A: Any,
    p: float,
    *,
    size: int | None = None,
    tol: float = 1e-9,
    rng: int | np.random.Generator | None = None,
) -> TotalSensitivity:
    """Return the sum of the l_p sensitivities, exactly or from a few rows.

    The estimate draws rows with probability w_i / d, w the Lewis weights and d the rank, and
    averages d sigma_i / w_i. Its relative variance is at most d^|1 - p/2| / size.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix, of any rank.
    p : float
        The exponent, finite and >= 1.
    size : int, optional
        Number of rows to draw, at least 2; by default all sensitivities are computed.
    tol : float, default 1e-9
        As in `sensitivities`.
    rng : int, Generator or None
        Random state of the draw.

    Returns
    -------
    TotalSensitivity

    References
    ----------
    Padmanabhan, Woodruff, Zhang (NeurIPS 2023) estimate totals by few sensitivities; this
    estimator and its variance are derived here.

    Examples
    --------
    >>> from theorytk.sensitivity.totals import total_sensitivity
    >>> total_sensitivity([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], 1).value
    1.5
    """
    A, p = check_matrix(A), check_exponent(p)
    if size is None:
        found = sensitivities(A, p, tol=tol)
        lower, upper = float(found.lower.sum()), float(found.upper.sum())
        return TotalSensitivity(found.total, 0.0, lower, upper, len(A))
    size, generator = check_int("size", size, lower=2), as_generator(rng)
    if not A.any():
        return TotalSensitivity(0.0, 0.0, 0.0, 0.0, 0)
    lewis = lewis_weights(A, p, tol=DRAWING_TOL)
    probability = lewis.weights / lewis.weights.sum()
    drawn, which = np.unique(generator.choice(len(A), size, p=probability), return_inverse=True)
    values = sensitivities(A, p, rows=drawn, tol=tol).values
    terms = (values / probability[drawn])[which]
    error = float(terms.std(ddof=1)) / math.sqrt(size)
    lower, upper = total_sensitivity_range(lewis.rank, p)
    return TotalSensitivity(float(terms.mean()), error, lower, upper, len(drawn))


def max_sensitivity(
    A: Any, p: float, *, size: int | None = None, tol: float = 1e-9
) -> MaxSensitivity:
    """Bound the largest l_p sensitivity from few rows.

    A row that is a combination of others, ``a = sum_j c_j a_j``, has ``sigma(a)^(1/p) <= sum_j
    |c_j| sigma(a_j)^(1/p)``. With d rows of locally maximal volume all ``|c_j| <= 1``, so that no
    row has more than d^p times the largest of their sensitivities; then those of the largest bounds
    are computed until none can be larger than the largest found.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix, of any rank but zero.
    p : float
        The exponent, finite and >= 1.
    size : int, optional
        Most sensitivities to compute, but for the first d; by default as many as it takes to make
        the upper bound equal to the lower one up to `tol`.
    tol : float, default 1e-9
        As in `sensitivities`.

    Returns
    -------
    MaxSensitivity

    References
    ----------
    Padmanabhan, Woodruff, Zhang (NeurIPS 2023) bound the largest l_1 sensitivity within sqrt(d)
    by d sensitivities; this variant is derived here.

    Examples
    --------
    >>> from theorytk.sensitivity.totals import max_sensitivity
    >>> found = max_sensitivity([[1.0, 0.0], [0.0, 1.0], [3.0, 1.0]], 1)
    >>> round(found.lower, 6), round(found.upper, 6), found.n_computed
    (0.75, 0.75, 2)
    """
    A, p = check_matrix(A), check_exponent(p)
    tol = check_real("tol", tol, lower=0.0, lower_open=True)
    most = len(A) if size is None else check_int("size", size, lower=1)
    if not A.any():
        raise ValueError("A must not be zero: no row is the largest")
    nonzero = np.flatnonzero(A.any(axis=1))
    _, B = whiten(A[nonzero], p)
    first, coefficients = _largest_volume(B)
    found = sensitivities(A, p, rows=nonzero[first], tol=tol)
    upper = np.minimum((np.abs(coefficients) @ found.upper ** (1 / p)) ** p, 1.0)
    lower = np.zeros(len(B))
    lower[first], upper[first] = found.lower, found.upper
    if p <= 2:
        upper = np.minimum(upper, leverage_scores(B) ** (p / 2))
    done = np.zeros(len(B), dtype=bool)
    done[first] = True
    while done.sum() < most:
        best = lower.max()
        waiting = np.flatnonzero(~done & (upper > best * (1 + tol)))
        if len(waiting) == 0:
            break
        # Few at a time, for each may rule out many.
        batch = waiting[np.argsort(-upper[waiting])[: min(B.shape[1], most - done.sum())]]
        found = sensitivities(A, p, rows=nonzero[batch], tol=tol)
        lower[batch], upper[batch], done[batch] = found.lower, found.upper, True
    row = int(lower.argmax())
    return MaxSensitivity(float(lower[row]), float(upper.max()), int(nonzero[row]), int(done.sum()))


def block_sensitivities(
    A: Any,
    p: float,
    block_size: int,
    *,
    n_repeats: int = 5,
    tol: float = 1e-9,
    rng: int | np.random.Generator | None = None,
) -> Array:
    """Return scores of blocks of consecutive rows from random signed sums of their rows.

    The score of a block J is the largest of `n_repeats` values of ``sup |c.x|^p / ||A x||_p^p``, c
    = sum of the rows with random signs, as certified upper bounds. It is at most ``|J|^(p-1)``
    times the sum of the sensitivities of the block, up to `tol`, and below the largest of them
    with probability at most 2^-n_repeats.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix.
    p : float
        The exponent, finite and >= 1.
    block_size : int
        Rows of a block; the last one may have fewer.
    n_repeats : int, default 5
        Signed sums of each block.
    tol : float, default 1e-9
        As in `sensitivities`.
    rng : int, Generator or None
        Random state of the signs.

    Returns
    -------
    ndarray, shape (ceil(n / block_size),)

    References
    ----------
    Padmanabhan, Woodruff, Zhang (NeurIPS 2023), for p = 1; both inequalities are derived here.

    Examples
    --------
    >>> from theorytk.sensitivity.totals import block_sensitivities
    >>> block_sensitivities([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], 1, 1, rng=0)
    array([0.5, 0.5, 0.5])
    """
    A, p = check_matrix(A), check_exponent(p)
    block_size = check_int("block_size", block_size, lower=1)
    n_repeats = check_int("n_repeats", n_repeats, lower=1)
    tol = check_real("tol", tol, lower=0.0, lower_open=True)
    signs = as_generator(rng).choice([-1.0, 1.0], size=(n_repeats, len(A)))
    starts = np.arange(0, len(A), block_size)
    sums = np.add.reduceat(signs[:, :, None] * A, starts, axis=1)
    found = solve(sums.reshape(-1, A.shape[1]), A, p, tol, inside=True)
    return np.asarray(found.upper.reshape(n_repeats, -1).max(axis=0))


def _largest_volume(B: Array) -> tuple[Any, Array]:
    """Return d rows whose volume no exchange for another row increases, and all in terms of them.

    The coefficients, shape (n, d), are at most 1 in modulus, by Cramer's rule.
    """
    _, pivots = scipy.linalg.qr(B.T, mode="r", pivoting=True)
    rows = pivots[: B.shape[1]].copy()
    while True:
        coefficients = np.asarray(np.linalg.solve(B[rows].T, B.T).T, dtype=float)
        i, j = np.unravel_index(np.abs(coefficients).argmax(), coefficients.shape)
        if abs(coefficients[i, j]) <= 1 + EXCHANGE:
            return rows, coefficients
        rows[j] = i
