"""From private answers about a sample to truth about the population: transfer theorems.

S is a sample of n independent points of P, pi the transcript of an analyst who asks queries q_j
with values in [0, 1] and gets answers a_j; Q_pi is the law of S given pi. The transcript is
(epsilon, delta)-private in S if one point is replaced by another. The gap of a transcript,
max_q |E[q(S) | pi] - q(P)| over all queries q, is at most the mean over i of the total variation
distance between the law of x_i given pi and P.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import ndtri

from theorytk._validation import check_real
from theorytk.adaptive._arguments import (
    check_counts,
    check_nonnegative,
    check_positive,
    check_probability,
)
from theorytk.adaptive._optimise import Array, minimise
from theorytk.privacy.conversions import gaussian_delta, zcdp_epsilon

__all__ = [
    "gaussian_delta",
    "gaussian_gap_tail",
    "gaussian_shortfall",
    "jung_transfer",
    "laplace_shortfall",
    "posterior_gap_tail",
    "squared_gap_bound",
    "tanh_gap",
    "transfer_width",
    "zcdp_epsilon",
]


def tanh_gap(epsilon: Any) -> Array:
    """Return tanh(epsilon / 4), the largest gap of a transcript of an epsilon-private mechanism.

    Parameters
    ----------
    epsilon : array_like
        Privacy epsilon >= 0 of the whole transcript.

    Returns
    -------
    ndarray, shape of `epsilon`
        Attained for every n and epsilon: geometric noise on the number of ones among Bernoulli(p)
        bits, p = 1 / (1 + exp(-epsilon / 2)), where the answer is zero or below.

    References
    ----------
    Derived here. Jung et al. (ITCS 2020) prove exp(epsilon) - 1, four times as much for small
    epsilon.

    Examples
    --------
    >>> round(float(tanh_gap(0.1)), 6)
    0.024995
    """
    return np.tanh(check_nonnegative("epsilon", epsilon) / 4)


def posterior_gap_tail(gap: Any, epsilon: Any, delta: Any) -> Array:
    """Return a bound of the probability that a transcript has more than this gap.

    For an (epsilon, delta)-private transcript the mean excess of the gap over tanh(epsilon / 4) is
    at most delta; Markov's inequality gives delta / (gap - tanh(epsilon / 4)).

    Parameters
    ----------
    gap : array_like
        The gap, >= 0.
    epsilon, delta : array_like
        Privacy of the whole transcript, >= 0.

    Returns
    -------
    ndarray
        The bound, 1 where the gap does not exceed tanh(epsilon / 4).

    References
    ----------
    Derived here; Jung et al. (ITCS 2020) prove delta / d for the gap exp(epsilon) - 1 + 2 d.

    Examples
    --------
    >>> round(float(posterior_gap_tail(0.05, 0.1, 1e-4)), 6)
    0.003999
    """
    excess = check_nonnegative("gap", gap) - tanh_gap(epsilon)
    bound = check_nonnegative("delta", delta) / np.where(excess > 0, excess, 1.0)
    return np.where(excess > 0, np.minimum(bound, 1.0), 1.0)


def gaussian_gap_tail(gap: float, mu: float) -> float:
    """Return the bound of `posterior_gap_tail` for mu-GDP, minimised over epsilon.

    Parameters
    ----------
    gap : float
        The gap, in (0, 1).
    mu : float
        Gaussian privacy mu > 0 of the whole transcript.

    Returns
    -------
    float

    References
    ----------
    Derived here, with the exact curve of `gaussian_delta`.

    Examples
    --------
    >>> round(gaussian_gap_tail(0.1, 0.1), 6)
    0.000387
    """
    gap = check_probability("gap", gap)
    mu = check_real("mu", mu, lower=0.0, lower_open=True)
    largest = 4 * math.atanh(gap)
    tail, _ = minimise(
        lambda epsilon: posterior_gap_tail(gap, epsilon, gaussian_delta(epsilon, mu)),
        [(1e-6 * largest, largest)],
        1,
    )
    return float(tail[0])


def gaussian_shortfall(k: Any, beta: float) -> Array:
    """Return min_a a + E(max_j |N_j| - a)_+ / beta, bounded for k standard normal variables.

    With the union bound E(max_j |N_j| - a)_+ <= k E(|N| - a)_+ the best a is the quantile z of
    probability 1 - beta / (2k), and the value phi(z) 2k / beta is the mean of N beyond z.

    Parameters
    ----------
    k : array_like
        Number of answers, >= 1.
    beta : float
        Failure probability, in (0, 1).

    Returns
    -------
    ndarray

    References
    ----------
    Derived here; the term of noise in `transfer_width`, in standard deviations.

    Examples
    --------
    >>> round(float(gaussian_shortfall(100, 0.05)), 4)
    3.7332
    """
    tail = check_probability("beta", beta) / (2 * check_counts("k", k))
    return np.exp(-(ndtri(tail) ** 2) / 2) / (math.sqrt(2 * math.pi) * tail)


def laplace_shortfall(k: Any, beta: float) -> Array:
    """Return 1 + ln(k / beta), the `gaussian_shortfall` of k Laplace variables of scale 1.

    Parameters
    ----------
    k : array_like
        Number of answers, >= 1.
    beta : float
        Failure probability, in (0, 1).

    Returns
    -------
    ndarray

    References
    ----------
    Derived here: a = ln(k / beta), and the mean beyond it is one more.

    Examples
    --------
    >>> round(float(laplace_shortfall(100, 0.05)), 4)
    8.6009
    """
    return 1 + np.log(check_counts("k", k) / check_probability("beta", beta))


def transfer_width(alpha: Any, excess: Any, epsilon: Any, delta: Any, beta: float) -> Array:
    """Return a width that holds all answers with probability 1 - beta: the tanh transfer theorem.

    P(max_j |a_j - q_j(P)| > alpha + tanh(epsilon / 4) + w) <= (excess + delta) / w for all w > 0.

    Parameters
    ----------
    alpha : array_like
        Error on the sample, >= 0.
    excess : array_like
        Bound of E (max_j |a_j - q_j(S)| - alpha)_+, >= 0; the probability of more than alpha will
        do for answers in [0, 1].
    epsilon, delta : array_like
        Privacy of the whole transcript, >= 0.
    beta : float
        Failure probability, in (0, 1).

    Returns
    -------
    ndarray
        Equal to alpha + tanh(epsilon / 4) + (excess + delta) / beta.

    References
    ----------
    Derived here; the shape of the argument is that of Jung et al. (ITCS 2020).

    Examples
    --------
    >>> round(float(transfer_width(0.03, 1e-4, 0.1, 1e-4, 0.05)), 6)
    0.058995
    """
    rest = check_nonnegative("excess", excess) + check_nonnegative("delta", delta)
    return (
        check_nonnegative("alpha", alpha)
        + tanh_gap(epsilon)
        + rest / check_probability("beta", beta)
    )


def jung_transfer(
    alpha: Any, beta_sample: Any, epsilon: Any, delta: Any, c: Any, d: Any
) -> tuple[Array, Array]:
    """Return the width and failure probability of the transfer theorem of Jung et al.

    Parameters
    ----------
    alpha, beta_sample : array_like
        All answers are within alpha of the sample's but with probability beta_sample.
    epsilon, delta : array_like
        Privacy of the whole transcript, >= 0.
    c, d : array_like
        Slack in the resampling lemma and in the posterior sensitivity, > 0.

    Returns
    -------
    width, failure : ndarray
        Equal to alpha + exp(epsilon) - 1 + c + 2 d, and beta_sample / c + delta / d.

    References
    ----------
    Jung, Ligett, Neel, Roth, Sharifi-Malvajerdi, Shenfeld (ITCS 2020); answers lie in [0, 1].

    Examples
    --------
    >>> width, failure = jung_transfer(0.03, 1e-4, 0.1, 1e-4, 0.01, 0.01)
    >>> round(float(width), 6), round(float(failure), 6)
    (0.165171, 0.02)
    """
    c, d = check_positive("c", c), check_positive("d", d)
    width = (
        check_nonnegative("alpha", alpha)
        + np.expm1(check_nonnegative("epsilon", epsilon))
        + c
        + 2 * d
    )
    failure = (
        check_nonnegative("beta_sample", beta_sample) / c + check_nonnegative("delta", delta) / d
    )
    return width, failure


def squared_gap_bound(information: Any, n: Any) -> Array:
    """Return a bound of E (q(S) - q(P))^2 for a query q chosen from a transcript.

    Parameters
    ----------
    information : array_like
        Bound of the mutual information of sample and transcript in nats, >= 0: rho n for a
        rho-zCDP transcript.
    n : array_like
        Points in the sample, >= 1.

    Returns
    -------
    ndarray
        The minimum over lambda in (0, 1) of (2 I - ln(1 - lambda)) / lambda, over 4 n.

    Notes
    -----
    The minimum is 1 + s with s - ln(1 + s) = 2 I. Newton's method from above stays above: what it
    returns is a bound at every iteration.

    References
    ----------
    Rogers et al. (AISTATS 2020), Theorem 2.1, after Russo, Zou (AISTATS 2016); the mutual
    information of zCDP is Proposition 1.4 of Bun, Steinke (TCC 2016).

    Examples
    --------
    >>> round(float(squared_gap_bound(1.0, 100)), 6)
    0.011263
    """
    information = check_nonnegative("information", information)
    s = 2 * information + 2 * np.sqrt(information)
    for _ in range(8):
        excess = np.maximum(s - np.log1p(s) - 2 * information, 0)
        s = s - np.divide(excess * (1 + s), s, out=np.zeros_like(s * excess), where=s > 0)
    return np.asarray((1 + s) / (4 * check_counts("n", n)))
