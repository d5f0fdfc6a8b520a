"""What is proven about scores: comparisons, ranges, rates of Lewis weights.

sigma, w and tau are l_p sensitivities, Lewis weights and leverage scores of a matrix of n rows and
rank d, S the total sensitivity; 1 <= p < infinity. For explicit matrices see
:mod:`theorytk.sensitivity.matrix_laws`, for how many rows to sample
:mod:`theorytk.sensitivity.sampling_laws`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int, check_real
from theorytk.sensitivity._linalg import Array, check_exponent

__all__ = [
    "flattening_bound",
    "irls_local_rate",
    "lewis_best_step",
    "lewis_global_rate",
    "lewis_local_rate",
    "mixture_density_bound",
    "onesided_lewis_bound",
    "sensitivity_bounds_from_leverage",
    "sensitivity_bounds_from_lewis",
    "total_estimator_relative_sd",
    "total_sensitivity_range",
]


def sensitivity_bounds_from_lewis(weights: Any, p: float, rank: int) -> tuple[Array, Array]:
    """Return bounds of the sensitivities by Lewis weights, row by row.

    ``d^(p/2 - 1) w <= sigma <= w`` for p <= 2 and ``w <= sigma <= d^(p/2 - 1) w`` for p >= 2.

    Parameters
    ----------
    weights : array_like, shape (n,)
        The Lewis weights w.
    p : float
        The exponent, >= 1.
    rank : int
        The rank d.

    Returns
    -------
    lower, upper : ndarray, shape (n,)

    References
    ----------
    For p < 2 the comparison of Chen, Derezinski (COLT 2021); all of it by Hoelder's inequality for
    ``w_i^(-1/p) (Ax)_i`` in the measure w, whose L_2 norm bounds its maximum, derived here.

    Examples
    --------
    >>> sensitivity_bounds_from_lewis([0.5, 1.0], 4.0, 2)
    (array([0.5, 1. ]), array([1., 1.]))
    """
    w = _scores("weights", weights)
    p = check_exponent(p)
    other = check_int("rank", rank, lower=1) ** (p / 2 - 1) * w
    return (w, np.minimum(other, 1.0)) if p >= 2 else (other, np.minimum(w, 1.0))


def sensitivity_bounds_from_leverage(leverage: Any, p: float) -> tuple[Array, Array]:
    """Return bounds of the sensitivities by leverage scores, row by row.

    ``n^(p/2 - 1) tau^(p/2) <= sigma <= tau^(p/2)`` for p <= 2, and
    ``tau^(p/2) <= sigma <= n^(p/2 - 1) tau^(p/2)`` for p >= 2, with n the rows that are not zero.

    Parameters
    ----------
    leverage : array_like, shape (n,)
        The leverage scores tau of all rows.
    p : float
        The exponent, >= 1.

    Returns
    -------
    lower, upper : ndarray, shape (n,)

    References
    ----------
    Woodruff, Yasuda (ICML 2023), properties of sensitivities; both sides compare the l_p and l_2
    norms of a vector of n entries.

    Examples
    --------
    >>> sensitivity_bounds_from_leverage([0.36, 0.64], 1.0)[1]
    array([0.6, 0.8])
    """
    p = check_exponent(p)
    root = _scores("leverage", leverage) ** (p / 2)
    n = max(int(np.count_nonzero(root)), 1)
    other = n ** (p / 2 - 1) * root
    return (root, np.minimum(other, 1.0)) if p >= 2 else (other, root)


def total_sensitivity_range(rank: int, p: float) -> tuple[float, float]:
    """Return the least and the largest total sensitivity of a matrix of this rank: d and d^(p/2).

    Stacked identities have d; for large d flat blocks are within a constant of d^(p/2).

    Parameters
    ----------
    rank : int
        The rank d.
    p : float
        The exponent, >= 1.

    Returns
    -------
    lower, upper : float

    References
    ----------
    Woodruff, Yasuda (ICML 2023), Section 1; the sum of `sensitivity_bounds_from_lewis`.

    Examples
    --------
    >>> total_sensitivity_range(9, 1.0), total_sensitivity_range(9, 4.0)
    ((3.0, 9.0), (9.0, 81.0))
    """
    d = float(check_int("rank", rank, lower=0))
    power = d ** (check_exponent(p) / 2)
    return min(d, power), max(d, power)


def lewis_best_step(p: float) -> float:
    """Return the step 4 / (p + 2) of the best local rate for Lewis weights.

    Parameters
    ----------
    p : float
        The exponent, >= 1.

    Returns
    -------
    float

    References
    ----------
    Derived here: it minimises `lewis_local_rate`, to |p - 2| / (p + 2).

    Examples
    --------
    >>> lewis_best_step(8.0)
    0.4
    """
    return 4 / (check_exponent(p) + 2)


def lewis_local_rate(p: float, step_size: float) -> float:
    """Return max(|1 - eta|, |1 - eta p/2|), a bound of the local rate of damped Lewis iterations.

    Parameters
    ----------
    p : float
        The exponent, >= 1.
    step_size : float
        The step eta > 0 of ``w <- w^(1 - eta) F(w)^eta``.

    Returns
    -------
    float
        The iteration converges locally if it is below 1.

    References
    ----------
    Derived here: the logarithm of F has at its fixed point the Jacobian (1 - p/2) L with
    L_ij = P_ij^2 / P_ii, P the projection on the range of W^(1/2 - 1/p) A; the eigenvalues of L
    lie in [0, 1] and 1 is one of them.

    Examples
    --------
    >>> round(lewis_local_rate(8.0, lewis_best_step(8.0)), 12), lewis_local_rate(4.0, 1.0)
    (0.6, 1.0)
    """
    eta = check_real("step_size", step_size, lower=0.0, lower_open=True)
    return max(abs(1 - eta), abs(1 - eta * check_exponent(p) / 2))


def lewis_global_rate(p: float, step_size: float) -> float:
    """Return |1 - eta| + eta |1 - p/2|, a factor per iteration from any start.

    It bounds the growth of max |log(w_i / w_i*)|; below 1 the iteration converges from everywhere:
    for eta = 1 and p < 4, and for the best step and 1 < p < 4, where it is 3 |p - 2| / (p + 2).

    Parameters
    ----------
    p : float
        The exponent, >= 1.
    step_size : float
        The step eta > 0 of ``w <- w^(1 - eta) F(w)^eta``.

    Returns
    -------
    float

    References
    ----------
    Cohen, Peng (STOC 2015) for eta = 1; with a step derived here, by the triangle inequality.

    Examples
    --------
    >>> lewis_global_rate(3.0, 1.0)
    0.5
    """
    eta = check_real("step_size", step_size, lower=0.0, lower_open=True)
    return abs(1 - eta) + eta * abs(1 - check_exponent(p) / 2)


def irls_local_rate(p: float, step_size: float) -> float:
    """Return |1 - eta (p - 1)|, the local rate of iteratively reweighted least squares.

    Parameters
    ----------
    p : float
        The exponent, > 1 and finite.
    step_size : float
        The step eta; 1 is plain IRLS, 1 / (p - 1) is Newton's method.

    Returns
    -------
    float
        The factor of the error in an iteration, near a minimiser without residuals of zero: |p - 2|
        for eta = 1, which converges for p < 3 only; 0, that is quadratically, for Newton's method.

    References
    ----------
    Derived here. With D = diag(|r|^(p - 2)), r = A x - b, the least squares step is -H^-1 A'D r, H
    = A'D A. At a minimiser A'D r = 0, and its derivative is (p - 1) H, so that the step is -(p - 1)
    times the error to first order, in every direction alike.

    Examples
    --------
    >>> irls_local_rate(2.5, 1.0), irls_local_rate(5.0, 0.25)
    (0.5, 0.0)
    """
    p = check_real("p", p, lower=1.0, lower_open=True)
    eta = check_real("step_size", step_size, lower=0.0, lower_open=True)
    return abs(1 - eta * (p - 1))


def onesided_lewis_bound(n: int, rank: int, n_rounds: int) -> float:
    """Return (n/d)^(1/T), a bound of tau_i(W^(1/2 - 1/p) A) / w_i for the average of T rounds.

    Parameters
    ----------
    n : int
        Rows that are not zero.
    rank : int
        The rank d, at most n.
    n_rounds : int
        Rounds T averaged.

    Returns
    -------
    float

    References
    ----------
    Cohen, Cousins, Lee, Yang (COLT 2019) for p = infinity; for p >= 2 derived here:
    log(tau_i / w_i) is convex in w, and the logarithms of successive weights telescope.

    Examples
    --------
    >>> onesided_lewis_bound(64, 4, 2)
    4.0
    """
    n = check_int("n", n, lower=1)
    d = check_int("rank", rank, lower=1, upper=n)
    return float((n / d) ** (1 / check_int("n_rounds", n_rounds, lower=1)))


def flattening_bound(density: float, rank: int, p: float) -> float:
    """Return 2 d^(2/p) B^(1 - 2/p), a bound of the density after one round of flattening, p >= 2.

    B(mu) = max_i mu_i^(-2/p) a_i' (sum_j mu_j^(1 - 2/p) a_j a_j')^-1 a_i for a probability vector
    mu; it is at most S for mu = sigma / S. A round replaces mu by (mu + t/d) / 2, with t the
    leverage scores of diag(mu)^(1/2 - 1/p) A.

    Parameters
    ----------
    density : float
        B before the round.
    rank : int
        The rank d.
    p : float
        The exponent, >= 2.

    Returns
    -------
    float

    References
    ----------
    Derived here. After one round from mu = sigma / S it is the d^(2/p) S^(1 - 2/p) behind the rate
    of Woodruff, Yasuda (ICML 2023) for leverage scores and sensitivities together.

    Examples
    --------
    >>> flattening_bound(64.0, 16, 4.0)
    64.0
    """
    density = check_real("density", density, lower=0.0)
    p = check_exponent(p, lower=2.0)
    return float(2 * check_int("rank", rank, lower=1) ** (2 / p) * density ** (1 - 2 / p))


def mixture_density_bound(rank: int) -> float:
    """Return 2 d, a bound of the density B of `flattening_bound` for (sigma / S + w / d) / 2.

    The mixture of sensitivities and Lewis weights is where flattening leads, and its order of rows
    d S^(1 - 2/p), p >= 2, is above neither S^(2 - 2/p) nor d^(p/2).

    Parameters
    ----------
    rank : int
        The rank d.

    Returns
    -------
    float

    References
    ----------
    Derived here: for mu = w / d the leverage scores are d mu, and halving mu and adding to it
    raises B to 2 B at most.

    Examples
    --------
    >>> mixture_density_bound(16)
    32.0
    """
    return 2.0 * check_int("rank", rank, lower=1)


def total_estimator_relative_sd(rank: int, p: float, n_samples: int) -> float:
    """Return sqrt((d^|1 - p/2| - 1) / m), a bound for the Lewis estimator of S.

    The estimator is the mean of d sigma_i / w_i over m rows drawn from w / d.

    Parameters
    ----------
    rank : int
        The rank d.
    p : float
        The exponent, >= 1.
    n_samples : int
        Rows drawn, m >= 1.

    Returns
    -------
    float
        The standard deviation over S is at most this.

    References
    ----------
    Padmanabhan, Woodruff, Zhang (NeurIPS 2023) for the estimator; the bound follows from
    `sensitivity_bounds_from_lewis`, derived here.

    Examples
    --------
    >>> total_estimator_relative_sd(25, 1.0, 100)
    0.2
    """
    spread = check_int("rank", rank, lower=1) ** abs(1 - check_exponent(p) / 2) - 1
    return math.sqrt(spread / check_int("n_samples", n_samples, lower=1))


def _scores(name: str, value: Any) -> Array:
    """Return scores (n,) that are non-negative."""
    scores = check_array(name, value, shape=(None,))
    if (scores < 0).any():
        raise ValueError(f"{name} must be >= 0; got {scores.min():g}")
    return scores
