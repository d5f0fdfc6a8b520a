"""Thresholdout: answers come from the training set unless the holdout disagrees.

A sample is the training set, its first `training_rows` points, and then the holdout. Privacy is
that of the holdout. There are two algorithms of this name: the one with the theorem, and the one
of the published experiment.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorytk._validation import check_int, check_real
from theorytk.adaptive._optimise import Array
from theorytk.adaptive.mechanisms import OneAtATime
from theorytk.adaptive.privacy import noise_cost
from theorytk.adaptive.sparse_vector import NoiseScales, SparseMechanism

__all__ = ["GaussianThresholdout", "Thresholdout"]


class Thresholdout(SparseMechanism, OneAtATime):
    """Thresholdout with Laplace noise and a budget: the version of the theorem.

    Parameters
    ----------
    training_rows : int
        Points of the sample that are the training set, >= 1.
    threshold : float
        Difference of the two means, T >= 0, that the holdout does not report.
    sigma : float
        Noise, >= 0: Laplace of scale 2 sigma on the threshold, 4 sigma on each comparison and
        sigma on each answer from the holdout; see `thresholdout_parameters`.
    budget : int
        Answers from the holdout, B >= 1; their privacy is 2 B / (sigma n) together.
    one_sided : bool
        Compare the mean over the holdout minus that over the training set, without modulus: for
        losses, which overfitting makes too low on the training set only.

    References
    ----------
    HOLD (Dwork et al., NeurIPS 2015), Figure 1 and Lemma 23.

    Examples
    --------
    >>> mechanism = Thresholdout(50, 0.1, 0.001, 1).attach([1.0] * 50 + [0.0] * 50, rng=0)
    >>> round(mechanism.answer(lambda points: points), 2), mechanism.budget_left
    (0.0, 0)
    """

    def __init__(
        self,
        training_rows: int,
        threshold: float,
        sigma: float,
        budget: int,
        *,
        one_sided: bool = False,
    ) -> None:
        self.training_rows = check_int("training_rows", training_rows, lower=1)
        self.threshold = check_real("threshold", threshold, lower=0.0)
        self.sigma = check_real("sigma", sigma, lower=0.0)
        self.budget = check_int("budget", budget, lower=1)
        self.one_sided = bool(one_sided)

    def _start(self) -> None:
        super()._start()
        scales = NoiseScales(2 * self.sigma, 4 * self.sigma, self.sigma)
        self._start_sparse(scales, 1 / _holdout_rows(self._points, self.training_rows))

    def _answer(self, values: Array) -> float:
        training = float(values[: self.training_rows].mean())
        holdout = float(values[self.training_rows :].mean())
        difference = holdout - training if self.one_sided else abs(holdout - training)
        if not self._is_above(np.asarray(difference)):
            return training
        return min(max(self._release(holdout), 0.0), 1.0)


class GaussianThresholdout(OneAtATime):
    """Thresholdout as in the published experiment: Gaussian noise, no budget, no theorem.

    Every comparison has fresh noise and the threshold has none of its own, so that each query
    costs privacy: 1 / (tolerance n)-GDP for the comparison, as much again for an answer from the
    holdout (derived here).

    Parameters
    ----------
    training_rows : int
        Points of the sample that are the training set, >= 1.
    threshold : float, optional
        Difference of the two means, >= 0; 4 / sqrt(n) for n points of holdout if not given.
    tolerance : float, optional
        Standard deviation of both noises, >= 0; 1 / sqrt(n) if not given.

    Notes
    -----
    The experiment has the same threshold and tolerance for accuracies, which lie in [0, 1], and
    for correlations s, which do not: a query (1 + s) / 2 has half the difference of s.

    References
    ----------
    Dwork et al. (Science 349, 2015), supplementary code; there n = 10,000, 0.04 and 0.01.

    Examples
    --------
    >>> mechanism = GaussianThresholdout(5000).attach([0.4, 0.6] * 5000, rng=0)
    >>> mechanism.answer(lambda points: points)
    0.5
    """

    def __init__(
        self,
        training_rows: int,
        threshold: float | None = None,
        tolerance: float | None = None,
    ) -> None:
        self.training_rows = check_int("training_rows", training_rows, lower=1)
        self.threshold = (
            None if threshold is None else check_real("threshold", threshold, lower=0.0)
        )
        self.tolerance = (
            None if tolerance is None else check_real("tolerance", tolerance, lower=0.0)
        )

    def _start(self) -> None:
        super()._start()
        rows = _holdout_rows(self._points, self.training_rows)
        self._threshold = 4 / math.sqrt(rows) if self.threshold is None else self.threshold
        self._tolerance = 1 / math.sqrt(rows) if self.tolerance is None else self.tolerance
        self._mu = noise_cost(1 / rows, self._tolerance)

    def _answer(self, values: Array) -> float:
        training = float(values[: self.training_rows].mean())
        holdout = float(values[self.training_rows :].mean())
        self.privacy = self.privacy.gaussian(self._mu)
        if abs(holdout - training) <= self._threshold + self._noise():
            return training
        self.privacy = self.privacy.gaussian(self._mu)
        return min(max(holdout + self._noise(), 0.0), 1.0)

    def _noise(self) -> float:
        return float(self._rng.normal(scale=self._tolerance))


def _optional(name: str, value: Any) -> float | None:
    return None if value is None else check_real(name, value, lower=0.0)


def _holdout_rows(points: Any, training_rows: int) -> int:
    rows = len(points) - training_rows
    if rows < 1:
        raise ValueError(
            f"training_rows must be < n = {len(points)} to leave a holdout; got {training_rows}"
        )
    return rows
