"""Estimates: a number, what it was made from, and an interval at any level."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorytk._validation import check_array, check_int, check_real
from theorytk.inference._laws import Betting, Binomial, Interval, Kolmogorov, Law, Student

__all__ = [
    "LEVEL",
    "MIN_REPLICATES",
    "Estimate",
    "bounded_mean_estimate",
    "distribution_distance_estimate",
    "exact_estimate",
    "mean_estimate",
    "proportion_estimate",
    "slope_estimate",
    "violations_estimate",
]

LEVEL = 1e-5
"""Two-sided error probability of every statistical claim, whatever else is judged."""

MIN_REPLICATES = 20
"""Fewest replicates behind a Student t interval."""


@dataclass(frozen=True, repr=False)
class Estimate:
    """A number with the interval that its own kind of error allows.

    Made by the functions of this package, one per kind.

    Parameters
    ----------
    value : float
        The estimate; finite.
    n : int
        Independent units behind it.
    method : str
        How the interval is made, such as ``"Student t"``.
    se : float
        Standard error, in the unit of `value`; NaN where it has no meaning.
    law : Law or None
        What makes the interval; ``None`` for a deterministic number.

    Examples
    --------
    >>> proportion_estimate(9, 10)
    Estimate(0.9, interval=(0.204, 1), n=10, se=0.095, method='Clopper-Pearson')
    """

    value: float
    n: int
    method: str
    se: float
    law: Law | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_real("value", self.value)
        check_int("n", self.n, lower=1)

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the two-sided interval with error probability `level`.

        Parameters
        ----------
        level : float
            Between 0 and 1, both excluded.

        Returns
        -------
        tuple of float
            Lower and upper limit; equal for a deterministic number.

        Examples
        --------
        >>> exact_estimate(2.0).interval()
        (2.0, 2.0)
        """
        level = check_real("level", level, lower=0, upper=1, lower_open=True, upper_open=True)
        return (self.value, self.value) if self.law is None else self.law.interval(level)

    def __repr__(self) -> str:
        lo, hi = self.interval()
        return (
            f"Estimate({self.value:.4g}, interval=({lo:.4g}, {hi:.4g}), n={self.n}, "
            f"se={self.se:.2g}, method={self.method!r})"
        )


def mean_estimate(values: ArrayLike) -> Estimate:
    """Estimate a mean, with Student's t over replicates.

    Parameters
    ----------
    values : array_like, shape (n,)
        One finite number per independent replicate, ``n >= 20``. Equal values are legal: the
        interval is then a point.

    Returns
    -------
    Estimate
        The mean; exact for normal values, to first order otherwise.

    Raises
    ------
    ValueError
        With fewer than 20 values, or with non-finite ones (the message says how many).

    Examples
    --------
    >>> mean_estimate([1.0, 3.0] * 20).value
    2.0
    """
    return _student(
        "values", _finite("values", check_array("values", values, ndim=1, finite=False))
    )


def slope_estimate(x: ArrayLike, y: ArrayLike) -> Estimate:
    """Estimate a slope: least squares in each replicate, then Student's t over replicates.

    Points of one replicate share its randomness, which is why they are not pooled.

    Parameters
    ----------
    x : array_like, shape (points,) or (replicates, points)
        Abscissae, shared or per replicate; not all equal.
    y : array_like, shape (replicates, points)
        Ordinates; at least 20 replicates and 2 points.

    Returns
    -------
    Estimate
        The mean slope, in the unit of `y` over that of `x`.

    Raises
    ------
    ValueError
        If the shapes do not fit, if there are too few replicates, or if values are not finite.

    Examples
    --------
    >>> x = [0.0, 1.0, 2.0]
    >>> slope_estimate(x, [[0.0, 2.0, 4.0]] * 20).value
    2.0
    """
    ordinates = _finite("y", check_array("y", y, ndim=2, finite=False))
    abscissae = _finite("x", check_array("x", x, finite=False))
    points = check_int("y (points)", ordinates.shape[1], lower=2)
    shape = (points,) if abscissae.ndim == 1 else ordinates.shape
    check_array("x", abscissae, shape=shape)
    check_real("x (range)", float(np.ptp(abscissae, axis=-1).min()), lower=0, lower_open=True)
    centred = abscissae - abscissae.mean(axis=-1, keepdims=True)
    return _student("y", np.sum(centred * ordinates, axis=1) / np.sum(centred**2, axis=-1))


def proportion_estimate(successes: int, n: int) -> Estimate:
    """Estimate a probability by the interval of Clopper and Pearson.

    Parameters
    ----------
    successes : int
        Between 0 and `n`.
    n : int
        Independent trials, at least 1.

    Returns
    -------
    Estimate
        ``successes / n``; the interval is valid at every `n`.

    References
    ----------
    C. J. Clopper and E. S. Pearson, The use of confidence or fiducial limits illustrated in the
    case of the binomial, Biometrika 26 (1934). Limits by statsmodels.

    Examples
    --------
    >>> lo, hi = proportion_estimate(0, 100).interval(0.05)
    >>> lo, round(hi, 4)
    (0.0, 0.0362)
    """
    return _binomial("successes", successes, n, "Clopper-Pearson")


def violations_estimate(violations: int, n: int) -> Estimate:
    """Estimate how often a for-all statement fails among random instances.

    Judge it with ``kind="refutable"`` against ``AtMost(0)``: one violation contradicts.

    Parameters
    ----------
    violations : int
        Instances in which the statement fails, between 0 and `n`.
    n : int
        Independent instances tried, at least 1.

    Returns
    -------
    Estimate
        The proportion of violations, with the Clopper-Pearson limits of its probability.

    Examples
    --------
    >>> violations_estimate(0, 1000).interval()[1] < 0.0122
    True
    """
    return _binomial("violations", violations, n, "violations (Clopper-Pearson)")


def bounded_mean_estimate(values: ArrayLike, lower: float, upper: float) -> Estimate:
    """Estimate the mean of bounded values by betting, valid at every `n` and at all at once.

    Parameters
    ----------
    values : array_like, shape (n,)
        Independent values of one mean, each within ``[lower, upper]``; ``n >= 2``.
    lower, upper : float
        What the values cannot leave, known beforehand, in their unit.

    Returns
    -------
    Estimate
        The mean, with the interval of `betting_interval`: one may add values and look again, as
        `sequential_verdict` does.

    Raises
    ------
    ValueError
        If a value lies outside the range, or if values are not finite.

    References
    ----------
    I. Waudby-Smith and A. Ramdas, Estimating means of bounded random variables by betting,
    J. R. Stat. Soc. B 86 (2024), with a mixture of bets (see `betting_interval`).

    Examples
    --------
    >>> lo, hi = bounded_mean_estimate([0.0, 1.0] * 200, 0, 1).interval(0.05)
    >>> 0.4 < lo < 0.5 < hi < 0.6
    True
    """
    x = _finite("values", check_array("values", values, ndim=1, finite=False))
    n = check_int("values (count)", x.size, lower=2)
    lower = check_real("lower", lower)
    upper = check_real("upper", upper, lower=lower, lower_open=True)
    check_real("values (smallest)", float(x.min()), lower=lower)
    check_real("values (largest)", float(x.max()), upper=upper)
    se = float(x.std(ddof=1)) / math.sqrt(n)
    return Estimate(float(x.mean()), n, "betting", se, Betting(x, lower, upper))


def distribution_distance_estimate(
    samples: ArrayLike, cdf: Callable[[NDArray[np.float64]], Any]
) -> Estimate:
    """Estimate the largest distance between the distribution of `samples` and a continuous cdf.

    For goodness of fit inside a tolerance: ``AtMost(tolerance)``. It is never a p-value.

    Parameters
    ----------
    samples : array_like, shape (n,)
        Independent draws.
    cdf : callable
        Continuous distribution function, evaluated on the sorted draws at once.

    Returns
    -------
    Estimate
        ``sup |F_n - cdf|`` (the Kolmogorov-Smirnov distance). The interval covers
        ``sup |F - cdf|``, F being the law of the draws; it is valid at every `n`.

    Raises
    ------
    ValueError
        If draws are not finite, or if `cdf` leaves [0, 1] or returns another shape.

    References
    ----------
    P. Massart, The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality, Ann. Probab. 18
    (1990); the triangle inequality turns its band into this interval.

    Examples
    --------
    >>> round(distribution_distance_estimate([0.25, 0.75], lambda x: x).value, 6)
    0.25
    """
    x = np.sort(_finite("samples", check_array("samples", samples, ndim=1, finite=False)))
    n = check_int("samples (count)", x.size, lower=1)
    law = check_array("cdf", cdf(x), shape=(n,))
    check_real("cdf (smallest value)", float(law.min()), lower=0)
    check_real("cdf (largest value)", float(law.max()), upper=1)
    rank = np.arange(1, n + 1)
    distance = float(max(np.max(rank / n - law), np.max(law - (rank - 1) / n)))
    return Estimate(distance, n, "Dvoretzky-Kiefer-Wolfowitz", math.nan, Kolmogorov(distance, n))


def exact_estimate(value: float, n: int = 1) -> Estimate:
    """Wrap a deterministic number; its interval is a point.

    Parameters
    ----------
    value : float
        Finite number, such as the largest residual of an identity.
    n : int
        Instances that it summarises.

    Returns
    -------
    Estimate
        With standard error 0.

    Examples
    --------
    >>> exact_estimate(1e-16, n=50)
    Estimate(1e-16, interval=(1e-16, 1e-16), n=50, se=0, method='exact')
    """
    return Estimate(check_real("value", value), check_int("n", n, lower=1), "exact", 0.0)


def _student(name: str, values: NDArray[np.float64]) -> Estimate:
    n = check_int(f"{name} (replicates)", values.size, lower=MIN_REPLICATES)
    value = float(values.mean())
    se = 0.0 if np.ptp(values) == 0 else float(values.std(ddof=1)) / math.sqrt(n)
    return Estimate(value, n, "Student t", se, Student(value, se, n - 1))


def _binomial(name: str, count: int, n: int, method: str) -> Estimate:
    n = check_int("n", n, lower=1)
    count = check_int(name, count, lower=0, upper=n)
    p = count / n
    return Estimate(p, n, method, math.sqrt(p * (1 - p) / n), Binomial(count, n))


def _finite(name: str, array: NDArray[Any]) -> NDArray[np.float64]:
    """Return `array`, or raise and say how many of its values are no numbers."""
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise ValueError(
            f"{name} must be finite; got {bad} non-finite of {array.size} "
            "(divergence is data: record it as a stop reason or an indicator)"
        )
    return array
