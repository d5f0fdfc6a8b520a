"""Analysts who adapt: they look for a classifier that fits the sample and not the population.

Points are rows (n, d) of signs, feature times label: the query of feature j is how often it agrees
with the label, (1 + s_j) / 2, and that of a classifier sign(sum_j w_j u_j(x)) is its accuracy. For
independent fair signs no classifier is better than 1/2. Analysts are for `interact`.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_choice, check_int, check_real
from theorytk.adaptive._optimise import Array
from theorytk.adaptive.attacks import WEIGHTS
from theorytk.adaptive.interaction import Query

__all__ = [
    "BoostingAttack",
    "FeatureSelection",
    "ProgressiveAnalyst",
    "QuadraticAdaptive",
    "TwoStageAttack",
    "accuracy_query",
    "agreement_query",
]

LARGEST = 1 - 1e-9  # correlations beyond it have the log-odds of this one

Asking = Generator[Query, float, None]


def agreement_query(j: int) -> Query:
    """Return the query how often feature j agrees with the label.

    Parameters
    ----------
    j : int
        Column of the points, >= 0.

    Returns
    -------
    callable
        From signs (n, d) to values (n,), 0 and 1.

    Examples
    --------
    >>> agreement_query(1)(np.array([[1, 1], [1, -1]]))
    array([1., 0.])
    """
    column = check_int("j", j, lower=0)
    return lambda points: (1 + np.asarray(points)[:, column]) / 2


def accuracy_query(weights: Any) -> Query:
    """Return the query how often a linear classifier is right.

    Parameters
    ----------
    weights : array_like, shape (m,)
        Weights of the first m features.

    Returns
    -------
    callable
        From signs (n, d), d >= m, to values (n,): 1 if right, 1/2 if undecided, else 0.

    Examples
    --------
    >>> accuracy_query([2.0, 1.0])(np.array([[1, -1], [-1, 1]]))
    array([1., 0.])
    """
    w = check_array("weights", weights, ndim=1)
    return lambda points: (1 + np.sign(np.asarray(points)[:, : len(w)] @ w)) / 2


class TwoStageAttack:
    """Ask about every feature, then about the classifier that the answers suggest.

    Against noisy answers this is also the tracing attack.

    Parameters
    ----------
    k : int
        Features, >= 1; k + 1 queries.
    weights : str
        The weights of the classifier, from the answers as correlations c_j = 2 a_j - 1:
        ``"linear"`` c_j, ``"sign"`` sign(c_j), ``"select"`` 1 if c_j >= 0 else 0, ``"log-odds"``
        ln((1 + c_j) / (1 - c_j)).

    References
    ----------
    DFHPRR (Dwork et al., STOC 2015), appendix. With log-odds it is the single-adaptive strategy of
    Rogers et al. (AISTATS 2020).
    """

    def __init__(self, k: int, weights: str = "linear") -> None:
        self.k = check_int("k", k, lower=1)
        self.weights = check_choice("weights", weights, (*WEIGHTS, "log-odds"))

    def queries(self, rng: np.random.Generator) -> Asking:
        """Yield the queries."""
        answers = np.empty(self.k)
        for j in range(self.k):
            answers[j] = yield agreement_query(j)
        yield accuracy_query(_weights(answers, self.weights))


class QuadraticAdaptive:
    """Ask about features and, at every perfect square from 4 on, about a classifier of them.

    Parameters
    ----------
    k : int
        Queries, >= 1; as many features as queries that are not numbered by a perfect square.

    References
    ----------
    Rogers et al. (AISTATS 2020), Section 4, and its code: weights are log-odds.
    """

    def __init__(self, k: int) -> None:
        self.k = check_int("k", k, lower=1)

    def queries(self, rng: np.random.Generator) -> Asking:
        """Yield the queries."""
        answers: list[float] = []
        for i in range(1, self.k + 1):
            if i >= 4 and math.isqrt(i) ** 2 == i:
                yield accuracy_query(_weights(np.array(answers), "log-odds"))
            else:
                answers.append((yield agreement_query(len(answers))))


class ProgressiveAnalyst:
    """Keep a state that is contracted before each answer moves it, then ask about its classifier.

    The state is h <- decay_t h + step_t c_t u_t with the correlation c_t of feature t.

    Parameters
    ----------
    k : int
        Features, >= 1; k + 1 queries.
    decay : float or array_like, shape (k,)
        Contraction in [0, 1]: less than 1 for a progressive analyst; for a conservative one it
        tends to 1, or the steps shrink.
    step : float or array_like, shape (k,)
        Lengths of the steps, >= 0.

    References
    ----------
    Zrnic, Hardt (ICML 2019).
    """

    def __init__(self, k: int, decay: Any, step: Any = 1.0) -> None:
        self.k = check_int("k", k, lower=1)
        self.decay = _per_query("decay", decay, self.k)
        if self.decay.max() > 1:
            raise ValueError(f"decay must be <= 1; got {self.decay.max():g}")
        self.step = _per_query("step", step, self.k)

    def queries(self, rng: np.random.Generator) -> Asking:
        """Yield the queries."""
        state = np.zeros(self.k)
        for t in range(self.k):
            answer = yield agreement_query(t)
            state *= self.decay[t]
            state[t] = self.step[t] * (2 * answer - 1)
        yield accuracy_query(state)


class BoostingAttack:
    """Submit random labels, and then the majority vote of those that the leaderboard liked.

    Points are labels (n,) of -1 and 1, a query is the loss of a submission: it counts points, and
    its mean over the population is 1/2.

    Parameters
    ----------
    n : int
        Points of the leaderboard's sample, >= 1.
    k : int
        Random submissions, >= 1; k + 1 queries.
    keep : str
        ``"half"``: what has a reported loss of at most 1/2. ``"improved"``: what lowered the
        reported score, for a leaderboard that reports the best so far.

    Notes
    -----
    Ties in the vote are labelled 1.

    References
    ----------
    Blum, Hardt (ICML 2015), Section 4.
    """

    def __init__(self, n: int, k: int, keep: str = "half") -> None:
        self.n = check_int("n", n, lower=1)
        self.k = check_int("k", k, lower=1)
        self.keep = check_choice("keep", keep, ("half", "improved"))

    def queries(self, rng: np.random.Generator) -> Asking:
        """Yield the queries."""
        votes = np.zeros(self.n, dtype=np.int64)
        limit = 0.5 if self.keep == "half" else math.inf
        for _ in range(self.k):
            labels = 2 * rng.integers(0, 2, self.n, dtype=np.int8) - 1
            reported = yield _loss_query(labels)
            if self.keep == "half":
                votes += (reported <= limit) * labels
            elif reported < limit:
                votes += labels
                limit = reported
        yield _loss_query(np.where(votes >= 0, 1, -1))


class FeatureSelection:
    """Select features that correlate on the training set and, by the answers, on the holdout.

    A feature is selected if both correlations have the same sign and exceed 1 / sqrt(n) each, n
    that of its own set. Then comes the accuracy of the signs of the training correlations of the
    `size` selected features that are largest on the training set, for every size.

    Parameters
    ----------
    training : array_like, shape (t, d)
        Signs, the training set.
    sizes : iterable of int
        Numbers of features, >= 1 each.
    holdout_rows : int, optional
        Points of the holdout, >= 1; t if not given.

    References
    ----------
    Dwork et al. (Science 349, 2015), supplementary code, there with Gaussian features.
    """

    def __init__(self, training: Any, sizes: Any, holdout_rows: int | None = None) -> None:
        signs = check_array("training", training, ndim=2)
        self.correlations = signs.mean(axis=0)
        self.sizes = tuple(check_int("sizes", size, lower=1) for size in sizes)
        self.limit = 1 / math.sqrt(len(signs))
        rows = len(signs) if holdout_rows is None else holdout_rows
        self.holdout_limit = 1 / math.sqrt(check_int("holdout_rows", rows, lower=1))

    def queries(self, rng: np.random.Generator) -> Asking:
        """Yield the queries."""
        training = self.correlations
        holdout = np.empty(len(training))
        for j in range(len(training)):
            holdout[j] = 2 * (yield agreement_query(j)) - 1
        selected = np.sign(training) == np.sign(holdout)
        selected &= (np.abs(training) > self.limit) & (np.abs(holdout) > self.holdout_limit)
        weights = np.where(selected, np.sign(training), 0.0)
        order = np.argsort(-np.abs(training) * selected, kind="stable")
        for size in self.sizes:
            kept = np.zeros(len(training))
            kept[order[:size]] = weights[order[:size]]
            yield accuracy_query(kept)


def _weights(answers: Array, kind: str) -> Array:
    correlations = 2 * answers - 1
    weights: dict[str, Array] = {
        "linear": correlations,
        "sign": np.sign(correlations),
        "select": np.where(correlations >= 0, 1.0, 0.0),
        "log-odds": 2 * np.arctanh(np.clip(correlations, -LARGEST, LARGEST)),
    }
    return weights[kind]


def _loss_query(labels: Any) -> Query:
    return lambda points: np.asarray(points) != labels


def _per_query(name: str, value: Any, k: int) -> Array:
    values = check_array(name, value)
    if values.ndim == 0:
        return np.full(k, check_real(name, float(values), lower=0.0))
    values = check_array(name, values, shape=(k,))
    if values.min() < 0:
        raise ValueError(f"{name} must be >= 0; got {values.min():g}")
    return values
