"""Mechanisms that add noise to the mean over the sample; answers are clamped to [0, 1]."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from theorytk._validation import check_real
from theorytk.adaptive._optimise import Array
from theorytk.adaptive.mechanisms import EmpiricalMechanism
from theorytk.adaptive.privacy import noise_cost

__all__ = ["GaussianMechanism", "LaplaceMechanism", "VarianceCalibratedGaussian"]


class NoiseAddition(EmpiricalMechanism, ABC):
    """Base of the mechanisms that add independent noise to every mean."""

    def _perturb(self, means: Array, values: Any) -> Array:
        noisy: Array = np.clip(means + self._noise(values), 0.0, 1.0)
        return noisy

    @abstractmethod
    def _noise(self, values: Any) -> Array:
        """Return what is added to the means, one number per query."""


class LaplaceMechanism(NoiseAddition):
    """Answer with the mean plus Laplace noise; each answer is 1 / (n scale)-private.

    Parameters
    ----------
    scale : float
        Scale of the noise, >= 0.
    budget : int, optional
        Queries that will be answered, >= 1; if not given, any number.

    Examples
    --------
    >>> mechanism = LaplaceMechanism(0.1).attach([0.1, 0.3, 0.8, 0.4], rng=0)
    >>> _ = mechanism.answer(lambda points: points > 0.2)
    >>> mechanism.privacy.epsilon
    2.5
    """

    def __init__(self, scale: float, budget: int | None = None) -> None:
        super().__init__(budget)
        self.scale = check_real("scale", scale, lower=0.0)

    def _noise(self, values: Any) -> Array:
        return self._rng.laplace(scale=self.scale, size=len(values))

    def _spend(self, times: int) -> None:
        self.privacy = self.privacy.pure(noise_cost(1 / len(self._points), self.scale), times)


class GaussianMechanism(NoiseAddition):
    """Answer with the mean plus Gaussian noise; each answer is 1 / (n sigma)-GDP.

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise, >= 0.
    budget : int, optional
        Queries that will be answered, >= 1; if not given, any number.

    Examples
    --------
    >>> mechanism = GaussianMechanism(0.1).attach([0.1, 0.3, 0.8, 0.4], rng=0)
    >>> answers = mechanism.answer_many([lambda points: points] * 4)
    >>> mechanism.privacy.mu, mechanism.privacy.rho
    (5.0, 12.5)
    """

    def __init__(self, sigma: float, budget: int | None = None) -> None:
        super().__init__(budget)
        self.sigma = check_real("sigma", sigma, lower=0.0)

    def _noise(self, values: Any) -> Array:
        return self._rng.normal(scale=self.sigma, size=len(values))

    def _spend(self, times: int) -> None:
        self.privacy = self.privacy.gaussian(noise_cost(1 / len(self._points), self.sigma), times)


class VarianceCalibratedGaussian(NoiseAddition):
    """Answer with the mean plus Gaussian noise of variance max(s^2, floor) / t.

    s^2 is the variance (ddof = 1) of the query on the sample. As the noise depends on the data, no
    privacy is claimed. The mechanism is stable on average: leaving out a random point changes the
    law of an answer by a Kullback-Leibler divergence of t / (2 n^2) + (kurtosis - 1) / (4 n^2), to
    leading order in n and with s^2 above the floor.

    Parameters
    ----------
    t : float
        By how much the noise has less variance than the query, > 0.
    floor : float
        Least variance of a query, > 0: without it a query that is constant on the sample would get
        no noise.
    budget : int, optional
        Queries that will be answered, >= 1; if not given, any number.

    References
    ----------
    Feldman, Steinke (COLT 2018); the floor and the divergence are derived here.

    Examples
    --------
    >>> mechanism = VarianceCalibratedGaussian(100.0, 0.01).attach([0.0, 1.0] * 500, rng=0)
    >>> answers = mechanism.answer_many([lambda points: points] * 10_000)
    >>> round(float(answers.std()), 3)
    0.05
    """

    def __init__(self, t: float, floor: float, budget: int | None = None) -> None:
        super().__init__(budget)
        self.t = check_real("t", t, lower=0.0, lower_open=True)
        self.floor = check_real("floor", floor, lower=0.0, lower_open=True)

    def _start(self) -> None:
        super()._start()
        if len(self._points) < 2:
            raise ValueError("sample must have at least 2 points for a variance; got 1")

    def _noise(self, values: Any) -> Array:
        variance = np.maximum(np.var(self._floats(values), axis=1, ddof=1), self.floor)
        noise: Array = self._rng.normal(size=len(values)) * np.sqrt(variance / self.t)
        return noise
