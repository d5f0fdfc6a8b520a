"""Sums, maxima and block scores of sensitivities, from few of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.sensitivity._linalg import check_exponent
from theorytk.sensitivity._whitening import Array, whiten
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.sensitivities import sensitivities, solve

__all__ = [
    "MaxSensitivity",
    "TotalSensitivity",
    "block_sensitivities",
    "max_sensitivity",
    "total_sensitivity",
]


@dataclass(frozen=True)
class TotalSensitivity:
    """The sum of all sensitivities, exact or estimated.

    Parameters
    ----------
    value : float
        The sum or its unbiased estimate.
    std_error : float
        The standard error of the estimate; 0 if exact.
    n_computed : int
        How many sensitivities were computed.
    """

    value: float
    std_error: float
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
    A, p = check_array("A", A, shape=(None, None)), check_exponent(p)
    if size is None:
        return TotalSensitivity(sensitivities(A, p, tol=tol).total, 0.0, len(A))
    size, generator = check_int("size", size, lower=2), as_generator(rng)
    if not A.any():
        return TotalSensitivity(0.0, 0.0, 0)
    weights = lewis_weights(A, p).weights
    probability = weights / weights.sum()
    drawn, which = np.unique(generator.choice(len(A), size, p=probability), return_inverse=True)
    values = sensitivities(A, p, rows=drawn, tol=tol).values
    terms = (values / probability[drawn])[which]
    error = float(terms.std(ddof=1)) / math.sqrt(size)
    return TotalSensitivity(float(terms.mean()), error, len(drawn))


def max_sensitivity(
    A: Any, p: float, *, size: int | None = None, tol: float = 1e-9
) -> MaxSensitivity:
    """Bound the largest l_p sensitivity from few rows.

    A row that is a combination of others, ``a = sum_j c_j a_j``, has ``sigma(a)^(1/p) <= sum_j
    |c_j| sigma(a_j)^(1/p)``. With d rows from a pivoted QR decomposition this bounds all rows; then
    those of the largest bounds are computed until none can be larger than the largest found.

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
    A, p = check_array("A", A, shape=(None, None)), check_exponent(p)
    tol = check_real("tol", tol, lower=0.0, lower_open=True)
    most = len(A) if size is None else check_int("size", size, lower=1)
    if not A.any():
        raise ValueError("A must not be zero: no row is the largest")
    nonzero = np.flatnonzero(A.any(axis=1))
    whitening, B = whiten(A[nonzero], p)
    _, pivots = scipy.linalg.qr(B.T, mode="r", pivoting=True)
    first = pivots[: whitening.rank]
    found = sensitivities(A, p, rows=nonzero[first], tol=tol)
    coefficients = np.linalg.solve(B[first].T, B.T).T
    upper = np.minimum((np.abs(coefficients) @ found.upper ** (1 / p)) ** p, 1.0)
    lower = np.zeros(len(B))
    lower[first], upper[first] = found.lower, found.upper
    if p <= 2:
        upper = np.minimum(upper, _leverage(B) ** (p / 2))
    done = np.zeros(len(B), dtype=bool)
    done[first] = True
    while done.sum() < most:
        best = lower.max()
        waiting = np.flatnonzero(~done & (upper > best * (1 + tol)))
        if len(waiting) == 0:
            break
        # Few at a time, for each may rule out many.
        batch = waiting[np.argsort(-upper[waiting])[: min(whitening.rank, most - done.sum())]]
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

    The score of a block J is the largest of `n_repeats` values of ``sup |c.x|^p / ||A x||_p^p``,
    c = sum of the rows with random signs. It is at most ``|J|^(p-1)`` times the sum of the
    sensitivities of the block, and below the largest of them with probability at most
    2^-n_repeats.

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
    A, p = check_array("A", A, shape=(None, None)), check_exponent(p)
    block_size = check_int("block_size", block_size, lower=1)
    n_repeats = check_int("n_repeats", n_repeats, lower=1)
    tol = check_real("tol", tol, lower=0.0, lower_open=True)
    signs = as_generator(rng).choice([-1.0, 1.0], size=(n_repeats, len(A)))
    starts = np.arange(0, len(A), block_size)
    sums = np.add.reduceat(signs[:, :, None] * A, starts, axis=1)
    found = solve(sums.reshape(-1, A.shape[1]), A, p, tol, spanned=True)
    return np.asarray(found.values.reshape(n_repeats, -1).max(axis=0))


def _leverage(B: Array) -> Array:
    """Return the leverage scores of a well conditioned matrix."""
    R = np.linalg.qr(B, mode="r")
    return np.asarray(np.sum(scipy.linalg.solve_triangular(R, B.T, trans="T") ** 2, axis=0))
