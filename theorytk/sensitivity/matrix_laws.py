"""What is proven about explicit matrices: their total sensitivities and what a sample must lose.

The matrices are those of :mod:`theorytk.sensitivity.matrices`.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import bdtr, bdtrc, gammaln

from theorytk._validation import check_int, check_real
from theorytk.sensitivity._linalg import check_exponent

__all__ = [
    "flat_block_excess",
    "flat_block_total",
    "flat_block_total_limit",
    "kept_row_excess",
    "polynomial_features_total_bound",
    "rank_loss_oversampling",
    "rank_loss_probability",
    "sparse_low_rank_total_bound",
    "stacked_identity_failure",
    "vandermonde_total_bound",
]


def flat_block_total(d: int, p: float) -> float:
    """Return the total sensitivity of the flat block of all sign rows, d^p / E|e_1 + ... + e_d|^p.

    Parameters
    ----------
    d : int
        Columns, >= 1.
    p : float
        The exponent, >= 1.

    Returns
    -------
    float

    References
    ----------
    Derived here: all rows have one score, and E|sum e_k x_k|^p is convex and symmetric in x, so its
    least value for sum x_k = d is at x = 1.

    Examples
    --------
    >>> round(flat_block_total(3, 1.0), 12), round(flat_block_total(3, 4.0), 12)
    (2.0, 3.857142857143)
    """
    d = check_int("d", d, lower=1)
    k = np.arange(d + 1)
    log_probability = gammaln(d + 1) - gammaln(k + 1) - gammaln(d - k + 1) - d * math.log(2)
    share = np.abs(2 * k - d) / d
    return float(1 / np.sum(np.exp(log_probability) * share ** check_exponent(p)))


def flat_block_total_limit(d: int, p: float) -> float:
    """Return d^(p/2) / E|g|^p, the limit of the total of a flat block, g a standard Gaussian.

    Parameters
    ----------
    d : int
        Columns, >= 1.
    p : float
        The exponent, >= 1.

    Returns
    -------
    float

    References
    ----------
    The central limit theorem in `flat_block_total`; also the limit for random columns of a Hadamard
    matrix and for Gaussian rows as n and d grow.

    Examples
    --------
    >>> round(flat_block_total_limit(3, 4.0), 12)
    3.0
    """
    d, p = check_int("d", d, lower=1), check_exponent(p)
    log_moment = p / 2 * math.log(2) + math.lgamma((p + 1) / 2) - math.lgamma(0.5)
    return math.exp(p / 2 * math.log(d) - log_moment)


def vandermonde_total_bound(d: int, p: float) -> float:
    """Return ceil(p/2) (d - 1) + 1, an upper bound for polynomials of degree below d.

    It holds for every basis of them, all nodes and all weights of the nodes.

    Parameters
    ----------
    d : int
        Columns, >= 1.
    p : float
        The exponent, >= 1.

    Returns
    -------
    float

    References
    ----------
    Woodruff, Yasuda (ICML 2023) name the structure; this bound is derived here: with k = ceil(p/2),
    ``|q|^p = |q^k|^(p/k)``, q^k has degree k (d - 1), and p/k <= 2.

    Examples
    --------
    >>> vandermonde_total_bound(12, 4.0)
    23.0
    """
    return polynomial_features_total_bound(1, check_int("d", d, lower=1) - 1, p)


def polynomial_features_total_bound(n_variables: int, degree: int, p: float) -> float:
    """Return binom(v + g k, g k), k = ceil(p/2), for polynomials of degree g in v variables.

    Parameters
    ----------
    n_variables : int
        The number v >= 1 of variables.
    degree : int
        The degree g >= 0.
    p : float
        The exponent, >= 1.

    Returns
    -------
    float

    References
    ----------
    Derived here, as `vandermonde_total_bound`.

    Examples
    --------
    >>> polynomial_features_total_bound(2, 2, 4.0)
    15.0
    """
    v = check_int("n_variables", n_variables, lower=1)
    power = check_int("degree", degree, lower=0) * math.ceil(check_exponent(p) / 2)
    return float(math.comb(v + power, power))


def sparse_low_rank_total_bound(n_supports: int, rank: int, sparsity: int, p: float) -> float:
    """Return #supports (k + s)^max(1, p/2), a bound for K + E with K of rank k and E sparse.

    Parameters
    ----------
    n_supports : int
        Number of sets of s columns that together hold the support of every row of E; binom(d, s)
        always suffices.
    rank : int
        The rank k of K.
    sparsity : int
        Most non-zeros s in a row of E.
    p : float
        The exponent, >= 1.

    Returns
    -------
    float

    References
    ----------
    Woodruff, Yasuda (ICML 2023) name the structure; derived here: rows of one support lie in a
    space of dimension k + s, and other rows only lower their sensitivities.

    Examples
    --------
    >>> sparse_low_rank_total_bound(16, 1, 1, 4.0)
    64.0
    """
    dimension = check_int("rank", rank, lower=0) + check_int("sparsity", sparsity, lower=0)
    power = max(1.0, check_exponent(p) / 2)
    return float(check_int("n_supports", n_supports, lower=1) * dimension**power)


def rank_loss_oversampling(d: int, total_flat: float) -> float:
    """Return d / S(F): plain sensitivity sampling with less loses rank on the lower-bound instance.

    On a flat block F this is d^(1 - p/2) E|g|^p for large d, and the rows of the whole sample are
    then of order d^(2 - p/2), though S is of order d.

    Parameters
    ----------
    d : int
        Columns of the flat block F.
    total_flat : float
        Its total sensitivity S(F).

    Returns
    -------
    float

    References
    ----------
    Derived here: at this oversampling F keeps d rows in the mean, and it needs d.

    Examples
    --------
    >>> rank_loss_oversampling(16, 5.0)
    3.2
    """
    return check_int("d", d, lower=1) / _positive("total_flat", total_flat)


def rank_loss_probability(d: int, n_flat: int, total_flat: float, oversampling: float) -> float:
    """Return P(Bin(n, min(1, alpha S(F) / n)) < d), a lower bound of the probability to lose rank.

    Parameters
    ----------
    d : int
        Columns of the flat block F.
    n_flat : int
        Its rows n, of equal scores.
    total_flat : float
        The sum S(F) of its scores.
    oversampling : float
        The oversampling alpha >= 0.

    Returns
    -------
    float

    References
    ----------
    Derived here: fewer than d rows of F have a smaller rank than F; d or more may too.

    Examples
    --------
    >>> rank_loss_probability(2, 2, 1.0, 1.0)
    0.75
    """
    d, n = check_int("d", d, lower=1), check_int("n_flat", n_flat, lower=1)
    kept = _positive("total_flat", total_flat) / n
    kept *= check_real("oversampling", oversampling, lower=0.0)
    return float(bdtr(d - 1, n, min(1.0, kept)))


def stacked_identity_failure(d: int, n_copies: int, oversampling: float, epsilon: float) -> float:
    """Return the exact probability that sampling stacked identities has distortion above epsilon.

    The distortion is max_j |K_j / alpha - 1| for every p, with K_j ~ Bin(m, alpha / m) the rows
    kept of column j, independent.

    Parameters
    ----------
    d : int
        Columns, >= 1.
    n_copies : int
        Copies m.
    oversampling : float
        The oversampling alpha, above 0, at most m; a row is kept with probability alpha / m.
    epsilon : float
        The distortion of p-th powers, >= 0.

    Returns
    -------
    float

    References
    ----------
    Derived here: ``sum_j K_j / alpha |x_j|^p`` over ``sum_j |x_j|^p`` is a mean of the K_j / alpha.

    Examples
    --------
    >>> round(stacked_identity_failure(2, 4, 2.0, 0.5), 12)
    0.234375
    """
    d, m = check_int("d", d, lower=1), check_int("n_copies", n_copies, lower=1)
    alpha = check_real("oversampling", oversampling, lower=0.0, lower_open=True, upper=m)
    epsilon = check_real("epsilon", epsilon, lower=0.0)
    kept = np.arange(m + 1)
    inside = kept[np.abs(kept / alpha - 1) <= epsilon]
    if inside.size == 0:
        return 1.0
    outside = bdtrc(inside[-1], m, alpha / m)
    if inside[0] > 0:
        outside += bdtr(inside[0] - 1, m, alpha / m)
    return float(-np.expm1(d * np.log1p(-outside)))


def kept_row_excess(d: int, n_kept: int, p: float) -> float:
    """Return d^(p/2) / (r E|g|^p), the excess in the direction of a kept row, to leading order.

    For Gaussian or flat rows, r of which are kept at one rate, the ratio of p-th powers at x = a_i,
    row i kept, exceeds 1 by about this: d^(p/2) / epsilon rows are needed.

    Parameters
    ----------
    d : int
        Columns.
    n_kept : int
        Rows r kept.
    p : float
        The exponent, >= 1; it says something for p > 2.

    Returns
    -------
    float

    References
    ----------
    Derived here: the term of row i alone, with ||a_i||^2 = d.

    Examples
    --------
    >>> round(kept_row_excess(12, 48, 4.0), 12)
    1.0
    """
    return flat_block_total_limit(d, p) / check_int("n_kept", n_kept, lower=1)


def flat_block_excess(d: int, n_kept: float, p: float) -> float:
    """Return S (1/r - 1/n): the mean excess of the ratio in directions of kept rows, exactly.

    The flat block has n = 2^(d - 1) rows and the total S; each row is kept with probability r/n.
    Over all kept rows the excesses ``sum_j omega_j |a_j.a_i|^p / sum_j |a_j.a_i|^p - 1`` add up to
    r times this, in the mean. For large d and n it is `kept_row_excess`.

    Parameters
    ----------
    d : int
        Columns, >= 1.
    n_kept : float
        Rows r kept in the mean, above 0, at most n.
    p : float
        The exponent, >= 1.

    Returns
    -------
    float

    References
    ----------
    Derived here: the other rows are unbiased, and row i takes up S/n of the sum in its direction.

    Examples
    --------
    >>> round(flat_block_excess(3, 2, 2.0), 12)
    0.75
    """
    total, n = flat_block_total(d, p), 2 ** (check_int("d", d, lower=1) - 1)
    kept = check_real("n_kept", n_kept, lower=0.0, lower_open=True, upper=n)
    return float(total * (1 / kept - 1 / n))


def _positive(name: str, value: float) -> float:
    """Return `value` as a float > 0."""
    return check_real(name, value, lower=0.0, lower_open=True)
