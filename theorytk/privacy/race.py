"""RACE: rows of hashed counters, whose collisions with a query are a sum of kernels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import check_array, check_int
from theorytk.privacy import _hash_kernels
from theorytk.privacy._arguments import Array, check_probability
from theorytk.privacy.answering import AnsweringMechanism
from theorytk.privacy.hashing import Hashes, l2_hashes
from theorytk.privacy.linear_mechanism import (
    check_noise,
    is_replace,
    noise_scale,
)

__all__ = ["Race", "race", "race_deviation", "race_noise"]


@dataclass(frozen=True, eq=False)
class Race(AnsweringMechanism):
    """Counters of points in the buckets of every row of hashes; see `race`. Points lie anywhere.

    Attributes
    ----------
    hashes : Hashes
        Public hashes.
    """

    hashes: Hashes = field(default_factory=lambda: l2_hashes(1, 1, rng=0))

    @property
    def groups(self) -> tuple[str, ...]:
        """All counters have one scale."""
        return ("counters",)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """2^bits counters per row."""
        return np.array([self.hashes.rows << self.hashes.bits])

    @property
    def bits(self) -> NDArray[np.int64]:
        """Whole numbers."""
        return np.array([0])

    def grid_points(self, x: Any) -> NDArray[Any]:
        """Return the points as they are: a point adds 1 to one counter of every row."""
        return check_array("x", x, shape=(None, self.hashes.dimension))

    def totals(self, points: NDArray[Any]) -> NDArray[np.int64]:
        """Return the counters, row by row."""
        return self.hashes.counters(points).ravel()

    def synthesise(self, released: Array) -> Array:
        """Return the counters, shape (rows, 2^bits), of which what chance puts there is taken off.

        Points in other cells share the bucket of a query with probability 2^-bits.
        """
        counters = released.reshape(self.hashes.rows, -1)
        rest = self._buckets - 1
        return np.asarray(counters + (counters - counters.sum(axis=1, keepdims=True)) / rest)

    def answers(self, table: Array, y: Array) -> Array:
        """Return the mean over rows of the counters that the queries hit."""
        return np.asarray(_hash_kernels.counter_means(table, self.hashes.buckets(y)))

    def noise_components(self, y: Array) -> tuple[Array, Array]:
        """Return the noise of the counters that are hit, and that of all others."""
        rows, rest = self.hashes.rows, self._buckets - 1
        hit = self.variances[0] / rows
        return np.tile([hit, hit / rest], (len(y), 1)), np.tile([rows, rows * rest], (len(y), 1))

    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return none: for the hashes see `race_deviation`."""
        return np.zeros(len(y)), np.zeros(len(y))

    @property
    def _buckets(self) -> int:
        return 1 << self.hashes.bits


def race(
    hashes: Hashes,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    neighbours: str = "add_remove",
    noise: str = "discrete",
) -> Race:
    """Return hashed counters with the noise that their budget asks for.

    Parameters
    ----------
    hashes : Hashes
        Rows of public hashes; their collision probability is the kernel whose sums are answered.
    epsilon : float, optional
        Pure privacy > 0 by Laplace noise: a point is in one counter of each row, so the l_1
        sensitivity is the number of rows, or twice that with "replace".
    rho : float, optional
        zCDP > 0 by Gaussian noise instead; the squared l_2 sensitivity is the number of rows, or
        twice that, so every answer has the noise variance 1 / (2 rho), or twice that, whatever the
        number of rows.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.

    Returns
    -------
    Race

    Notes
    -----
    Counters are sums over points. Dividing the scale by the number of points too, as is right for
    means, leaves a loss of that number times epsilon; the first authors' code does so.

    References
    ----------
    Coleman, Shrivastava (2020) for the Laplace form. The correction for shared buckets and the
    Gaussian form are derived here.

    Examples
    --------
    >>> race(l2_hashes(2, 100, rng=0), epsilon=0.5).scales
    array([200.])
    >>> mechanism = race(l2_hashes(2, 100, rng=0), rho=0.5)
    >>> float(mechanism.noise_components(np.zeros((1, 2)))[0].sum().round(3))
    1.004
    """
    if not isinstance(hashes, Hashes):
        raise TypeError(f"hashes must be Hashes; got {type(hashes).__name__}")
    rows = hashes.rows * (2 if is_replace(neighbours) else 1)
    scale, kind = noise_scale(float(rows), epsilon, rho)
    return Race(0, np.array([scale]), kind, check_noise(noise), hashes)


def race_noise(
    rows: int,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    bits: int = 8,
    neighbours: str = "add_remove",
) -> float:
    """Return the standard deviation of the noise of a sum by hashed counters, at every query.

    Parameters
    ----------
    rows : int
        Number of rows, >= 1.
    epsilon, rho : float, optional
        One of the budgets of `race`.
    bits : int
        2^bits buckets per row.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.

    Returns
    -------
    float
        With W buckets sqrt(2 rows W / (W - 1)) / epsilon, twice that with "replace"; or
        sqrt(W / (W - 1)) / sqrt(2 rho), sqrt(2) times that with "replace". For continuous noise.

    References
    ----------
    Derived here; without W it is the noise of Coleman, Shrivastava (2020).

    Examples
    --------
    >>> round(race_noise(50, epsilon=1.0), 2), round(race_noise(50, rho=0.5), 3)
    (10.02, 1.002)
    """
    rows = check_int("rows", rows, lower=1)
    buckets = 1 << check_int("bits", bits, lower=1, upper=24)
    scale, kind = noise_scale(rows * (2.0 if is_replace(neighbours) else 1.0), epsilon, rho)
    variance = scale**2 * (1 if kind == "gaussian" else 2)
    return math.sqrt(variance / rows * buckets / (buckets - 1))


def race_deviation(rows: int, failure: float, *, bits: int = 8) -> float:
    """Return what the error of a mean of kernels by random hashes keeps but for `failure`.

    Parameters
    ----------
    rows : int
        Number of rows, >= 1.
    failure : float
        Probability in (0, 1) of a larger error, either way, of one query.
    bits : int
        2^bits buckets per row.

    Returns
    -------
    float
        With W buckets, W / (W - 1) sqrt(log(2 / failure) / (2 rows)).

    References
    ----------
    Hoeffding's inequality: a row answers a number within an interval of length W / (W - 1).

    Examples
    --------
    >>> round(race_deviation(1000, 0.05), 3)
    0.043
    """
    failure = check_probability("failure", failure)
    rows = check_int("rows", rows, lower=1)
    buckets = 1 << check_int("bits", bits, lower=1, upper=24)
    return buckets / (buckets - 1) * math.sqrt(math.log(2 / failure) / (2 * rows))
