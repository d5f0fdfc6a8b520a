"""What answers an analyst: the base class, and the mechanisms that add no noise.

A query is a function from points (n, ...) to values (n,) in [0, 1], or the array of these values.
An answer estimates the mean of the query over the population.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.adaptive._optimise import Array
from theorytk.adaptive.attacks import PackedQueries
from theorytk.adaptive.privacy import PrivacyLedger

__all__ = [
    "BudgetExhaustedError",
    "EmpiricalMechanism",
    "Mechanism",
    "RoundingMechanism",
    "SplitMechanism",
]


class BudgetExhaustedError(RuntimeError):
    """A mechanism may give no more answers. What it has answered and spent stays as it is.

    Parameters
    ----------
    message : str
        What has run out.

    Attributes
    ----------
    answers : ndarray
        What a batch had been answered before; empty for a single query.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.answers: Array = np.empty(0)


class Mechanism(ABC):
    """Base of all mechanisms: attach a sample, then answer queries one by one or in batches.

    A subclass defines ``_answer_some``, or ``_answer`` if it is `OneAtATime`, and may extend
    ``_start`` and override ``budget_left``.

    Attributes
    ----------
    n_answered : int
        Queries answered since the sample was attached.
    privacy : PrivacyLedger
        What they have spent.
    """

    n_answered: int
    privacy: PrivacyLedger
    _points: Any
    _support: Any  # where queries are evaluated: the points, or all cells of a domain
    _rng: np.random.Generator

    def attach(self, sample: Any, *, rng: Any = None) -> Self:
        """Start afresh on a sample of points (n, ...) and return the mechanism."""
        points = check_array("sample", sample, dtype=np.asarray(sample).dtype.type)
        if points.ndim == 0 or len(points) == 0:
            raise ValueError(f"sample must have at least 1 point; got shape {points.shape}")
        self._points = self._support = points
        self._rng = as_generator(rng)
        self._start()
        return self

    def _start(self) -> None:
        """Begin a session: nothing has been asked of the sample, and nothing spent."""
        self.n_answered = 0
        self.privacy = PrivacyLedger()

    @property
    def budget_left(self) -> int | None:
        """What is left of the budget; None where there is none."""
        return None

    def answer(self, query: Any) -> float:
        """Return the answer to a query."""
        self._check_attached()
        return float(self._answer_all(self._values(query)[None])[0])

    def answer_many(self, queries: Any) -> Array:
        """Return the answers (k,) to a list of queries, an array (k, n) of values, or packed ones.

        All queries are checked before the first is answered. If the budget does not last, the
        answers before are in `BudgetExhaustedError.answers`.
        """
        self._check_attached()
        n = len(self._support)
        shape = (None, n)
        if isinstance(queries, PackedQueries):
            if queries.n != n:
                raise ValueError(f"queries must be packed for n = {n}; got n = {queries.n}")
            return self._answer_all(queries.words)
        if not isinstance(queries, np.ndarray):
            listed = [self._values(query) for query in queries]
            return self._answer_all(np.reshape(listed, (-1, n)))
        if queries.dtype == np.bool_:
            return self._answer_all(check_array("queries", queries, shape=shape, dtype=np.bool_))
        return self._answer_all(check_values("queries", queries, shape))

    def _answer_all(self, values: Any) -> Array:
        answers: list[float] = []
        try:
            while len(answers) < len(values):
                if self.budget_left == 0:
                    self._exhaust()
                some = self._answer_some(values[len(answers) :])
                self.n_answered += len(some)
                answers.extend(some)
        except BudgetExhaustedError as error:
            error.answers = np.array(answers)
            raise
        return np.array(answers)

    @abstractmethod
    def _answer_some(self, values: Any) -> Sequence[float] | Array:
        """Return the answers to the first of these queries, one or more.

        `values` has a row for each query: floats, bools, or the words of `PackedQueries`.
        """

    def _floats(self, values: Any) -> Array:
        if is_packed(values):
            values = PackedQueries(values, len(self._support)).unpack()
        floats: Array = values.astype(np.float64, copy=False)
        return floats

    def _exhaust(self) -> None:
        raise BudgetExhaustedError(f"{type(self).__name__} has spent its budget")

    def _values(self, query: Any) -> Array:
        values = query(self._support) if callable(query) else query
        return check_values("query", values, (len(self._support),))

    def _check_attached(self) -> None:
        if not hasattr(self, "_points"):
            raise RuntimeError(f"{type(self).__name__} has no sample: call attach first")


class OneAtATime(Mechanism):
    """Base of the mechanisms that answer query by query, batches too."""

    def _answer_some(self, values: Any) -> Sequence[float]:
        return [self._answer(self._floats(values[:1])[0])]

    @abstractmethod
    def _answer(self, values: Array) -> float:
        """Return the answer to a query from its values (n,) on the points."""


class BudgetedMechanism(Mechanism):
    """Base of the mechanisms that may limit the number of queries."""

    def __init__(self, budget: int | None = None) -> None:
        self.budget = None if budget is None else check_int("budget", budget, lower=1)

    @property
    def budget_left(self) -> int | None:
        """How many queries may still be asked; None for any number."""
        return None if self.budget is None else self.budget - self.n_answered


class EmpiricalMechanism(BudgetedMechanism):
    """Answer with the mean over the sample.

    Parameters
    ----------
    budget : int, optional
        Queries that will be answered, >= 1; if not given, any number.

    Examples
    --------
    >>> EmpiricalMechanism().attach([0.1, 0.3, 0.8]).answer(lambda points: points > 0.2)
    0.6666666666666666
    """

    def _answer_some(self, values: Any) -> Array:
        values = values[: self.budget_left]
        self._spend(len(values))
        n = len(self._points)
        means = PackedQueries(values, n).means() if is_packed(values) else values.mean(axis=1)
        return self._perturb(means, values)

    def _perturb(self, means: Array, values: Any) -> Array:
        return means

    def _spend(self, times: int) -> None:
        self.privacy = self.privacy.pure(math.inf, times)


class RoundingMechanism(EmpiricalMechanism):
    """Answer with the mean rounded to a multiple of a step, as a leaderboard of few digits does.

    Parameters
    ----------
    step : float
        Spacing of the answers, in (0, 1].
    budget : int, optional
        Queries that will be answered, >= 1; if not given, any number.

    References
    ----------
    HOLD (Dwork et al., NeurIPS 2015), Theorem 9; the width is "description-length" of
    `confidence_width`, which allows for 0, step, ..., ceil(1 / step) step.

    Examples
    --------
    >>> RoundingMechanism(0.25).attach([0.1, 0.3, 0.8]).answer(lambda points: points > 0.2)
    0.75
    """

    def __init__(self, step: float, budget: int | None = None) -> None:
        super().__init__(budget)
        self.step = check_real("step", step, lower=0.0, upper=1.0, lower_open=True)

    def _perturb(self, means: Array, values: Any) -> Array:
        rounded: Array = np.round(means / self.step) * self.step
        return rounded


class SplitMechanism(OneAtATime):
    """Answer query number j with the mean over the j-th of k disjoint parts.

    Parameters
    ----------
    k : int
        Queries, >= 1; each has floor(n / k) points, and a sample of n < k is refused.

    Examples
    --------
    >>> mechanism = SplitMechanism(2).attach([1.0, 1.0, 0.0, 0.0])
    >>> mechanism.answer(lambda points: points), mechanism.answer(lambda points: points)
    (1.0, 0.0)
    """

    def __init__(self, k: int) -> None:
        self.k = check_int("k", k, lower=1)

    @property
    def budget_left(self) -> int:
        """How many of the k queries are left."""
        return self.k - self.n_answered

    def _start(self) -> None:
        super()._start()
        self._rows = len(self._points) // self.k
        if self._rows == 0:
            raise ValueError(f"k must be <= n = {len(self._points)}; got {self.k}")

    def _answer(self, values: Array) -> float:
        self.privacy = self.privacy.pure(math.inf)
        first = self.n_answered * self._rows
        return float(values[first : first + self._rows].mean())


def is_packed(values: Any) -> bool:
    """Return whether the rows of a batch are words of `PackedQueries`."""
    return bool(values.dtype == np.uint64)


def check_values(name: str, values: Any, shape: tuple[int | None, ...]) -> Array:
    """Return values of queries as floats in [0, 1]."""
    array: Array = check_array(name, values, shape=shape)
    if array.size and (array.min() < 0 or array.max() > 1):
        raise ValueError(
            f"{name} must have values in [0, 1]; got min {array.min():g}, max {array.max():g}"
        )
    return array
