"""Laws of the errors of private kernel sums, in closed form. Everything is for sums over points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorytk._validation import check_int, check_real
from theorytk.privacy._arguments import Array, check_nonnegative
from theorytk.privacy.exponential_spline import exponential_spline, mean_square_weights
from theorytk.privacy.kernels import kernel_profile
from theorytk.privacy.linear_mechanism import is_replace
from theorytk.privacy.lower_bounds import distance_sum_lower_bound

__all__ = [
    "best_feature_count",
    "exponential_spline_noise_rms",
    "feature_variance",
    "gaussian_feature_noise",
    "kernel_sum_lower_bound",
    "laplace_feature_noise",
]


def laplace_feature_noise(
    epsilon: float, n_features: int, *, neighbours: str = "add_remove"
) -> float:
    """Return the root mean square, over random phases, of the noise of a sum by Laplace features.

    Parameters
    ----------
    epsilon : float
        Pure privacy > 0.
    n_features : int
        Number of features, >= 1.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.

    Returns
    -------
    float
        2 sqrt(n_features) / epsilon, or twice that for "replace".

    References
    ----------
    Derived here, for the features of Wagner, Naamad, Mishra (ICML 2023).

    Examples
    --------
    >>> laplace_feature_noise(1.0, 400)
    40.0
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    n_features = check_int("n_features", n_features, lower=1)
    return (4 if is_replace(neighbours) else 2) * math.sqrt(n_features) / epsilon


def gaussian_feature_noise(rho: float, *, neighbours: str = "add_remove") -> float:
    """Return the noise of a sum by Gaussian features, for every query and number of features.

    Parameters
    ----------
    rho : float
        zCDP > 0.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.

    Returns
    -------
    float
        1 / sqrt(2 rho), or twice that for "replace".

    References
    ----------
    Derived here.

    Examples
    --------
    >>> gaussian_feature_noise(0.5)
    1.0
    """
    rho = check_real("rho", rho, lower=0.0, lower_open=True)
    return (2 if is_replace(neighbours) else 1) / math.sqrt(2 * rho)


def feature_variance(kernel: str, z: Any, *, paired: bool) -> Array:
    """Return the variance of a kernel value estimated from one random frequency.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "laplacian", "cauchy", "inverse"}
        As in `kernel_profile`.
    z : array_like
        Distances >= 0 in units of the bandwidth.
    paired : bool
        Whether a frequency has a cosine and a sine, or a cosine with a random phase.

    Returns
    -------
    ndarray
        (1 + k(2 z)) / 2 - k(z)^2 with pairs, 1/2 more with phases; divide by the number of
        frequencies.

    References
    ----------
    Derived here: the mean square of cos <w, u> is (1 + E cos <w, 2 u>) / 2.

    Examples
    --------
    >>> feature_variance("gaussian", [0.0, 10.0], paired=False)
    array([0.5, 1. ])
    """
    z = check_nonnegative("z", z)
    spread = (1 + kernel_profile(kernel, 2 * z)) / 2 - kernel_profile(kernel, z) ** 2
    return np.asarray(spread if paired else spread + 0.5)


def best_feature_count(epsilon: float, n: int, *, neighbours: str = "add_remove") -> int:
    """Return the number of Laplace features whose noise and approximation errors are balanced.

    Parameters
    ----------
    epsilon : float
        Pure privacy > 0.
    n : int
        Public number of points, >= 1.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.

    Returns
    -------
    int
        The nearest to epsilon n / 2, or half that for "replace": it minimises the noise variance
        plus n^2 / n_features, which bounds the approximation for kernels with k(2z) <= 2 k(z)^2.

    Notes
    -----
    The root mean square error is then 2 sqrt(n / epsilon) for "add_remove".

    References
    ----------
    Derived here.

    Examples
    --------
    >>> best_feature_count(0.5, 1000)
    250
    """
    n = check_int("n", n, lower=1)
    noise = laplace_feature_noise(epsilon, 1, neighbours=neighbours)
    return max(round(n / noise), 1)


def exponential_spline_noise_rms(
    levels: int, kappa: float, epsilon: float, *, neighbours: str = "add_remove"
) -> float:
    """Return the root mean square over queries of the noise of the pure exponential spline.

    Parameters
    ----------
    levels : int
        From 1 to 26.
    kappa : float
        The width of the range over the bandwidth of the kernel, > 0.
    epsilon : float
        Pure privacy > 0.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.

    Returns
    -------
    float
        It stays bounded in the number of levels, hence of points.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> [round(exponential_spline_noise_rms(levels, 1.0, 1.0), 2) for levels in (8, 14)]
    [3.14, 3.19]
    """
    mechanism = exponential_spline(
        levels, kappa, epsilon=epsilon, neighbours=neighbours, noise="float"
    )
    return math.sqrt(mean_square_weights(levels, kappa) @ mechanism.variances)


def kernel_sum_lower_bound(epsilon: float) -> float:
    """Return a mean absolute error that no pure mechanism beats on every kernel sum.

    For kernels with k(x, x) = 1, whose values come arbitrarily close to 0.

    Parameters
    ----------
    epsilon : float
        Pure privacy > 0.

    Returns
    -------
    float
        The largest k / (2 (1 + exp(k epsilon))) over whole k.

    References
    ----------
    Derived here: k points at the query instead of far away change the sum by k, as the distance
    sums of `distance_sum_lower_bound` change.

    Examples
    --------
    >>> round(kernel_sum_lower_bound(1.0), 5)
    0.13447
    """
    return distance_sum_lower_bound(epsilon)
