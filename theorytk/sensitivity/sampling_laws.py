"""How many rows to sample: the published orders and the recursion of root leverage.

The theorems hide constants and powers of logarithms. Nothing here claims them: a constant is an
argument. S is the total sensitivity, d the rank, epsilon the distortion of p-th powers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_choice, check_int, check_real
from theorytk.sensitivity._linalg import check_exponent

__all__ = [
    "ROW_LAWS",
    "RowLaw",
    "active_cost_ratio",
    "cd21_over_v1",
    "coreset_cost_ratio",
    "estimator_variance",
    "root_leverage_limit",
    "root_leverage_next",
    "sufficient_oversampling",
    "sufficient_rows",
]


@dataclass(frozen=True)
class RowLaw:
    """The order of sufficient rows for one way to score them.

    Attributes
    ----------
    least, most : float
        The range of p, both ends included.
    rows : callable
        ``rows(S, d, p)``, to be multiplied by constant / epsilon^2.
    score_total : callable
        ``score_total(S, d)``, the sum of the scores.
    source : str
        Where it is proven.
    """

    least: float
    most: float
    rows: Callable[[float, float, float], float]
    score_total: Callable[[float, float], float]
    source: str


def _sensitivity_rows(S: float, d: float, p: float) -> float:
    """Return d^(1 - p/2) S for p <= 2 and S^(2 - 2/p) above."""
    return float(d ** (1 - p / 2) * S if p <= 2 else S ** (2 - 2 / p))


ROW_LAWS = {
    "sensitivity": RowLaw(
        1,
        math.inf,
        _sensitivity_rows,
        lambda S, d: S,
        "Chen, Derezinski (COLT 2021) for p <= 2, tight by Munteanu, Omlor (ICML 2024); "
        "Woodruff, Yasuda (ICML 2023) for p > 2",
    ),
    "sensitivity-union": RowLaw(
        1, math.inf, lambda S, d, p: S * d, lambda S, d: S, "a union bound over a net"
    ),
    "sensitivity-v1": RowLaw(
        1,
        2,
        lambda S, d, p: S ** (2 / p),
        lambda S, d: S,
        "Woodruff, Yasuda, arXiv:2306.00732v1, superseded in v2",
    ),
    "augmented": RowLaw(
        1, 2, lambda S, d, p: S + d, lambda S, d: S + d, "Munteanu, Omlor (ICML 2024)"
    ),
    "flattened": RowLaw(
        2,
        math.inf,
        lambda S, d, p: d ** (2 / p) * S ** (2 - 4 / p),
        lambda S, d: 1.0,
        "Woodruff, Yasuda (ICML 2023), leverage scores and sensitivities together",
    ),
    "lewis": RowLaw(
        1,
        math.inf,
        lambda S, d, p: d ** max(1.0, p / 2),
        lambda S, d: d,
        "Cohen, Peng (STOC 2015), and the literature before them",
    ),
}


def sufficient_rows(
    scores: str, p: float, *, total: float, rank: int, epsilon: float, constant: float = 1.0
) -> float:
    """Return constant / epsilon^2 times the order of rows that suffice for distortion epsilon.

    ============================  ===========  ==============================================
    scores                        p            order
    ============================  ===========  ==============================================
    sensitivity                   [1, 2]       d^(1 - p/2) S
    sensitivity                   (2, inf)     S^(2 - 2/p)
    sensitivity-union             [1, inf)     S d
    sensitivity-v1                [1, 2]       S^(2/p), never the smaller: see `cd21_over_v1`
    augmented (sigma + tau)       [1, 2]       S + d
    flattened (sigma and tau)     [2, inf)     d^(2/p) S^(2 - 4/p)
    lewis                         [1, inf)     d^max(1, p/2)
    ============================  ===========  ==============================================

    Parameters
    ----------
    scores : str
        The way to score rows, a key of `ROW_LAWS`.
    p : float
        The exponent.
    total : float
        The total sensitivity S, or that of overestimates.
    rank : int
        The rank d.
    epsilon : float
        The distortion of p-th powers, > 0.
    constant : float, default 1
        The user's constant, logarithms included: no theorem states it.

    Returns
    -------
    float

    References
    ----------
    The `source` of each of `ROW_LAWS`.

    Examples
    --------
    >>> sufficient_rows("lewis", 4.0, total=50.0, rank=10, epsilon=0.5)
    400.0
    """
    law = ROW_LAWS[check_choice("scores", scores, ROW_LAWS)]
    p = check_exponent(p)
    if not law.least <= p <= law.most:
        raise ValueError(f"p must be in [{law.least:g}, {law.most:g}] for {scores!r}; got {p:g}")
    S = check_real("total", total, lower=0.0)
    d = check_int("rank", rank, lower=1)
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    constant = check_real("constant", constant, lower=0.0, lower_open=True)
    return constant * law.rows(S, float(d), p) / epsilon**2


def sufficient_oversampling(
    scores: str, p: float, *, total: float, rank: int, epsilon: float, constant: float = 1.0
) -> float:
    """Return the oversampling alpha of `sufficient_rows`: the rows over the sum of the scores.

    Parameters
    ----------
    scores : str
        The way to score rows, a key of `ROW_LAWS`.
    p : float
        The exponent.
    total : float
        The total sensitivity S > 0.
    rank : int
        The rank d.
    epsilon : float
        The distortion of p-th powers, > 0.
    constant : float, default 1
        The user's constant, logarithms included.

    Returns
    -------
    float
        To keep row i with probability min(1, alpha s_i); the scores of "flattened" sum to 1.

    References
    ----------
    As `sufficient_rows`.

    Examples
    --------
    >>> sufficient_oversampling("sensitivity", 1.0, total=5.0, rank=16, epsilon=0.5)
    16.0
    """
    rows = sufficient_rows(scores, p, total=total, rank=rank, epsilon=epsilon, constant=constant)
    return rows / ROW_LAWS[scores].score_total(_positive("total", total), float(rank))


def estimator_variance(powers: Any, q: Any) -> float:
    """Return sum_i (1/q_i - 1) |y_i|^(2p), the variance of the weighted sum of p-th powers.

    For rows kept with probability ``q_i = min(1, alpha sigma_i)`` it is at most 1/alpha of the
    square of the whole sum, whatever y = A x.

    Parameters
    ----------
    powers : array_like, shape (n,)
        The p-th powers |y_i|^p.
    q : array_like, shape (n,)
        The probabilities of the rows, above 0 where the power is not 0.

    Returns
    -------
    float

    References
    ----------
    Derived here: the rows are kept independently.

    Examples
    --------
    >>> estimator_variance([1.0, 2.0], [0.5, 1.0])
    1.0
    """
    powers = check_array("powers", powers, ndim=1)
    q = check_array("q", q, shape=powers.shape)
    seen = powers != 0
    if (q[seen] <= 0).any() or (q > 1).any():
        raise ValueError("q must be in (0, 1] where the power is not 0")
    return float(np.sum((1 / q[seen] - 1) * powers[seen] ** 2))


def cd21_over_v1(total: float, rank: int, p: float) -> float:
    """Return d^(1 - p/2) S / S^(2/p) for 1 <= p <= 2, which is at most 1.

    Parameters
    ----------
    total : float
        The total sensitivity S > 0.
    rank : int
        The rank d.
    p : float
        The exponent, 1 to 2.

    Returns
    -------
    float

    References
    ----------
    The order of Chen, Derezinski (COLT 2021) over that of Woodruff, Yasuda, version 1; at most 1
    because S >= d^(p/2), as the footnote of version 2 says.

    Examples
    --------
    >>> cd21_over_v1(4.0, 16, 1.0), cd21_over_v1(16.0, 16, 1.0)
    (1.0, 0.25)
    """
    p = check_real("p", check_exponent(p), upper=2.0)
    S, d = _positive("total", total), check_int("rank", rank, lower=1)
    return float(d ** (1 - p / 2) * S ** (1 - 2 / p))


def root_leverage_next(n_rows: float, rank: int, p: float, oversampling: float) -> float:
    """Return alpha n^(1 - p/2) d^(p/2), the most rows in the mean after a round of root leverage.

    Parameters
    ----------
    n_rows : float
        Rows before the round.
    rank : int
        The rank d.
    p : float
        The exponent, 1 to 2.
    oversampling : float
        The oversampling alpha.

    Returns
    -------
    float

    References
    ----------
    Woodruff, Yasuda (ICML 2023), root leverage score sampling; by Jensen's inequality, with
    equality for equal scores below 1 / alpha.

    Examples
    --------
    >>> root_leverage_next(10000, 4, 1.0, 3.0)
    600.0
    """
    p = check_real("p", check_exponent(p), upper=2.0)
    n = check_real("n_rows", n_rows, lower=0.0)
    d = check_int("rank", rank, lower=1)
    return float(_positive("oversampling", oversampling) * n ** (1 - p / 2) * d ** (p / 2))


def root_leverage_limit(rank: int, p: float, oversampling: float) -> float:
    """Return alpha^(2/p) d, the fixed point of `root_leverage_next`.

    Parameters
    ----------
    rank : int
        The rank d.
    p : float
        The exponent, 1 to 2.
    oversampling : float
        The oversampling alpha.

    Returns
    -------
    float
        The logarithm of the rows over it shrinks by 1 - p/2 in every round.

    References
    ----------
    Woodruff, Yasuda (ICML 2023) state roughly d rows; the fixed point is derived here.

    Examples
    --------
    >>> root_leverage_limit(8, 1.0, 6.0)
    288.0
    """
    p = check_real("p", check_exponent(p), upper=2.0)
    return float(_positive("oversampling", oversampling) ** (2 / p) * check_int("rank", rank))


def coreset_cost_ratio(epsilon: float) -> float:
    """Return (1 + epsilon) / (1 - epsilon), what regression on a coreset of [A b] costs at most.

    Parameters
    ----------
    epsilon : float
        The distortion of the p-th powers of [A b], >= 0.

    Returns
    -------
    float
        A bound of ||A x - b||_p^p for the minimiser x on the sample, over the least; infinity for
        epsilon >= 1.

    References
    ----------
    Derived here: the cost of x on all rows is at most that on the sample over 1 - epsilon, that
    of the best x on the sample at most 1 + epsilon times the least. Attained at p = 1, but for a
    tie, if A is a column of ones and of the labels 0 and 1, whose shares are (1 - epsilon) / 2 and
    (1 + epsilon) / 2, the sample makes the first as heavy as the second.

    Examples
    --------
    >>> coreset_cost_ratio(0.5)
    3.0
    """
    epsilon = check_real("epsilon", min(epsilon, 1.0), lower=0.0)
    return (1 + epsilon) / (1 - epsilon) if epsilon < 1 else math.inf


def active_cost_ratio(epsilon: float, p: float, delta: float) -> float:
    """Return (1 + 2 / ((1 - epsilon) delta)^(1/p))^p, for labels that are read on a sample alone.

    Parameters
    ----------
    epsilon : float
        The distortion of the p-th powers of A, >= 0, whatever the labels.
    p : float
        The exponent, finite.
    delta : float
        The probability, above 0, that the bound fails.

    Returns
    -------
    float
        A bound of ||A x - b||_p^p for the minimiser x on the sample, over the least; infinity for
        epsilon >= 1.

    References
    ----------
    Chen, Derezinski (COLT 2021) and Parulekar, Parulekar, Price (2021) have 1 + O(epsilon) at
    p = 1 for samples large enough. Derived here, with S the sample and z the best x: ||A(x - z)||
    <= ||SA(x - z)|| / (1 - epsilon)^(1/p) and ||SA(x - z)|| <= 2 ||S(Az - b)||, whose p-th power
    has at most the mean ||Az - b||^p, so that Markov's inequality bounds it.

    Examples
    --------
    >>> active_cost_ratio(0.5, 1.0, 0.1)
    41.0
    """
    p, delta = check_exponent(p), check_real("delta", delta, lower=0.0, upper=1.0, lower_open=True)
    epsilon = check_real("epsilon", min(epsilon, 1.0), lower=0.0)
    return (1 + 2 / ((1 - epsilon) * delta) ** (1 / p)) ** p if epsilon < 1 else math.inf


def _positive(name: str, value: float) -> float:
    """Return `value` as a float > 0."""
    return check_real(name, value, lower=0.0, lower_open=True)
