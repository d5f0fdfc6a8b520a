"""Kernels of distances: their profiles, values and spectral laws."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from theorytk._validation import as_generator, check_array, check_choice, check_int, check_real
from theorytk.privacy._arguments import Array, check_nonnegative

__all__ = ["KERNELS", "kernel_profile", "kernel_values", "random_frequencies"]

# Each kernel is a profile of a distance over the bandwidth: l_1 for "laplacian", else Euclidean.
KERNELS = ("gaussian", "exponential", "laplacian", "cauchy", "inverse")


def kernel_profile(kernel: str, z: Any) -> Array:
    """Return the profile of a kernel at distances in units of the bandwidth.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "laplacian", "cauchy", "inverse"}
        exp(-z^2), exp(-z), exp(-z) of the l_1 distance, 1 / (1 + z^2), 1 / (1 + z).
    z : array_like
        Distances >= 0.

    Returns
    -------
    ndarray
        Values in [0, 1], of the shape of z.

    Examples
    --------
    >>> kernel_profile("cauchy", [0.0, 1.0, 3.0])
    array([1. , 0.5, 0.1])
    """
    kernel = check_choice("kernel", kernel, KERNELS)
    z = check_nonnegative("z", z)
    if kernel == "gaussian":
        return np.asarray(np.exp(-(z**2)))
    if kernel == "cauchy":
        return np.asarray(1 / (1 + z**2))
    return np.asarray(1 / (1 + z) if kernel == "inverse" else np.exp(-z))


def kernel_values(kernel: str, X: Any, Y: Any, *, bandwidth: float = 1.0) -> Array:
    """Return the kernel of every query with every point; nothing about it is private.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "laplacian", "cauchy", "inverse"}
        As in `kernel_profile`.
    X : array_like, shape (n, d)
        Points.
    Y : array_like, shape (q, d)
        Queries.
    bandwidth : float
        Distances are divided by it, > 0.

    Returns
    -------
    ndarray, shape (q, n)

    Examples
    --------
    >>> kernel_values("inverse", [[0.0], [2.0]], [[1.0]], bandwidth=0.5).sum(axis=1).round(3)
    array([0.667])
    """
    kernel = check_choice("kernel", kernel, KERNELS)
    X = check_array("X", X, shape=(None, None))
    Y = check_array("Y", Y, shape=(None, X.shape[1]))
    distances = cdist(Y, X, "cityblock") if kernel == "laplacian" else cdist(Y, X, "euclidean")
    return kernel_profile(kernel, distances / _check_bandwidth(bandwidth))


def random_frequencies(
    kernel: str, d: int, n_features: int, *, bandwidth: float = 1.0, rng: Any = None
) -> Array:
    """Draw frequencies w from the spectral law of a kernel: ``E cos <w, x - y> = k(x, y)``.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "laplacian", "cauchy", "inverse"}
        As in `kernel_profile`.
    d, n_features : int
        Dimension and number of frequencies, >= 1.
    bandwidth : float
        Distances are divided by it, > 0.
    rng : int, numpy.random.Generator or None
        Random state; frequencies do not depend on data and are public.

    Returns
    -------
    ndarray, shape (d, n_features)

    References
    ----------
    Bochner's theorem; Rahimi, Recht (NeurIPS 2007) for "gaussian" and "laplacian". Derived here:
    E exp(-s / (2 N^2)) = exp(-sqrt(s)) for a standard normal N gives "exponential", and
    1 / (1 + z) = E exp(-T z) for an exponential T the two others.

    Examples
    --------
    >>> w = random_frequencies("exponential", 3, 10**5, rng=0)
    >>> round(float(np.cos(w.sum(axis=0)).mean() - np.exp(-np.sqrt(3))), 2)
    0.0
    """
    kernel = check_choice("kernel", kernel, KERNELS)
    shape = (check_int("d", d, lower=1), check_int("n_features", n_features, lower=1))
    bandwidth = _check_bandwidth(bandwidth)
    rng = as_generator(rng)
    if kernel == "laplacian":
        return np.asarray(rng.standard_cauchy(shape) / bandwidth)
    frequencies = rng.normal(size=shape)
    if kernel in ("gaussian", "cauchy"):
        frequencies *= np.sqrt(2)
    else:
        frequencies /= np.abs(rng.normal(size=shape[1]))
    if kernel in ("cauchy", "inverse"):
        t = rng.exponential(size=shape[1])
        frequencies *= np.sqrt(t) if kernel == "cauchy" else t
    return np.asarray(frequencies / bandwidth)


def _check_bandwidth(bandwidth: Any) -> float:
    return check_real("bandwidth", bandwidth, lower=0.0, lower_open=True)
