"""Mechanisms that answer from a hypothesis about the sample and update it when it is wrong.

Points are cells 0, ..., domain_size - 1 of a finite domain, and a query is a function of cells, or
the array (domain_size,) of its values on them. A sparse vector mechanism compares the hypothesis
with the sample; only updates cost privacy.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from theorytk._validation import check_int, check_real
from theorytk.adaptive import _kernels
from theorytk.adaptive._optimise import Array
from theorytk.adaptive.mechanisms import BudgetExhaustedError, is_packed
from theorytk.adaptive.sparse_vector import (
    SparseMechanism,
    check_epsilon,
    sparse_vector_scales,
)
from theorytk.adaptive.theory import sparse_vector_accuracy
from theorytk.adaptive.update_laws import median_update_bound, mw_update_bound

__all__ = ["MedianMechanism", "PrivateMultiplicativeWeights", "mw_parameters"]


class DatabaseUpdate(SparseMechanism, ABC):
    """Base: a hypothesis, what it says about queries, and how it is updated.

    Both q(S) - q(hypothesis) and its opposite are compared with the threshold. Answers are clamped
    to [0, 1].
    """

    block = 1  # queries that are evaluated together at most, in floats
    packed_block = 1
    _next_block: int

    def __init__(
        self, domain_size: int, threshold: float, max_updates: int, epsilon: float, delta: float
    ) -> None:
        self.domain_size = domain_size
        self.threshold = check_real("threshold", threshold, lower=0.0)
        self.budget = check_int("max_updates", max_updates, lower=1)
        self.epsilon = check_epsilon(epsilon)
        self.delta = check_real("delta", delta, lower=0.0, upper=1.0, upper_open=True)

    @property
    def n_updates(self) -> int:
        """How often the hypothesis was updated."""
        return self.budget - self._left

    def _start(self) -> None:
        super()._start()
        cells = self._points
        if cells.ndim != 1 or cells.dtype.kind not in "iu":
            raise ValueError(
                "sample must be an array (n,) of integer cells; "
                f"got shape {cells.shape}, dtype {cells.dtype}"
            )
        if cells.min() < 0 or cells.max() >= self.domain_size:
            raise ValueError(
                f"sample must have cells in 0, ..., domain_size - 1 = {self.domain_size - 1}; "
                f"got min {cells.min()}, max {cells.max()}"
            )
        n = len(cells)
        self._support = np.arange(self.domain_size)
        self._histogram = np.bincount(cells, minlength=self.domain_size) / n
        scales = sparse_vector_scales(n, self.budget, self.epsilon, self.delta)
        self._start_sparse(scales, 1 / n)
        self._next_block = 1
        self._start_hypothesis()

    def _answer_some(self, values: Any) -> Array:
        most = self.packed_block if is_packed(values) else self.block
        values = values[: min(self._next_block, most)]
        answers, truth = self._evaluate(values)
        errors = truth - answers
        above = self._is_above(np.stack([errors, -errors], axis=1))
        if not above.any():
            self._next_block = 2 * len(values)
            return np.clip(answers, 0.0, 1.0)
        first = int(above.any(axis=1).argmax())
        # What follows an update is evaluated again: no more of it than is likely to be needed.
        self._next_block = 2 * (first + 1)
        sign = 1 if above[first, 0] else -1
        estimate = answers[first]
        answers[first] += sign * self._release(sign * errors[first])
        too_high = bool(answers[first] < estimate)
        self._update(self._floats(values[first : first + 1])[0], too_high)
        return np.clip(answers[: first + 1], 0.0, 1.0)

    @abstractmethod
    def _start_hypothesis(self) -> None:
        """Set the hypothesis with which a session starts."""

    @abstractmethod
    def _evaluate(self, values: Any) -> tuple[Array, Array]:
        """Return what the hypothesis says and what the sample says."""

    @abstractmethod
    def _update(self, values: Array, too_high: bool) -> None:
        """Correct the hypothesis by a query on which it was too high or too low."""


class PrivateMultiplicativeWeights(DatabaseUpdate):
    """Answer from weights on the domain, multiplied after each large error.

    Parameters
    ----------
    domain_size : int
        Cells |X| of the domain, >= 2.
    threshold : float
        Error of the weights that leads to an update, T >= 0, before noise.
    max_updates : int
        Updates c >= 1 after which the mechanism stops.
    epsilon : float
        Privacy epsilon > 0 of everything; ``inf`` for exact comparisons and answers.
    delta : float
        Privacy delta, in [0, 1).
    eta : float, optional
        Step of an update, > 0; T / 4 if not given, which is the book's for errors above T / 2.
    max_domain : int
        Refuse larger domains; packed queries take 512 bytes of tables for each cell.

    Attributes
    ----------
    weights : ndarray, shape (domain_size,)
        The hypothesis, a probability distribution.

    References
    ----------
    DR14, Algorithms 5 and 6, after Hardt, Rothblum (FOCS 2010). `mw_parameters` chooses the
    parameters for an accuracy.

    Examples
    --------
    >>> sample = np.repeat([0, 3], [900, 100])
    >>> mechanism = PrivateMultiplicativeWeights(4, 0.1, 50, math.inf, eta=0.2).attach(sample)
    >>> for _ in range(20):
    ...     answer = mechanism.answer(lambda cells: cells == 0)
    >>> mechanism.n_updates, round(answer, 3), round(mechanism.weights[0].item(), 3)
    (13, 0.818, 0.818)
    """

    block = 256
    packed_block = 4096

    def __init__(
        self,
        domain_size: int,
        threshold: float,
        max_updates: int,
        epsilon: float,
        delta: float = 0.0,
        *,
        eta: float | None = None,
        max_domain: int = 2**26,
    ) -> None:
        domain_size = check_int("domain_size", domain_size, lower=2)
        if domain_size > check_int("max_domain", max_domain, lower=2):
            raise ValueError(f"domain_size must be <= max_domain = {max_domain}; got {domain_size}")
        super().__init__(domain_size, threshold, max_updates, epsilon, delta)
        step = self.threshold / 4 if eta is None else eta
        self.eta = check_real("eta", step, lower=0.0, lower_open=True)

    def _start_hypothesis(self) -> None:
        self._log_weights = np.zeros(self.domain_size)
        self.weights = np.full(self.domain_size, 1 / self.domain_size)
        self._sample_tables = self._weight_tables = None

    def _evaluate(self, values: Any) -> tuple[Array, Array]:
        if not is_packed(values):
            values = self._floats(values)
            return values @ self.weights, values @ self._histogram
        if self._sample_tables is None:
            self._sample_tables = _kernels.byte_tables(self._histogram)
        if self._weight_tables is None:
            self._weight_tables = _kernels.byte_tables(self.weights)
        said = _kernels.table_values(self._weight_tables, values)
        return said, _kernels.table_values(self._sample_tables, values)

    def _update(self, values: Array, too_high: bool) -> None:
        penalty = values if too_high else 1 - values
        _kernels.multiplicative_step(self._log_weights, penalty, self.eta, self.weights)
        self._weight_tables = None


class MedianMechanism(DatabaseUpdate):
    """Answer with the median over candidate databases; an update removes at least half of them.

    The candidates are all histograms of `net_points` points.

    Parameters
    ----------
    domain_size : int
        Cells |X| of the domain, >= 1.
    net_points : int
        Points m >= 1 of a candidate; ln(k) / alpha^2 points suffice for an error of alpha on k
        fixed queries.
    threshold : float
        Error of the median that leads to an update, >= 0, before noise.
    epsilon : float
        Privacy epsilon > 0 of everything; ``inf`` for exact comparisons and answers.
    delta : float
        Privacy delta, in [0, 1).
    max_updates : int, optional
        Updates >= 1 after which the mechanism stops; by default one more than
        `median_update_bound`, so that it goes on.
    max_candidates : int
        Refuse larger nets.

    References
    ----------
    DR14, Section 5.2, after Roth, Roughgarden (STOC 2010). It needs |X| to the power of m steps.

    Examples
    --------
    >>> sample = np.repeat([0, 1], [700, 300])
    >>> mechanism = MedianMechanism(2, 10, 0.05, math.inf).attach(sample)
    >>> [round(mechanism.answer(lambda cells: cells == 0), 3) for _ in range(4)]
    [0.7, 0.7, 0.7, 0.7]
    >>> mechanism.n_updates
    3
    """

    def __init__(
        self,
        domain_size: int,
        net_points: int,
        threshold: float,
        epsilon: float,
        delta: float = 0.0,
        *,
        max_updates: int | None = None,
        max_candidates: int = 10**6,
    ) -> None:
        domain_size = check_int("domain_size", domain_size, lower=1)
        self.net_points = check_int("net_points", net_points, lower=1)
        size = math.comb(domain_size + self.net_points - 1, self.net_points)
        if size > check_int("max_candidates", max_candidates, lower=1):
            raise ValueError(
                f"domain_size and net_points must give <= max_candidates = {max_candidates} "
                f"histograms; got {size:.3g}"
            )
        if max_updates is None:
            max_updates = math.floor(median_update_bound(domain_size, self.net_points)) + 1
        super().__init__(domain_size, threshold, max_updates, epsilon, delta)

    @property
    def n_candidates(self) -> int:
        """How many candidates are left."""
        return len(self._candidates)

    def _start_hypothesis(self) -> None:
        self._candidates = _compositions(self.net_points, self.domain_size) / self.net_points

    def _evaluate(self, values: Any) -> tuple[Array, Array]:
        if self.n_candidates == 0:
            raise BudgetExhaustedError("MedianMechanism has no candidate left")
        floats = self._floats(values)
        answers = self._candidates @ floats[0]
        return np.quantile(answers, [0.5], method="inverted_cdf"), floats @ self._histogram

    def _update(self, values: Array, too_high: bool) -> None:
        answers = self._candidates @ values
        median = np.quantile(answers, 0.5, method="inverted_cdf")
        slack = 1e-12  # equal answers may differ by rounding
        kept = answers < median - slack if too_high else answers > median + slack
        self._candidates = self._candidates[kept]


def mw_parameters(
    n: int,
    domain_size: int,
    k: int,
    alpha: float,
    epsilon: float,
    *,
    delta: float = 0.0,
    beta: float = 0.05,
) -> dict[str, Any]:
    """Return parameters for which multiplicative weights answers k queries within alpha.

    With probability 1 - beta all answers are within alpha of the sample's means, and the updates
    do not run out.

    Parameters
    ----------
    n : int
        Points in the sample, >= 1.
    domain_size : int
        Cells |X| of the domain, >= 2.
    k : int
        Queries, >= 1.
    alpha : float
        The accuracy, in (0, 1).
    epsilon, delta : float
        Privacy of everything.
    beta : float
        Failure probability, in (0, 1).

    Returns
    -------
    dict
        The arguments of `PrivateMultiplicativeWeights`: threshold 2 alpha / 3, step 4 alpha / 3 and
        `max_updates` = floor(9 ln |X| / (2 alpha^2)) + 1, one more than can be needed.

    Raises
    ------
    ValueError
        If n points are too few; the message says how many would do.

    References
    ----------
    Derived here, from the threshold as DR14, Section 4.2, uses it but with our constants: the
    sparse vector is accurate to a = alpha / 3 on 2 k comparisons, so that with threshold 2 a an
    update corrects an error of at least a in the right direction, `mw_update_bound` holds for a,
    and what is not updated is within 3 a. DR14, Theorem 4.14, does not follow from its threshold.

    Examples
    --------
    >>> mw_parameters(6_000_000, 1024, 1000, 0.1, 1.0, delta=1e-6)["max_updates"]
    3120
    """
    size = check_int("domain_size", domain_size, lower=2)
    accuracy = check_real("alpha", alpha, lower=0.0, upper=1.0, lower_open=True) / 3
    eta = 4 * accuracy
    updates = math.floor(mw_update_bound(size, accuracy, eta=eta)) + 1
    queries = 2 * check_int("k", k, lower=1)
    reached = sparse_vector_accuracy(n, queries, updates, epsilon, beta, delta=delta)
    if reached > accuracy:
        raise ValueError(f"n must be >= {math.ceil(n * reached / accuracy)}; got {n}")
    return {
        "domain_size": size,
        "threshold": 2 * accuracy,
        "max_updates": updates,
        "epsilon": epsilon,
        "delta": delta,
        "eta": eta,
    }


def _compositions(total: int, parts: int) -> Array:
    """Return all vectors (count, parts) of whole numbers >= 0 with this sum."""
    rows = np.zeros((1, 0), dtype=np.int64)
    left = np.full(1, total)
    for _ in range(parts - 1):
        choices = left + 1
        parent = np.repeat(np.arange(len(left)), choices)
        value = np.arange(len(parent)) - np.repeat(np.cumsum(choices) - choices, choices)
        rows = np.column_stack([rows[parent], value])
        left = left[parent] - value
    return np.column_stack([rows, left])
