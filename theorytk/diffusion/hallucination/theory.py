"""What is proven of hallucination by mode interpolation: slopes, exponents, floors.

Lengths are those of the data: y = x_t / alpha_t, and s = sigma_t / alpha_t is the noise level. A
valley is the middle between two modes of equal weight at distance d; in it a denoiser whose slope
is at most L is taken to be the ramp L y, y from the middle.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int, check_real

__all__ = [
    "density_floor",
    "midpoint_slope",
    "ode_exponent",
    "ode_valley_density",
    "peak_slope",
    "required_score_slope",
    "score_slope",
    "sde_exponent",
    "separable_rate",
]

Array = np.ndarray


def midpoint_slope(spacing: float, sigma: float, s: Any) -> Array:
    """Return the slope of the exact denoiser in the middle of two equal modes.

    Parameters
    ----------
    spacing, sigma : float
        Distance of the modes and their standard deviation, > 0.
    s : array_like
        Noise levels, >= 0.

    Returns
    -------
    ndarray
        The slopes sigma^2 / v + s^2 a^2 / v^2 with a = spacing / 2 and v = sigma^2 + s^2, of the
        shape of `s`.

    References
    ----------
    Derived here: D(y) = (sigma^2 y + s^2 a tanh(a y / v)) / v, whose slope is largest at y = 0.

    Examples
    --------
    >>> print(f"{midpoint_slope(1.0, 0.05, 0.05):.1f}")
    25.5
    """
    a, sigma = half_spacing(spacing), check_sigma(sigma)
    s = _check_levels(s)
    v = sigma**2 + s**2
    return np.asarray(sigma**2 / v + (s * a / v) ** 2)


def peak_slope(spacing: float, sigma: float) -> float:
    """Return the largest slope of the exact denoiser of two equal modes, over all noise levels.

    Parameters
    ----------
    spacing, sigma : float
        Distance of the modes and their standard deviation, > 0.

    Returns
    -------
    float
        The slope d^2 / (16 sigma^2) + 1/2 + sigma^2 / d^2 if d >= 2 sigma, where the mixture has
        two modes; otherwise 1, the slope without noise.

    References
    ----------
    Derived here: with u = sigma^2 / v and A = (d / (2 sigma))^2, the slope is u + A u (1 - u), a
    parabola with its maximum (1 + A)^2 / (4 A) at u = (1 + A) / (2 A), within [0, 1] if A >= 1. At
    s = sigma, close to it, the slope is the same without the last term.

    Examples
    --------
    >>> print(f"{peak_slope(1.0, 0.05):.4f} {peak_slope(2.0, 0.05):.4f}")
    25.5025 100.5006
    """
    ratio = (half_spacing(spacing) / check_sigma(sigma)) ** 2
    return (1 + ratio) ** 2 / (4 * ratio) if ratio > 1 else 1.0


def score_slope(spacing: float, sigma: float, s: Any) -> Array:
    """Return the slope of the score in the middle of two equal modes.

    Parameters
    ----------
    spacing, sigma : float
        Distance of the modes and their standard deviation, > 0.
    s : array_like
        Noise levels, >= 0.

    Returns
    -------
    ndarray
        The slopes (a^2 / v - 1) / v, of the shape of `s`: the curvature of the log density there.

    References
    ----------
    Derived here, from the denoiser by Tweedie's formula.

    Examples
    --------
    >>> print(f"{score_slope(1.0, 0.05, 0.0):.0f}")
    39600
    """
    a, sigma = half_spacing(spacing), check_sigma(sigma)
    v = sigma**2 + _check_levels(s) ** 2
    return np.asarray((a**2 / v - 1) / v)


def ode_exponent(slope: float) -> float:
    """Return the exponent L - 1 with which DDIM's mass in a valley vanishes as s does.

    Parameters
    ----------
    slope : float
        The bound L on the denoiser's slope, >= 1.

    Returns
    -------
    float

    References
    ----------
    Derived here: on the ramp, dy / d log s = (1 - L) y, so that lengths grow as s^(1 - L).

    Examples
    --------
    >>> ode_exponent(3.0)
    2.0
    """
    return check_real("slope", slope, lower=1.0) - 1.0


def sde_exponent(slope: float) -> float:
    """Return the exponent 2 (L - 1) with which the reverse SDE's mass in a valley vanishes.

    Parameters
    ----------
    slope : float
        The bound L on the denoiser's slope, >= 1.

    Returns
    -------
    float

    References
    ----------
    Derived here: the drift of the reverse SDE is twice that of the flow, so that lengths grow as
    s^(-2 (L - 1)), and the noise, of variance 2 s^2 per unit of log s, adds a bounded amount to
    what is traced back to the level where the ramp begins.

    Examples
    --------
    >>> sde_exponent(3.0)
    4.0
    """
    return 2.0 * ode_exponent(slope)


def ode_valley_density(spacing: float, slope: float, s: Any) -> Array:
    """Return the density of the flow's law in the middle of a valley, for narrow modes.

    Parameters
    ----------
    spacing : float
        Distance of two modes of weight 1/2, > 0.
    slope : float
        The bound L on the denoiser's slope, >= 1.
    s : array_like
        Noise levels in (0, s_1], where s_1 = a / sqrt(L) and a = spacing / 2.

    Returns
    -------
    ndarray
        The densities sqrt(L / (2 pi)) / a exp(-L / 2) (s / s_1)^(L - 1), of the shape of `s`.

    References
    ----------
    Derived here: as sigma vanishes the exact slope is a^2 / s^2, so that the bound binds below s_1,
    where the density is N(a; 0, s_1^2).

    Examples
    --------
    >>> print(f"{0.02 * ode_valley_density(1.0, 2.0, 0.0316):.2e}")
    7.42e-04
    """
    a, power = half_spacing(spacing), ode_exponent(slope)
    s = _check_levels(s)
    binds = a / math.sqrt(slope)
    if s.size and not (s.min() > 0 and s.max() <= binds):
        raise ValueError(f"s must be > 0 and <= {binds:g}, where the bound binds; got {s}")
    start = math.exp(-slope / 2) / (binds * math.sqrt(2 * math.pi))
    return np.asarray(start * (s / binds) ** power)


def density_floor(spacing: float, score_slope_bound: float) -> float:
    """Return the least share of a mode's height to which a density can fall between two modes.

    Parameters
    ----------
    spacing : float
        Distance d of two points of equal density where the score is 0, > 0.
    score_slope_bound : float
        The Lipschitz constant L of the score between them, >= 0.

    Returns
    -------
    float
        The share exp(-L d^2 / 16).

    References
    ----------
    Derived here: the score is 0 at both ends and at the minimum, so that on a side of length l the
    log density falls by at most L l^2 / 4, and one side has l <= d / 2. The triangular score
    attains it.

    Examples
    --------
    >>> print(f"{density_floor(1.0, 16.0):.4f}")
    0.3679
    """
    bound = check_real("score_slope_bound", score_slope_bound, lower=0.0)
    return math.exp(-bound * half_spacing(spacing) ** 2 / 4)


def required_score_slope(spacing: float, log_drop: float) -> float:
    """Return the least Lipschitz constant of a score that lets a density fall by exp(-log_drop).

    Parameters
    ----------
    spacing : float
        Distance d of two points of equal density where the score is 0, > 0.
    log_drop : float
        By how much the log density falls between them, >= 0.

    Returns
    -------
    float
        The constant 16 log_drop / d^2.

    References
    ----------
    Derived here: :func:`density_floor` solved for L.

    Examples
    --------
    >>> required_score_slope(1.0, 2.0)
    32.0
    """
    return check_real("log_drop", log_drop, lower=0.0) * 4 / half_spacing(spacing) ** 2


def separable_rate(rate: Any, dimension: int) -> Array:
    """Return the rate of points with a coordinate that hallucinates: 1 - (1 - rate)^dimension.

    Parameters
    ----------
    rate : array_like
        The rate of one coordinate, in [0, 1].
    dimension : int
        The number of coordinates, >= 1: independent chains, as under a table.

    Returns
    -------
    ndarray
        Of the shape of `rate`, without cancellation for small rates.

    References
    ----------
    Derived here; with the rule of the maximum norm it is exact for product grids.

    Examples
    --------
    >>> print(f"{separable_rate(0.25, 2):.4f}")
    0.4375
    """
    rate = check_array("rate", rate)
    if rate.size:
        check_real("rate (least)", float(rate.min()), lower=0.0)
        check_real("rate (largest)", float(rate.max()), upper=1.0)
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(check_int("dimension", dimension, lower=1) * np.log1p(-rate)))


def half_spacing(spacing: float) -> float:
    return check_real("spacing", spacing, lower=0.0, lower_open=True) / 2


def check_sigma(sigma: float) -> float:
    return check_real("sigma", sigma, lower=0.0, lower_open=True)


def _check_levels(s: Any) -> Array:
    levels: Array = check_array("s", s)
    if levels.size and levels.min() < 0:
        raise ValueError(f"s must be >= 0; got {levels.min()}")
    return levels
