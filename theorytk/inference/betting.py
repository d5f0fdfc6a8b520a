"""Confidence sequences for the mean of bounded values, by betting."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from theorytk._validation import check_array, check_int, check_real

__all__ = ["betting_interval"]

FRACTIONS = 1 / (1 + np.exp(-np.arange(-7.0, 5.0)))
"""Bets of the mixture, as fractions of the largest one that cannot ruin."""

SMALLEST = 1e-300
"""Means below it are not told from 0."""


def betting_interval(
    values: ArrayLike, level: float, lower: float = 0.0, upper: float = 1.0
) -> tuple[float, float]:
    """Return an interval for the mean of bounded values, valid at any number of them.

    The intervals after 1, 2, ... values hold the mean all at once with probability at least
    ``1 - level``: one may look after every value and stop for whatever reason. They do not
    depend on the order of the values, and always hold their average.

    Parameters
    ----------
    values : array_like, shape (n,)
        ``n >= 1`` values, each within ``[lower, upper]``: independent of one mean, or, more
        generally, with this mean given those before.
    level : float
        Error probability, between 0 and 1; half of it on each side.
    lower, upper : float
        What the values cannot leave, known beforehand, in their unit.

    Returns
    -------
    tuple of float
        The limits, to 1e-11 of the range.

    Raises
    ------
    ValueError
        If a value lies outside the range or is not finite.

    Notes
    -----
    With values in [0, 1] and a mean of at most m, ``K = avg over f of prod_i (1 + f (x_i/m - 1))``
    is the capital of a gambler who divides it over the fractions f: nonnegative, and not growing
    in expectation. By Ville's inequality it ever reaches ``2 / level`` with probability at most
    ``level / 2``. As K falls with m, the lower limit is where it equals that; the upper one is
    that of ``1 - x``.

    References
    ----------
    I. Waudby-Smith and A. Ramdas, Estimating means of bounded random variables by betting,
    J. R. Stat. Soc. B 86 (2024): hedged capital, both hands weighing 1/2. Ours: a fixed mixture of
    bets instead of their predictable plug-in ones, which does not depend on the order of the values
    and, at level 1e-5, is shorter (a third at 10,000 coin tosses).

    Examples
    --------
    >>> lo, hi = betting_interval([0.0, 1.0] * 200, 0.05)
    >>> round(lo, 4), round(hi, 4)
    (0.4118, 0.5882)
    """
    level = check_real("level", level, lower=0, upper=1, lower_open=True, upper_open=True)
    x = to_unit(values, lower, upper)
    check_int("values (count)", x.size, lower=1)
    lo, hi = _lower_limit(x, level), 1 - _lower_limit(1 - x, level)
    return lower + (upper - lower) * lo, lower + (upper - lower) * hi


def to_unit(values: ArrayLike, lower: float, upper: float) -> NDArray[np.float64]:
    """Return checked values, shape (n,), moved from ``[lower, upper]`` to [0, 1]."""
    x = check_array("values", values, ndim=1)
    lower, upper = check_range(lower, upper)
    if x.size:
        check_real("values (smallest)", float(x.min()), lower=lower)
        check_real("values (largest)", float(x.max()), upper=upper)
    return np.clip((x - lower) / (upper - lower), 0.0, 1.0)


def check_range(lower: float, upper: float) -> tuple[float, float]:
    """Return both ends of a range that is not empty."""
    lower = check_real("lower", lower)
    return lower, check_real("upper", upper, lower=lower, lower_open=True)


def log_gains(x: NDArray[np.float64], m: float) -> NDArray[np.float64]:
    """Return what each value adds to the log capital of each bet on a mean above m."""
    fractions = FRACTIONS.reshape(-1, *[1] * x.ndim)
    return np.asarray(np.log1p(fractions * (x / m - 1)))


def log_mixture(log_capitals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log of the average capital, over the first axis."""
    return np.asarray(np.logaddexp.reduce(log_capitals, axis=0) - math.log(len(FRACTIONS)))


def _lower_limit(x: NDArray[np.float64], level: float) -> float:
    """Return the mean at which the capital of bets on more is ``2 / level`` (0 if nowhere)."""

    def missing(m: float) -> float:
        return math.log(2 / level) - float(log_mixture(log_gains(x, m).sum(axis=1)))

    m = float(x.mean()) / 2  # at the average itself the capital is at most 1
    while m > SMALLEST and missing(m) > 0:
        m /= 2
    return float(optimize.brentq(missing, m, 2 * m)) if m > SMALLEST else 0.0
