"""Random Fourier features with Laplace or Gaussian noise, and the released number of points."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import as_generator, check_array, check_int
from theorytk.privacy._arguments import Array, check_probability
from theorytk.privacy._feature_kernels import feature_totals
from theorytk.privacy.answering import AnsweringMechanism, CountingMechanism
from theorytk.privacy.linear_mechanism import (
    GRID_BITS,
    check_noise,
    is_replace,
    noise_scale,
)

__all__ = [
    "RandomFeatures",
    "ReleasedCount",
    "feature_deviation",
    "random_features",
    "released_count",
]


@dataclass(frozen=True, eq=False)
class RandomFeatures(AnsweringMechanism):
    """Sums over points of bounded waves; see `random_features`. Points lie anywhere in R^d.

    With Laplace noise a frequency w has the wave sqrt(2) cos(<w, x> + phase), with Gaussian noise
    the waves cos <w, x> and sin <w, x> over sqrt(n_features).

    Attributes
    ----------
    frequencies : ndarray, shape (d, n_features)
        Public frequencies, in radians per unit of the points.
    phases : ndarray, shape (n_features,)
        Public phases in radians; zero with Gaussian noise.
    """

    frequencies: Array = field(default_factory=lambda: np.ones((1, 1)))
    phases: Array = field(default_factory=lambda: np.zeros(1))

    @property
    def groups(self) -> tuple[str, ...]:
        """All waves have one scale."""
        return ("features",)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """One wave or two per frequency."""
        return np.array([len(self.phases) * (2 if self.kind == "gaussian" else 1)])

    @property
    def bits(self) -> NDArray[np.int64]:
        """Each wave at each point is rounded towards zero."""
        return np.array([GRID_BITS])

    def grid_points(self, x: Any) -> NDArray[Any]:
        """Return the points as they are: they need no grid, since waves are bounded everywhere."""
        return check_array("x", x, shape=(None, len(self.frequencies)))

    def totals(self, points: NDArray[Any]) -> NDArray[np.int64]:
        """Return the sums of the waves in grid steps."""
        turns, phases = self.frequencies / (2 * math.pi), self.phases / (2 * math.pi)
        height = math.ldexp(self._amplitude, GRID_BITS)
        shifts = np.array([0.0, -0.25] if self.kind == "gaussian" else [0.0])
        return np.asarray(feature_totals(points, turns, phases, shifts, height))

    def synthesise(self, released: Array) -> Array:
        """Return the released sums."""
        return released

    def answers(self, table: Array, y: Array) -> Array:
        """Return the estimated kernel sums."""
        return np.asarray(self._weights(y) @ table)

    def noise_components(self, y: Array) -> tuple[Array, Array]:
        """Return one component per wave, or all in one where they are Gaussian."""
        noise = self.variances[0] * self._weights(y) ** 2
        if self.kind == "gaussian":
            noise = noise.sum(axis=1, keepdims=True)
        return noise, np.ones_like(noise)

    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return what rounding does, both ways; for the features see `feature_deviation`."""
        error = 2.0**-GRID_BITS * np.abs(self._weights(y)).sum(axis=1)
        return error, error

    @property
    def _amplitude(self) -> float:
        return 1 / math.sqrt(len(self.phases)) if self.kind == "gaussian" else math.sqrt(2)

    def _weights(self, y: Array) -> Array:
        """Return how much each released sum counts in each answer, shape (q, waves)."""
        angles = y @ self.frequencies + self.phases
        if self.kind == "gaussian":
            return self._amplitude * np.hstack([np.cos(angles), np.sin(angles)])
        return np.asarray(self._amplitude / len(self.phases) * np.cos(angles))


def random_features(
    frequencies: Any,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    neighbours: str = "add_remove",
    noise: str = "discrete",
    rng: Any = None,
) -> RandomFeatures:
    """Return random features with the noise that their budget asks for.

    Parameters
    ----------
    frequencies : array_like, shape (d, n_features)
        Public frequencies, from `random_frequencies`.
    epsilon : float, optional
        Pure privacy > 0 by Laplace noise on waves sqrt(2) cos(<w, x> + phase): the l_1
        sensitivity is sqrt(2) n_features, or twice that with "replace".
    rho : float, optional
        zCDP > 0 by Gaussian noise, instead of `epsilon`, on cosines and sines over
        sqrt(n_features): a vector of length 1, so every answer has the noise variance
        1 / (2 rho) whatever n_features is, or four times that with "replace".
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.
    rng : int, numpy.random.Generator or None
        Random state of the phases, which are public.

    Returns
    -------
    RandomFeatures

    Notes
    -----
    If frequencies are linearly independent over the rationals, as random ones are, some point of
    R^d comes as close as one likes to any phases at once (Kronecker): no smaller sensitivity is
    true for unbounded points, even for d = 1. Rounding towards zero does not enlarge it.

    References
    ----------
    Wagner, Naamad, Mishra (ICML 2023) for the Laplace form, whose noise is for "add_remove";
    Rahimi, Recht (NeurIPS 2007) for both features. The Gaussian form is derived here.

    Examples
    --------
    >>> w = np.ones((1, 100))
    >>> random_features(w, epsilon=1.0, rng=0).scales.round(3)
    array([141.421])
    >>> mechanism = random_features(w, rho=0.5)
    >>> mechanism.noise_components(np.array([[3.0]]))[0].round(6)
    array([[1.]])
    """
    frequencies = check_array("frequencies", frequencies, shape=(None, None))
    count = check_int("the number of frequencies", frequencies.shape[1], lower=1)
    norm = 2.0 if is_replace(neighbours) else 1.0
    largest = norm**2 if epsilon is None else norm * math.sqrt(2) * count
    scale, kind = noise_scale(largest, epsilon, rho)
    phases = np.zeros(count)
    if kind == "laplace":
        phases = as_generator(rng).uniform(0, 2 * math.pi, count)
    scales = np.array([scale])
    return RandomFeatures(0, scales, kind, check_noise(noise), frequencies, phases)


def feature_deviation(n_features: int, failure: float, *, paired: bool) -> float:
    """Return what the error of a mean of kernels by random features keeps but for `failure`.

    Parameters
    ----------
    n_features : int
        Number of frequencies, >= 1.
    failure : float
        Probability in (0, 1) of a larger error, either way, of one query.
    paired : bool
        Whether each frequency has a cosine and a sine, or a cosine with a random phase.

    Returns
    -------
    float
        The bound sqrt(2 log(2 / failure) / n_features) with pairs, twice that with phases.

    References
    ----------
    Hoeffding's inequality: a frequency contributes a number within 1, or 2, of zero. Averages over
    points stay within it.

    Examples
    --------
    >>> round(feature_deviation(1000, 0.05, paired=True), 3)
    0.086
    """
    failure = check_probability("failure", failure)
    n_features = check_int("n_features", n_features, lower=1)
    return (1 if paired else 2) * math.sqrt(2 * math.log(2 / failure) / n_features)


class ReleasedCount(CountingMechanism):
    """The number of points, plus integer noise; see `released_count`."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The count."""
        return ("count",)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """One."""
        return np.array([1])

    @property
    def bits(self) -> NDArray[np.int64]:
        """Whole numbers."""
        return np.array([0])

    def grid_points(self, x: Any) -> NDArray[Any]:
        """Return the points as they are."""
        return check_array("x", x)

    def totals(self, points: NDArray[Any]) -> NDArray[np.int64]:
        """Return the number of points."""
        return np.array([len(points)])

    def synthesise(self, released: Array) -> Array:
        """Return the released count."""
        return released

    def count(self, table: Array) -> float:
        """Return the released count."""
        return float(table[0])

    @property
    def count_components(self) -> tuple[Array, Array]:
        """Its noise."""
        return self.variances[:, None], np.ones((1, 1))


def released_count(
    *, epsilon: float | None = None, rho: float | None = None, noise: str = "discrete"
) -> ReleasedCount:
    """Return the noisy number of points, for neighbours by adding or removing one.

    Parameters
    ----------
    epsilon : float, optional
        Pure privacy > 0, by Laplace noise.
    rho : float, optional
        zCDP > 0 instead, by Gaussian noise.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.

    Returns
    -------
    ReleasedCount

    Examples
    --------
    >>> released_count(epsilon=0.5).scales
    array([2.])
    """
    scale, kind = noise_scale(1.0, epsilon, rho)
    return ReleasedCount(0, np.array([scale]), kind, check_noise(noise))
