"""What is proven of conformal selection: exact error rates, and the laws of two mistakes.

Here ``clip`` scores send calibration points above the threshold to infinity, predictions have no
ties, q is the target level and pi0 the probability of a null, Y <= c. References are to JC23 (Y.
Jin, E. Candes, Selection by prediction with conformal p-values, JMLR 24, 2023) and BJ24 (T. Bai,
Y. Jin, Optimized conformal selection, arXiv:2411.17983).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from theorytk._validation import check_choice, check_int, check_real

__all__ = [
    "cfbh_fdr_range",
    "fdr_single_test",
    "naive_fdr",
    "naive_fdr_bound",
    "shared_uniform_fdr",
    "sub_fdr_range",
]

Array = NDArray[np.float64]

SLACK = 1e-10
"""Relative slack of the comparisons that rounding must not decide."""


def fdr_single_test(q: float, n: int, pi0: float, *, tie: str = "conservative") -> float:
    """Return the false discovery rate with one test point, P(p <= q and null), exactly.

    It is at most q, while ``P(p <= q given null)``, which is this over `pi0`, is not: conformal
    p-values are calibrated jointly with the null, not given it.

    Parameters
    ----------
    q : float
        Level, between 0 and 1.
    n : int
        Calibration points, >= 1.
    pi0 : float
        Probability of a null, in (0, 1].
    tie : {"conservative", "randomised"}
        The p-value ``(1 + L) / (n + 1)`` or ``(L + U) / (n + 1)``, L calibration scores being
        below the test score.

    Returns
    -------
    float

    Notes
    -----
    Among n + 1 points of which N0 are null, a null test point has each of the ranks 1 to N0 with
    probability 1 / (n + 1). The rate is ``E min(floor(q (n + 1)), N0) / (n + 1)`` with N0 ~
    Bin(n + 1, pi0); randomising removes the floor.

    References
    ----------
    Derived here; the bound by q is Theorem 3 of JC23.

    Examples
    --------
    >>> round(fdr_single_test(0.1, 9, 0.5), 4), round(fdr_single_test(0.19, 9, 0.5), 4)
    (0.0999, 0.0999)
    >>> round(fdr_single_test(0.1, 99, 0.5) / 0.5, 6)  # given null, twice the level
    0.2
    """
    q, n, pi0 = check_level(q), check_int("n", n, lower=1), check_pi0(pi0)
    randomised = check_choice("tie", tie, ("conservative", "randomised")) == "randomised"
    ranks = q * (n + 1) if randomised else _floor(q * (n + 1))
    nulls = np.arange(n + 2)
    mean = stats.binom.pmf(nulls, n + 1, pi0) @ np.minimum(nulls, ranks)
    return float(mean / (n + 1))


def cfbh_fdr_range(q: float, n: int, m: int, pi0: float) -> tuple[float, float]:
    """Return what the false discovery rate of cfBH lies between, for conservative p-values.

    For clip scores and any predictor. On the lattice, where ``q (n + 1) / m`` is an integer, and
    with nulls enough, both ends are q: the rate is q whatever `pi0`.

    Parameters
    ----------
    q : float
        Level, between 0 and 1.
    n, m : int
        Calibration and test points, >= 1.
    pi0 : float
        Probability of a null, in (0, 1].

    Returns
    -------
    tuple of float
        Lower and upper end; 0 below when no single discovery is possible.

    Notes
    -----
    Let r be the number of selections were the p-value of test point j 0. It depends on the
    calibration points and point j only through their unordered set, and is the number of
    selections if j is among them.
    By `fdr_single_test` given that set, j is a false discovery with ``E 1/r`` equal to ``E
    min(floor(g r), N0) / ((n + 1) r)``, where ``g = q (n + 1) / m``. Summed over j, with ``g r``
    in the place of the floor, this is q; the floor loses the least ratio ``floor(g r) / (g r)``
    at most, and N0 at most the probability that it is below ``floor(q (n + 1))``.

    References
    ----------
    Derived here; the upper end is Theorem 3 of JC23.

    Examples
    --------
    >>> lo, hi = cfbh_fdr_range(0.1, 999, 100, 0.5)
    >>> round(lo, 12), hi
    (0.1, 0.1)
    """
    q, pi0 = check_level(q), check_pi0(pi0)
    n, m = check_int("n", n, lower=1), check_int("m", m, lower=1)
    ranks = q * (n + 1) / m * np.arange(1, m + 1)
    kept = float(np.min(_floor(ranks) / ranks))
    enough = float(stats.binom.sf(_floor(q * (n + 1)) - 1, n + 1, pi0))
    return q * min(kept, 1.0) * enough, q


def sub_fdr_range(q: float, n: int, m: int, pi0: float) -> tuple[float, float]:
    """Return what the false discovery rate lies between when cfBH calibrates on nulls only.

    For sub scores, conservative p-values and any predictor: the upper end is ``pi0 q``, and the
    lower one tends to it as ``q n / m`` grows.

    Parameters
    ----------
    q : float
        Level, between 0 and 1.
    n, m : int
        Calibration points, of which the nulls are used, and test points, >= 1.
    pi0 : float
        Probability of a null, in (0, 1].

    Returns
    -------
    tuple of float
        Lower and upper end.

    Notes
    -----
    As `cfbh_fdr_range`, given that N of the n calibration points are null: a null test point has
    each of N + 1 ranks with probability 1 / (N + 1), and is a false discovery with ``E 1/r`` equal
    to ``E floor(g r) / ((N + 1) r)``, ``g = q (N + 1) / m``. With ``g r`` in the place of the floor
    this is q / m; the floor keeps at least the least ratio ``floor(g r) / (g r)``.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> lo, hi = sub_fdr_range(0.2, 399, 5, 0.5)
    >>> round(lo, 4), hi
    (0.094, 0.1)
    """
    q, pi0 = check_level(q), check_pi0(pi0)
    n, m = check_int("n", n, lower=1), check_int("m", m, lower=1)
    nulls = np.arange(n + 1)
    ranks = q * (nulls[:, None] + 1) / m * np.arange(1, m + 1)
    kept = np.minimum(_floor(ranks) / ranks, 1.0).min(axis=1)
    return float(pi0 * q * (stats.binom.pmf(nulls, n, pi0) @ kept)), pi0 * q


def naive_fdr_bound(q: float, pi0: float, K: int) -> float:
    """Return the law of the winner's curse: choosing the best of K useless predictors.

    The most false discoveries that choosing, of K predictors independent of everything, the one
    that selects most on the same calibration data can have in expectation:
    ``pi0 (1 - (1 - q / pi0)^K)``, which tends to pi0.

    Parameters
    ----------
    q : float
        Level, between 0 and 1.
    pi0 : float
        Probability of a null, in (0, 1].
    K : int
        Predictors, >= 1.

    Returns
    -------
    float
        Upper bound of the false discovery rate; `naive_fdr` is its exact value, and the two differ
        by the randomness of the number of calibration nulls (Jensen) and by the lattice.

    Notes
    -----
    Predictors say nothing of the test labels, so the false discovery proportion is pi0 on average
    whenever something is selected. With one predictor the rate is at most q, hence something is
    selected with probability at most q / pi0. Given the calibration labels the K selections are
    independent; averaging the K-th power of the probability of selecting nothing over these labels
    can only raise it.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> [round(naive_fdr_bound(0.1, 0.5, K), 4) for K in (1, 2, 8, 64)]
    [0.1, 0.18, 0.4161, 0.5]
    """
    q, pi0, K = check_level(q), check_pi0(pi0), check_int("K", K, lower=1)
    return pi0 * (1 - (1 - min(q / pi0, 1.0)) ** K)


def naive_fdr(q: float, n: int, m: int, pi0: float, K: int) -> float:
    """Return the false discovery rate of the best of K useless predictors, exactly.

    Parameters
    ----------
    q : float
        Level, between 0 and 1.
    n, m : int
        Calibration and test points, >= 1.
    pi0 : float
        Probability of a null, in (0, 1].
    K : int
        Predictors, >= 1: continuous, independent of each other and of the labels.

    Returns
    -------
    float
        For clip scores and conservative p-values.

    Notes
    -----
    As `naive_fdr_bound`, with the probability of selecting nothing from the random order of k
    calibration nulls and m test points (a recursion along lattice paths).

    References
    ----------
    Derived here.

    Examples
    --------
    >>> [round(naive_fdr(0.1, 199, 20, 0.5, K), 4) for K in (1, 2, 8, 64)]
    [0.1, 0.1799, 0.4154, 0.5]
    """
    q, pi0, K = check_level(q), check_pi0(pi0), check_int("K", K, lower=1)
    n, m = check_int("n", n, lower=1), check_int("m", m, lower=1)
    nothing, _ = _largest_rejection(n, m, q, np.ones(1), np.ones(1))
    return float(pi0 * (1 - stats.binom.pmf(np.arange(n + 1), n, pi0) @ nothing**K))


def shared_uniform_fdr(q: float, n: int, m: int, pi0: float) -> float:
    """Return the false discovery rate when all p-values share one tie-breaking uniform, exactly.

    For `theorytk.conformal.problems.separated_data`: the prediction puts every positive before
    every null and orders the nulls at random. The rate exceeds q for many n, m and pi0, so
    ``(L_j + U) / (n + 1)`` with one U for all j is not valid. Independent U_j are.

    Parameters
    ----------
    q : float
        Level, between 0 and 1.
    n, m : int
        Calibration and test points, >= 1.
    pi0 : float
        Probability of a null, in (0, 1].

    Returns
    -------
    float
        For clip scores; in time of order n^2 m^2 and more.

    Notes
    -----
    Valid: given the unordered set of calibration points and a null point j, the other test points
    and their uniforms, ``p_j = (L_j + U_j) / (n + 1)`` is uniform (on the part up to N0 / (n + 1)),
    and the number r of selections falls with p_j: the higher point j, the more calibration points
    are below the others. For uniform p and falling r, ``E[1{p <= a r(p)} / r(p)] <= a``, here with
    a = q / m; sum over j.
    Not valid: with U shared, p_j grows past an integer of n + 1 as U falls back from 1 to 0, which
    lowers all other p-values: r no longer falls. Exactly, with ``g = q (n + 1) / m`` and r(U) the
    selections were p_j 0, the rate is the sum over j of ``E (floor(g r(U) - U) + 1) / ((n + 1)
    r(U))``; were r free of U, the average of the floor over U would be g r, and the sum q.

    References
    ----------
    Derived here. JC23 state independent uniforms.

    Examples
    --------
    >>> round(shared_uniform_fdr(0.3, 10, 50, 0.8), 5)
    0.31207
    """
    q, pi0 = check_level(q), check_pi0(pi0)
    n, m = check_int("n", n, lower=1), check_int("m", m, lower=1)
    steps = np.unique(np.concatenate([[0.0, 1.0], q * (n + 1) / m * np.arange(1, m + 1) % 1]))
    _, largest = _largest_rejection(n, m, q, (steps[1:] + steps[:-1]) / 2, np.diff(steps))
    k = np.arange(n + 1)
    b, total = k[:, None], 0.0
    for rank in range(1, m + 1):
        # The point selected last is the i-th null one, with b of k calibration nulls before it.
        i = np.arange(1, rank + 1)[:, None, None]
        nulls, after = m - rank + i, m - rank
        log_order = _log_binom(b + i - 1, b) - _log_binom(k + nulls, k)
        log_order = log_order + _log_binom(np.maximum(k - b, 0) + after, after)
        probability = stats.binom.pmf(nulls, m, pi0) * stats.binom.pmf(k, n, pi0)
        probability = probability * np.where(b <= k, np.exp(log_order) * largest[rank - 1], 0)
        total += float(np.sum(i / rank * probability))
    return total


def _largest_rejection(
    n: int, m: int, q: float, shifts: Array, weights: Array
) -> tuple[Array, Array]:
    """Return where BH stops when nulls come in random order and p is (shift + count) / (n + 1).

    First, for k calibration nulls and m null test points, the probability that nothing is
    selected, shape (k,). Second, for the test point at a rank with b of k nulls before it, the
    probability that it is the last one selected, shape (rank, b, k). Both averaged over shifts.
    """
    k = np.arange(n + 1)[:, None]
    largest = np.zeros((m, n + 1, n + 1))
    none_later = np.ones((n + 2, n + 1, len(shifts)))  # after b calibration nulls, test points gone
    for left in range(1, m + 1):
        rank = m - left + 1
        reach = q * (n + 1) / m * rank * (1 + SLACK)
        for b in range(n, -1, -1):
            selected = b + shifts <= reach
            largest[rank - 1, b] = np.where(selected, none_later[b], 0) @ weights
            ahead = np.maximum(k - b, 0)
            stays = np.where(selected, 0, left * none_later[b]) + ahead * none_later[b + 1]
            none_later[b] = stays / (left + ahead)
    return none_later[0] @ weights, largest


def _log_binom(n: Any, k: Any) -> Array:
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))


def _floor(x: Any) -> Any:
    """Return the floor, to which rounding just below an integer does no harm."""
    return np.floor(x * (1 + SLACK))


def check_level(q: float) -> float:
    return check_real("q", q, lower=0, upper=1, lower_open=True, upper_open=True)


def check_pi0(pi0: float) -> float:
    return check_real("pi0", pi0, lower=0, upper=1, lower_open=True)
