"""Sums of squared distances from three released sums: counts, coordinates and squared norms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk.privacy._arguments import Array, check_positive
from theorytk.privacy.answering import AnsweringMechanism, CountingMechanism
from theorytk.privacy.linear_mechanism import (
    GRID_BITS,
    check_noise,
    is_replace,
    noise_scale,
)

__all__ = ["SquaredDistance", "squared_distance"]


@dataclass(frozen=True, eq=False)
class SquaredDistance(AnsweringMechanism, CountingMechanism):
    """The count, the sum of z and that of |z|^2, with z the point from the centre of its box.

    See `squared_distance`. Points are given in the unit cube and z = radii (2 x - 1).

    Attributes
    ----------
    radii : tuple of float, length d
        Half the widths of the box. Coordinates of z are released in units of the largest, its
        squared norm in units of the largest squared norm.
    """

    radii: tuple[float, ...] = (0.5,)

    @property
    def groups(self) -> tuple[str, ...]:
        """The three sums."""
        return "count", "coordinates", "squared norm"

    @property
    def sizes(self) -> NDArray[np.int64]:
        """One, d and one."""
        return np.array([1, len(self.radii), 1])

    @property
    def bits(self) -> NDArray[np.int64]:
        """Whole counts; the others are rounded point by point."""
        return np.array([0, GRID_BITS, GRID_BITS])

    def totals(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the three sums in grid steps."""
        points = points.reshape(-1, len(self.radii))
        radii = np.array(self.radii)
        z = radii * np.ldexp((2 * points - (1 << GRID_BITS)).astype(np.float64), -GRID_BITS)
        coordinates = np.rint(np.ldexp(z / radii.max(), GRID_BITS)).astype(np.int64)
        norms = np.floor(np.ldexp((z**2).sum(axis=1) / (radii**2).sum(), GRID_BITS))
        norms = np.minimum(norms, 2.0**GRID_BITS).astype(np.int64)
        return np.concatenate([[len(points)], coordinates.sum(axis=0), [norms.sum()]])

    def synthesise(self, released: Array) -> Array:
        """Return the three sums in the units of the box."""
        return released * self._units

    def answers(self, table: Array, y: Array) -> Array:
        """Return sum |z|^2 - 2 <v, sum z> + count |v|^2 for v the query from the centre."""
        return np.asarray(self._weights(y) @ table)

    def noise_components(self, y: Array) -> tuple[Array, Array]:
        """Return one component per released number."""
        noise = np.repeat(self.variances, self.sizes) * self._units**2
        weights = self._weights(y)
        return weights**2 * noise, np.ones_like(weights)

    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return what rounding each point to multiples of 2^-32 can do, both ways."""
        error = 2.0 ** (1 - GRID_BITS) * np.abs(self._weights(y)[:, 1:]) @ self._units[1:]
        return error, error

    def count(self, table: Array) -> float:
        """Return the released count."""
        return float(table[0])

    @property
    def count_components(self) -> tuple[Array, Array]:
        """The noise of the count."""
        return np.array([[self.variances[0]]]), np.ones((1, 1))

    @property
    def _units(self) -> Array:
        radii = np.array(self.radii)
        return np.concatenate([[1.0], np.full(len(radii), radii.max()), [(radii**2).sum()]])

    def _weights(self, y: Array) -> Array:
        """Return how each released sum enters each answer, shape (q, d + 2)."""
        v = np.array(self.radii) * (2 * np.asarray(y).reshape(-1, len(self.radii)) - 1)
        return np.column_stack([(v**2).sum(axis=1), -2 * v, np.ones(len(v))])


def squared_distance(
    radii: Any,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    neighbours: str = "add_remove",
    noise: str = "discrete",
) -> SquaredDistance:
    """Return the three sums with the noise that their budget asks for, in equal shares.

    Parameters
    ----------
    radii : array_like, shape (d,)
        Half the widths of the box of the points, > 0.
    epsilon : float, optional
        Pure privacy > 0, by Laplace noise.
    rho : float, optional
        zCDP > 0 instead, by Gaussian noise.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation; with "replace" the count is exact.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.

    Returns
    -------
    SquaredDistance

    Notes
    -----
    With r the radii and S the sum of r^2, the corner of the box changes count, coordinates and
    norm by 1, r and S: a third of the budget each. Replacing a corner by the point t on its
    diagonal, -1 <= t <= 1, changes coordinate sums by (1 - t) r and the norm by (1 - t^2) S. The
    largest Laplace loss is a sum over coordinates, each with its own worst t; the Gaussian one is
    at t = -1.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> squared_distance([0.5, 0.5], epsilon=1.0).scales.round(6)
    array([3., 6., 3.])
    """
    radii = check_positive("radii", radii)
    if radii.ndim != 1:
        raise ValueError(f"radii must have 1 dimension; got shape {radii.shape}")
    r = radii / radii.max()
    l1, square = r.sum(), (r**2).sum()
    replace = is_replace(neighbours)
    if epsilon is None:
        largest = 4.0 if replace else 3.0
        relative = np.array([not replace, np.sqrt(square), 1.0])
    else:
        largest = _replacement_loss(r) if replace else 3.0
        relative = np.array([not replace, l1, 1.0])
    # Rounding a point moves its released numbers by at most 2^-32 each.
    scale, kind = noise_scale(largest + len(r) * 2.0 ** (4 - GRID_BITS), epsilon, rho)
    return SquaredDistance(0, scale * relative, kind, check_noise(noise), tuple(radii.tolist()))


def _replacement_loss(r: Array) -> float:
    """Return the largest Laplace loss of a replacement for coordinates in noise units of their sum.

    A coordinate that moves from r to t loses (r - t) / sum(r) + (r^2 - t^2) / sum(r^2).
    """
    l1, square = r.sum(), (r**2).sum()
    t = np.maximum(-r, -square / (2 * l1))
    return float(((r - t) / l1 + (r**2 - t**2) / square).sum())
