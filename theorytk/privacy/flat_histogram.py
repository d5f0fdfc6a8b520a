"""The flat histogram: one noisy count per cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theorytk.privacy._arguments import Array
from theorytk.privacy._distance_kernels import cell_counts, flat_answers, flat_noise
from theorytk.privacy.answering import AnsweringMechanism, CountingMechanism
from theorytk.privacy.linear_mechanism import (
    GRID_BITS,
    check_levels,
    check_noise,
    check_power,
    is_replace,
    noise_scale,
)

__all__ = ["FlatHistogram", "flat_histogram"]

# The cells are merged into this many runs when the law of the noise is computed.
RUNS = 256


@dataclass(frozen=True, eq=False)
class FlatHistogram(AnsweringMechanism, CountingMechanism):
    """One noisy count per cell; see `flat_histogram`.

    Attributes
    ----------
    power : float
        The p of the distances |x - y|^p.
    """

    power: float = 1.0

    @property
    def groups(self) -> tuple[str, ...]:
        """All cells alike."""
        return ("cells",)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """2^levels cells."""
        return np.array([1 << self.levels])

    @property
    def bits(self) -> NDArray[np.int64]:
        """Counts are whole numbers."""
        return np.zeros(1, np.int64)

    def totals(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the counts of the cells."""
        return np.asarray(cell_counts(points, self.levels, GRID_BITS))

    def synthesise(self, released: Array) -> Array:
        """Return the counts as they are."""
        return released

    def answers(self, table: Array, y: Array) -> Array:
        """Return the sums over cells of count times the distance from the centre."""
        return np.asarray(flat_answers(table, y, self.power))

    def noise_components(self, y: Array) -> tuple[Array, Array]:
        """Return one component for each run of neighbouring cells."""
        m = 1 << self.levels
        runs = min(m, RUNS)
        variances = self.variances[0] * flat_noise(m, y, self.power, runs)
        return variances, np.full(variances.shape, m // runs)

    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return power times half a cell and the rounding of points, both ways."""
        error = self.power * (2.0 ** -(self.levels + 1) + 2.0 ** -(GRID_BITS + 1))
        return np.full(len(y), error), np.full(len(y), error)

    def count(self, table: Array) -> float:
        """Return the sum of all counts."""
        return float(table.sum())

    @property
    def count_components(self) -> tuple[Array, Array]:
        """The noises of all cells."""
        m = 1 << self.levels
        return np.array([[m * self.variances[0]]]), np.array([[float(m)]])


def flat_histogram(
    levels: int,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    neighbours: str = "add_remove",
    power: float = 1.0,
    noise: str = "discrete",
) -> FlatHistogram:
    """Return the noisy histogram, in which every point stands at the centre of its cell.

    Parameters
    ----------
    levels : int
        From 1 to 26: 2^levels cells.
    epsilon : float, optional
        Pure privacy > 0, by Laplace noise.
    rho : float, optional
        zCDP > 0 instead, by Gaussian noise.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.
    power : float
        The p >= 1 of the distances |x - y|^p.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.

    Returns
    -------
    FlatHistogram

    Notes
    -----
    A point is in one cell: the l_1 and the squared l_2 sensitivity are 1, or 2 for "replace".

    Examples
    --------
    >>> flat_histogram(10, epsilon=0.5, neighbours="replace").scales
    array([4.])
    """
    levels = check_levels(levels)
    scale, kind = noise_scale(2.0 if is_replace(neighbours) else 1.0, epsilon, rho)
    return FlatHistogram(levels, np.array([scale]), kind, check_noise(noise), check_power(power))
