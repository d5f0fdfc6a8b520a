"""l_p regression with a certified gap, and plain iteratively reweighted least squares."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int, check_real
from theorytk.sensitivity._least_norm import least_norm
from theorytk.sensitivity._linalg import check_matrix
from theorytk.sensitivity._whitening import Array, whiten
from theorytk.sensitivity.sensitivities import check_sensitivity_exponent

__all__ = ["Regression", "irls", "lp_regression"]

# The residuals replace b at most so often.
PASSES = 3

# Residuals of this size, relative to the terms that they are the sum of, are rounding.
ROUNDING = 1e-14

# IRLS keeps residuals from below this fraction of the largest, where the weight has a pole.
FLOOR = 1e-12


@dataclass(frozen=True)
class Regression:
    """A minimiser of ``sum_i omega_i |a_i.x - b_i|^p`` and an interval that holds the minimum.

    Parameters
    ----------
    p : float
        The exponent.
    x : ndarray, shape (d,)
        The minimiser, up to the gap.
    cost : float
        The objective at x, an upper bound of the minimum; at p = infinity the largest residual of
        a row of positive weight.
    lower : float
        A lower bound of the minimum, up to rounding: ``(dual.b)^p``, and ``dual.b`` at infinity.
    dual : ndarray, shape (n,)
        What certifies it: ``A' dual = 0`` and the l_q norm of ``dual / omega^(1/p)`` is 1, with
        1/p + 1/q = 1; zero where omega is zero. At p = 1 that is ``|dual_i| <= omega_i``.
    n_iter : int
        Pivots (p = 1) or Newton iterations; 0 for p = 2 and infinity.
    converged : bool
        Whether the gap is within the tolerance, but for the rounding of the residuals. If they are
        nothing else, the lower bound is 0.
    """

    p: float
    x: Array
    cost: float
    lower: float
    dual: Array = field(repr=False)
    n_iter: int
    converged: bool

    @property
    def gap(self) -> float:
        """The relative width (cost - lower) / cost of the interval."""
        return (self.cost - self.lower) / self.cost if self.cost > 0 else 0.0


def lp_regression(
    A: Any, b: Any, p: float, *, sample_weight: Any = None, tol: float = 1e-10
) -> Regression:
    """Minimise ``sum_i omega_i |a_i.x - b_i|^p``, with a dual certificate.

    It is the least norm of ``[A b] z`` over z with a fixed last entry, that is one sensitivity, and
    solved as those are: by an active-set method for p = 1, in closed form for p = 2, by damped
    Newton's method for other finite p, and by linear programming for p = infinity, where the
    largest residual is minimised.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix, of any rank; n < d is allowed. If the rank is below d, x is one of many
        minimisers.
    b : array_like, shape (n,)
        The labels.
    p : float
        The exponent, from 1 to infinity.
    sample_weight : array_like, shape (n,), optional
        The weights omega >= 0 of the p-th powers, one by default. At p = infinity only whether
        they are zero matters.
    tol : float, default 1e-10
        Largest relative gap between the cost and its lower bound.

    Returns
    -------
    Regression

    Raises
    ------
    ValueError
        If an argument is out of range, or if the p-th powers of the residuals overflow or vanish.

    Warns
    -----
    RuntimeWarning
        If the gap is above `tol`; the interval holds none the less.

    Notes
    -----
    The certificate is projected onto ``A' dual = 0``, which it fulfils up to rounding. Its product
    with the residuals is taken, which are equal to b for it, but smaller.

    References
    ----------
    Barrodale, Roberts (1973), "An improved algorithm for discrete l_1 linear approximation", SIAM
    J. Numer. Anal. 10, for p = 1. The certificate is Hoelder's inequality, ``dual.b = dual.(b - A
    x)``, and derived here.

    Examples
    --------
    >>> from theorytk.sensitivity.regression import lp_regression
    >>> fit = lp_regression([[1.0], [1.0], [1.0]], [0.0, 1.0, 5.0], 1)
    >>> fit.x.round(12), round(fit.cost, 12), fit.gap < 1e-12
    (array([1.]), 5.0, True)
    """
    A = check_array("A", A, shape=(None, None))
    b = check_array("b", b, shape=(len(A),))
    p, tol = check_sensitivity_exponent(p), check_real("tol", tol, lower=0.0, lower_open=True)
    omega = _check_weights(sample_weight, len(A))
    kept = (omega > 0) & (A.any(axis=1) | (b != 0))
    scale = omega[kept] ** (1 / p)
    S, t = A[kept] * scale[:, None], b[kept] * scale
    x, y, v, n_iter, converged = _minimise(S, t, p, tol)
    norm, least, power = _norm(y, p), float(v @ y), _power(p)
    with np.errstate(over="ignore", under="ignore"):
        cost = float(np.float64(norm) ** power)
        lower = min(float(np.float64(least) ** power), cost)
    if least > 0 and not 0 < lower <= cost < math.inf:
        raise ValueError(f"b must be scaled such that {norm:g}^{p:g}, the cost, is a finite number")
    dual = np.zeros(len(A))
    dual[kept] = scale * v
    fit = Regression(p, x, cost, lower, dual, n_iter, converged)
    if not converged:
        warnings.warn(
            f"lp_regression: the certified relative gap {fit.gap:.3g} is above tol = {tol:g}",
            RuntimeWarning,
            stacklevel=2,
        )
    return fit


def _minimise(S: Array, t: Array, p: float, tol: float) -> tuple[Array, Array, Array, int, bool]:
    """Return (x, y, v, iterations, converged): y = t - S x with |y|_p least, certified by v.y.

    v is orthogonal to the columns of S and of l_q norm 1, or 0 if y is rounding.
    """
    x, v, n_iter = np.zeros(S.shape[1]), np.zeros(len(t)), 0
    if len(t) == 0:
        return x, t, v, 0, True
    T, Q = whiten(S, 2)
    for _ in range(2):
        x += T @ (Q.T @ (t - S @ x))
    y, rounding = _residuals(S, t, x)
    if (np.abs(y) <= rounding).all():
        return x, y, v, 0, True
    # Orthogonal columns are mostly good enough. If they are not, or rounding has left a gap, y
    # takes the place of t once more, in the coordinates of the l_p norm.
    U = np.eye(Q.shape[1] + 1)
    for k in range(PASSES):
        size = _norm(y, 2)
        B = np.column_stack([Q, y / size])
        if k > 0:
            U, B = whiten(B, p)
        z, v, steps = least_norm(B, U[-1], p, tol)
        z = U @ z
        x, n_iter = x - size * (T @ z[:-1]) / z[-1], n_iter + steps
        y, rounding = _residuals(S, t, x)
        v *= np.sign(v @ y) / _norm(v, _conjugate(p))
        if v @ y >= (1 - tol) ** (1 / _power(p)) * _norm(y, p) - _norm(rounding, p):
            return x, y, v, n_iter, True
    return x, y, v, n_iter, False


def _residuals(S: Array, t: Array, x: Array) -> tuple[Array, Array]:
    """Return t - S x and the size of its rounding."""
    return t - S @ x, ROUNDING * (np.abs(S) @ np.abs(x) + np.abs(t))


def _power(p: float) -> float:
    """Return the power of the norm that is the cost."""
    return p if p < math.inf else 1.0


def _conjugate(p: float) -> float:
    """Return q with 1/p + 1/q = 1."""
    return 1.0 if p == math.inf else math.inf if p == 1 else p / (p - 1)


def _norm(y: Array, p: float) -> float:
    """Return the l_p norm without overflow."""
    largest = float(np.abs(y).max(initial=0.0))
    return largest * float(np.linalg.norm(y / largest, p)) if largest > 0 else 0.0


def _check_weights(omega: Any, n: int) -> Array:
    """Return the weights of n rows, one if None."""
    if omega is None:
        return np.ones(n)
    weights: Array = check_array("sample_weight", omega, shape=(n,))
    if (weights < 0).any():
        raise ValueError(f"sample_weight must be >= 0; got {weights.min():g}")
    return weights


def irls(
    A: Any,
    b: Any,
    p: float,
    *,
    step_size: float = 1.0,
    x0: Any = None,
    n_iter: int = 50,
) -> Array:
    """Return the iterates of plain iteratively reweighted least squares for ``||A x - b||_p``.

    ``x <- x + step_size (z - x)``, z the minimiser of ``sum_i |a_i.x - b_i|^(p - 2) (a_i.z -
    b_i)^2``. Nothing makes it converge: see `theorytk.sensitivity.theory.irls_local_rate`. To
    solve a problem call `lp_regression`.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix.
    b : array_like, shape (n,)
        The labels.
    p : float
        The exponent, finite and > 1.
    step_size : float, default 1
        The step; 1 / (p - 1) is that of Newton's method.
    x0 : array_like, shape (d,), optional
        The first iterate; the solution of least squares by default.
    n_iter : int, default 50
        Iterations.

    Returns
    -------
    ndarray, shape (n_iter + 1, d)

    References
    ----------
    Osborne (1985), "Finite Algorithms in Optimization and Data Analysis", Wiley.

    Examples
    --------
    >>> from theorytk.sensitivity.regression import irls
    >>> irls([[1.0], [1.0], [1.0]], [0.0, 1.0, 5.0], 1.5, n_iter=30)[-1].round(6)
    array([1.45644])
    """
    A = check_matrix(A)
    b = check_array("b", b, shape=(len(A),))
    p = check_real("p", p, lower=1.0, lower_open=True)
    step_size = check_real("step_size", step_size, lower=0.0, lower_open=True)
    n_iter = check_int("n_iter", n_iter, lower=0)
    start = np.linalg.lstsq(A, b)[0] if x0 is None else x0
    iterates = [check_array("x0", start, shape=(A.shape[1],))]
    for _ in range(n_iter):
        x = iterates[-1]
        size = np.abs(A @ x - b)
        if size.any():
            root = np.maximum(size / size.max(), FLOOR) ** (p / 2 - 1)
            x = x + step_size * (np.linalg.lstsq(root[:, None] * A, root * b)[0] - x)
        iterates.append(x)
    return np.array(iterates)
