"""The dyadic tree of noisy counts, queried in rings whose radii grow by a factor."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import check_choice, check_real
from theorytk.privacy._arguments import Array
from theorytk.privacy._distance_kernels import cell_counts, heap_sums, ring_answers, ring_noise
from theorytk.privacy.answering import AnsweringMechanism, CountingMechanism
from theorytk.privacy.linear_mechanism import (
    GRID_BITS,
    check_levels,
    check_noise,
    check_power,
    is_replace,
    noise_scale,
)

__all__ = ["DyadicTree", "dyadic_tree"]

RING_WEIGHTS = ("outer", "geometric_mean")


@dataclass(frozen=True, eq=False)
class DyadicTree(AnsweringMechanism, CountingMechanism):
    """Noisy counts of all dyadic cells, queried in growing rings; see `dyadic_tree`.

    Attributes
    ----------
    power : float
        The p of the distances |x - y|^p.
    alpha : float
        Rings end at radii (1 + alpha)^(-j / p).
    ring_weights : {"outer", "geometric_mean"}
        The distance that stands for a ring: its outer radius, or the geometric mean of both.
    """

    power: float = 1.0
    alpha: float = 0.1
    ring_weights: str = "outer"

    @property
    def groups(self) -> tuple[str, ...]:
        """The levels, root first."""
        return tuple(f"level {level}" for level in range(self.levels + 1))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """2^level nodes on each level."""
        return np.asarray(1 << np.arange(self.levels + 1))

    @property
    def bits(self) -> NDArray[np.int64]:
        """Counts are whole numbers."""
        return np.zeros(self.levels + 1, np.int64)

    @property
    def relative_bias(self) -> tuple[float, float]:
        """[0, alpha] for outer radii, (1 + alpha)^(-1/2, 1/2) - 1 for geometric means."""
        if self.ring_weights == "outer":
            return 0.0, self.alpha
        root = math.sqrt(1 + self.alpha)
        return 1 / root - 1, root - 1

    def totals(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the counts of all nodes."""
        return np.asarray(heap_sums(cell_counts(points, self.levels, GRID_BITS)))

    def synthesise(self, released: Array) -> Array:
        """Return the counts as they are."""
        return released

    def answers(self, table: Array, y: Array) -> Array:
        """Return the weighted counts of the rings; beyond the ends, distance times the root."""
        cells, edges, weights = self._rings(y)
        inside = ring_answers(table, cells, edges, weights)
        return np.asarray(inside + np.abs(y - np.clip(y, 0, 1)) * table[0])

    def noise_components(self, y: Array) -> tuple[Array, Array]:
        """Return one component for each ring and one for the root."""
        variances, nodes = ring_noise(self.variances, *self._rings(y))
        root = (y - np.clip(y, 0, 1)) ** 2 * self.variances[0]
        return np.column_stack([variances, root]), np.column_stack([nodes, np.ones(len(y))])

    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return what rounding x and y by half a cell each can do, above times the largest ratio.

        On [0, 1] the distance to the power p changes by at most p times the shift.
        """
        shift = self.power * (2.0**-self.levels + 2.0 ** -(GRID_BITS + 1))
        low, high = self.relative_bias
        return np.full(len(y), shift * (1 + low)), np.full(len(y), shift * (1 + high))

    def count(self, table: Array) -> float:
        """Return the root."""
        return float(table[0])

    @property
    def count_components(self) -> tuple[Array, Array]:
        """The noise of the root."""
        return np.array([[self.variances[0]]]), np.ones((1, 1))

    def _rings(self, y: Array) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
        """Return (cells of y, radii in cells from the outside in, weights of the rings)."""
        m = 1 << self.levels
        ratio = (1 + self.alpha) ** (1 / self.power)
        radii = ratio ** -np.arange(math.ceil(math.log(m) / math.log(ratio)) + 2.0)
        edges = np.floor(m * radii).astype(np.int64)
        filled = edges[1:] < edges[:-1]
        weights = radii[:-1][filled] ** self.power
        if self.ring_weights == "geometric_mean":
            weights = weights / math.sqrt(1 + self.alpha)
        cells = np.minimum((np.clip(y, 0, 1) * m).astype(np.int64), m - 1)
        return cells, np.append(edges[:-1][filled], 0), weights


def dyadic_tree(
    levels: int,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    neighbours: str = "add_remove",
    power: float = 1.0,
    alpha: float = 0.1,
    ring_weights: str = "outer",
    noise: str = "discrete",
) -> DyadicTree:
    """Return the tree of noisy counts with the noise that its budget asks for.

    Parameters
    ----------
    levels : int
        From 1 to 26: 2^levels cells.
    epsilon : float, optional
        Pure privacy > 0, by Laplace noise.
    rho : float, optional
        zCDP > 0 instead, by Gaussian noise.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation; with "replace" the root is exact.
    power : float
        The p >= 1 of the distances |x - y|^p.
    alpha : float
        Relative bias in (0, 1): the points of a ring count with its outer radius to the power p,
        at most 1 + alpha times their own.
    ring_weights : {"outer", "geometric_mean"}
        Or with the geometric mean of both, at most (1 + alpha)^(1/2) times off either way.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.

    Returns
    -------
    DyadicTree

    Notes
    -----
    A point is in one node of each level: the l_1 and the squared l_2 sensitivity are levels + 1,
    or 2 levels for "replace".

    References
    ----------
    Backurs, Lin, Mahabadi, Silwal, Tarnawski (ICLR 2024), Section 4; sensitivities derived here.

    Examples
    --------
    >>> dyadic_tree(3, epsilon=1.0).scales
    array([4., 4., 4., 4.])
    >>> dyadic_tree(3, epsilon=1.0, neighbours="replace").scales
    array([0., 6., 6., 6.])
    """
    levels, power = check_levels(levels), check_power(power)
    alpha = check_real("alpha", alpha, lower=0.0, upper=1.0, lower_open=True, upper_open=True)
    ring_weights = check_choice("ring_weights", ring_weights, RING_WEIGHTS)
    replace = is_replace(neighbours)
    scale, kind = noise_scale(2.0 * levels if replace else levels + 1.0, epsilon, rho)
    scales = np.full(levels + 1, scale)
    scales[0] *= not replace
    return DyadicTree(levels, scales, kind, check_noise(noise), power, alpha, ring_weights)
