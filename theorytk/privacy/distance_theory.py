"""Laws of the noise of private sums of distances, in closed form or by exact summation.

Root mean squares are over uniform queries; everything is for the unit interval unless said.
"""

from __future__ import annotations

import math

import numpy as np

from theorytk._validation import check_int, check_real
from theorytk.privacy.dyadic_tree import dyadic_tree
from theorytk.privacy.hat import hierarchical_hat
from theorytk.privacy.linear_mechanism import LinearMechanism, check_levels

__all__ = [
    "flat_noise_rms",
    "gaussian_distance_noise",
    "hat_noise_rms",
    "noise_rms",
    "split_noise",
    "tree_flat_crossover",
]


def noise_rms(mechanism: LinearMechanism, queries: int = 1001) -> float:
    """Return the root mean square of the noise of a mechanism over equally spaced queries.

    Parameters
    ----------
    mechanism : LinearMechanism
        A mechanism on the unit interval.
    queries : int
        Midpoints of that many equal parts of the interval, >= 1.

    Returns
    -------
    float

    Examples
    --------
    >>> round(noise_rms(hierarchical_hat(10, epsilon=1.0)), 2)
    3.33
    """
    queries = check_int("queries", queries, lower=1)
    y = (np.arange(queries) + 0.5) / queries
    return math.sqrt(mechanism.noise_components(y)[0].sum(axis=1).mean())


def hat_noise_rms(epsilon: float, levels: int, *, neighbours: str = "add_remove") -> float:
    """Return the root mean square of the noise of the hat mechanism with pure privacy.

    ``sqrt(4 / 3 b_0^2 + sum of (2 / 3) h^2 b^2)`` over levels, b their noise scales: bounded in
    the number of levels, hence of points.

    Parameters
    ----------
    epsilon : float
        Pure privacy > 0.
    levels : int
        From 1 to 26.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.

    Returns
    -------
    float

    References
    ----------
    Derived here: hats and ends have mean squares 1 / 3. Continuous noise; integer noise on a fine
    grid has the same to nine digits.

    Examples
    --------
    >>> [round(hat_noise_rms(1.0, levels), 3) for levels in (8, 10, 20)]
    [3.297, 3.332, 3.354]
    """
    scales = hierarchical_hat(levels, epsilon=epsilon, neighbours=neighbours).scales
    heights = np.ldexp(1.0, -np.arange(1, levels + 1))
    return math.sqrt(4 / 3 * scales[0] ** 2 + 2 / 3 * ((heights * scales[1:]) ** 2).sum())


def flat_noise_rms(epsilon: float, levels: int) -> float:
    """Return the root mean square of the noise of the flat histogram, near sqrt(m / 3) / epsilon.

    Parameters
    ----------
    epsilon : float
        Pure privacy > 0 with "add_remove".
    levels : int
        From 1 to 26; m = 2^levels.

    Returns
    -------
    float

    References
    ----------
    Derived here: m / 6 - 1 / (12 m) is the mean over y of the sum of (y - centre)^2. Continuous
    noise: integer noise is smaller from epsilon near 1 on.

    Examples
    --------
    >>> round(flat_noise_rms(1.0, 10), 2)
    18.48
    """
    m = 2.0 ** check_levels(levels)
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    return math.sqrt(m / 3 - 1 / (6 * m)) / epsilon


def gaussian_distance_noise(rho: float, *, d: int = 1, width: float = 1.0) -> float:
    """Return d R / sqrt(2 rho), the noise of every answer of the hat mechanism under zCDP.

    The Gaussian mechanism for a single query would have the same.

    Parameters
    ----------
    rho : float
        zCDP > 0 with "add_remove", split equally over coordinates.
    d : int
        Dimension, >= 1.
    width : float
        Range R > 0 of each coordinate.

    Returns
    -------
    float
        Attained at grid points, and less between.

    References
    ----------
    Derived here: d independent noises of variance d R^2 / (2 rho) each.

    Examples
    --------
    >>> gaussian_distance_noise(0.5, d=4)
    4.0
    """
    rho = check_real("rho", rho, lower=0.0, lower_open=True)
    width = check_real("width", width, lower=0.0, lower_open=True)
    return check_int("d", d, lower=1) * width / math.sqrt(2 * rho)


def split_noise(noise: float, d: int) -> float:
    """Return d^1.5 times the noise: of l_1 distances, epsilon split over d coordinates.

    Parameters
    ----------
    noise : float
        Standard deviation >= 0 of a one-dimensional answer with the whole epsilon.
    d : int
        Dimension, >= 1.

    Returns
    -------
    float

    References
    ----------
    Backurs et al. (ICLR 2024), Section 4: d answers with d times the noise each.

    Examples
    --------
    >>> split_noise(2.0, 4)
    16.0
    """
    return check_real("noise", noise, lower=0.0) * math.pow(check_int("d", d, lower=1), 1.5)


def tree_flat_crossover(alpha: float = 0.1, *, queries: int = 201) -> float:
    """Return the number of cells from which on the dyadic tree has less noise than the histogram.

    Parameters
    ----------
    alpha : float
        Relative bias of the tree, in (0, 1).
    queries : int
        Equally spaced queries over which the tree's noise is averaged, >= 1.

    Returns
    -------
    float
        Where the root mean squares, linear in the logarithm between powers of two, meet. Epsilon
        scales both alike.

    Raises
    ------
    ValueError
        If they do not meet up to 2^26 cells.

    References
    ----------
    Derived here from exact variances.

    Examples
    --------
    >>> 3e4 < tree_flat_crossover() < 1.5e5
    True
    """
    before = 0.0
    for levels in range(1, 27):
        tree = noise_rms(dyadic_tree(levels, epsilon=0.01, alpha=alpha), queries)
        gap = math.log(tree / flat_noise_rms(0.01, levels))
        if gap <= 0:
            return math.pow(2.0, levels - gap / (gap - before))
        before = gap
    raise ValueError(f"alpha must be larger for the tree to win within 2^26 cells; got {alpha}")
