"""From one definition of privacy to another.

A release is (epsilon, delta)-private if P(A) <= e^epsilon P'(A) + delta for every event A, where P
and P' are its laws on neighbouring data; epsilon-private (pure) if delta = 0; rho-zCDP if the
Renyi divergence of every order alpha > 1 is at most rho alpha; mu-GDP if the two laws are no
easier to tell apart than N(0, 1) and N(mu, 1).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import erfcx, expit, ndtr

from theorytk._validation import check_real
from theorytk.privacy._arguments import (
    Array,
    check_nonnegative,
    check_positive,
    check_probability,
)

__all__ = [
    "gaussian_delta",
    "gaussian_epsilon",
    "gaussian_sigma",
    "pure_delta",
    "pure_zcdp",
    "sharp_zcdp_delta",
    "sharp_zcdp_epsilon",
    "zcdp_epsilon",
    "zcdp_rho",
]

# Roots are moved to the private side by this, relatively: far above the rounding of the solver.
MARGIN = 1e-12


def pure_delta(epsilon: float, total: float) -> float:
    """Return the least delta for which `total`-pure privacy is (epsilon, delta)-privacy.

    Parameters
    ----------
    epsilon : float
        Privacy epsilon >= 0.
    total : float
        Pure privacy >= 0 of the release.

    Returns
    -------
    float
        Equal to (e^total - e^epsilon)_+ / (1 + e^total), attained by randomised response.

    References
    ----------
    Kairouz, Oh, Viswanath (ICML 2015), Theorem 3.3 for one release.

    Examples
    --------
    >>> round(pure_delta(0.5, 1.0), 6)
    0.287649
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0)
    total = check_real("total", total, lower=0.0)
    return -math.expm1(min(epsilon - total, 0.0)) * float(expit(total))


def pure_zcdp(epsilon: float) -> float:
    """Return the least rho for which every epsilon-private release is rho-zCDP.

    Parameters
    ----------
    epsilon : float
        Privacy epsilon >= 0.

    Returns
    -------
    float
        Equal to epsilon tanh(epsilon / 2), never more than epsilon^2 / 2.

    Notes
    -----
    Randomised response is the worst release. Its divergence of order alpha is
    (h(alpha - 1/2) - h(1/2)) / (alpha - 1) with h(t) = ln cosh(epsilon t); h is concave in t^2, and
    its tangent in t^2 at t = 1/2 gives alpha times the value, which is attained as alpha -> 1.

    References
    ----------
    Derived here; Bun, Steinke (TCC 2016), Proposition 1.4, prove epsilon^2 / 2.

    Examples
    --------
    >>> round(pure_zcdp(1.0), 6)
    0.462117
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0)
    return epsilon * math.tanh(epsilon / 2)


def gaussian_delta(epsilon: Any, mu: Any) -> Array:
    """Return the least delta for which mu-GDP is (epsilon, delta)-privacy.

    Parameters
    ----------
    epsilon : array_like
        Privacy epsilon >= 0.
    mu : array_like
        Gaussian privacy mu > 0: the l_2 sensitivity over the standard deviation of the noise;
        sqrt(k) / (n sigma) for k adaptive means of n numbers in [0, 1], each with Gaussian noise
        sigma.

    Returns
    -------
    ndarray
        Phi(-epsilon/mu + mu/2) - exp(epsilon) Phi(-epsilon/mu - mu/2).

    References
    ----------
    Balle, Wang (ICML 2018), Theorem 8; composition by Dong, Roth, Su (JRSS B 2022), Corollary 3.3.

    Examples
    --------
    >>> round(float(gaussian_delta(0.5, 3.0)), 6)
    0.829996
    """
    mu = check_positive("mu", mu)
    a = check_nonnegative("epsilon", epsilon) / mu - mu / 2
    # exp(epsilon) phi(a + mu) = phi(a): Mills' ratio keeps the second term from overflowing.
    second = np.exp(-(a**2) / 2) / 2 * erfcx((a + mu) / math.sqrt(2))
    delta: Array = np.maximum(ndtr(-a) - second, 0.0)
    return delta


def gaussian_epsilon(mu: float, delta: float) -> float:
    """Return the least epsilon for which mu-GDP is (epsilon, delta)-privacy.

    Parameters
    ----------
    mu : float
        Gaussian privacy mu > 0, the l_2 sensitivity over the standard deviation of the noise.
    delta : float
        Privacy delta in (0, 1).

    Returns
    -------
    float

    References
    ----------
    The inverse of `gaussian_delta`.

    Examples
    --------
    >>> round(gaussian_epsilon(1.0, 1e-5), 6)
    4.377178
    """
    mu = check_real("mu", mu, lower=0.0, lower_open=True)
    delta = check_probability("delta", delta)
    if gaussian_delta(0.0, mu) <= delta:
        return 0.0
    # Its loss is N(mu^2 / 2, mu^2) and delta at most the probability that it exceeds epsilon.
    largest = mu**2 / 2 + mu * math.sqrt(2 * math.log(1 / delta))
    root: float = brentq(lambda e: float(gaussian_delta(e, mu)) - delta, 0.0, largest, xtol=1e-14)
    return root * (1 + MARGIN)


def gaussian_sigma(epsilon: float, delta: float, sensitivity: float = 1.0) -> float:
    """Return the least standard deviation of Gaussian noise that is (epsilon, delta)-private.

    Parameters
    ----------
    epsilon : float
        Privacy epsilon >= 0.
    delta : float
        Privacy delta in (0, 1).
    sensitivity : float
        Largest l_2 distance > 0 between the values on neighbouring data.

    Returns
    -------
    float
        Standard deviation, in the unit of `sensitivity`.

    References
    ----------
    Balle, Wang (ICML 2018), Theorem 8, for continuous noise. Discrete Gaussian noise has its own
    curve; its guarantee is the zCDP of the same sigma.

    Examples
    --------
    >>> round(gaussian_sigma(1.0, 1e-5), 6)
    3.730632
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0)
    delta = check_probability("delta", delta)
    sensitivity = check_real("sensitivity", sensitivity, lower=0.0, lower_open=True)
    least, most = 0.0, 0.0
    while gaussian_delta(epsilon, math.exp(least)) > delta:
        least -= 1.0
    while gaussian_delta(epsilon, math.exp(most)) < delta:
        most += 1.0
    root: float = brentq(
        lambda log_mu: float(gaussian_delta(epsilon, math.exp(log_mu))) - delta,
        least,
        most,
        xtol=1e-14,
    )
    return sensitivity / math.exp(root) * (1 + MARGIN)


def zcdp_epsilon(rho: Any, delta: Any) -> Array:
    """Return an epsilon for which rho-zCDP is (epsilon, delta)-privacy.

    Parameters
    ----------
    rho : array_like
        Concentrated privacy rho > 0: k / (2 n^2 sigma^2) for k Gaussian answers as in
        `gaussian_delta`.
    delta : array_like
        Privacy delta > 0.

    Returns
    -------
    ndarray
        Equal to rho + 2 sqrt(rho ln v) with v = max(1, min(1, sqrt(pi rho)) / delta).

    References
    ----------
    Bun, Steinke (TCC 2016), Lemma 3.6.

    Examples
    --------
    >>> round(float(zcdp_epsilon(0.01, 1e-6)), 6)
    0.705278
    """
    rho, delta = check_positive("rho", rho), check_positive("delta", delta)
    v = np.maximum(np.minimum(1.0, np.sqrt(math.pi * rho)) / delta, 1.0)
    return np.asarray(rho + 2 * np.sqrt(rho * np.log(v)))


def sharp_zcdp_delta(epsilon: float, rho: float) -> float:
    """Return the delta for which rho-zCDP is (epsilon, delta)-privacy, best over Renyi orders.

    Parameters
    ----------
    epsilon : float
        Privacy epsilon >= 0.
    rho : float
        Concentrated privacy rho > 0.

    Returns
    -------
    float
        The minimum over alpha > 1 of
        exp((alpha - 1)(alpha rho - epsilon)) (1 - 1/alpha)^alpha / (alpha - 1), at most 1.

    Notes
    -----
    The logarithm is convex in alpha, with derivative
    (2 alpha - 1) rho - epsilon + ln(1 - 1/alpha), so that there is one minimum. Every alpha gives a
    valid delta: the error of the solver does no harm.

    References
    ----------
    Canonne, Kamath, Steinke (NeurIPS 2020), Corollary 13.

    Examples
    --------
    >>> round(sharp_zcdp_delta(4.728387, 0.5) * 1e5, 4)
    1.0
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0)
    rho = check_real("rho", rho, lower=0.0, lower_open=True)
    return math.exp(min(_log_delta(epsilon, rho), 0.0))


def sharp_zcdp_epsilon(rho: float, delta: float) -> float:
    """Return the epsilon for which rho-zCDP is (epsilon, delta)-privacy, best over Renyi orders.

    Parameters
    ----------
    rho : float
        Concentrated privacy rho > 0.
    delta : float
        Privacy delta in (0, 1).

    Returns
    -------
    float

    References
    ----------
    The inverse of `sharp_zcdp_delta`: Canonne, Kamath, Steinke (NeurIPS 2020), Corollary 13.

    Examples
    --------
    >>> round(sharp_zcdp_epsilon(0.5, 1e-5), 6)
    4.728387
    """
    rho = check_real("rho", rho, lower=0.0, lower_open=True)
    delta = check_probability("delta", delta)
    if _log_delta(0.0, rho) <= math.log(delta):
        return 0.0
    # The factor (1 - 1/alpha)^alpha / (alpha - 1) is below 1; without it this is the inverse.
    largest = rho + 2 * math.sqrt(rho * math.log(1 / delta))
    root: float = brentq(lambda e: _log_delta(e, rho) - math.log(delta), 0.0, largest, xtol=1e-14)
    return root * (1 + MARGIN)


def zcdp_rho(epsilon: float, delta: float) -> float:
    """Return the largest rho for which rho-zCDP is known to be (epsilon, delta)-privacy.

    Parameters
    ----------
    epsilon : float
        Privacy epsilon > 0.
    delta : float
        Privacy delta in (0, 1).

    Returns
    -------
    float

    References
    ----------
    The inverse of `sharp_zcdp_delta` in rho.

    Examples
    --------
    >>> round(zcdp_rho(4.728387, 1e-5), 6)
    0.5
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    delta = check_probability("delta", delta)
    least = most = math.log(epsilon)
    while _log_delta(epsilon, math.exp(most)) < math.log(delta):
        most += 1.0
    while _log_delta(epsilon, math.exp(least)) > math.log(delta):
        least -= 1.0
    root: float = brentq(
        lambda u: _log_delta(epsilon, math.exp(u)) - math.log(delta), least, most, xtol=1e-14
    )
    return math.exp(root) * (1 - MARGIN)


def _log_delta(epsilon: float, rho: float) -> float:
    """Return the logarithm of `sharp_zcdp_delta`, not cut at 0."""

    def slope(u: float) -> float:
        return rho * (1 + 2 * math.exp(u)) - epsilon - float(np.logaddexp(0.0, -u))

    u: float = brentq(slope, -3 * rho - 1, max(0.0, math.log((epsilon + 1) / (2 * rho))))
    order = 1 + math.exp(u)
    # ln(alpha - 1) = u and ln(1 - 1/alpha) = -ln(1 + e^-u), also where alpha - 1 vanishes in 1.
    return math.exp(u) * (order * rho - epsilon) - u - order * float(np.logaddexp(0.0, -u))
