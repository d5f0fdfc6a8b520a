"""The sparse vector technique: many comparisons with a noisy threshold for the price of few."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import check_int, check_real
from theorytk.adaptive._optimise import Array
from theorytk.adaptive.mechanisms import Mechanism, OneAtATime
from theorytk.adaptive.privacy import noise_cost

__all__ = ["NoiseScales", "SparseVector", "sparse_vector_scales"]


@dataclass(frozen=True)
class NoiseScales:
    """Scales of the Laplace noises of a sparse vector mechanism.

    Attributes
    ----------
    threshold, comparison, release : float
        Of the noise on the threshold, on each value that is compared with it, and on each value
        that is released; in units of the queries' range, >= 0.
    """

    threshold: float
    comparison: float
    release: float

    def run_cost(self, sensitivity: float) -> float:
        """Return the privacy epsilon of all comparisons up to the first above the threshold."""
        return noise_cost(sensitivity, self.threshold) + noise_cost(
            2 * sensitivity, self.comparison
        )

    def release_cost(self, sensitivity: float) -> float:
        """Return the privacy epsilon of one release."""
        return noise_cost(sensitivity, self.release)


def sparse_vector_scales(n: int, c: int, epsilon: float, delta: float = 0.0) -> NoiseScales:
    """Return the noise for which c numbers, and all comparisons, are (epsilon, delta)-private.

    Parameters
    ----------
    n : int
        Points in the sample, >= 1.
    c : int
        Numbers that are released, >= 1.
    epsilon : float
        Privacy epsilon > 0; ``inf`` for no noise.
    delta : float
        Privacy delta, in [0, 1).

    Returns
    -------
    NoiseScales

    References
    ----------
    DR14, Algorithm 3 (NumericSparse), divided by n. Its printed epsilon_2 for delta > 0 lacks
    epsilon.

    Examples
    --------
    >>> scales = sparse_vector_scales(1000, 9, 1.0)
    >>> round(9 * (scales.run_cost(0.001) + scales.release_cost(0.001)), 12)
    1.0
    """
    n, c = check_int("n", n, lower=1), check_int("c", c, lower=1)
    epsilon = check_epsilon(epsilon)
    delta = check_real("delta", delta, lower=0.0, upper=1.0, upper_open=True)
    scale, first, second = 2.0 * c, 8 / 9, 2 / 9
    if delta > 0:
        root = math.sqrt(512)
        scale = math.sqrt(32 * c * math.log(2 / delta))
        first, second = root / (root + 1), 2 / (root + 1)
    threshold = scale / (first * epsilon * n)
    return NoiseScales(threshold, 2 * threshold, scale / (second * epsilon * n))


class SparseMechanism(Mechanism):
    """Base of the mechanisms that compare values with a noisy threshold and release few of them.

    The privacy of a run of comparisons is charged at its first one, that of a number when it is
    released; then the threshold is drawn again. ``_noise``, ``_draw_threshold`` and ``_release``
    are where a simulation of a faulty mechanism may differ.
    """

    threshold: float
    budget: int
    _scales: NoiseScales
    _sensitivity: float
    _noisy_threshold: float

    @property
    def budget_left(self) -> int:
        """How many numbers may still be released."""
        return self._left

    def _start_sparse(self, scales: NoiseScales, sensitivity: float) -> None:
        self._scales, self._sensitivity, self._left = scales, sensitivity, self.budget
        self._in_run = False
        self._draw_threshold()

    def _draw_threshold(self) -> None:
        self._noisy_threshold = self.threshold + float(self._noise(self._scales.threshold))

    def _is_above(self, values: Array) -> Any:
        """Compare each of the values with the threshold, in a run that ends at the first above."""
        if not self._in_run:
            self._in_run = True
            self.privacy = self.privacy.pure(self._scales.run_cost(self._sensitivity))
        noise = self._noise(self._scales.comparison, np.shape(values))
        return values > self._noisy_threshold + noise

    def _release(self, value: float) -> float:
        """Return the value that was above with fresh noise, and begin another run."""
        self.privacy = self.privacy.pure(self._scales.release_cost(self._sensitivity))
        released = value + float(self._noise(self._scales.release))
        self._left -= 1
        self._in_run = False
        self._draw_threshold()
        return released

    def _noise(self, scale: float, size: tuple[int, ...] = ()) -> Any:
        return self._rng.laplace(scale=scale, size=size)


class SparseVector(SparseMechanism, OneAtATime):
    """Answer with a number if the mean is above a threshold, else only say that it is below.

    An answer of "below" is NaN. Numbers are clamped to [0, 1].

    Parameters
    ----------
    threshold : float
        The threshold, in units of the queries' range.
    c : int
        Numbers after which the mechanism stops, >= 1.
    epsilon : float
        Privacy epsilon > 0; ``inf`` for no noise.
    delta : float
        Privacy delta, in [0, 1).

    References
    ----------
    DR14, Algorithm 3 (NumericSparse); for the accuracy see `sparse_vector_accuracy`.

    Examples
    --------
    >>> mechanism = SparseVector(0.5, 1, 10.0).attach(np.linspace(0, 1, 1001), rng=0)
    >>> mechanism.answer(lambda points: points > 0.9)
    nan
    >>> round(mechanism.answer(lambda points: points > 0.1), 2)
    0.9
    """

    def __init__(self, threshold: float, c: int, epsilon: float, delta: float = 0.0) -> None:
        self.threshold = check_real("threshold", threshold)
        self.budget = check_int("c", c, lower=1)
        self.epsilon = check_epsilon(epsilon)
        self.delta = check_real("delta", delta, lower=0.0, upper=1.0, upper_open=True)

    def _start(self) -> None:
        super()._start()
        n = len(self._points)
        scales = sparse_vector_scales(n, self.budget, self.epsilon, self.delta)
        self._start_sparse(scales, 1 / n)

    def _answer(self, values: Array) -> float:
        mean = float(values.mean())
        if not self._is_above(np.asarray(mean)):
            return math.nan
        return min(max(self._release(mean), 0.0), 1.0)


def check_epsilon(epsilon: Any) -> float:
    """Return a privacy epsilon > 0, which may be infinite."""
    if isinstance(epsilon, float) and epsilon == math.inf:
        return math.inf
    return check_real("epsilon", epsilon, lower=0.0, lower_open=True)
