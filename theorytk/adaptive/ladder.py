"""The Ladder: a leaderboard that reports the best loss so far, and only what improves on it.

A query is the loss, in [0, 1], of a submission at each point of the holdout; the answer is the
score that the leaderboard reports, an estimate of the least loss over all submissions so far.
"""

from __future__ import annotations

import math

import numpy as np

from theorytk._validation import check_real
from theorytk.adaptive._optimise import Array
from theorytk.adaptive.mechanisms import OneAtATime

__all__ = ["Ladder", "ParameterFreeLadder"]


class Ladder(OneAtATime):
    """Report a new score if it is lower by more than a step, rounded to a multiple of the step.

    Parameters
    ----------
    step : float
        The step eta, in (0, 1]; `ladder_bound` has the best one for n and k.

    Attributes
    ----------
    score : float
        The last score reported; ``inf`` at the beginning.

    References
    ----------
    Blum, Hardt (ICML 2015), Figure 1. Their published code rounds to digits, not to the step.

    Examples
    --------
    >>> leaderboard = Ladder(0.1).attach([1, 0, 0, 1, 1, 0, 1, 1])
    >>> [leaderboard.answer(lambda labels, all=all: labels != all) for all in (0, 1, 0)]
    [0.6000000000000001, 0.4, 0.4]
    """

    def __init__(self, step: float) -> None:
        self.step = check_real("step", step, lower=0.0, upper=1.0, lower_open=True)

    def _start(self) -> None:
        super()._start()
        self.score = math.inf

    def _answer(self, values: Array) -> float:
        self.privacy = self.privacy.pure(math.inf)
        loss = float(values.mean())
        if self._improves(loss):
            self.score = round(loss / self.step) * self.step
        return self.score

    def _improves(self, loss: float) -> bool:
        return loss < self.score - self.step


class ParameterFreeLadder(OneAtATime):
    """Report a new score if it is lower by more than the standard error of the difference.

    The difference is that of the submission's losses and those of the last that improved (at
    first, of the losses alone). Scores are rounded to multiples of 1 / n.

    Attributes
    ----------
    score : float
        The last score reported; ``inf`` at the beginning.

    References
    ----------
    Blum, Hardt (ICML 2015), Figure 2; standard deviations have n - 1 in the denominator.

    Examples
    --------
    >>> leaderboard = ParameterFreeLadder().attach([1, 0, 0, 1, 1, 0, 1, 1])
    >>> [leaderboard.answer(lambda labels, all=all: labels != all) for all in (0, 1, 0)]
    [0.625, 0.625, 0.625]
    """

    def _start(self) -> None:
        super()._start()
        if len(self._points) < 2:
            raise ValueError("sample must have at least 2 points for a variance; got 1")
        self.score = math.inf
        self._leader: Array = np.zeros(len(self._points))

    def _answer(self, values: Array) -> float:
        self.privacy = self.privacy.pure(math.inf)
        n = len(values)
        loss = float(values.mean())
        if self._improves(loss, float(np.std(values - self._leader, ddof=1)) / math.sqrt(n)):
            self.score = round(loss * n) / n
            self._leader = values
        return self.score

    def _improves(self, loss: float, margin: float) -> bool:
        return loss < self.score - margin
