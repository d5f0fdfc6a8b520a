"""Gaussian maps to few dimensions and what they do to kernels.

For a map G to k dimensions with entries N(0, 1 / k), |G u| / |u| has the law of sqrt(chi^2_k / k)
whatever u and its dimension: distortions of radial kernels are one-dimensional integrals.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from theorytk._validation import as_generator, check_choice, check_int, check_real
from theorytk.privacy._arguments import Array, check_nonnegative, check_probability
from theorytk.privacy.kernels import kernel_profile

__all__ = [
    "RADIAL_KERNELS",
    "distortion_constant",
    "distortion_deviation",
    "gaussian_kernel_moments",
    "gaussian_map",
    "johnson_lindenstrauss_dimension",
    "largest_distortion",
    "mapped_kernel_error",
]

# sup |z phi'(z)|, which each kernel attains at z = 1.
RADIAL_KERNELS = {"gaussian": 2 / math.e, "exponential": 1 / math.e, "cauchy": 0.5, "inverse": 0.25}
NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)
# sqrt(chi^2_k / k) is within 1 + 8 / sqrt(k) and above 1 - 8 / sqrt(k) but for 1e-14.
SPAN = 8.0
# The largest distortion lies between these distances for every k.
DISTANCES = np.geomspace(0.01, 100, 200)


def gaussian_map(d: int, k: int, *, rng: Any = None) -> Array:
    """Return a random map from d to k dimensions, ``points @ map``.

    Parameters
    ----------
    d, k : int
        Dimensions, >= 1.
    rng : int, numpy.random.Generator or None
        Random state; the map is public.

    Returns
    -------
    ndarray, shape (d, k)
        Independent N(0, 1 / k).

    Examples
    --------
    >>> mapped = np.ones(50) @ gaussian_map(50, 10**4, rng=0)
    >>> round(float(np.linalg.norm(mapped) / np.sqrt(50)), 2)
    1.0
    """
    shape = (check_int("d", d, lower=1), check_int("k", k, lower=1))
    return as_generator(rng).normal(scale=1 / math.sqrt(shape[1]), size=shape)


def distortion_constant(kernel: str) -> float:
    """Return the limit of sqrt(k) times the largest root mean square error of a mapped kernel.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "cauchy", "inverse"}
        A radial kernel.

    Returns
    -------
    float
        The supremum over z of |z phi'(z)| / sqrt(2).

    References
    ----------
    Derived here: sqrt(chi^2_k / k) has variance 1 / (2 k) up to terms of order k^-2.

    Examples
    --------
    >>> [round(distortion_constant(k), 4) for k in ("gaussian", "exponential", "cauchy", "inverse")]
    [0.5203, 0.2601, 0.3536, 0.1768]
    """
    return RADIAL_KERNELS[check_choice("kernel", kernel, RADIAL_KERNELS)] / math.sqrt(2)


def gaussian_kernel_moments(z: Any, k: int) -> tuple[Array, Array]:
    """Return the mean and the mean square of exp(-|G u|^2) for |u| = z.

    Parameters
    ----------
    z : array_like
        Distances >= 0 in units of the bandwidth.
    k : int
        Target dimension, >= 1.

    Returns
    -------
    tuple of ndarray
        (1 + 2 z^2 / k)^(-k / 2) and (1 + 4 z^2 / k)^(-k / 2).

    References
    ----------
    Derived here: the moment generating function of chi^2_k.

    Examples
    --------
    >>> mean, _ = gaussian_kernel_moments(2**0.5, 10**6)
    >>> round(float(mean - np.exp(-2)) * 10**6, 3)
    0.541
    """
    k, square = check_int("k", k, lower=1), check_nonnegative("z", z) ** 2
    return tuple(np.exp(-k / 2 * np.log1p(c * square / k)) for c in (2, 4))  # type: ignore[return-value]


def mapped_kernel_error(kernel: str, k: int, z: Any, *, order: float = 2.0) -> Array:
    """Return (E |phi(|G u|) - phi(z)|^order)^(1 / order) for |u| = z.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "cauchy", "inverse"}
        A radial kernel.
    k : int
        Target dimension, >= 1.
    z : array_like
        Distances >= 0 in units of the bandwidth.
    order : float
        At least 1; 2 is the root mean square.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> float(mapped_kernel_error("gaussian", 100, 1.0)) < 0.0521
    True
    """
    kernel = check_choice("kernel", kernel, RADIAL_KERNELS)
    k, z = check_int("k", k, lower=1), check_nonnegative("z", z)
    order = check_real("order", order, lower=1.0)
    low, high = max(0.0, 1 - SPAN / math.sqrt(k)), 1 + SPAN / math.sqrt(k)
    ratio = low + (high - low) * (NODES + 1) / 2
    log_density = (k - 1) * np.log(ratio) - k * (ratio**2 - 1) / 2
    weights = WEIGHTS * np.exp(log_density - log_density.max())
    errors = kernel_profile(kernel, np.multiply.outer(z, ratio))
    errors -= kernel_profile(kernel, z)[..., None]
    return np.asarray((np.abs(errors) ** order @ (weights / weights.sum())) ** (1 / order))


def largest_distortion(kernel: str, k: int, *, order: float = 2.0) -> float:
    """Return the largest `mapped_kernel_error` over all distances.

    No mean of kernels over any points has a larger one (Minkowski's inequality).

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "cauchy", "inverse"}
        A radial kernel.
    k : int
        Target dimension, >= 1.
    order : float
        At least 1.

    Returns
    -------
    float

    Examples
    --------
    >>> round(largest_distortion("inverse", 400) * 20, 3)
    0.177
    """
    errors = mapped_kernel_error(kernel, k, DISTANCES, order=order)
    best = min(max(int(errors.argmax()), 1), len(DISTANCES) - 2)
    found = minimize_scalar(
        lambda z: -float(mapped_kernel_error(kernel, k, z, order=order)),
        bounds=(DISTANCES[best - 1], DISTANCES[best + 1]),
        method="bounded",
    )
    return float(-found.fun)


def johnson_lindenstrauss_dimension(kernel: str, alpha: float) -> int:
    """Return the least target dimension with root mean square error at most alpha.

    Of every kernel value, hence of every mean of kernels over points, in any dimension.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "cauchy", "inverse"}
        A radial kernel.
    alpha : float
        Error in [1e-4, 1).

    Returns
    -------
    int
        `distortion_constant` ^2 / alpha^2 up to lower terms, by exact integration.

    References
    ----------
    Backurs et al. (ICLR 2024), Section 7, without constants; the constants are derived here.

    Examples
    --------
    >>> johnson_lindenstrauss_dimension("gaussian", 0.05)
    108
    """
    alpha = check_real("alpha", alpha, lower=1e-4, upper=1.0, upper_open=True)
    low, high = 0, 1
    while largest_distortion(kernel, high) > alpha:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if largest_distortion(kernel, middle) > alpha else (low, middle)
    return high


def distortion_deviation(kernel: str, k: int, failure: float) -> float:
    """Return what the error of a mean of mapped kernels keeps but for `failure`.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "cauchy", "inverse"}
        A radial kernel.
    k : int
        Target dimension, >= 1.
    failure : float
        Probability in (0, 1) of a larger error, either way, of one query.

    Returns
    -------
    float
        The least of ``largest_distortion(order=p) failure^(-1 / p)`` over p = 2, 4, ..., 24, and 1.

    References
    ----------
    Markov's and Minkowski's inequalities.

    Examples
    --------
    >>> 0.05 < distortion_deviation("gaussian", 1000, 0.01) < 0.06
    True
    """
    failure = check_probability("failure", failure)
    orders = range(2, 26, 2)
    bounds = [largest_distortion(kernel, k, order=p) * failure ** (-1 / p) for p in orders]
    return float(min(1.0, *bounds))
