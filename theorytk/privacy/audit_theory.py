"""Laws of audits: what counts certify, how often a claim is refuted, how tight the bounds are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv, ndtr

from theorytk._validation import check_int, check_real
from theorytk.privacy._arguments import Array, check_nonnegative, check_positive
from theorytk.privacy.audit_result import check_claim

__all__ = [
    "certified_epsilon",
    "detection_probability",
    "gaussian_certified",
    "laplace_certified",
    "one_run_certified",
    "one_run_epsilon",
    "one_run_p_value",
]


def certified_epsilon(
    hits: Any,
    hits_other: Any,
    n_trials: Any,
    *,
    delta: float = 0.0,
    confidence: float = 0.999,
) -> Array:
    """Return the epsilon that the frequencies of an event on neighbouring data certify.

    Parameters
    ----------
    hits, hits_other : array_like
        How often the event happened on either data, in [0, n_trials]; expected counts need not be
        whole.
    n_trials : array_like
        Releases of each data set, > 0.
    delta : float
        In [0, 1).
    confidence : float
        Probability in (0, 1) of a correct bound.

    Returns
    -------
    ndarray
        ``log((p - delta) / q)``, at least 0, with p the lower and q the upper Clopper-Pearson
        limit of the two probabilities, each at (1 - confidence) / 2.

    References
    ----------
    Jagielski, Ullman, Oprea (NeurIPS 2020), Section 4.

    Examples
    --------
    >>> certified_epsilon([5000, 50], [1800, 50], 10000).round(3)
    array([0.919, 0.   ])
    """
    _, delta, confidence = check_claim(0.0, delta, confidence)
    hits, other = check_nonnegative("hits", hits), check_nonnegative("hits_other", hits_other)
    n = check_positive("n_trials", n_trials)
    if (hits > n).any() or (other > n).any():
        raise ValueError("hits and hits_other must be at most n_trials")
    error = (1 - confidence) / 2
    low, high = _lower_limit(hits, n, error), 1 - _lower_limit(n - other, n, error)
    return np.log(np.maximum((low - delta) / high, 1.0))


def detection_probability(
    p: float,
    q: float,
    n_trials: int,
    *,
    claimed: float,
    delta: float = 0.0,
    confidence: float = 0.999,
) -> float:
    """Return the exact probability that `certified_epsilon` exceeds the claim.

    Parameters
    ----------
    p, q : float
        Probabilities in [0, 1] of the event on either data. Where ``p <= exp(claimed) q + delta``
        this is the rate of false alarms, never above 1 - confidence.
    n_trials : int
        Releases of each data set, >= 1.
    claimed, delta : float
        What is claimed, epsilon >= 0 and delta in [0, 1).
    confidence : float
        As in `certified_epsilon`.

    Returns
    -------
    float

    References
    ----------
    Derived here: a sum over all outcomes of two binomials.

    Examples
    --------
    >>> p, q = 0.5, 0.5 * np.exp(-1.0)
    >>> detection_probability(p, q, 2000, claimed=1.0) < 0.001
    True
    >>> round(detection_probability(p, q, 2000, claimed=0.75), 3)
    0.678
    """
    claimed, delta, confidence = check_claim(claimed, delta, confidence)
    p = check_real("p", p, lower=0.0, upper=1.0)
    q = check_real("q", q, lower=0.0, upper=1.0)
    n = check_int("n_trials", n_trials, lower=1)
    counts, error = np.arange(n + 1.0), (1 - confidence) / 2
    low = _lower_limit(counts, n, error)
    high = 1 - _lower_limit(n - counts, n, error)
    # For each count on one side the counts on the other that are few enough to refute the claim.
    few = np.searchsorted(high * math.exp(claimed), low - delta, side="left")
    other = np.append(1 - _tail(counts, n, q), 1.0)
    tail = np.append(_tail(counts, n, p), 0.0)
    return float(-np.diff(tail) @ other[few])


def laplace_certified(
    epsilon: Any,
    n_trials: int,
    *,
    steps: int | None = None,
    delta: float = 0.0,
    confidence: float = 0.999,
) -> Array:
    """Return the epsilon that an audit certifies, at expected counts, of one Laplace release.

    Parameters
    ----------
    epsilon : array_like
        True epsilon > 0: sensitivity over scale.
    n_trials : int
        Releases of each data set, >= 2, half of them to choose the event.
    steps : int, optional
        Sensitivity in steps of the grid of discrete noise, >= 1; continuous noise if not given.
    delta, confidence : float
        As in `certified_epsilon`.

    Returns
    -------
    ndarray
        For the event of the largest loss: noise >= 0 on one data, >= the sensitivity on the other.

    References
    ----------
    Derived here. The event has probability 1 / (1 + exp(-epsilon / steps)), or 1/2, on one data and
    exp(-epsilon) times that on the other.

    Examples
    --------
    >>> laplace_certified([0.5, 1.0, 2.0], 20000).round(2)
    array([0.42, 0.9 , 1.85])
    """
    held_out = check_int("n_trials", n_trials, lower=2) // 2
    epsilon = check_positive("epsilon", epsilon)
    p = _upper_half(epsilon, steps)
    q = p * np.exp(-epsilon)
    return certified_epsilon(
        p * held_out, q * held_out, held_out, delta=delta, confidence=confidence
    )


def gaussian_certified(
    mu: Any, n_trials: int, *, delta: float = 0.01, confidence: float = 0.999
) -> Array:
    """Return the epsilon that an audit certifies, at expected counts, of one Gaussian release.

    Parameters
    ----------
    mu : array_like
        Sensitivity over standard deviation, > 0; sqrt(2 rho).
    n_trials : int
        Releases of each data set, >= 2, half of them to choose the event.
    delta, confidence : float
        As in `certified_epsilon`.

    Returns
    -------
    ndarray
        For the best threshold.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> gaussian_certified([0.5, 1.0, 2.0], 20000).round(2)
    array([0.61, 1.68, 3.84])
    """
    held_out = check_int("n_trials", n_trials, lower=2) // 2
    mu = check_positive("mu", mu)[..., None]
    t = np.linspace(-6, 6, 601)
    each = certified_epsilon(
        held_out * ndtr(t), held_out * ndtr(t - mu), held_out, delta=delta, confidence=confidence
    )
    return np.asarray(each.max(axis=-1))


def one_run_p_value(
    epsilon: float, m: int, guesses: int, correct: int, delta: float = 0.0
) -> float:
    """Return how likely so many correct guesses are, at most, if the release is private.

    Parameters
    ----------
    epsilon, delta : float
        Privacy of the release, epsilon >= 0 and delta in [0, 1).
    m : int
        Canaries, >= 1, each included with probability 1/2.
    guesses : int
        For how many of them a guess was made.
    correct : int
        How many guesses were right.

    Returns
    -------
    float
        With W binomial, of `guesses` trials and probability e^epsilon / (1 + e^epsilon),
        ``P(W >= v) + 2 m delta max_i P(v - i <= W < v) / i`` for v = `correct`, at most 1.

    References
    ----------
    Steinke, Nasr, Jagielski (NeurIPS 2023), Theorem 5.2.

    Examples
    --------
    >>> round(one_run_p_value(1.0, 1000, 600, 460), 4)
    0.0261
    """
    epsilon, delta, _ = check_claim(epsilon, delta, 0.5)
    m = check_int("m", m, lower=1)
    guesses = check_int("guesses", guesses, lower=0, upper=m)
    correct = check_int("correct", correct, lower=0, upper=guesses)
    q = 1 / (1 + math.exp(-epsilon))
    beta = float(_tail(np.array(float(correct)), guesses, q))
    if correct == 0 or delta == 0:
        return beta
    i = np.arange(1.0, correct + 1)
    alpha = ((_tail(correct - i, guesses, q) - beta) / i).max()
    return min(1.0, float(beta + 2 * m * delta * alpha))


def one_run_epsilon(
    m: int, guesses: int, correct: int, *, delta: float = 0.0, confidence: float = 0.999
) -> float:
    """Return the epsilon that correct guesses in one run certify.

    Parameters
    ----------
    m, guesses, correct, delta
        As in `one_run_p_value`.
    confidence : float
        Probability in (0, 1) of a correct bound.

    Returns
    -------
    float
        The epsilon whose p-value is 1 - confidence, or 0.

    Examples
    --------
    >>> round(one_run_epsilon(1000, 600, 460), 3)
    0.894
    """
    _, delta, confidence = check_claim(0.0, delta, confidence)

    def excess(epsilon: float) -> float:
        return one_run_p_value(epsilon, m, guesses, correct, delta) - (1 - confidence)

    if excess(0.0) > 0:
        return 0.0
    # Beyond, all guesses of a private release would be right.
    root: float = brentq(excess, 0.0, 60.0)
    return root


def one_run_certified(
    epsilon: float,
    m: int,
    *,
    steps: int | None = None,
    delta: float = 0.0,
    confidence: float = 0.999,
) -> float:
    """Return the epsilon that one run certifies, at expected counts, of Laplace noise on cells.

    Parameters
    ----------
    epsilon : float
        True epsilon > 0 of the histogram.
    m : int
        Canaries, >= 1, each in a cell of its own.
    steps : int, optional
        As in `laplace_certified`: 1 for discrete noise on counts.
    delta, confidence : float
        As in `one_run_epsilon`.

    Returns
    -------
    float
        For guesses where the loss is largest, of which 1 / (1 + exp(-epsilon)) are right.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> round(one_run_certified(1.0, 10000), 2)
    0.92
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    m = check_int("m", m, lower=1)
    share = float(_upper_half(np.array(epsilon), steps)) * (1 + math.exp(-epsilon))
    guesses = round(m * share)
    correct = round(guesses / (1 + math.exp(-epsilon)))
    return one_run_epsilon(m, guesses, correct, delta=delta, confidence=confidence)


def _upper_half(epsilon: Array, steps: int | None) -> Array:
    """Return the probability that Laplace noise is >= 0."""
    if steps is None:
        return np.full_like(epsilon, 0.5)
    return 1 / (1 + np.exp(-epsilon / check_int("steps", steps, lower=1)))


def _lower_limit(hits: Array, n: Any, error: float) -> Array:
    """Return the lower Clopper-Pearson limit of a probability, 0 where there are no hits."""
    positive = np.where(hits > 0, hits, 1.0)
    return np.where(hits > 0, betaincinv(positive, n - positive + 1, error), 0.0)


def _tail(count: Array, n: int, p: float) -> Array:
    """Return P(W >= count) for W binomial with n trials."""
    positive = np.where(count > 0, count, 1.0)
    return np.where(count > 0, betainc(positive, np.maximum(n - positive + 1, 1e-300), p), 1.0)
