"""Errors that no private mechanism for sums of l_1 distances can avoid."""

from __future__ import annotations

import math

import numpy as np

from theorytk._validation import check_int, check_real

__all__ = ["distance_sum_lower_bound", "distance_sum_zcdp_lower_bound"]


def distance_sum_lower_bound(epsilon: float, *, d: int = 1, width: float = 1.0) -> float:
    """Return a lower bound of the mean absolute error of an epsilon-private sum of l_1 distances.

    At one fixed query, for the worse of two data sets: ``max_k k d R / (2 (1 + e^(k epsilon)))``.

    Parameters
    ----------
    epsilon : float
        Pure privacy > 0, for either neighbouring relation.
    d : int
        Dimension, >= 1.
    width : float
        Range R > 0 of each coordinate.

    Returns
    -------
    float
        Tends to 0.13923 d R / epsilon for small epsilon.

    Notes
    -----
    The query is a corner of the box; one data set has k more points (or k points moved) to the
    far corner, which changes the sum by k d R. By Markov's inequality each answer is on its own
    side of the middle but for probability A / (k d R / 2), and group privacy compares the two.

    References
    ----------
    Backurs et al. (ICLR 2024), Section 5, has a bound linear in d; this form and its constant are
    derived here.

    Examples
    --------
    >>> round(distance_sum_lower_bound(1.0), 5), round(distance_sum_lower_bound(0.001) / 1000, 5)
    (0.13447, 0.13923)
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    range_ = check_int("d", d, lower=1) * check_real("width", width, lower=0.0, lower_open=True)
    # k / (1 + e^(k epsilon)) grows up to k epsilon = 1.2785 and falls from there.
    best = 1.2784645427610738 / epsilon
    k = np.maximum([math.floor(best), math.ceil(best)], 1.0)
    return float((k / (1 + np.exp(np.minimum(k * epsilon, 700.0)))).max() * range_ / 2)


def distance_sum_zcdp_lower_bound(rho: float, *, d: int = 1, width: float = 1.0) -> float:
    """Return a lower bound of the mean absolute error of a rho-zCDP sum of l_1 distances.

    At one fixed query, for the worse of two data sets: ``max_k k d R (1 - k sqrt(rho / 2)) / 4``.

    Parameters
    ----------
    rho : float
        zCDP > 0, for either neighbouring relation.
    d : int
        Dimension, >= 1.
    width : float
        Range R > 0 of each coordinate.

    Returns
    -------
    float
        Tends to d R / (8 sqrt(2 rho)) for small rho; 0 from rho = 2 on, where it says nothing.

    Notes
    -----
    As `distance_sum_lower_bound`, with the total variation of data sets k neighbours apart, at
    most k sqrt(rho / 2) by group privacy k^2 rho and Pinsker's inequality.

    References
    ----------
    Derived here; group privacy is Bun, Steinke (TCC 2016), Proposition 1.9.

    Examples
    --------
    >>> round(distance_sum_zcdp_lower_bound(0.0002, d=3), 3)
    18.75
    """
    rho = check_real("rho", rho, lower=0.0, lower_open=True)
    range_ = check_int("d", d, lower=1) * check_real("width", width, lower=0.0, lower_open=True)
    best = 1 / math.sqrt(2 * rho)
    k = np.maximum([math.floor(best), math.ceil(best)], 1.0)
    return float(max((k * (1 - k * math.sqrt(rho / 2))).max(), 0.0) * range_ / 4)
