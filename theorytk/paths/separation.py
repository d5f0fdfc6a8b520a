"""The data separation function lambda(s), and its estimate for a data set."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.integrate import cumulative_simpson, simpson
from scipy.interpolate import CubicSpline, PchipInterpolator

from theorytk._validation import as_generator, check_array, check_int
from theorytk.paths._pairs import PairBlock
from theorytk.paths.datasets import Array, DataSet, as_data_set, like, on_host

__all__ = ["Separation", "default_angles", "separation_function"]

RIGHT_ANGLE = math.pi / 2

# Intervals of the tables over [0, pi/2]; they are dense at both ends.
TABLE_INTERVALS = 3000

# Entries of one block of distances, and of one of noise: 16 MB each.
BLOCK_ENTRIES = 2_000_000

# Below this value of s sqrt(d) the posterior means are compared with the linear estimate, on at
# most this many sources.
LINEAR_RANGE, LINEAR_SOURCES = 1 - 1e-9, 512

# Default angles in that range.
N_SMALL = 6


@dataclass(frozen=True)
class Separation:
    """The separation of a law: gamma(theta) with s = tan(theta), and what follows from it.

    ``lambda(s) = E|E[x_1 | s x_1 + z]|^2 / d`` and
    ``gamma = 1 - (1 - lambda) / cos^2 theta = lambda (1 + s^2) - s^2``, both in [0, 1].

    Parameters
    ----------
    gamma_function : callable
        gamma of an array of angles in [0, pi/2].
    d : int
        The dimension.
    entropy : float, optional
        The entropy of the law in nats if it is discrete.
    theta : ndarray, shape (m,), optional
        The angles of an estimate.
    samples : ndarray, shape (r, m), optional
        Independent unbiased estimates of gamma there; they are not clipped to [0, 1].

    References
    ----------
    Shaul et al. (ICML 2023), eqs (23) and (27). That gamma is never negative, and the formulas of
    `delta` and `sum_rule`, are derived here.

    Examples
    --------
    >>> from theorytk.paths.oracles import gaussian_separation
    >>> law = gaussian_separation([0.25, 1.75])
    >>> print(law.one_minus_lambda(1.0).round(6), round(law.delta(), 6))
    0.418182 1.431683
    """

    gamma_function: Callable[[Array], Array] = field(repr=False)
    d: int
    entropy: float | None = None
    theta: Array | None = field(default=None, repr=False)
    samples: Array | None = field(default=None, repr=False)

    @classmethod
    def from_one_minus_lambda(
        cls, function: Callable[[Array], Array], d: int, entropy: float | None = None
    ) -> Separation:
        """Make a separation from 1 - lambda as a function of an array of s.

        Parameters
        ----------
        function : callable
            1 - lambda(s), with values in [0, 1 / (1 + s^2)]; s goes up to 1e16.
        d : int
            The dimension.
        entropy : float, optional
            The entropy of the law in nats if it is discrete.

        Returns
        -------
        Separation
        """

        def gamma(theta: Array) -> Array:
            s = np.tan(theta)
            return 1 - (1 + s * s) * function(s)

        return cls(gamma, check_int("d", d, lower=1), entropy)

    def gamma(self, theta: Any) -> Any:
        """Return gamma, clipped to [0, 1].

        Parameters
        ----------
        theta : array_like
            Angles in [0, pi/2].

        Returns
        -------
        ndarray
            Of the shape of `theta`.
        """
        theta = check_array("theta", theta)
        if ((theta < 0) | (theta > RIGHT_ANGLE)).any():
            raise ValueError(f"theta must be in [0, pi/2]; got {theta.min():g} to {theta.max():g}")
        return np.clip(self.gamma_function(theta), 0.0, 1.0)

    def one_minus_lambda(self, s: Any) -> Any:
        """Return 1 - lambda(s), the posterior variance per dimension.

        Parameters
        ----------
        s : array_like
            Signal-to-noise amplitudes, >= 0.

        Returns
        -------
        ndarray
            Of the shape of `s`.
        """
        s = check_array("s", s)
        if (s < 0).any():
            raise ValueError(f"s must be >= 0; got {s.min():g}")
        return (1 - self.gamma(np.arctan(s))) / (1 + s * s)

    def delta(self) -> float:
        """Return the integral of 1 - lambda(s) over s >= 0, which is pi/2 - int gamma."""
        theta, gamma, _ = self.table
        integral = float(simpson((1 - gamma) * _slope(theta), dx=1 / TABLE_INTERVALS))
        return min(integral, RIGHT_ANGLE)

    def angle(self) -> float:
        """Return Phi, the integral of sqrt(gamma) over [0, pi/2]."""
        return min(float(self.table[2][-1]), RIGHT_ANGLE)

    def sum_rule(self) -> float:
        """Return the integral of s (1 - lambda(s)) over s >= 0: H / d for a discrete law.

        Returns
        -------
        float
            To be compared with `entropy` / `d`; it diverges where lambda tends to 1 too slowly.

        References
        ----------
        Guo, Shamai, Verdu (2005), the I-MMSE relation, integrated over all s.
        """
        theta, gamma, _ = self.table
        values = np.tan(theta) * (1 - gamma) * _slope(theta)
        return float(simpson(np.append(values[:-1], 0.0), dx=1 / TABLE_INTERVALS))

    def replicates(self) -> list[Separation]:
        """Return the independent estimates one by one, for the error of whatever is computed.

        Returns
        -------
        list of Separation
            Empty for an exact separation.
        """
        if self.theta is None or self.samples is None:
            return []
        return [
            _interpolated(self.d, self.entropy, self.theta, sample[None]) for sample in self.samples
        ]

    def standard_error(self, theta: Any) -> Any:
        """Return the standard error of gamma, linear between the angles of the estimate.

        Parameters
        ----------
        theta : array_like
            Angles in [0, pi/2].

        Returns
        -------
        ndarray
            Of the shape of `theta`; zero for an exact separation.

        Raises
        ------
        ValueError
            If there is one independent estimate only.
        """
        theta = check_array("theta", theta)
        if self.theta is None or self.samples is None:
            return np.zeros_like(theta)
        if len(self.samples) < 2:
            raise ValueError("standard_error needs n_sweeps >= 2; got 1")
        errors = self.samples.std(axis=0, ddof=1) / math.sqrt(len(self.samples))
        return np.interp(theta, self.theta, errors)

    @cached_property
    def table(self) -> tuple[Array, Array, Array]:
        """Angles dense at both ends, gamma and phi = int_0^theta sqrt(gamma) there."""
        u = np.linspace(0, 1, TABLE_INTERVALS + 1)
        # The same as pi/4 (1 - cos(pi u)), without its rounding near 0.
        theta = RIGHT_ANGLE * np.sin(RIGHT_ANGLE * u) ** 2
        gamma = self.gamma(theta)
        rate = np.sqrt(gamma) * _slope(theta)
        phi = cumulative_simpson(rate, dx=1 / TABLE_INTERVALS, initial=0.0)
        return theta, gamma, np.maximum.accumulate(np.maximum(phi, 0.0))

    @cached_property
    def spline(self) -> CubicSpline:
        """A spline of gamma through the table, for where derivatives or many values are needed."""
        return CubicSpline(*self.table[:2])


def gamma_and_slope(separation: Separation, theta: Array) -> tuple[Array, Array]:
    """Return gamma and its derivative; beyond [0, pi/2], where an iterate may be, reflected."""
    inside = np.abs((theta + RIGHT_ANGLE) % math.pi - RIGHT_ANGLE)
    sign = np.where((theta % math.pi) < RIGHT_ANGLE, 1.0, -1.0)
    return separation.spline(inside), sign * separation.spline(inside, 1)


def _slope(theta: Array) -> Array:
    """Return d theta / du of theta = pi/2 sin^2(pi u / 2)."""
    return math.pi * np.sqrt(np.maximum(theta * (RIGHT_ANGLE - theta), 0.0))


def default_angles(d: int, n_angles: int = 96) -> Array:
    """Return angles at which to estimate a separation: s from 0.1/sqrt(d) to 1000.

    In s they are geometric from 1/sqrt(d) on; below, where gamma starts as a power, there are six
    at equal distances.

    Parameters
    ----------
    d : int
        The dimension.
    n_angles : int, default 96
        How many, >= 8.

    Returns
    -------
    ndarray, shape (n_angles,)

    Examples
    --------
    >>> np.tan(default_angles(4, 8)).round(3)
    array([5.00e-02, 1.25e-01, 2.00e-01, 2.75e-01, 3.50e-01, 4.25e-01,
           5.00e-01, 1.00e+03])
    """
    unit = 1 / math.sqrt(check_int("d", d, lower=1))
    n_angles = check_int("n_angles", n_angles, lower=N_SMALL + 2)
    small = unit * np.linspace(0.1, 1, N_SMALL + 1)[:-1]
    large = np.geomspace(unit, 1e3, n_angles - N_SMALL)
    return np.asarray(np.arctan(np.concatenate([small, large])))


def separation_function(
    X: Any,
    weights: Any = None,
    *,
    theta: Any = None,
    n_sweeps: int = 4,
    n_sources: int | None = None,
    block_rows: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> Separation:
    """Estimate the separation of a data set, by Monte Carlo over the noise and exactly in the data.

    A sweep takes every point once as the source x_i of observations s x_i + z_i and s x_i - z_i.
    For s sqrt(d) >= 1 it estimates ``1 - lambda = E sum_l w_l |x_l - x_i|^2 / 2d``, for x_i is
    itself a draw from the posterior w; below, ``gamma = (1 + s^2) E|mu - s y / (1 + s^2)|^2 / d``,
    which cannot be negative, on a random part of the sources. All pairs are read by blocks of
    rows. Time grows as n_sweeps n_sources n, and memory as one block beyond the points.

    Parameters
    ----------
    X : array_like, torch tensor, shape (n, d), or DataSet
        The points; unless they are a `DataSet` they are normalised first.
    weights : array_like, shape (n,), optional
        Weights of the points of an array.
    theta : array_like, shape (m,), optional
        Increasing angles in (0, pi/2); by default `default_angles`.
    n_sweeps : int, default 4
        Independent estimates r.
    n_sources : int, optional
        Sources of a sweep, drawn without replacement; by default all n. Posteriors are always
        over all points, since fewer points are better separated.
    block_rows : int, optional
        Sources of a block; by default about 2 million pairs.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    Separation
        PCHIP interpolation of sqrt(gamma) in theta.

    Raises
    ------
    ValueError
        As for `normalise`, or if the angles are not increasing or not within (0, pi/2).

    References
    ----------
    Shaul et al. (ICML 2023), eq (39), which is ``|mu|^2 / d``; these estimators are derived here.

    Examples
    --------
    >>> found = separation_function([[-1.0], [1.0]], n_sweeps=40, rng=0)
    >>> found.entropy == math.log(2), abs(found.delta() - 1.0176) < 0.05
    (True, True)
    """
    data = as_data_set(X, weights)
    rng = as_generator(rng)
    theta = default_angles(data.d) if theta is None else check_array("theta", theta, ndim=1)
    if len(theta) < 1 or theta[0] <= 0 or theta[-1] >= RIGHT_ANGLE or (np.diff(theta) <= 0).any():
        raise ValueError("theta must increase strictly within (0, pi/2); got other angles")
    n_sweeps = check_int("n_sweeps", n_sweeps, lower=1)
    count = (
        data.n if n_sources is None else check_int("n_sources", n_sources, lower=1, upper=data.n)
    )
    if block_rows is None:
        block_rows = max(1, BLOCK_ENTRIES // data.n)
    block_rows = check_int("block_rows", block_rows, lower=1)
    s = np.tan(theta)
    samples = np.ones((n_sweeps, len(s) + 2))
    mean = data.weights @ on_host(data.points)
    samples[:, 0] = mean @ mean / data.d
    for sweep in samples:
        sweep[1:-1] = _sweep(data, s, count, block_rows, rng)
    theta = np.concatenate([[0.0], theta, [RIGHT_ANGLE]])
    return _interpolated(data.d, data.entropy, theta, samples)


def _interpolated(d: int, entropy: float | None, theta: Array, samples: Array) -> Separation:
    """Return the separation whose root of gamma is monotone between the means of the samples."""
    return Separation(interpolated(theta, samples.mean(axis=0)), d, entropy, theta, samples)


def interpolated(theta: Array, gamma: Array) -> Callable[[Array], Array]:
    """Return gamma between angles; its root is taken, which starts as a power >= 1 at 0."""
    root = PchipInterpolator(theta, np.sqrt(np.clip(gamma, 0.0, 1.0)))
    return lambda angles: root(angles) ** 2


def _sweep(data: DataSet, s: Array, count: int, block_rows: int, rng: np.random.Generator) -> Array:
    """Return one unbiased estimate of gamma at every s."""
    n, d = data.n, data.d
    order = rng.permutation(n)[:count]
    n_linear = int(np.searchsorted(s * math.sqrt(d), LINEAR_RANGE))
    linear_sources = min(count, LINEAR_SOURCES)
    gamma, distance = np.zeros(n_linear), np.zeros(len(s) - n_linear)
    for start in range(0, count, block_rows):
        rows = order[start : start + block_rows]
        noise = like(rng.standard_normal((len(rows), d)), data.points)
        block = PairBlock(data, rows, noise)
        distance += block.distances(data.weights[rows] * (n / count), s[n_linear:])
        part = slice(max(0, linear_sources - start))
        shares = data.weights[rows[part]] * (n / linear_sources)
        gamma += [block.linear_gamma(part, shares, float(value)) for value in s[:n_linear]]
    return np.concatenate([gamma, 1 - (1 + s[n_linear:] ** 2) * distance / (2 * d)])
