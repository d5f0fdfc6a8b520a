"""Audits that sample releases: an event must not be much likelier on neighbouring data."""

from __future__ import annotations

from typing import Any

import numpy as np

from theorytk._validation import check_array, check_real
from theorytk.privacy._arguments import Array
from theorytk.privacy.audit_result import AuditResult, check_claim
from theorytk.privacy.audit_theory import certified_epsilon, one_run_epsilon

__all__ = ["granularity_audit", "one_run_audit", "two_sample_audit"]

# Rounded away from scores: differences in the last bits of floating-point sums, which are a matter
# for `granularity_audit`.
SCORE_DECIMALS = 9
THRESHOLDS = 512
# Sums of 1 and floating-point noise are multiples of this; noise alone need not be.
UNIT_SPACING = 2.0**-53


def two_sample_audit(
    scores: Any,
    scores_other: Any,
    *,
    claimed: float,
    delta: float = 0.0,
    confidence: float = 0.999,
) -> AuditResult:
    """Certify an epsilon from scores of independent releases on neighbouring data.

    One half of the releases chooses a threshold, its side and which data is likelier; the other
    half counts.

    Parameters
    ----------
    scores, scores_other : array_like, shape (n,)
        One score per release, any function of it; best is the log-likelihood ratio. Rounded to
        nine decimals.
    claimed : float
        Claimed epsilon >= 0 at this delta.
    delta : float
        In [0, 1).
    confidence : float
        Probability in (0, 1) of a correct bound.

    Returns
    -------
    AuditResult

    References
    ----------
    Jagielski, Ullman, Oprea (NeurIPS 2020), with the choice of the event on a part of its own.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.laplace(scale=0.5, size=(2, 20000))
    >>> two_sample_audit(noise[0], noise[1] + 1, claimed=1.0)
    <two-sample audit VIOLATED: epsilon >= 1.852, claimed 1, confidence 0.999, 20000 trials, \
score >= 0.945953, likelier on the other data>
    """
    claimed, delta, confidence = check_claim(claimed, delta, confidence)
    n = len(check_array("scores", scores, ndim=1))
    if n < 2:
        raise ValueError(f"scores must hold at least 2 releases; got {n}")
    first = np.round(check_array("scores", scores, shape=(n,)), SCORE_DECIMALS)
    other = np.round(check_array("scores_other", scores_other, shape=(n,)), SCORE_DECIMALS)
    half = n // 2
    levels = np.linspace(0, 1, THRESHOLDS)
    pooled = np.concatenate([first[:half], other[:half]])
    thresholds = np.unique(np.quantile(pooled, levels, method="inverted_cdf"))
    chosen = _certified(first[:half], other[:half], thresholds, delta, confidence)
    order, side, at = np.unravel_index(chosen.argmax(), chosen.shape)
    held_out = _certified(first[half:], other[half:], thresholds[[at]], delta, confidence)
    return AuditResult(
        "two-sample",
        float(held_out[order, side, 0]),
        claimed,
        delta=delta,
        confidence=confidence,
        n_trials=n,
        event=f"score {('>=', '<=')[side]} {thresholds[at]:.6g}, likelier on the "
        f"{('first', 'other')[order]} data",
    )


def granularity_audit(
    values: Any,
    values_other: Any,
    *,
    claimed: float,
    spacing: float = UNIT_SPACING,
    delta: float = 0.0,
    confidence: float = 0.999,
) -> AuditResult:
    """Certify an epsilon from the last bits of releases: some are no multiples of `spacing`.

    Parameters
    ----------
    values, values_other : array_like, shape (n,) or (n, k)
        Releases on data where the true value is 0, and where it is not: a true value of at least 1
        and below 2 makes all floating-point sums multiples of 2^-53.
    claimed : float
        Claimed epsilon >= 0 at this delta.
    spacing : float
        A power of two > 0: 2^(e - 53) for a true value of at least 2^e and below 2^(e + 1).
    delta, confidence : float
        As in `two_sample_audit`.

    Returns
    -------
    AuditResult

    References
    ----------
    Mironov (CCS 2012). The event is derived here: where |noise| >= 2^(e - 1) the noise is itself a
    multiple of the spacing, and so is the sum; otherwise the sum exceeds 2^(e - 1).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.laplace(size=(2, 20000))
    >>> granularity_audit(noise[0], 1 + noise[1], claimed=1.0).violated
    True
    """
    claimed, delta, confidence = check_claim(claimed, delta, confidence)
    spacing = check_real("spacing", spacing, lower=0.0, lower_open=True)
    if np.frexp(spacing)[0] != 0.5:
        raise ValueError(f"spacing must be a power of two; got {spacing!r}")
    first = np.atleast_1d(check_array("values", values))
    second = check_array("values_other", values_other, shape=first.shape)
    n = len(first)
    hits, other = (
        int((each.reshape(n, -1) % spacing != 0).any(axis=1).sum()) for each in (first, second)
    )
    certified = certified_epsilon(hits, other, n, delta=delta, confidence=confidence)
    return AuditResult(
        "granularity",
        float(certified),
        claimed,
        delta=delta,
        confidence=confidence,
        n_trials=n,
        event=f"{hits} releases against {other} are no multiples of {spacing:.3g}",
    )


def one_run_audit(
    scores: Any,
    included: Any,
    *,
    claimed: float,
    threshold: float = 0.0,
    delta: float = 0.0,
    confidence: float = 0.999,
) -> AuditResult:
    """Certify an epsilon from one release: guess for each canary whether it was included.

    Parameters
    ----------
    scores : array_like, shape (m,)
        One score per canary from the release, positive where it seems included; best is the
        log-likelihood ratio of inclusion. Rounded to nine decimals.
    included : array_like of bool, shape (m,)
        Whether each canary was, by independent fair coins.
    claimed : float
        Claimed epsilon >= 0, under addition and removal of points.
    threshold : float
        Guesses are made where |score| is at least this, and not 0; chosen without `included`.
    delta, confidence : float
        As in `two_sample_audit`.

    Returns
    -------
    AuditResult

    References
    ----------
    Steinke, Nasr, Jagielski (NeurIPS 2023), Theorem 5.2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> included = rng.random(10000) < 0.5
    >>> cells = included + rng.laplace(size=10000)
    >>> scores = np.abs(cells) - np.abs(cells - 1)
    >>> one_run_audit(scores, included, claimed=1.0, threshold=1.0)
    <one-run audit passed: epsilon >= 0.9217, claimed 1, confidence 0.999, 10000 trials, \
4965 of 6780 guesses right>
    """
    claimed, delta, confidence = check_claim(claimed, delta, confidence)
    scores = np.round(check_array("scores", scores, ndim=1), SCORE_DECIMALS)
    threshold = check_real("threshold", threshold, lower=0.0)
    coins = np.asarray(included)
    if coins.dtype != np.bool_ or coins.shape != scores.shape:
        raise ValueError(
            f"included must be booleans of shape {scores.shape}; got {coins.dtype} of shape "
            f"{coins.shape}"
        )
    guessed = (np.abs(scores) >= threshold - 10.0**-SCORE_DECIMALS) & (scores != 0)
    guesses = int(guessed.sum())
    correct = int(((scores > 0) == coins)[guessed].sum())
    return AuditResult(
        "one-run",
        one_run_epsilon(len(scores), guesses, correct, delta=delta, confidence=confidence),
        claimed,
        delta=delta,
        confidence=confidence,
        n_trials=len(scores),
        event=f"{correct} of {guesses} guesses right",
    )


def _certified(
    scores: Array, scores_other: Array, thresholds: Array, delta: float, confidence: float
) -> Array:
    """Return what events certify, shape (2, 2, thresholds): data likelier first, then side."""
    hits = np.array([_counts(scores, thresholds), _counts(scores_other, thresholds)])
    return certified_epsilon(hits, hits[::-1], len(scores), delta=delta, confidence=confidence)


def _counts(scores: Array, thresholds: Array) -> Array:
    """Return how many scores are at least, and how many at most each threshold."""
    ordered = np.sort(scores)
    least = len(scores) - np.searchsorted(ordered, thresholds, side="left")
    most = np.searchsorted(ordered, thresholds, side="right")
    return np.array([least, most], dtype=np.float64)
