"""Independent sampling of rows by scores, and scores made from other scores."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.sensitivity._linalg import check_exponent, check_matrix
from theorytk.sensitivity._whitening import Array
from theorytk.sensitivity.leverage import leverage_scores, root_leverage_scores

__all__ = [
    "FlattenedScores",
    "RootLeverageSample",
    "RowSample",
    "augmented_scores",
    "flattened_scores",
    "root_leverage_sample",
    "sample_rows",
]

# Smaller expected numbers of copies have weights that overflow.
LEAST = 1e-300

# The recursion of root leverage scores has arrived if the number of rows changes by less.
SETTLED = 0.05


@dataclass(frozen=True)
class RowSample:
    """Rows of a matrix with weights, whose weighted p-th powers estimate those of all rows.

    Parameters
    ----------
    p : float
        The exponent.
    idx : ndarray of int, shape (m,)
        Indices of the rows drawn, in increasing order; with replacement they may repeat.
    weights : ndarray, shape (m,)
        Their weights omega on p-th powers, 1/q.
    q : ndarray, shape (n,)
        The expected number of copies of every row: its probability, without replacement.
    """

    p: float
    idx: NDArray[np.intp]
    weights: Array = field(repr=False)
    q: Array = field(repr=False)

    def omega(self) -> Array:
        """Return the weights of all rows, shape (n,), zero for those not drawn."""
        omega = np.zeros(len(self.q))
        np.add.at(omega, self.idx, self.weights)
        return omega

    def apply(self, A: Any) -> Array:
        """Return the rows drawn from A, times their weights to the power 1/p, shape (m, d).

        Raises
        ------
        ValueError
            If a row that could not be drawn is not zero: the estimate would be biased.
        """
        A = check_array("A", A, shape=(len(self.q), None))
        if A[self.q == 0].any():
            raise ValueError("A must be zero in the rows of score zero; got one that is not")
        return np.asarray(A[self.idx] * self.weights[:, None] ** (1 / self.p))


@dataclass(frozen=True)
class RootLeverageSample(RowSample):
    """Rows left by the recursion of root leverage scores; `q` is the product over the rounds.

    Parameters
    ----------
    p, idx, weights
        As in `RowSample`.
    q : ndarray, shape (n,)
        The product of the conditional probabilities; of rows that were dropped, up to then.
    counts : ndarray of int, shape (n_rounds + 1,)
        The number of rows before the first round and after each.
    """

    counts: NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True)
class FlattenedScores:
    """Probabilities from sensitivities and leverage scores of the reweighted matrix.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        The probabilities mu, with sum 1.
    bounds : ndarray, shape (rounds + 1,)
        ``B(mu) = max_i mu_i^(-2/p) a_i'(sum_j mu_j^(1-2/p) a_j a_j')^-1 a_i`` before the first
        round and after each; at least the rank.
    """

    scores: Array
    bounds: Array


def sample_rows(
    scores: Any,
    p: float,
    *,
    alpha: float | None = None,
    size: int | None = None,
    replace: bool = False,
    rng: int | np.random.Generator | None = None,
) -> RowSample:
    """Draw rows independently with probabilities ``q_i = min(1, alpha s_i)`` and weights 1/q_i.

    ``sum_i omega_i |a_i.x|^p`` then has the mean ``||A x||_p^p`` for every x.

    Parameters
    ----------
    scores : array_like, shape (n,)
        The scores s >= 0; zero for rows of zeros only.
    p : float
        The exponent, finite, by which `RowSample.apply` scales rows.
    alpha : float, optional
        The oversampling, > 0. Either this or `size` is needed.
    size : int, optional
        The expected number of rows; with `replace` their number. If it is at least the number of
        positive scores, all these rows are kept with weight 1.
    replace : bool, default False
        Draw `size` rows with replacement, with probabilities pi proportional to the scores and
        weights 1/(size pi).
    rng : int, Generator or None
        Random state.

    Returns
    -------
    RowSample

    Raises
    ------
    ValueError
        If no score is positive, one is negative or so small that its weight would overflow, or if
        not exactly one of `alpha` and `size` is given.

    Notes
    -----
    Drawing without replacement with ``Generator.choice(replace=False, p=pi)`` and weighting by
    1/(size pi) is biased and not offered.

    References
    ----------
    Woodruff, Yasuda (ICML 2023), whose sampling this is.

    Examples
    --------
    >>> from theorytk.sensitivity.sampling import sample_rows
    >>> sample = sample_rows([3.0, 1.0, 1.0, 0.0], 1, size=2, rng=0)
    >>> sample.q
    array([1. , 0.5, 0.5, 0. ])
    """
    p, s = check_exponent(p), _check_scores(scores)
    if (alpha is None) == (size is None):
        raise ValueError(f"give one of alpha and size; got alpha={alpha!r}, size={size!r}")
    generator = as_generator(rng)
    if replace:
        if size is None:
            raise ValueError("size must be given with replace=True; got None")
        size = check_int("size", size, lower=1)
        q = size * (s / s.sum())
        _check_weights(s, q)
        idx = np.sort(generator.choice(len(s), size=size, p=s / s.sum()))
        return RowSample(p, idx, 1 / q[idx], q)
    if size is None:
        alpha = check_real("alpha", alpha, lower=0.0, lower_open=True)
    else:
        s = s / s.max()
        alpha = _oversampling(s, check_int("size", size, lower=1))
    q = np.asarray(np.minimum(1.0, alpha * s) if alpha < math.inf else (s > 0) * 1.0)
    _check_weights(s, q)
    idx = np.flatnonzero(generator.random(len(s)) < q)
    return RowSample(p, idx, 1 / q[idx], q)


def augmented_scores(A: Any, scores: Any) -> Array:
    """Return the scores plus the leverage scores of A.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix.
    scores : array_like, shape (n,)
        Its l_p sensitivities, p <= 2, or upper bounds on them.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Munteanu, Omlor (ICML 2024): for 1 <= p <= 2 these need about (S + d) / epsilon^2 rows, S the
    sum of the sensitivities, where the sensitivities alone need d^(1 - p/2) S / epsilon^2.

    Examples
    --------
    >>> from theorytk.sensitivity.sampling import augmented_scores
    >>> augmented_scores([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0])
    array([2., 2.])
    """
    tau = leverage_scores(A)
    scores = check_array("scores", scores, shape=tau.shape)
    if (scores < 0).any():
        raise ValueError(f"scores must be >= 0; got {scores.min():g}")
    return np.asarray(scores + tau)


def flattened_scores(A: Any, scores: Any, p: float, *, rounds: int = 1) -> FlattenedScores:
    """Mix sensitivities with the leverage scores of the matrix that they reweight, p > 2.

    From ``mu = scores / sum`` a round is ``mu <- (mu + tau(diag(mu)^(1/2 - 1/p) A) / d) / 2``, d
    the rank. Then ``B <- at most 2 d^(2/p) B^(1 - 2/p)``.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix.
    scores : array_like, shape (n,)
        Its l_p sensitivities, or upper bounds; zero for rows of zeros only.
    p : float
        The exponent, > 2 and finite.
    rounds : int, default 1
        Rounds; one is the paper's combination, more drive mu to a mixture with Lewis weights.

    Returns
    -------
    FlattenedScores

    References
    ----------
    Woodruff, Yasuda (ICML 2023) combine leverage scores and sensitivities for p > 2; these
    scores, their iteration and the bound on B are derived here.

    Examples
    --------
    >>> from theorytk.sensitivity.sampling import flattened_scores
    >>> flattened_scores([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0], 4).bounds
    array([2., 2.])
    """
    A, p = check_matrix(A), check_real("p", check_exponent(p), lower=2.0, lower_open=True)
    mu = _check_scores(scores)
    if len(mu) != len(A) or A[mu == 0].any():
        raise ValueError("scores must be one for each row of A, and positive unless it is zero")
    mu = mu / mu.sum()
    bounds = []
    for round_ in range(check_int("rounds", rounds, lower=0) + 1):
        tau = leverage_scores(mu[:, None] ** (0.5 - 1 / p) * A)
        bounds.append(np.max(tau[mu > 0] / mu[mu > 0]))
        if round_ < rounds:
            mu = (mu + tau / tau.sum()) / 2
    return FlattenedScores(mu, np.array(bounds))


def root_leverage_sample(
    A: Any,
    p: float,
    alpha: float,
    *,
    rounds: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> RootLeverageSample:
    """Sample rows recursively by root leverage scores ``tau_i^(p/2)``, 1 <= p < 2.

    Every round computes the scores of the weighted rows that are left, keeps each with the
    probability min(1, alpha tau^(p/2)), and divides its weight by that. On rows of equal scores
    the number of rows goes to alpha^(2/p) d, its logarithm off by a factor 1 - p/2 less each round.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix.
    p : float
        The exponent, 1 <= p < 2.
    alpha : float
        The oversampling, > 0.
    rounds : int, optional
        Most rounds; ``ceil(log(log(n / d)) / log(1 / (1 - p/2))) + 2`` by default. It stops before
        when the number of rows changes by less than 5 per cent.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    RootLeverageSample

    References
    ----------
    Woodruff, Yasuda (ICML 2023), on root leverage scores; the recursion's law is derived here.

    Examples
    --------
    >>> from theorytk.sensitivity.sampling import root_leverage_sample
    >>> A = np.random.default_rng(0).standard_normal((2000, 2))
    >>> root_leverage_sample(A, 1, 5.0, rng=0).counts[0]
    np.int64(2000)
    """
    A = check_matrix(A)
    p = check_real("p", check_exponent(p), lower=1.0, upper=2.0, upper_open=True)
    alpha = check_real("alpha", alpha, lower=0.0, lower_open=True)
    n, d = A.shape
    if rounds is None:
        doublings = math.log(max(math.log(max(n / d, 1.0)), 1.0))
        rounds = math.ceil(doublings / -math.log(1 - p / 2)) + 2
    rounds, generator = check_int("rounds", rounds, lower=1), as_generator(rng)
    q = A.any(axis=1) * 1.0
    idx = np.flatnonzero(q)
    counts = [len(idx)]
    while len(counts) <= rounds and len(idx):
        scores = root_leverage_scores(A[idx] * q[idx, None] ** (-1 / p), p)
        keep = np.minimum(1.0, alpha * scores)
        q[idx] *= keep
        idx = idx[generator.random(len(idx)) < keep]
        counts.append(len(idx))
        if abs(counts[-1] - counts[-2]) < SETTLED * counts[-2]:
            break
    return RootLeverageSample(p, idx, 1 / q[idx], q, np.array(counts))


def _oversampling(s: Array, size: int) -> float:
    """Return alpha with sum min(1, alpha s) = size, infinity if all rows must be kept."""
    s = np.sort(s[s > 0])[::-1]
    if size >= len(s):
        return math.inf
    # With the k largest kept for certain the others share size - k rows: the first k with room.
    rest = np.cumsum(s[::-1])[::-1][:size]
    alphas = (size - np.arange(size)) / rest
    return float(alphas[np.argmax(alphas * s[:size] <= 1)])


def _check_scores(scores: Any) -> Array:
    s = check_array("scores", scores, ndim=1)
    if (s < 0).any():
        raise ValueError(f"scores must be >= 0; got {s.min():g}")
    if not s.any():
        raise ValueError("scores must have a positive entry; got none")
    with np.errstate(over="ignore"):
        check_real("the sum of the scores", float(s.sum()))
    return s


def _check_weights(s: Array, q: Array) -> None:
    """Refuse scores so small that the weight of their row would overflow."""
    if (q[s > 0] < LEAST).any():
        raise ValueError(
            f"scores must be 0 or large enough for finite weights; got {s[s > 0].min()}"
        )
