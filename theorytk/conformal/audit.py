"""Is a score function exchangeable? Swap a null labelled row with a test row and look."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kstest

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.conformal.full import check_labels
from theorytk.conformal.learners import Array
from theorytk.conformal.pvalues import check_scores, conformal_pvalues

__all__ = ["Audit", "NullRanks", "audit_exchangeability", "null_rank_test"]

ScoreFunction = Callable[[Array, Array, Array], tuple[Any, Any]]


@dataclass(frozen=True)
class Audit:
    """The outcome of swaps of a null labelled row with a test row.

    Attributes
    ----------
    passed : bool
        Whether all swaps did nothing but exchange the two scores.
    max_difference : float
        The largest departure from that, relative to the largest test score of the model.
    pair : tuple of int or None
        Labelled row and test row of the first swap that did more.
    n_swaps : int
        The number of swaps tried.
    """

    passed: bool
    max_difference: float
    pair: tuple[int, int] | None
    n_swaps: int


def audit_exchangeability(
    score_function: ScoreFunction,
    X: Any,
    y: Any,
    X_test: Any,
    *,
    n_swaps: int = 20,
    c: float = 0.0,
    tolerance: float = 1e-9,
    rng: int | np.random.Generator | None = None,
) -> Audit:
    """Return whether swapping a null labelled row with a test row only exchanges their scores.

    If test point j is null, its row and the null labelled rows are exchangeable. A score function
    with this property keeps the scores exchangeable, and the selection of OptCS valid. The swaps
    with row j generate all permutations of these rows; a random sample of pairs finds what depends
    on which rows are labelled, or on their order.

    Parameters
    ----------
    score_function : callable
        ``score_function(X, y, X_test)`` returns the scores ``cal`` (n,) and ``test`` (m,), or
        (K, n) and (K, m), for instance by `full_scores`. Deterministic: give learners that draw
        random numbers an int `rng`.
    X : array_like, shape (n, d)
        Labelled rows.
    y : array_like, shape (n,)
        Their labels.
    X_test : array_like, shape (m, d)
        Test rows.
    n_swaps : int, default 20
        The number of pairs, drawn without replacement; no more than there are.
    c : float, default 0
        A labelled row is null if its label is at most c.
    tolerance : float, default 1e-9
        The largest departure that counts as rounding, relative to the largest test score.
    rng : int, Generator or None
        Random state of the pairs.

    Returns
    -------
    Audit
        It names the first violating pair.

    Raises
    ------
    ValueError
        If no label is null, if the scores are not those of n and m rows, or if a second call with
        the same rows returns other scores.

    References
    ----------
    Derived here, from the conditions of Bai, Jin (arXiv 2411.17983).

    Examples
    --------
    >>> from theorytk.conformal.full import full_scores, held_out_scores
    >>> from theorytk.conformal.learners import RidgeLearner
    >>> rng = np.random.default_rng(0)
    >>> X, y, X_test = rng.standard_normal((30, 2)), rng.standard_normal(30), np.eye(2)
    >>> audit_exchangeability(lambda *rows: full_scores(*rows, RidgeLearner()), X, y, X_test).passed
    True
    >>> def reuse(X, y, X_test):
    ...     return held_out_scores(X, y, X, y, X_test, RidgeLearner())
    >>> audit_exchangeability(reuse, X, y, X_test, rng=0).passed
    False
    """
    labels = check_labels(y, c)
    X = check_array("X", X, shape=(len(labels), None))
    X_test = check_array("X_test", X_test, shape=(None, X.shape[1]))
    y = check_array("y", y)
    n_swaps = check_int("n_swaps", n_swaps, lower=1)
    tolerance = check_real("tolerance", tolerance, lower=0.0)
    nulls = _nulls(labels)
    cal, test = _scores(score_function, X, y, X_test)
    again = _scores(score_function, X, y, X_test)
    if not (np.array_equal(cal, again[0]) and np.array_equal(test, again[1])):
        raise ValueError(
            "score_function must be deterministic; got other scores from a second call with the "
            "same rows. Give learners an int rng"
        )
    flat = as_generator(rng).permutation(len(nulls) * len(X_test))[:n_swaps]
    pairs = [(int(nulls[k // len(X_test)]), int(k % len(X_test))) for k in flat]
    differences = []
    for i, j in pairs:
        swapped, swapped_test = _swap(X, X_test, i, j)
        found = _scores(score_function, swapped, y, swapped_test)
        expected = (rows.T for rows in _swap(cal.T, test.T, i, j))
        differences.append(_difference(found, expected, np.abs(test).max(axis=1, keepdims=True)))
    failed = [pair for pair, d in zip(pairs, differences, strict=True) if d > tolerance]
    return Audit(not failed, max(differences), failed[0] if failed else None, len(pairs))


@dataclass(frozen=True)
class NullRanks:
    """Ranks of held-out null points among the null labelled points.

    Attributes
    ----------
    ranks : ndarray, shape (n_splits,)
        In (0, 1), ties broken at random: independent and uniform for a valid score function. Small
        ranks make selections of null points.
    distance : float
        Kolmogorov's distance of the ranks from the uniform distribution.
    p_value : float
        Its exact p-value.
    """

    ranks: Array
    distance: float
    p_value: float


def null_rank_test(
    score_function: ScoreFunction,
    X: Any,
    y: Any,
    *,
    n_test: int,
    n_splits: int = 200,
    c: float = 0.0,
    rng: int | np.random.Generator | None = None,
) -> NullRanks:
    """Return the ranks that null points get when random splits of labelled data hide their labels.

    A split hides a null point, drawn uniformly, and n_test - 1 others; the rest calibrates. Given
    the others, the null point is uniform among itself and the null points that are left. A valid
    score function therefore gives it a uniform rank, whatever the data, and since splits are drawn
    independently so are the ranks. Unlike the swaps of `audit_exchangeability` this holds for
    random score functions too, and it shows the size and the direction of the harm.

    Parameters
    ----------
    score_function : callable
        ``score_function(X, y, X_test)`` returns the scores of one model, ``cal`` (n,) and ``test``
        (m,), or (1, n) and (1, m).
    X : array_like, shape (N, d)
        Labelled rows.
    y : array_like, shape (N,)
        Their labels.
    n_test : int
        The number of points to hide, below N.
    n_splits : int, default 200
        The number of splits.
    c : float, default 0
        A row is null if its label is at most c.
    rng : int, Generator or None
        Random state of the splits and of the ties.

    Returns
    -------
    NullRanks
        With the exact p-value of uniformity.

    Raises
    ------
    ValueError
        If no label is null or the scores are not those of one model.

    References
    ----------
    Derived here.
    """
    labels = check_labels(y, c)
    X, y = check_array("X", X, shape=(len(labels), None)), check_array("y", y)
    n_test = check_int("n_test", n_test, lower=1, upper=len(y) - 1)
    n_splits = check_int("n_splits", n_splits, lower=1)
    nulls, rng = _nulls(labels), as_generator(rng)
    ranks = np.empty(n_splits)
    for split in range(n_splits):
        hidden = int(rng.choice(nulls))
        others = rng.permutation(np.delete(np.arange(len(y)), hidden))
        tests, cals = np.append(others[: n_test - 1], hidden), others[n_test - 1 :]
        rng.shuffle(tests)
        cal, test = _scores(score_function, X[cals], y[cals], X[tests])
        if len(cal) > 1:
            raise ValueError(f"score_function must return one model's scores; got {len(cal)}")
        scores = cal[0, labels[cals] == 0], test[0, tests == hidden]
        ranks[split] = _rank(*scores, rng)
    result = kstest(ranks, "uniform", method="exact")
    return NullRanks(ranks, float(result.statistic), float(result.pvalue))


def _rank(null_scores: Array, score: Array, rng: np.random.Generator) -> float:
    """Return the randomised rank; without other null points it is a uniform number."""
    if len(null_scores) == 0:
        return float(rng.uniform())
    return float(conformal_pvalues(null_scores, score, tie="randomised", rng=rng)[0])


def _nulls(labels: Array) -> NDArray[np.intp]:
    """Return the indices of the null rows."""
    nulls = np.flatnonzero(labels == 0)
    if len(nulls) == 0:
        raise ValueError("y must have a null label, at most c; got none")
    return nulls


def _scores(
    score_function: ScoreFunction, X: Array, y: Array, X_test: Array
) -> tuple[Array, Array]:
    """Return what the function returns as checked arrays (K, n) and (K, m)."""
    cal, test = score_function(X.copy(), y.copy(), X_test.copy())
    cal, test = check_scores(np.atleast_2d(cal), np.atleast_2d(test))
    for name, values, rows in (("calibration", cal, len(X)), ("test", test, len(X_test))):
        if values.shape[1] != rows:
            raise ValueError(
                f"score_function must return {rows} {name} scores; got {values.shape[1]}"
            )
    return cal, test


def _swap(first: Array, second: Array, i: int, j: int) -> tuple[Array, Array]:
    """Return copies with row i of the first and row j of the second exchanged."""
    first, second = first.copy(), second.copy()
    first[i], second[j] = second[j], first[i].copy()
    return first, second


def _difference(found: Iterable[Array], expected: Iterable[Array], scale: Array) -> float:
    """Return the largest difference in units of each model's scale; equal infinities are equal."""
    unit = np.where(scale > 0, scale, 1.0)
    differences = (
        np.subtract(a, b, where=a != b, out=np.zeros(a.shape))
        for a, b in zip(found, expected, strict=True)
    )
    return max(float((np.abs(d) / unit).max()) for d in differences)
