"""An analyst asks, a mechanism answers, and what both said is written down."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from theorytk._validation import as_generator
from theorytk.adaptive._optimise import Array
from theorytk.adaptive.mechanisms import BudgetExhaustedError, Mechanism
from theorytk.adaptive.privacy import PrivacyLedger

__all__ = ["Analyst", "Query", "Transcript", "interact"]

Query = Callable[[Any], Any]


class Analyst(Protocol):
    """Who asks: `queries` yields queries and is sent their answers."""

    def queries(self, rng: np.random.Generator) -> Generator[Query, float, None]:
        """Yield a query, receive its answer, and so on."""


@dataclass(frozen=True)
class Transcript:
    """What was asked and answered.

    Attributes
    ----------
    queries : tuple of callable
        The k queries that were answered.
    answers : ndarray, shape (k,)
        Their answers; NaN where a sparse vector mechanism said "below".
    sample_means : ndarray, shape (k,)
        Their means over the whole sample.
    truth : ndarray, shape (k,), or None
        Their means over the population, if it was given.
    exhausted : bool
        Whether the mechanism stopped before the analyst.
    privacy : PrivacyLedger
        What the answers have spent.
    """

    queries: tuple[Query, ...]
    answers: Array
    sample_means: Array
    truth: Array | None
    exhausted: bool
    privacy: PrivacyLedger

    @property
    def max_error(self) -> float:
        """Largest |answer - truth| over the answers that are numbers; 0 for none."""
        if self.truth is None:
            raise ValueError("population must be given to interact for errors; got None")
        return _largest(self.answers - self.truth)

    @property
    def max_sample_error(self) -> float:
        """Largest |answer - mean over the sample|."""
        return _largest(self.answers - self.sample_means)

    @property
    def max_gap(self) -> float:
        """Largest |mean over the sample - truth|: how far the queries overfit, whatever was said.

        It counts for any mechanism: the analyst may have found them by the answers.
        """
        if self.truth is None:
            raise ValueError("population must be given to interact for gaps; got None")
        return _largest(self.sample_means - self.truth)


def interact(
    analyst: Analyst,
    mechanism: Mechanism,
    sample: Any,
    population: Any = None,
    *,
    rng: Any = None,
) -> Transcript:
    """Let an analyst question a mechanism until either has had enough.

    Parameters
    ----------
    analyst : Analyst
        Yields queries, which are functions from points to values in [0, 1].
    mechanism : Mechanism
        Answers them; it is attached to the sample afresh.
    sample : array_like, shape (n, ...)
        The points.
    population : array_like or callable, optional
        Points (N, ...) whose means are the truth, or the function from a query to its mean over
        the population.
    rng : int, Generator or None
        Mechanism and analyst get independent generators spawned from it.

    Returns
    -------
    Transcript

    Examples
    --------
    >>> from theorytk.adaptive.analysts import TwoStageAttack
    >>> from theorytk.adaptive.mechanisms import EmpiricalMechanism
    >>> signs = np.random.default_rng(0).integers(0, 2, (500, 200)) * 2 - 1
    >>> transcript = interact(TwoStageAttack(200), EmpiricalMechanism(), signs, lambda query: 0.5)
    >>> len(transcript.answers), round(transcript.max_error, 2)
    (201, 0.24)
    """
    mechanism_rng, analyst_rng = as_generator(rng).spawn(2)
    points = np.asarray(sample)
    mechanism.attach(points, rng=mechanism_rng)
    truth_of = _truth(population)
    queries: list[Query] = []
    numbers: list[tuple[float, float, float]] = []
    exhausted = False
    asking = analyst.queries(analyst_rng)
    try:
        query = next(asking)
        while True:
            answer = mechanism.answer(query)
            queries.append(query)
            numbers.append((answer, _mean(query, points), truth_of(query)))
            query = asking.send(answer)
    except StopIteration:
        pass
    except BudgetExhaustedError:
        exhausted = True
    answers, sample_means, truth = np.array(numbers).reshape(-1, 3).T
    return Transcript(
        tuple(queries),
        answers,
        sample_means,
        None if population is None else truth,
        exhausted,
        mechanism.privacy,
    )


def _truth(population: Any) -> Callable[[Query], float]:
    if population is None:
        return lambda query: 0.0
    if callable(population):
        return lambda query: float(population(query))
    points = np.asarray(population)
    return lambda query: _mean(query, points)


def _mean(query: Query, points: Any) -> float:
    return float(np.mean(query(points)))


def _largest(errors: Array) -> float:
    return float(np.abs(errors[~np.isnan(errors)]).max(initial=0.0))
