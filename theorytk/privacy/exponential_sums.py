"""Sums of exponentials for 1 / (1 + z): inverse kernels as mixtures of exponential ones."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.special import roots_laguerre

from theorytk._validation import check_choice, check_int
from theorytk.privacy._arguments import Array, check_nonnegative, check_positive

__all__ = ["ExponentialSum", "certified_error", "exponential_sum", "exponential_sum_rate"]

METHODS = ("minimax", "trapezoid", "gauss_laguerre")
# Beyond, the errors of neighbouring extrema are lost in the conditioning of the equations.
MAX_MINIMAX = 12
# Errors are looked at up to this many times 1 / min(t), where the sum has vanished.
REACH = 40.0
HALVINGS = 40
# Rough log rates and log weights of the smallest sums, from which the others follow.
STARTS = {
    1: (-0.8, -0.3),
    2: (-2.4, 0.0, -0.8, -0.7),
    3: (-3.6, -1.2, 0.4, -1.8, -1.7, -0.7),
}


@dataclass(frozen=True, eq=False)
class ExponentialSum:
    """The sum of w_j exp(-t_j z), an approximation of 1 / (1 + z) for z >= 0.

    Attributes
    ----------
    t, w : ndarray, shape (n_terms,)
        Rates > 0 in increasing order, and weights > 0.
    error : float
        Certified upper bound of the largest error over all z >= 0.
    """

    t: Array
    w: Array
    error: float

    def __call__(self, z: Any) -> Array:
        """Return the sum at each z >= 0."""
        z = check_nonnegative("z", z)
        return np.asarray(np.exp(-np.multiply.outer(z, self.t)) @ self.w)


def exponential_sum(n_terms: int, *, method: str = "minimax") -> ExponentialSum:
    """Return a sum of exponentials that approximates 1 / (1 + z) for all z >= 0.

    With z a distance, or its square, it turns exponential kernels into 1 / (1 + z).

    Parameters
    ----------
    n_terms : int
        Number of exponentials, >= 1; at most 12 for "minimax", 100 for "gauss_laguerre".
    method : {"minimax", "trapezoid", "gauss_laguerre"}
        Best possible up to 0.1%, by exchange; trapezoidal rule for the integral of
        ``exp(-t (1 + z)) dt`` in log t; Gauss's rule for the same integral, whose error decreases
        only like 1 / n_terms.

    Returns
    -------
    ExponentialSum

    References
    ----------
    Braess, Hackbusch (IMA J. Numer. Anal. 2005): 2 n_terms + 1 alternating extrema characterise
    the best sum. Exchange by continuation in n_terms and the step of the rule: derived here.

    Examples
    --------
    >>> best = exponential_sum(4)
    >>> round(best.error, 5), round(exponential_sum(4, method="gauss_laguerre").error, 3)
    (0.0017, 0.067)
    >>> round(float(best(3.0)), 2)
    0.25
    """
    method = check_choice("method", method, METHODS)
    upper = {"minimax": MAX_MINIMAX, "gauss_laguerre": 100}.get(method)
    n_terms = check_int("n_terms", n_terms, lower=1, upper=upper)
    if method == "minimax":
        t, w = np.exp(_minimax(n_terms)).reshape(2, n_terms)
    elif method == "trapezoid":
        t, w = _trapezoid(n_terms)
    else:
        t, weights = roots_laguerre(n_terms)
        w = np.asarray(weights)
    order = np.argsort(t)
    return ExponentialSum(t[order], w[order], certified_error(t, w))


def exponential_sum_rate(n_terms: Any) -> Array:
    """Return 16 exp(-pi sqrt(2 n_terms)), the reference for the best possible error.

    Parameters
    ----------
    n_terms : array_like
        Numbers of exponentials > 0.

    Returns
    -------
    ndarray

    References
    ----------
    Braess, Hackbusch (2005): the exponent is their conjecture; the factor 16 is empirical. The
    best error over this is between 0.69 and 1.10 for 3 to 12 terms.

    Examples
    --------
    >>> exponential_sum_rate([8]).round(6)
    array([5.6e-05])
    """
    return np.asarray(16 * np.exp(-math.pi * np.sqrt(2 * check_positive("n_terms", n_terms))))


def certified_error(t: Any, w: Any, *, cells: int = 20_000) -> float:
    """Return an upper bound of the largest error over all z >= 0 of a sum of exponentials.

    Parameters
    ----------
    t, w : array_like, shape (m,)
        Rates > 0 and weights >= 0.
    cells : int
        Cells of the grid, >= 1; more give a sharper bound.

    Returns
    -------
    float

    Notes
    -----
    In a cell of width h at a, the error is its cubic Hermite interpolant, which its four Bernstein
    coefficients bound, up to h^4 / 384 times the larger fourth derivative at a of 1 / (1 + z) and
    of the sum, since both decrease. Behind the grid both functions are positive and smaller than
    at its end.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> certified_error([1.0], [1.0]) >= 0.2036
    True
    """
    t, w = check_positive("t", t), check_nonnegative("w", w)
    z = np.expm1(np.linspace(0, math.log1p(REACH / t.min()), check_int("cells", cells, lower=1)))
    basis = np.exp(-np.outer(z, t))
    e = 1 / (1 + z) - basis @ w
    third = np.diff(z) / 3
    slope = basis @ (w * t) - (1 + z) ** -2
    inner = np.maximum(np.abs(e[:-1] + third * slope[:-1]), np.abs(e[1:] - third * slope[1:]))
    fourth = np.maximum(24 * (1 + z) ** -5, basis @ (w * t**4))[:-1]
    within = np.maximum(inner, np.maximum(np.abs(e[:-1]), np.abs(e[1:])))
    beyond = max(1 / (1 + z[-1]), float(basis[-1] @ w))
    return float(max((within + (3 * third) ** 4 / 384 * fourth).max(), beyond))


@functools.cache
def _minimax(n_terms: int) -> Array:
    """Return (log t, log w) of the best sum: a least-squares start, then exchange."""
    if n_terms in STARTS:
        start = np.array(STARTS[n_terms])
    else:
        # The small rates of the next sum are those of the last one, shifted.
        previous, older = (_minimax(n_terms - k).reshape(2, -1) for k in (1, 2))
        shift = (previous[:, :-1] - older) * (1 - 0.5 / n_terms)
        shifted = previous + np.hstack([shift, shift[:, -1:]])
        start = np.hstack([shifted, 2 * previous[:, -1:] - older[:, -1:]]).ravel()
    z = np.expm1(np.linspace(0, math.log1p(REACH / math.exp(start[:n_terms].min())), 600))
    fitted = least_squares(
        _error,
        start,
        _jacobian,
        args=(z,),
        method="lm",
        x_scale="jac",
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
        max_nfev=300,
    )
    return _exchange(fitted.x)


def _exchange(p: Array) -> Array:
    """Return parameters whose error has extrema of one size: damped Newton steps on the extrema."""
    z, e = _extrema(p)
    while np.abs(e).max() > (1 + 1e-4) * np.abs(e).min():
        system = np.column_stack([_jacobian(p, z), -np.sign(e)])
        step = np.linalg.solve(system, -e)[:-1]
        step *= min(1.0, 0.5 / np.abs(step).max())
        for _ in range(HALVINGS):
            nearby, errors = _extrema(p + step)
            if len(errors) == len(e) and np.abs(errors).max() < np.abs(e).max():
                break
            step /= 2
        else:
            return p
        p, z, e = p + step, nearby, errors
    return p


def _extrema(p: Array) -> tuple[Array, Array]:
    """Return where, and how large, the error is extreme between its changes of sign."""
    t = np.exp(p[: len(p) // 2])
    z = np.expm1(np.linspace(0, math.log1p(REACH / t.min()), 6001))
    e = _error(p, z)
    runs = np.split(np.arange(len(z)), np.flatnonzero(np.diff(e > 0)) + 1)
    extreme = np.array([run[np.abs(e[run]).argmax()] for run in runs])
    return z[extreme], e[extreme]


def _error(p: Array, z: Array) -> Array:
    t, w = np.exp(p).reshape(2, -1)
    return np.asarray(1 / (1 + z) - np.exp(-np.outer(z, t)) @ w)


def _jacobian(p: Array, z: Array) -> Array:
    t, w = np.exp(p).reshape(2, -1)
    terms = np.exp(-np.outer(z, t)) * w
    return np.hstack([terms * np.outer(z, t), -terms])


def _trapezoid(n_terms: int) -> tuple[Array, Array]:
    """Return the rule whose largest rate makes its truncation as large as its other errors."""
    step = math.pi / math.sqrt(n_terms)
    # The cut at the upper end costs about exp(-t_max), at the lower end t_min.
    top = math.log(max(math.pi * math.sqrt(n_terms), 1.0))
    t = np.exp(top - step * np.arange(n_terms))
    return t, step * t * np.exp(-t)
