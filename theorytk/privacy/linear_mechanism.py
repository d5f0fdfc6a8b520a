"""Sums of contributions plus independent noise: what every distance mechanism releases.

A point of the unit interval adds a vector of contributions, which are whole numbers of a grid
step; the release is the sum of these vectors plus integer noise, in groups of equal scale.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import check_array, check_choice, check_int, check_real
from theorytk.privacy._arguments import Array
from theorytk.privacy.guarantees import NEIGHBOURS
from theorytk.privacy.noise import NOISES, noise_variance, release

__all__ = [
    "GRID_BITS",
    "LinearMechanism",
    "check_levels",
    "check_noise",
    "check_power",
    "is_replace",
    "noise_scale",
]

# Points are rounded to multiples of 2^-32 of their range before anything else is computed.
GRID_BITS = 32
# Scales are larger by this share than calculated, which covers the rounding of the calculation.
MARGIN = 1e-12


@dataclass(frozen=True, eq=False)
class LinearMechanism(ABC):
    """A sum over points of contributions, plus independent noise on each of its numbers.

    Those that answer queries are `AnsweringMechanism`, those that release the number of points
    `CountingMechanism`.

    Attributes
    ----------
    levels : int
        Resolution: the unit interval is cut into 2^levels cells.
    scales : ndarray, shape (groups,)
        Noise scale of each group of released numbers, in the units of `contributions`: the scale
        of a Laplace, the standard deviation of a Gaussian; 0 where nothing private is released.
    kind : {"laplace", "gaussian"}
        Laplace noise for pure privacy or Gaussian noise for zCDP.
    noise : {"discrete", "float"}
        An integer number of grid steps drawn exactly, or floating-point noise, which is not
        private.
    """

    levels: int
    scales: Array
    kind: str = "laplace"
    noise: str = "discrete"

    @property
    @abstractmethod
    def groups(self) -> tuple[str, ...]:
        """Names of the groups of released numbers, in the order of the release."""

    @property
    @abstractmethod
    def sizes(self) -> NDArray[np.int64]:
        """How many numbers each group has, shape (groups,)."""

    @property
    @abstractmethod
    def bits(self) -> NDArray[np.int64]:
        """Contributions of a group are whole multiples of 2^-bits, shape (groups,)."""

    @abstractmethod
    def totals(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the sum of the contributions of points in units of 2^-32, in grid steps."""

    @abstractmethod
    def synthesise(self, released: Array) -> Array:
        """Return the table from which queries are answered: post-processing of a release."""

    def with_scales(self, scales: Any) -> Self:
        """Return the same mechanism with other noise scales, one per group.

        Its privacy is then no longer what it was calibrated for: meant for audits, which halve
        one scale at a time and must notice.
        """
        wanted = check_array("scales", scales, shape=(len(self.groups),))
        if (wanted < 0).any():
            raise ValueError(f"scales must be >= 0; got {wanted.min():g}")
        return dataclasses.replace(self, scales=wanted)

    def contributions(self, x: Any) -> Array:
        """Return what each point adds to the released numbers before the noise.

        Parameters
        ----------
        x : array_like, shape (n,)
            Points of the unit interval; (n, d) for a mechanism in d dimensions.

        Returns
        -------
        ndarray, shape (n, released numbers)
        """
        totals = np.array([self.totals(point) for point in self.grid_points(x)[:, None]])
        return np.ldexp(totals.astype(np.float64), -np.repeat(self.bits, self.sizes))

    def grid_points(self, x: Any) -> NDArray[np.int64]:
        """Return points of the unit interval as whole multiples of 2^-32, rounded to nearest."""
        x = check_array("x", x)
        if ((x < 0) | (x > 1)).any():
            raise ValueError(f"x must lie in [0, 1]; got {x[(x < 0) | (x > 1)][0]:g}")
        return np.asarray(np.rint(np.ldexp(x, GRID_BITS)), dtype=np.int64)

    def release(self, x: Any, rng: np.random.Generator | None = None) -> Array:
        """Return the released numbers for points x: their contributions summed, plus noise.

        Parameters
        ----------
        x : array_like, shape (n,)
            Points of the unit interval; (n, d) for a mechanism in d dimensions.
        rng : Generator, optional
            By default the noise comes from the entropy of the operating system.

        Returns
        -------
        ndarray, shape (released numbers,)
        """
        return np.asarray(self.releases(x, 1, rng)[0])

    def releases(self, x: Any, times: int, rng: np.random.Generator | None = None) -> Array:
        """Return independent releases for points x, each of which spends the budget again.

        The points are summed once and the noise of all releases is drawn at once: for simulations
        and audits.

        Parameters
        ----------
        x, rng
            As in `release`.
        times : int
            Number of releases, >= 0.

        Returns
        -------
        ndarray, shape (times, released numbers)
        """
        totals = self.totals(self.grid_points(x))
        repeated = np.tile(totals, (check_int("times", times, lower=0), 1))
        noisy = self.scales > 0
        if noisy.all():
            return self._with_noise(repeated, noisy, rng)
        out = np.ldexp(repeated.astype(np.float64), -np.repeat(self.bits, self.sizes))
        columns = np.repeat(noisy, self.sizes)
        if noisy.any():
            out[:, columns] = self._with_noise(repeated[:, columns], noisy, rng)
        return np.asarray(out)

    def _with_noise(
        self, sums: NDArray[np.int64], chosen: NDArray[np.bool_], rng: np.random.Generator | None
    ) -> Array:
        """Return sums of the chosen groups, in grid steps, with their noise."""
        return release(
            sums,
            [_short_above(scale) for scale in self.scales[chosen].tolist()],
            bits=self.bits[chosen].tolist(),
            sizes=self.sizes[chosen],
            rng=rng,
            kind=self.kind,
            noise=self.noise,
        )

    def privacy_loss(self, x: Any, other: Any = None) -> Array:
        """Return the privacy loss of adding each point x, or of replacing it by that of `other`.

        Pure: the sum of |change| / scale. Gaussian: half the sum of (change / scale)^2. The
        largest over all points, or pairs, is the epsilon or the rho of the mechanism.

        Parameters
        ----------
        x, other : array_like, shape (n,)
            Points of the unit interval; (n, d) for a mechanism in d dimensions.

        Returns
        -------
        ndarray, shape (n,)
        """
        change = self.contributions(x)
        if other is not None:
            change = change - self.contributions(other)
        scale = np.repeat(self.scales, self.sizes)
        with np.errstate(divide="ignore"):
            share = np.divide(np.abs(change), scale, out=np.zeros_like(change), where=change != 0)
        return np.asarray(
            (share**2).sum(axis=1) / 2 if self.kind == "gaussian" else share.sum(axis=1)
        )

    @property
    def variances(self) -> Array:
        """Noise variance of a number of each group, shape (groups,)."""
        if self.noise == "float":
            return np.asarray(self.scales**2 * (1 if self.kind == "gaussian" else 2))
        steps = np.ldexp(self.scales, self.bits)
        exact = [noise_variance(step, self.kind) if step else 0.0 for step in steps.tolist()]
        return np.asarray(np.ldexp(exact, -2 * self.bits))


def noise_scale(sensitivity: float, epsilon: float | None, rho: float | None) -> tuple[float, str]:
    """Return (scale, kind of noise) for this l_1, or squared l_2, sensitivity."""
    if rho is not None and epsilon is None:
        rho = check_real("rho", rho, lower=0.0, lower_open=True)
        return math.sqrt(sensitivity / (2 * rho)) * (1 + MARGIN), "gaussian"
    if epsilon is None or rho is not None:
        raise ValueError(f"give one of epsilon and rho; got {epsilon!r} and {rho!r}")
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    return sensitivity / epsilon * (1 + MARGIN), "laplace"


def _short_above(scale: float) -> float:
    """Return a number above `scale`, by a share of 2^-40 at most, of few enough binary digits."""
    mantissa, exponent = math.frexp(scale)
    return math.ldexp(math.floor(math.ldexp(mantissa, 41)) + 1, exponent - 41)


def check_levels(levels: Any) -> int:
    """Return the number of levels; the tables of more than 26 would not fit into memory."""
    return check_int("levels", levels, lower=1, upper=26)


def check_noise(noise: Any) -> str:
    """Return the noise, discrete or floating-point."""
    return check_choice("noise", noise, NOISES)


def check_power(power: Any) -> float:
    """Return the power p >= 1 of a distance."""
    return check_real("power", power, lower=1.0)


def is_replace(neighbours: Any) -> bool:
    """Return whether neighbours differ by one replaced point."""
    return check_choice("neighbours", neighbours, NEIGHBOURS) == "replace"
