"""The hierarchical hat mechanism: every sum of distances on a line for nearly the price of one.

With g(y) the sum over points of |x - y| on the unit interval and h = 2^-level,
``g(c) = (g(c - h) + g(c + h)) / 2 - h s_c`` at each odd multiple c of h, where s_c is the sum of
the hats ``(1 - |x - c| / h)_+``. Released are g(0), g(1) and the hat sums of all levels.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from theorytk.privacy._arguments import Array
from theorytk.privacy._distance_kernels import hat_table, hat_totals, interpolate
from theorytk.privacy.answering import AnsweringMechanism, CountingMechanism
from theorytk.privacy.linear_mechanism import (
    GRID_BITS,
    check_levels,
    check_noise,
    is_replace,
    noise_scale,
)

__all__ = ["HierarchicalHat", "hat_loss_supremum", "hierarchical_hat"]

# Rates of Laplace noise are this power of the width of the hats.
LAPLACE_POWER = 2 / 3


class HierarchicalHat(AnsweringMechanism, CountingMechanism):
    """Both end sums of distances and the hat sums of every level; see `hierarchical_hat`.

    A query interpolates between the sums at 2^levels + 1 grid points, in constant time.
    """

    @property
    def groups(self) -> tuple[str, ...]:
        """The two ends, then the levels from coarse to fine."""
        return "ends", *(f"level {level}" for level in range(1, self.levels + 1))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Two ends and 2^(level - 1) hats on each level."""
        return np.array([2, *(1 << level for level in range(self.levels))])

    @property
    def bits(self) -> NDArray[np.int64]:
        """Hats of level l are whole multiples of 2^(l - 32) where points are multiples of 2^-32."""
        return GRID_BITS - np.arange(self.levels + 1)

    def totals(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the end and hat sums, in grid steps: one pass over the points, then a pyramid."""
        return np.asarray(hat_totals(points, self.levels, GRID_BITS))

    def synthesise(self, released: Array) -> Array:
        """Return the sums of distances at the grid points, shape (2^levels + 1,)."""
        return np.asarray(hat_table(released, self.levels))

    def answers(self, table: Array, y: Array) -> Array:
        """Return the interpolated sums; beyond the ends they grow by the released count."""
        return np.asarray(interpolate(table, y))

    def noise_components(self, y: Array) -> tuple[Array, Array]:
        """Return one component for each end and each level."""
        level = np.arange(1, self.levels + 1)
        phase = np.clip(y, 0, 1)[:, None] * np.ldexp(1.0, level - 1) % 1
        hats = np.minimum(phase, 1 - phase) * np.ldexp(2.0, -level)
        weights = np.column_stack([1 - y, y, hats])
        variances = self.variances
        return weights**2 * np.insert(variances, 0, variances[0]), np.ones_like(weights)

    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return the rounding of points below, the chord of the cell of y in addition above."""
        rounding = 2.0 ** -(GRID_BITS + 1)
        phase = np.clip(y, 0, 1) * 2.0**self.levels % 1
        chord = 2 * phase * (1 - phase) * 2.0**-self.levels
        return np.full(len(y), rounding), chord + rounding

    def count(self, table: Array) -> float:
        """Return g(0) + g(1)."""
        return float(table[0] + table[-1])

    @property
    def count_components(self) -> tuple[Array, Array]:
        """The noises of the two ends."""
        return np.full((1, 2), self.variances[0]), np.ones((1, 2))


def hierarchical_hat(
    levels: int,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    neighbours: str = "add_remove",
    noise: str = "discrete",
) -> HierarchicalHat:
    """Return the hat mechanism with the noise that its budget asks for.

    Parameters
    ----------
    levels : int
        From 1 to 26: the grid has 2^levels cells.
    epsilon : float, optional
        Pure privacy > 0 by Laplace noise: rates proportional to 1 on the ends and h^(2/3) on a
        level, which minimise the sum of h^2 / rate^2 given their sum, divided by the exact largest
        privacy loss.
    rho : float, optional
        zCDP > 0 by Gaussian noise, instead of `epsilon`: standard deviation 1 / sqrt(2 rho) on the
        ends and that over sqrt(h) on a level. Then every point loses rho (between grid points
        less) and every answer has variance 1 / (2 rho), as a single query would.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation; both noises are exactly as large as it needs.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.

    Returns
    -------
    HierarchicalHat

    References
    ----------
    Derived here. The Gaussian form is the mechanism of Hall, Rinaldo, Wasserman (JMLR 2013) for
    the triangular kernel; its identity, the sum of h hat^2 = 2 t (1 - t), is Levy and Ciesielski's.

    Examples
    --------
    >>> mechanism = hierarchical_hat(10, epsilon=1.0)
    >>> (1 / mechanism.scales[:4]).round(5)
    array([0.4705 , 0.29639, 0.18672, 0.11762])
    >>> y = np.linspace(0, 1, 1025)
    >>> round(float(np.sqrt(mechanism.noise_components(y)[0].sum(axis=1).mean())), 2)
    3.34
    """
    levels = check_levels(levels)
    rates = np.ldexp(1.0, -np.arange(levels + 1)) ** (1 / 2 if epsilon is None else LAPLACE_POWER)
    # The ends change by |x - x'| each: replacing 0 by 1 loses twice what either alone does.
    gaussian = 2.0 if is_replace(neighbours) else 1.0
    largest = gaussian if epsilon is None else _planned_loss(levels, neighbours)
    scale, kind = noise_scale(largest, epsilon, rho)
    return HierarchicalHat(levels, scale / rates, kind, check_noise(noise))


@functools.lru_cache
def _planned_loss(levels: int, neighbours: str) -> float:
    return hat_loss_supremum(np.ldexp(1.0, -np.arange(levels + 1)) ** LAPLACE_POWER, neighbours)


def hat_loss_supremum(rates: Array, neighbours: str = "add_remove") -> float:
    """Return the exact largest privacy loss of the hat mechanism with Laplace noise.

    The loss of adding x is ``rates[0] + sum of rates[l] hat_l(x)``, a generalised Takagi function.

    Parameters
    ----------
    rates : ndarray, shape (levels + 1,)
        One over the noise scale of the ends and of each level, > 0.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.

    Returns
    -------
    float

    Notes
    -----
    The loss is convex between dyadic points, so one of them attains it. Two points that first part
    in the halves of a cell of level k lose ``(1 - t - s) A + 2 |t - s| rates[k]`` and the finer
    hats of either, where t and s are their distances from the ends of the cell over its width: a
    sum of one function of t and one of s.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> round(hat_loss_supremum(0.5 ** np.arange(30.0)), 6)
    1.666667
    """
    if not is_replace(neighbours):
        return float(rates[0]) + _takagi_maximum(0.0, 0.0, rates[1:])
    largest = 0.0
    for k in range(1, len(rates)):
        scaled = 2 * rates[0] + np.ldexp(rates[1:k], np.arange(1, k)).sum()
        slope = math.ldexp(scaled, 1 - k)
        near, far = (
            _takagi_maximum(0.0, sign * rates[k] - slope / 2, rates[k + 1 :]) for sign in (1, -1)
        )
        largest = max(largest, slope + near + far)
    return float(largest)


def _takagi_maximum(left: float, right: float, rates: Array) -> float:
    """Return the maximum over an interval of a line plus hats, one per interval on each level.

    The line has these end values. Branch and bound: an interval stays while its ends and all finer
    hats together exceed the best value so far.
    """
    ends = np.array([[left, right]])
    best = max(left, right)
    rest = np.cumsum(rates[::-1])[::-1]
    for rate, above in zip(rates, rest, strict=True):
        ends = np.unique(ends[ends.max(axis=1) + above > best], axis=0)
        middle = ends.mean(axis=1) + rate
        best = max(best, float(middle.max(initial=best)))
        ends = np.concatenate(
            [np.column_stack([ends[:, 0], middle]), np.column_stack([middle, ends[:, 1]])]
        )
    return best
