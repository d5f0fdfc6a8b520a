"""Mechanisms that check on one part of the sample and reveal only a few bits of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import gammaln

from theorytk._validation import check_int
from theorytk.adaptive._arguments import check_probability
from theorytk.adaptive._optimise import Array
from theorytk.adaptive.mechanisms import BudgetExhaustedError, OneAtATime

__all__ = ["EffectiveRounds", "SparseValidate"]


class EffectiveRounds(OneAtATime):
    """Answer from one chunk of the sample until a validation set says that it is used up.

    The first `validation_rows` points are the validation set, the next are rounds + 1 chunks of
    `chunk_rows` points; more are not used.

    Parameters
    ----------
    k : int
        Queries, >= 1.
    rounds : int
        Rounds R >= 0 of adaptivity: how often a chunk may be left for the next.
    tau : float
        The width, in (0, 1): with probability 1 - beta every answer is within 3 tau / 4 of the
        population's mean, whoever asks.
    beta : float
        Failure probability, in (0, 1). Nor, but for another beta, does an analyst who makes his
        queries in R + 1 batches, each fixed before its answers, run out of rounds.

    Attributes
    ----------
    validation_rows, chunk_rows, rows_needed : int
        Sizes of the parts, and the least sample.
    rounds_used : int
        Chunks left behind.

    References
    ----------
    The mechanism is from DFHPRR (STOC 2015); this form and its constants are derived here. Given
    the chunks, query number j depends on the at most R failures before it, of which each belongs to
    one of j - 1 queries, so that C(k + R, R + 1) queries can occur in all; the validation set
    errs by at most tau / 4 on all of them, and an answer differs from it by at most tau / 2.

    Examples
    --------
    >>> EffectiveRounds(2000, 3, 0.1, 0.05).rows_needed
    65298
    """

    def __init__(self, k: int, rounds: int, tau: float, beta: float) -> None:
        self.k = check_int("k", k, lower=1)
        self.rounds = check_int("rounds", rounds, lower=0)
        self.tau = check_probability("tau", tau)
        self.beta = check_probability("beta", beta)
        queries = (
            gammaln(self.k + self.rounds + 1) - gammaln(self.rounds + 2) - gammaln(self.k)
        )  # the logarithm of C(k + R, R + 1)
        log_chunk = math.log(2 * self.k * (self.rounds + 1) / self.beta)
        log_validation = float(queries) + math.log(2 / self.beta)
        self.validation_rows = math.ceil(log_validation / (2 * (self.tau / 4) ** 2))
        self.chunk_rows = math.ceil(log_chunk / (2 * (self.tau / 4) ** 2))
        self.rows_needed = self.validation_rows + (self.rounds + 1) * self.chunk_rows

    @property
    def budget_left(self) -> int:
        """How many of the k queries are left; 0 when the rounds have run out."""
        return 0 if self.rounds_used > self.rounds else self.k - self.n_answered

    def _start(self) -> None:
        super()._start()
        n = len(self._points)
        if n < self.rows_needed:
            raise ValueError(f"sample must have >= {self.rows_needed} points; got {n}")
        self.rounds_used = 0

    def _answer(self, values: Array) -> float:
        self.privacy = self.privacy.pure(math.inf)
        validation = float(values[: self.validation_rows].mean())
        while self.rounds_used <= self.rounds:
            first = self.validation_rows + self.rounds_used * self.chunk_rows
            answer = float(values[first : first + self.chunk_rows].mean())
            if self._is_valid(answer, validation):
                return answer
            self.rounds_used += 1
        raise BudgetExhaustedError("EffectiveRounds has used all its rounds")

    def _is_valid(self, answer: float, validation: float) -> bool:
        return abs(answer - validation) <= self.tau / 2


class SparseValidate(OneAtATime):
    """Say of each statement about the whole sample whether it holds, until few have held.

    A query is a function from the points to 0 or 1, and so is its answer.

    Parameters
    ----------
    m : int
        Queries, >= 1.
    budget : int
        Ones B after which the mechanism stops, >= 1.

    Attributes
    ----------
    n_ones : int
        Statements that held.

    References
    ----------
    HOLD (Dwork et al., NeurIPS 2015), Theorem 27; see `sparse_validate_factor`.

    Examples
    --------
    >>> mechanism = SparseValidate(10, 1).attach([0.2, 0.4, 0.9])
    >>> mechanism.answer(lambda points: points.mean() > 0.6)
    0.0
    """

    def __init__(self, m: int, budget: int) -> None:
        self.m = check_int("m", m, lower=1)
        self.budget = check_int("budget", budget, lower=1)

    @property
    def budget_left(self) -> int:
        """How many ones are left; 0 when m queries have been asked."""
        return self.budget - self.n_ones if self.n_answered < self.m else 0

    def answer_many(self, queries: Any) -> Array:
        """Return the answers (k,) to a list of queries."""
        self._check_attached()
        return self._answer_all(np.reshape([self._values(query) for query in queries], (-1, 1)))

    def _start(self) -> None:
        super()._start()
        self.n_ones = 0

    def _answer(self, values: Array) -> float:
        self.privacy = self.privacy.pure(math.inf)
        self.n_ones += int(values[0])
        return float(values[0])

    def _values(self, query: Any) -> Array:
        if not callable(query):
            raise TypeError(
                f"query must be a function from points to 0 or 1; got {type(query).__name__}"
            )
        bit = query(self._points)
        if np.ndim(bit) != 0 or bit not in (0, 1):
            raise ValueError(f"query must return 0 or 1; got {bit!r}")
        return np.array([float(bit)])
