"""Noise that is private on a real computer: exact discrete laws on a grid.

A floating-point sampler does not have the law that the proof of privacy is about, and the gaps
between its outputs betray the value to which it was added. Here what each point contributes is
rounded to the grid of step 2^-bits, where the sensitivity is exact, and the noise is an integer
number of steps, drawn in integer arithmetic only.
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Callable
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import as_generator, check_array, check_choice, check_int, check_real
from theorytk.privacy import _noise_kernels

__all__ = [
    "NOISES",
    "PrivacyWarning",
    "discrete_gaussian",
    "discrete_laplace",
    "float_gaussian",
    "float_laplace",
    "noise_variance",
    "quantise",
    "release",
]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Size = int | tuple[int, ...]

KINDS = ("laplace", "gaussian")
NOISES = ("discrete", "float")

# A sample is quotient and rest of an integer below 2^63. Numerators up to 2^57 leave room for 64
# multiples: beyond is OverflowError, with probability e^-64.
MAX_NUMERATOR = 2**57
MAX_DENOMINATOR = 2**62
MAX_BITS = 56


class PrivacyWarning(UserWarning):
    """What was drawn protects privacy on paper but not on a computer."""


def discrete_laplace(scale: Any, size: Size, rng: Any = None) -> Integers:
    """Draw integers y with probability proportional to exp(-|y| / scale), exactly.

    Parameters
    ----------
    scale : int, float or Fraction
        Scale > 0 in units of the integers; a float is the fraction that it is. As a fraction t / s
        in lowest terms, t <= 2^57 and s <= 2^62.
    size : int or tuple of int
        Shape of the result.
    rng : int, numpy.random.Generator or None
        Source of the random words: a seed or generator gives the same integers again and is for
        tests and simulations; ``None`` takes every word from the operating system's cryptographic
        source.

    Returns
    -------
    ndarray of int64, shape `size`
        From the same seed more samples begin with the same integers.

    Raises
    ------
    OverflowError
        If the fraction is too long, or with probability below e^-63 for each integer.

    References
    ----------
    Canonne, Kamath, Steinke (NeurIPS 2020), Algorithm 2.

    Examples
    --------
    >>> discrete_laplace(3, 8, rng=0)
    array([ 5, -1, -4, -6, 11, -7, -2,  2])
    """
    return _draw(False, [_in_steps("scale", scale)], None, size, rng)


def discrete_gaussian(sigma: Any, size: Size, rng: Any = None) -> Integers:
    """Draw integers y with probability proportional to exp(-y^2 / (2 sigma^2)), exactly.

    Parameters
    ----------
    sigma : int, float or Fraction
        Parameter > 0 in units of the integers, with the limits of `discrete_laplace`. The standard
        deviation is a little less: see `noise_variance`.
    size : int or tuple of int
        Shape of the result.
    rng : int, numpy.random.Generator or None
        As in `discrete_laplace`.

    Returns
    -------
    ndarray of int64, shape `size`

    Raises
    ------
    OverflowError
        As in `discrete_laplace`.

    Notes
    -----
    Added to integers with l_2 sensitivity D it is D^2 / (2 sigma^2)-zCDP.

    References
    ----------
    Canonne, Kamath, Steinke (NeurIPS 2020), Algorithm 3 and Theorem 4. Derived here: the proposal
    is discrete Laplace of scale sigma, so that an acceptance is a product of events whose
    probabilities are ratios of 64-bit integers.

    Examples
    --------
    >>> discrete_gaussian(3, 8, rng=0)
    array([ 5, -2, -2, -3,  0, -2, -4,  1])
    """
    return _draw(True, [_in_steps("sigma", sigma)], None, size, rng)


def float_laplace(scale: float, size: Size, rng: Any = None) -> Array:
    """Draw floating-point Laplace noise, with a `PrivacyWarning`.

    Parameters
    ----------
    scale : float
        Scale > 0.
    size : int or tuple of int
        Shape of the result.
    rng : int, numpy.random.Generator or None
        Random state.

    Returns
    -------
    ndarray, shape `size`

    References
    ----------
    Mironov (CCS 2012): what is wrong with it.
    """
    scale = check_real("scale", scale, lower=0.0, lower_open=True)
    _warn()
    return as_generator(rng).laplace(scale=scale, size=size)


def float_gaussian(sigma: float, size: Size, rng: Any = None) -> Array:
    """Draw floating-point Gaussian noise, with a `PrivacyWarning`.

    Parameters
    ----------
    sigma : float
        Standard deviation > 0.
    size : int or tuple of int
        Shape of the result.
    rng : int, numpy.random.Generator or None
        Random state.

    Returns
    -------
    ndarray, shape `size`

    References
    ----------
    Haney, Desfontaines, Hartman, Shrestha, Hay (2022): what is wrong with it.
    """
    sigma = check_real("sigma", sigma, lower=0.0, lower_open=True)
    _warn()
    return as_generator(rng).normal(scale=sigma, size=size)


def quantise(contributions: Any, bits: int) -> Integers:
    """Return contributions to a sum rounded to the grid of step 2^-bits, in steps.

    Round what each point contributes, then add: the sum's sensitivity is that of the integers.

    Parameters
    ----------
    contributions : array_like
        What the points contribute, of any shape.
    bits : int
        The grid has step 2^-bits; 0 to 56.

    Returns
    -------
    ndarray of int64
        Nearest integers to contributions 2^bits, within half a step.

    Raises
    ------
    OverflowError
        If a contribution is 2^62 steps or more.

    Examples
    --------
    >>> quantise([0.3, -1.0], 4)
    array([  5, -16])
    """
    bits = check_int("bits", bits, lower=0, upper=MAX_BITS)
    steps = np.rint(np.ldexp(check_array("contributions", contributions), bits))
    if (np.abs(steps) >= 2.0**62).any():
        raise OverflowError(f"contributions must stay below 2^62 steps of 2^-{bits}")
    return np.asarray(steps, dtype=np.int64)


def release(
    values: Any,
    scale: Any,
    *,
    bits: Any,
    rng: Any,
    kind: str = "laplace",
    noise: str = "discrete",
    sizes: Any = None,
) -> Array:
    """Return sums of quantised contributions with noise added.

    Parameters
    ----------
    values : array_like of int
        Sums in steps of the grid.
    scale : int, float or Fraction
        Scale of Laplace noise, or sigma of Gaussian noise, > 0, in units of the sums (not steps).
    bits : int
        The grid has step 2^-bits; 0 to 56.
    rng : int, numpy.random.Generator or None
        As in `discrete_laplace`.
    kind : {"laplace", "gaussian"}
        Law of the noise.
    noise : {"discrete", "float"}
        An integer number of steps, or floating-point noise with a `PrivacyWarning`.
    sizes : sequence of int, optional
        How many neighbouring entries of the last axis share each scale and each number of bits,
        of which there are then sequences of this length.

    Returns
    -------
    ndarray, shape of `values`
        Noisy sums in units of the sums.

    Raises
    ------
    OverflowError
        If a noisy sum leaves 64 bits; choose fewer bits.

    Examples
    --------
    >>> sums = quantise([[0.25], [1.0], [0.5]], 10).sum(axis=0)
    >>> noisy = release(sums, 0.5, bits=10, rng=0)
    >>> float(noisy[0] * 2**10).is_integer()
    True
    >>> release([0, 0, 0], [1, 8], bits=[0, 0], rng=0, sizes=[1, 2])
    array([0., 4., 4.])
    """
    kind, noise = check_choice("kind", kind, KINDS), check_choice("noise", noise, NOISES)
    given = np.asarray(values)
    if given.dtype.kind not in "iu":
        raise TypeError(f"values must be an array of integers; got dtype {given.dtype}")
    sums = np.atleast_1d(given.astype(np.int64))
    if sizes is None:
        scale, bits, sizes = [scale], [bits], [sums.shape[-1]]
    exponents, ends = _groups(scale, bits, sizes, sums.shape[-1])
    steps = np.zeros_like(sums)
    if noise == "discrete":
        ratios = [_in_steps("scale", each, b) for each, b in zip(scale, exponents, strict=True)]
        steps = _draw(kind == "gaussian", ratios, ends, sums.shape, rng)
    noisy = sums + steps
    # A sum has wrapped round if its sign is not that of two terms of one sign.
    if ((sums ^ noisy) & (steps ^ noisy) < 0).any():
        raise OverflowError(f"a noisy sum leaves 64 bits in steps of 2^-{bits}; choose fewer bits")
    out: Array = noisy.astype(np.float64)
    draw = float_laplace if kind == "laplace" else float_gaussian
    for start, end, each, b in zip([0, *ends[:-1]], ends, scale, exponents, strict=True):
        part = out[..., start:end]
        np.ldexp(part, -b, out=part)
        if noise == "float":
            part += draw(float(each), part.shape, rng)
    return out.reshape(given.shape)


def _groups(scale: Any, bits: Any, sizes: Any, width: int) -> tuple[list[int], Integers]:
    """Return the exponents of the grids of groups of columns, and where the groups end."""
    exponents = [check_int("bits", each, lower=0, upper=MAX_BITS) for each in bits]
    ends = np.cumsum(sizes)
    if not 1 <= len(scale) == len(exponents) == len(ends) or ends[-1] != width:
        raise ValueError(
            f"sizes must add up to the last axis of values, {width}, and have as many entries as "
            f"scale and bits, {len(scale)} and {len(exponents)}; got {list(sizes)}"
        )
    return exponents, ends


def noise_variance(scale: Any, kind: str = "laplace") -> float:
    """Return the variance of `discrete_laplace` or `discrete_gaussian`.

    Parameters
    ----------
    scale : int, float or Fraction
        Their scale or sigma > 0. In steps of the grid, for `release`: scale 2^bits.
    kind : {"laplace", "gaussian"}
        Which of the two.

    Returns
    -------
    float
        For Laplace 1 / (2 sinh(1 / (2 scale))^2), below 2 scale^2.

    References
    ----------
    Derived here. Gaussian noise of sigma >= 4 has variance sigma^2 up to rounding: Poisson
    summation leaves terms of order exp(-2 pi^2 sigma^2).

    Examples
    --------
    >>> round(noise_variance(1.0), 6), noise_variance(5, "gaussian")
    (1.841347, 25.0)
    """
    b = float(_fraction("scale", scale))
    if check_choice("kind", kind, KINDS) == "laplace":
        # 4 sinh(x)^2 = exp(2 x) (1 - exp(-2 x))^2, which does not overflow.
        return 2 * math.exp(-1 / b) / math.expm1(-1 / b) ** 2
    if b >= 4:
        return b**2
    y = np.arange(1, 50)
    weights = np.exp(-((y / b) ** 2) / 2)
    return float(2 * (y**2 @ weights) / (1 + 2 * weights.sum()))


def _in_steps(name: str, scale: Any, bits: int = 0) -> tuple[int, int]:
    """Return a scale in steps of 2^-bits as numerator and denominator."""
    fraction = _fraction(name, scale) * 2**bits
    t, s = fraction.numerator, fraction.denominator
    if t > MAX_NUMERATOR or s > MAX_DENOMINATOR:
        raise OverflowError(
            f"{name} must be a fraction t / s in steps of the grid with t <= 2^57 and s <= 2^62; "
            f"got {t} / {s}"
        )
    return t, s


def _draw(
    normal: bool, scales: list[tuple[int, int]], ends: Integers | None, size: Size, rng: Any
) -> Integers:
    """Return exact samples, from words drawn as they are needed.

    Entries of the last axis up to each of the ends have the next scale.
    """
    words_of = _word_source(rng)
    out = np.empty(size, np.int64)
    flat, words = out.reshape(-1), np.empty(0, np.uint64)
    ends = np.array([len(flat)]) if ends is None else ends
    t, s = np.array(scales, np.int64).T
    at, done = np.zeros(1, np.int64), np.zeros(1, np.int64)
    # About what the samples take; more bits are drawn where these run out.
    bits = (5 * max((each - 1).bit_length() for each, _ in scales) + 16) * (2 if normal else 1)
    while done[0] < len(flat):
        more = 1 + (len(flat) - int(done[0])) * bits // 64
        words = np.concatenate([words[at[0] // 64 :], words_of(more)])
        at %= 64
        with contextlib.suppress(IndexError):
            _noise_kernels.fill(normal, t, s, ends, words, at, flat, done)
    return out


def _word_source(rng: Any) -> Callable[[int], NDArray[np.uint64]]:
    if rng is None:
        return lambda count: np.frombuffer(os.urandom(8 * count), np.uint64)
    generator = as_generator(rng)
    return lambda count: generator.integers(0, 2**64, count, dtype=np.uint64)


def _fraction(name: str, value: Any) -> Fraction:
    """Return a positive number as the fraction that it is."""
    if isinstance(value, Rational) and not isinstance(value, bool):
        fraction = Fraction(int(value.numerator), int(value.denominator))
        if fraction <= 0:
            raise ValueError(f"{name} must be a number > 0; got {value!r}")
        return fraction
    return Fraction(check_real(name, value, lower=0.0, lower_open=True))


def _warn() -> None:
    warnings.warn(
        "floating-point noise betrays what it should hide; use the discrete samplers",
        PrivacyWarning,
        stacklevel=3,
    )
