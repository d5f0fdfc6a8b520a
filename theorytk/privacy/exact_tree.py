"""The tree of noisy counts and offsets: sums of distances from one node per level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from theorytk.privacy._arguments import Array
from theorytk.privacy._distance_kernels import cell_counts, cell_offsets, heap_sums, leaf_lines
from theorytk.privacy.answering import AnsweringMechanism, CountingMechanism
from theorytk.privacy.linear_mechanism import (
    GRID_BITS,
    check_levels,
    check_noise,
    is_replace,
    noise_scale,
)

__all__ = ["ExactTree", "exact_tree"]


class ExactTree(AnsweringMechanism, CountingMechanism):
    """Noisy counts and offsets of all dyadic cells, for answers without rings; see `exact_tree`.

    The offset of a cell is the sum of the distances of its points from its left end.
    """

    @property
    def groups(self) -> tuple[str, ...]:
        """Counts from level 0, then offsets from level 1: the root's are never asked for."""
        counts = (f"count {level}" for level in range(self.levels + 1))
        return *counts, *(f"offset {level}" for level in range(1, self.levels + 1))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """2^level nodes on each level, for counts and for offsets."""
        nodes = 1 << np.arange(self.levels + 1)
        return np.concatenate([nodes, nodes[1:]])

    @property
    def bits(self) -> NDArray[np.int64]:
        """Counts are whole numbers, offsets whole multiples of 2^-32."""
        return np.repeat([0, GRID_BITS], [self.levels + 1, self.levels])

    def totals(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the counts of all nodes, then the offsets of all but the root."""
        counts = heap_sums(cell_counts(points, self.levels, GRID_BITS))
        sums = cell_offsets(points, self.levels, GRID_BITS)
        offsets = [sums]
        for level in range(self.levels, 1, -1):
            first = (1 << level) - 1
            right = counts[first + 1 : 2 * first + 1 : 2] << (GRID_BITS - level)
            sums = sums[::2] + sums[1::2] + right
            offsets.insert(0, sums)
        return np.concatenate([counts, *offsets])

    def synthesise(self, released: Array) -> Array:
        """Return a row per leaf: intercept and slope outside it, its offset, its count, the root's.

        Shape (2^levels, 5).
        """
        nodes = (2 << self.levels) - 1
        counts, offsets = released[:nodes], np.append(0.0, released[nodes:])
        lines = leaf_lines(counts, offsets, self.levels)
        leaves = slice((1 << self.levels) - 1, None)
        root = np.full(1 << self.levels, counts[0])
        return np.column_stack([*lines, offsets[leaves], counts[leaves], root])

    def answers(self, table: Array, y: Array) -> Array:
        """Return the line outside the leaf of y plus the chord over its own points."""
        inside = np.clip(y, 0, 1)
        leaf, phase = self._leaf(inside)
        intercept, slope, offset, count, root = table[leaf].T
        own = (1 - 2 * phase) * offset + phase * count * 2.0**-self.levels
        return np.asarray(intercept + slope * inside + own + np.abs(y - inside) * root)

    def noise_components(self, y: Array) -> tuple[Array, Array]:
        """Return components for offset and count of each sibling, of the leaf, and for the root."""
        inside = np.clip(y, 0, 1)
        leaf, phase = self._leaf(inside)
        counts, offsets = np.split(self.variances, [self.levels + 1])
        level = np.arange(1, self.levels + 1)
        sibling = (leaf[:, None] >> (self.levels - level)) ^ 1
        arm = (inside[:, None] - sibling * np.ldexp(1.0, -level)) ** 2
        own = [(1 - 2 * phase) ** 2 * offsets[-1], (phase * 2.0**-self.levels) ** 2 * counts[-1]]
        root = (y - inside) ** 2 * counts[0]
        siblings = [arm * counts[1:], np.broadcast_to(offsets, arm.shape)]
        variances = np.column_stack([*siblings, *own, root])
        return variances, np.ones_like(variances)

    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return the rounding of points below, the chord of the cell of y in addition above."""
        rounding = 2.0 ** -(GRID_BITS + 1)
        phase = self._leaf(np.clip(y, 0, 1))[1]
        chord = 2 * phase * (1 - phase) * 2.0**-self.levels
        return np.full(len(y), rounding), chord + rounding

    def count(self, table: Array) -> float:
        """Return the root's count."""
        return float(table[0, -1])

    @property
    def count_components(self) -> tuple[Array, Array]:
        """The noise of the root's count."""
        return np.array([[self.variances[0]]]), np.ones((1, 1))

    def _leaf(self, inside: Array) -> tuple[NDArray[np.int64], Array]:
        """Return the leaf of each y and where in the leaf it lies, from 0 to 1."""
        place = inside * 2.0**self.levels
        leaf = np.minimum(place.astype(np.int64), (1 << self.levels) - 1)
        return leaf, place - leaf


def exact_tree(
    levels: int,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    neighbours: str = "add_remove",
    noise: str = "discrete",
) -> ExactTree:
    """Return the tree of noisy counts and offsets, offsets with noise in units of the cell width.

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
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.

    Returns
    -------
    ExactTree

    Notes
    -----
    In units of the cell width an offset is at most 1, and 1 on every level at the right end: the
    l_1 and the squared l_2 sensitivity are 2 levels + 1. Two points in different halves differ by
    two counts and two offsets per level: 4 levels for "replace", approached by the last points of
    both halves.

    References
    ----------
    Liu, Hu, Reneau, Song, Liu (arXiv 2409.01688) for the decomposition; sensitivities derived
    here.

    Examples
    --------
    >>> exact_tree(2, epsilon=1.0).scales
    array([5.  , 5.  , 5.  , 2.5 , 1.25])
    """
    levels = check_levels(levels)
    replace = is_replace(neighbours)
    scale, kind = noise_scale(4.0 * levels if replace else 2 * levels + 1.0, epsilon, rho)
    counts = np.full(levels + 1, scale)
    counts[0] *= not replace
    offsets = scale * np.ldexp(1.0, -np.arange(1, levels + 1))
    return ExactTree(levels, np.concatenate([counts, offsets]), kind, check_noise(noise))
