"""Euclidean distances from l_1 distances of random projections."""

from __future__ import annotations

import math

import numpy as np

from theorytk._validation import as_generator, check_int, check_real
from theorytk.privacy._arguments import Array, check_probability

__all__ = [
    "CLIP_FAILURE",
    "projection_box",
    "projection_deviation",
    "projection_relative_sd",
    "random_directions",
]

# The chance that any projection of `size_hint` points is clipped.
CLIP_FAILURE = 1e-4


def random_directions(d: int, k: int, rng: np.random.Generator | int | None = None) -> Array:
    """Return k Gaussian directions, scaled so that |projections| estimate the Euclidean norm.

    ``E sum_j |<g_j, u>| = ||u||_2`` for the columns g_j, whose entries are independent
    N(0, pi / 2) / k.

    Parameters
    ----------
    d, k : int
        Dimension and number of projections, >= 1.
    rng : int, numpy.random.Generator or None
        Random state; directions do not depend on the data and are public.

    Returns
    -------
    ndarray, shape (d, k)

    References
    ----------
    Backurs et al. (ICLR 2024), Section 6; the constant is E |N(0, 1)| = sqrt(2 / pi).

    Examples
    --------
    >>> norm = np.abs(np.array([3.0, 4.0]) @ random_directions(2, 10**5, rng=0)).sum()
    >>> round(float(norm), 1)
    5.0
    """
    shape = (check_int("d", d, lower=1), check_int("k", k, lower=1))
    return as_generator(rng).normal(scale=math.sqrt(math.pi / 2) / k, size=shape)


def projection_relative_sd(k: int) -> float:
    """Return the relative standard deviation of a distance estimated from k projections.

    Parameters
    ----------
    k : int
        Projections, >= 1.

    Returns
    -------
    float
        Equal to sqrt((pi / 2 - 1) / k); a sum of distances has at most this.

    References
    ----------
    Derived here: variance 1 - 2 / pi of |N(0, 1)| over its squared mean 2 / pi.

    Examples
    --------
    >>> round(projection_relative_sd(100), 5)
    0.07555
    """
    return math.sqrt((math.pi / 2 - 1) / check_int("k", k, lower=1))


def projection_deviation(k: int, failure: float) -> float:
    """Return a relative deviation that a sum of estimated distances keeps but for `failure`.

    Parameters
    ----------
    k : int
        Projections, >= 1.
    failure : float
        Probability in (0, 1) of a larger deviation, either way.

    Returns
    -------
    float
        Equal to sqrt(pi log(2 / failure) / k).

    References
    ----------
    Derived here. The mean of k absolute normals is a (1 / sqrt(k))-Lipschitz function of Gaussians,
    hence sub-Gaussian of variance 1 / k, and a sum over points is smaller in the convex order than
    if all points shared one estimate.

    Examples
    --------
    >>> round(projection_deviation(1000, 0.05), 3)
    0.108
    """
    failure = check_probability("failure", failure)
    return math.sqrt(math.pi * math.log(2 / failure) / check_int("k", k, lower=1))


def projection_box(radius: float, n: int, k: int) -> float:
    """Return the half width B of the public box that holds the projections of n points.

    Parameters
    ----------
    radius : float
        Public bound > 0 of the Euclidean norms of the points.
    n : int
        Public number of points, >= 1.
    k : int
        Projections, >= 1.

    Returns
    -------
    float
        ``radius sqrt(2 log(n k / failure)) sqrt(pi / 2) / k``: all n k projections by
        `random_directions` are inside but for probability `CLIP_FAILURE`.

    References
    ----------
    Derived here: P(|N(0, 1)| > t) <= exp(-t^2 / 2) and the union bound.

    Examples
    --------
    >>> round(projection_box(1.0, 1000, 1), 3)
    7.116
    """
    radius = check_real("radius", radius, lower=0.0, lower_open=True)
    pairs = check_int("n", n, lower=1) * check_int("k", k, lower=1)
    return radius * math.sqrt(math.pi * math.log(pairs / CLIP_FAILURE)) / k
