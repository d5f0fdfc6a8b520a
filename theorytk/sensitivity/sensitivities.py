"""Exact l_p sensitivities, each with a certified interval."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int, check_real
from theorytk.sensitivity._active_set import l1_sensitivities
from theorytk.sensitivity._kernels import lp_sensitivities
from theorytk.sensitivity._least_norm import MAX_ITER, l1_settings, linear_program
from theorytk.sensitivity._linalg import check_exponent, check_matrix, spanned
from theorytk.sensitivity._plane import plane_sensitivities
from theorytk.sensitivity._whitening import Array, whiten

__all__ = ["Sensitivities", "sensitivities"]

# All rows against as many as these take minutes; a coreset as reference takes seconds.
MAX_ROWS = 20_000


@dataclass(frozen=True)
class Sensitivities:
    """The l_p sensitivities of some rows and the intervals in which they lie for certain.

    Parameters
    ----------
    p : float
        The exponent.
    values : ndarray, shape (n,)
        The sensitivities: the middles of the intervals.
    lower, upper : ndarray, shape (n,)
        Certified bounds, up to rounding. The lower one is the ratio at a direction that was found,
        the upper one the norm of a dual solution.
    n_iter : ndarray of int, shape (n,)
        Pivots (p = 1) or Newton iterations of each row, 0 where a closed form was used.
    """

    p: float
    values: Array
    lower: Array
    upper: Array
    n_iter: np.ndarray

    @property
    def total(self) -> float:
        """The sum of the values."""
        return float(self.values.sum())


def sensitivities(
    A: Any,
    p: float,
    *,
    rows: Any = None,
    reference: Any = None,
    tol: float = 1e-9,
) -> Sensitivities:
    """Return the l_p sensitivities ``sup_x |a_i.x|^p / ||A x||_p^p`` of the rows of A.

    p = 1 is solved by an active-set method, p = 2 and two columns at p = 1 in closed form, other
    finite p by Newton's method, each with its dual certificate, and p = infinity, where the
    sensitivity is ``sup |a_i.x| / ||A x||_inf``, by linear programming.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix, of any rank. Rows of zeros have sensitivity zero.
    p : float
        The exponent, from 1 to infinity.
    rows : array_like of int, optional
        Indices of the rows wanted; all by default.
    reference : array_like, shape (m, d), optional
        The matrix in the denominator, A by default. A coreset, with its weights to the power 1/p
        multiplied into its rows, saves the factor n / m. Rows of A outside its row space have
        infinite sensitivity.
    tol : float, default 1e-9
        Largest relative width of an interval.

    Returns
    -------
    Sensitivities

    Raises
    ------
    ValueError
        If an argument is out of range, or if there are more than 20000 rows both to be scored and
        in the reference, but for p = 2 and for rank 2 at p = 1.

    Warns
    -----
    RuntimeWarning
        If intervals are wider than `tol`; they hold none the less.

    References
    ----------
    Woodruff, Yasuda (ICML 2023), for the definition. The l_1 method follows Barrodale,
    Roberts (1973), "An improved algorithm for discrete l_1 linear approximation", SIAM J. Numer.
    Anal. 10; certificates are derived here from the dual norm, sigma_i^(1/p) =
    min {||v||_q : A'v = a_i}.

    Examples
    --------
    >>> from theorytk.sensitivity.sensitivities import sensitivities
    >>> found = sensitivities([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], 1)
    >>> found.values
    array([0.5, 0.5, 0.5])
    """
    A, p = check_matrix(A), check_sensitivity_exponent(p)
    tol = check_real("tol", tol, lower=0.0, lower_open=True)
    targets = A if rows is None else A[_check_rows(rows, len(A))]
    if reference is None:
        found = solve(targets, A, p, tol, inside=True)
        values, lower, upper = np.minimum([found.values, found.lower, found.upper], 1.0)
        return Sensitivities(p, values, lower, upper, found.n_iter)
    return solve(targets, check_array("reference", reference, shape=(None, A.shape[1])), p, tol)


def check_sensitivity_exponent(p: Any) -> float:
    """Return p as a float from 1 to infinity."""
    return math.inf if p == math.inf else check_exponent(p)


def solve(
    targets: Array, reference: Array, p: float, tol: float, *, inside: bool = False
) -> Sensitivities:
    """Return the sensitivities of targets against the reference; `inside` if in its row space."""
    lower, upper = np.zeros(len(targets)), np.zeros(len(targets))
    n_iter = np.zeros(len(targets), dtype=np.int64)
    nonzero, wanted = reference[reference.any(axis=1)], targets.any(axis=1)
    if len(nonzero) == 0:
        lower[wanted] = upper[wanted] = math.inf
        return Sensitivities(p, lower.copy(), lower, upper, n_iter)
    T, B = whiten(nonzero, p)
    if not inside and B.shape[1] < nonzero.shape[1]:
        outside = wanted & ~spanned(targets, nonzero)
        lower[outside] = upper[outside] = math.inf
        wanted &= ~outside
    low, high, n_iter[wanted] = _bounds(B, targets[wanted] @ T, p, tol)
    lower[wanted], upper[wanted] = np.minimum(low, high), np.maximum(low, high)
    wide = np.count_nonzero(lower[wanted] < (1 - tol) * upper[wanted])
    if wide:
        warnings.warn(
            f"{wide} of {len(targets)} sensitivities have certified intervals wider than tol = "
            f"{tol:g}, relatively",
            RuntimeWarning,
            stacklevel=3,
        )
    values = np.where(upper == lower, lower, (lower + upper) / 2)
    return Sensitivities(p, values, lower, upper, n_iter)


def _bounds(B: Array, T: Array, p: float, tol: float) -> tuple[Array, Array, Any]:
    """Return (lower, upper, iterations) for targets T against B, both whitened."""
    if p == 2:
        scores = np.sum(T @ np.linalg.inv(B.T @ B) * T, axis=1)
        return scores, scores.copy(), 0
    if B.shape[1] == 1:
        scale = np.max(np.abs(B))
        values = np.abs(T[:, 0]) / scale
        if p < math.inf:
            values = values**p / np.sum(np.abs(B / scale) ** p)
        return values, values.copy(), 0
    if p == 1 and B.shape[1] == 2:
        return (*plane_sensitivities(B, T), 0)
    if min(len(B), len(T)) > MAX_ROWS:
        raise ValueError(
            f"A must have at most {MAX_ROWS} rows for all its sensitivities; got {len(T)}: give "
            "some rows, or reference=coreset"
        )
    gram_inverse = np.linalg.inv(B.T @ B)
    if p == math.inf:
        found = [linear_program(B, b, p) for b in T]
        return *np.array(found).reshape(-1, 2).T, 0
    if p > 1:
        return lp_sensitivities(B, T, gram_inverse, p, tol, MAX_ITER)
    lower, upper, pivots = l1_sensitivities(B, T, gram_inverse, *l1_settings(B))
    for i in np.flatnonzero(lower < (1 - tol) * upper):
        low, high = linear_program(B, T[i], p)
        lower[i], upper[i] = max(lower[i], low), min(upper[i], high)
    return lower, upper, pivots


def _check_rows(rows: Any, n: int) -> np.ndarray:
    """Return row indices as an array, checked."""
    index = [check_int("rows", i, lower=0, upper=n - 1) for i in np.asarray(rows).ravel()]
    return np.array(index, dtype=np.intp)
