"""Laws of the noise of private sums of distances, in closed form or by exact summation.

Root mean squares are over uniform queries; everything is for the unit interval unless said.
"""

from __future__ import annotations

import math

import numpy as np

from theorytk._validation import check_int, check_real
from theorytk.privacy.answering import AnsweringMechanism, as_answering
from theorytk.privacy.dyadic_tree import dyadic_tree
from theorytk.privacy.hat import hierarchical_hat
from theorytk.privacy.linear_mechanism import check_levels, noise_scale

__all__ = [
    "flat_noise_rms",
    "gaussian_distance_noise",
    "hat_noise_rms",
    "huang_roth_order",
    "noise_rms",
    "split_noise",
    "squared_distance_noise",
    "tree_flat_crossover",
    "tree_noise_bound",
]


def huang_roth_order(n: float, d: int, epsilon: float) -> float:
    """Return (n^15 d^7 / epsilon^2)^(1/17), the order of the error of the work before the paper.

    Parameters
    ----------
    n : float
        Points, > 0.
    d : int
        Dimension, >= 1.
    epsilon : float
        Privacy epsilon > 0.

    Returns
    -------
    float
        For sums of l_1 distances in the unit cube, without constant and logarithms.

    References
    ----------
    Huang, Roth (SODA 2014) as Backurs et al. (ICLR 2024) compare with them; the exponents are
    quoted from memory of that comparison, and we could not read them again.

    Examples
    --------
    >>> round(huang_roth_order(1000, 1, 1.0), 1)
    443.7
    """
    n = check_real("n", n, lower=0.0, lower_open=True)
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    return math.pow(n**15 * check_int("d", d, lower=1) ** 7 / epsilon**2, 1 / 17)


def noise_rms(mechanism: AnsweringMechanism, queries: int = 1001) -> float:
    """Return the root mean square of the noise of a mechanism over equally spaced queries.

    Parameters
    ----------
    mechanism : AnsweringMechanism
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
    return math.sqrt(as_answering(mechanism).noise_components(y)[0].sum(axis=1).mean())


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


def squared_distance_noise(
    d: int, *, epsilon: float | None = None, rho: float | None = None, offset: float = 1.0
) -> float:
    """Return the noise of a sum of squared distances in the unit cube, of order d^1.5 or d.

    Parameters
    ----------
    d : int
        Dimension, >= 1.
    epsilon : float, optional
        Pure privacy > 0 with "add_remove".
    rho : float, optional
        zCDP > 0 instead.
    offset : float
        Distance >= 0 of the query from the centre, over that of a corner.

    Returns
    -------
    float
        At a corner 1.5 d sqrt(2 d + 1) / epsilon, or 0.75 d / sqrt(rho).

    References
    ----------
    Derived here: |v|^4 b^2 + 4 |v|^2 c^2 + e^2 for a query v from the centre and the noises b, c, e
    of count, each coordinate and squared norms; c is of order d with pure privacy, of order
    sqrt(d) with zCDP.

    Examples
    --------
    >>> [round(squared_distance_noise(4, **budget), 6) for budget in ({"epsilon": 1}, {"rho": 1})]
    [18.0, 3.0]
    """
    d, offset = check_int("d", d, lower=1), check_real("offset", offset, lower=0.0)
    scale, kind = noise_scale(3.0, epsilon, rho)
    variance, coordinates = (2 * scale**2, d**2) if kind == "laplace" else (scale**2, d)
    return d / 4 * math.sqrt(variance * (offset**4 + 4 * offset**2 * coordinates / d + 1))


def tree_noise_bound(epsilon: float, levels: int, alpha: float) -> float:
    """Return an upper bound of the noise of every answer of the dyadic tree.

    Parameters
    ----------
    epsilon : float
        Pure privacy > 0 with "add_remove".
    levels : int
        From 1 to 26.
    alpha : float
        Relative bias in (0, 1).

    Returns
    -------
    float
        ``(L + 1) / epsilon sqrt(8 L) (1 + alpha) / sqrt(alpha (2 + alpha))``, for queries in the
        unit interval: of order log(n)^1.5 / (epsilon sqrt(alpha)).

    References
    ----------
    Backurs et al. (ICLR 2024), Section 4, for the order; the constant is derived here: 2 L nodes
    for each side of a ring, and the sum of squared weights is a geometric series.

    Examples
    --------
    >>> round(tree_noise_bound(1.0, 10, 0.1), 1)
    236.2
    """
    levels = check_levels(levels)
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    alpha = check_real("alpha", alpha, lower=0.0, upper=1.0, lower_open=True, upper_open=True)
    rings = (1 + alpha) / math.sqrt(alpha * (2 + alpha))
    return (levels + 1) / epsilon * math.sqrt(8 * levels) * rings


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
