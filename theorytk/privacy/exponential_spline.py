"""The exponential-spline mechanism: sums of exp(-kappa |x - y|) on a line, all from one release.

With g(y) the sum over points of the unit interval, h = 2^-level and c an odd multiple of h,
``g(c) = (g(c - h) + g(c + h)) / (2 cosh(kappa h)) + s_c``, where s_c is the sum of the surpluses
``sinh(kappa (h - |x - c|)_+) / cosh(kappa h)``. Released are g(0) + g(1), g(0) - g(1) and the
surplus sums of all levels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import check_real
from theorytk.privacy._arguments import Array
from theorytk.privacy._feature_kernels import spline_totals
from theorytk.privacy.answering import AnsweringMechanism
from theorytk.privacy.linear_mechanism import (
    GRID_BITS,
    check_levels,
    check_noise,
    is_replace,
    noise_scale,
)

__all__ = [
    "ExponentialSpline",
    "exponential_spline",
    "mean_square_weights",
    "spline_loss_supremum",
]

# Truncating a number moves it, and the difference of two of them, by less than one step.
STEP = 2.0**-GRID_BITS
# The largest loss of a replacement is bounded to this share, unless so many pairs of cells remain.
TOLERANCE = 1e-4
MAX_PAIRS = 20_000


@dataclass(frozen=True, eq=False)
class ExponentialSpline(AnsweringMechanism):
    """Sum and difference of both end sums and the surplus sums; see `exponential_spline`.

    Attributes
    ----------
    kappa : float
        The width of the range over the bandwidth of the kernel.
    """

    kappa: float = 1.0

    @property
    def groups(self) -> tuple[str, ...]:
        """The two combinations of the ends, then the levels from coarse to fine."""
        levels = (f"level {level}" for level in range(1, self.levels + 1))
        return "sum of ends", "difference of ends", *levels

    @property
    def sizes(self) -> NDArray[np.int64]:
        """One each, and 2^(level - 1) surpluses on each level."""
        return np.array([1, 1, *(1 << level for level in range(self.levels))])

    @property
    def bits(self) -> NDArray[np.int64]:
        """Each contribution is rounded towards zero."""
        return np.full(self.levels + 2, GRID_BITS)

    def totals(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the combined end sums and the surplus sums, in grid steps."""
        return np.asarray(spline_totals(points, self.levels, self.kappa, GRID_BITS))

    def synthesise(self, released: Array) -> Array:
        """Return the kernel sums at the grid points, shape (2^levels + 1,)."""
        table = np.empty((1 << self.levels) + 1)
        total, difference = released[:2]
        table[[0, -1]] = (total + difference) / 2, (total - difference) / 2
        for level in range(1, self.levels + 1):
            stride = 1 << (self.levels - level)
            first = 1 + (1 << (level - 1))
            ends = table[: -stride : 2 * stride] + table[2 * stride :: 2 * stride]
            surplus = released[first : first + (1 << (level - 1))]
            table[stride :: 2 * stride] = ends * half_sech(self.kappa * 2.0**-level) + surplus
        return table

    def answers(self, table: Array, y: Array) -> Array:
        """Return the sums between grid points by exponential splines, beyond the ends exactly."""
        inside, decay = self._inside(y)
        cells = 1 << self.levels
        cell = np.minimum((inside * cells).astype(np.int64), cells - 1)
        right = inside - cell / cells
        return np.asarray(
            decay
            * (
                _hat(1 / cells - right, 1 / cells, self.kappa) * table[cell]
                + _hat(right, 1 / cells, self.kappa) * table[cell + 1]
            )
        )

    def noise_components(self, y: Array) -> tuple[Array, Array]:
        """Return one component for each combination of the ends and each level."""
        inside, decay = self._inside(y)
        left, right = _hat(1 - inside, 1.0, self.kappa), _hat(inside, 1.0, self.kappa)
        weights = [(left + right) / 2, (left - right) / 2]
        for level in range(1, self.levels + 1):
            h = 2.0**-level
            phase = inside % (2 * h)
            weights.append(_hat(np.minimum(phase, 2 * h - phase), h, self.kappa))
        squares = (decay * np.array(weights)).T ** 2
        return squares * self.variances, np.ones_like(squares)

    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return the surplus of a point at y within its cell in addition below, and rounding."""
        inside, decay = self._inside(y)
        h = 2.0**-self.levels
        right = inside % h
        missed = np.expm1(-2 * self.kappa * right) * np.expm1(-2 * self.kappa * (h - right))
        missed /= -math.expm1(-2 * self.kappa * h)
        # Each released number is too small by up to one step, each point off by half a step.
        rounding = STEP * (self.levels + 2 + self.kappa)
        return decay * missed + rounding, np.full(len(y), rounding)

    def _inside(self, y: Array) -> tuple[Array, Array]:
        """Return the nearest points of the unit interval, and how sums decay from there to y."""
        y = np.asarray(y).reshape(len(y))
        inside = np.clip(y, 0, 1)
        return inside, np.exp(-self.kappa * np.abs(y - inside))


def exponential_spline(
    levels: int,
    kappa: float,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    neighbours: str = "add_remove",
    noise: str = "discrete",
) -> ExponentialSpline:
    """Return the exponential-spline mechanism with the noise that its budget asks for.

    Parameters
    ----------
    levels : int
        From 1 to 26: the grid has 2^levels cells.
    kappa : float
        Kernel exp(-kappa |x - y|) on the unit interval; > 0.
    epsilon : float, optional
        Pure privacy > 0 by Laplace noise: rates that minimise the mean variance given the sum of
        their largest losses, divided by the largest privacy loss.
    rho : float, optional
        zCDP > 0 by Gaussian noise, instead of `epsilon`: variances, over 1 / (2 rho), of
        2 (1 + exp(-kappa)), 2 (1 - exp(-kappa)) and tanh(kappa h). Then every point loses rho
        (between grid points less) and every answer has variance 1 / (2 rho), as a single query
        would. A replacement of x by x' loses 2 rho (1 - exp(-kappa |x - x'|)).
    neighbours : {"add_remove", "replace"}
        Neighbouring relation; both noises are as large as it needs.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.

    Returns
    -------
    ExponentialSpline

    References
    ----------
    Derived here. The Gaussian form is the mechanism of Hall, Rinaldo, Wasserman (JMLR 2013) for
    this kernel, by the conditional expectations of its Markov process.

    Examples
    --------
    >>> mechanism = exponential_spline(10, 5.0, rho=0.5)
    >>> mechanism.privacy_loss([0.0, 0.25, 0.5]).round(6)
    array([0.5, 0.5, 0.5])
    """
    levels, noise = check_levels(levels), check_noise(noise)
    kappa = check_real("kappa", kappa, lower=0.0, lower_open=True)
    replace = is_replace(neighbours)
    if epsilon is None:
        rates = _supremum_of_parts(levels, kappa) ** -0.5
        rates[:2] /= math.sqrt(2)
        norm = math.sqrt(-2 * math.expm1(-kappa) if replace else 1.0)
        largest = (norm + replace * STEP * float(np.linalg.norm(rates))) ** 2
    else:
        rates = _pure_rates(levels, kappa)
        largest = spline_loss_supremum(rates, kappa, neighbours)
        largest += replace * STEP * float(rates.sum())
    scale, kind = noise_scale(largest, epsilon, rho)
    return ExponentialSpline(levels, scale / rates, kind, noise, kappa)


def spline_loss_supremum(rates: Any, kappa: float, neighbours: str = "add_remove") -> float:
    """Return the largest privacy loss of the exponential spline with Laplace noise.

    Parameters
    ----------
    rates : ndarray, shape (levels + 2,)
        One over the noise scale of the sum and the difference of the ends and of each level, > 0.
    kappa : float
        The width of the range over the bandwidth of the kernel, > 0.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.

    Returns
    -------
    float
        For "add_remove" exact; for "replace" an upper bound, as a rule 1e-4 above.

    Notes
    -----
    Between dyadic points the loss of adding x solves f'' = kappa^2 f and is positive, thus convex:
    a dyadic point attains the largest. Replacements are found by branch and bound over pairs of
    cells. There the loss is at most that at the corners of the cells, the finer surpluses of both
    and what the coarser functions lie below their chords.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> spline_loss_supremum(np.array([1.0, 1.0]), 1.0)
    2.0
    """
    rates = np.asarray(rates, dtype=np.float64)
    kappa = check_real("kappa", kappa, lower=0.0, lower_open=True)
    if is_replace(neighbours):
        return _replacement_supremum(rates, kappa)
    peaks = rates * _supremum_of_parts(len(rates) - 2, kappa)
    # Symmetric about the middle: the left half has all values.
    ends = np.array([[peaks[0] + peaks[1], _middle_loss(rates, kappa)]])
    best = float(ends.max())
    for level, peak in enumerate(peaks[3:], start=2):
        ends = np.unique(ends[ends.max(axis=1) + peaks[level + 1 :].sum() > best], axis=0)
        middle = ends.sum(axis=1) * half_sech(kappa * 2.0**-level) + peak
        best = max(best, float(middle.max(initial=best)))
        ends = np.concatenate(
            [np.column_stack([ends[:, 0], middle]), np.column_stack([middle, ends[:, 1]])]
        )
    return best


def mean_square_weights(levels: int, kappa: float) -> Array:
    """Return the mean over queries of the squared weight of each group in an answer.

    Parameters
    ----------
    levels : int
        From 1 to 26.
    kappa : float
        The width of the range over the bandwidth of the kernel, > 0.

    Returns
    -------
    ndarray, shape (levels + 2,)
        Times the noise variances, its sum is the mean variance of the noise of an answer.

    Examples
    --------
    >>> mean_square_weights(2, 1e-9).round(6)
    array([0.25    , 0.083333, 0.333333, 0.333333])
    """
    a = check_real("kappa", kappa, lower=0.0, lower_open=True) * np.ldexp(
        1.0, -np.arange(1, check_levels(levels) + 1)
    )
    coth = 1 / np.tanh(a)
    hats = np.where(a < 0.01, 1 / 3 - 2 * a**2 / 45, (coth / a - (coth**2 - 1)) / 2)
    ends = (np.tanh(a[0]) / a[0] + 1 - np.tanh(a[0]) ** 2) / 8
    return np.concatenate([[ends, hats[0] / 4], hats])


def half_sech(a: float) -> float:
    """Return 1 / (2 cosh(a)) for a >= 0 without overflow."""
    return math.exp(-a) / (1 + math.exp(-2 * a))


def _hat(inside: Array, h: float, kappa: float) -> Array:
    """Return sinh(kappa inside) / sinh(kappa h) for 0 <= inside <= h."""
    return np.asarray(
        np.exp(kappa * (inside - h)) * np.expm1(-2 * kappa * inside) / math.expm1(-2 * kappa * h)
    )


def _supremum_of_parts(levels: int, kappa: float) -> Array:
    """Return the largest contributions of a point, shape (levels + 2,)."""
    heights = np.tanh(kappa * np.ldexp(1.0, -np.arange(1, levels + 1)))
    return np.concatenate([[1 + math.exp(-kappa), -math.expm1(-kappa)], heights])


def _middle_loss(rates: Array, kappa: float) -> float:
    surplus = rates[2] * math.tanh(kappa / 2) if len(rates) > 2 else 0.0
    return float(rates[0] * 2 * math.exp(-kappa / 2) + surplus)


def _pure_rates(levels: int, kappa: float) -> Array:
    """Return rates proportional to (mean square weight / largest contribution)^(1/3)."""
    return np.cbrt(mean_square_weights(levels, kappa) / _supremum_of_parts(levels, kappa))


def _replacement_supremum(rates: Array, kappa: float) -> float:
    """Return an upper bound of the largest loss over pairs of points, by branch and bound."""
    levels = len(rates) - 2
    peaks = rates * _supremum_of_parts(levels, kappa)
    separate = 2 * spline_loss_supremum(rates, kappa)
    i: Any = np.zeros(1, np.int64)
    j, best, level = i, 0.0, 0
    while True:
        level += 1
        i, j = (2 * i[:, None] + [0, 0, 1, 1]).ravel(), (2 * j[:, None] + [0, 1, 0, 1]).ravel()
        i, j = i[i <= j], j[i <= j]
        corners = np.max(
            [_corner_loss(rates, kappa, level, i, j, a, b) for a in (0, 1) for b in (0, 1)], axis=0
        )
        best = max(best, float(corners.max()))
        known = 2 + min(level, levels)
        chord = 1 - 2 * half_sech(kappa * 2.0 ** -(level + 1))
        bounds = corners + 2 * (chord * peaks[:known].sum() + peaks[known:].sum())
        largest = min(float(bounds.max()), separate)
        if largest <= (1 + TOLERANCE) * best or len(i) > MAX_PAIRS:
            return largest
        i, j = i[bounds > best], j[bounds > best]


def _corner_loss(rates: Array, kappa: float, level: int, i: Any, j: Any, a: int, b: int) -> Array:
    """Return the loss, levels up to this one, between corners a of cells i and b of cells j."""
    x, y = (i + a) * 2.0**-level, (j + b) * 2.0**-level
    left, right = np.exp(-kappa * x) - np.exp(-kappa * y), np.exp(kappa * (x - 1))
    right -= np.exp(kappa * (y - 1))
    loss = rates[0] * np.abs(left + right) + rates[1] * np.abs(left - right)
    for each in range(1, min(level, len(rates) - 2) + 1):
        nodes = i >> (level - each + 1), j >> (level - each + 1)
        one, other = (
            _surplus(point - (2 * node + 1) * 2.0**-each, 2.0**-each, kappa)
            for point, node in zip((x, y), nodes, strict=True)
        )
        same = nodes[0] == nodes[1]
        loss += rates[each + 1] * np.where(same, np.abs(one - other), one + other)
    return np.asarray(loss)


def _surplus(offset: Array, h: float, kappa: float) -> Array:
    """Return sinh(kappa (h - |offset|)) / cosh(kappa h) for |offset| <= h."""
    away = np.abs(offset)
    decayed = np.exp(-kappa * away) * -np.expm1(-2 * kappa * (h - away))
    return np.asarray(decayed / (1 + math.exp(-2 * kappa * h)))
