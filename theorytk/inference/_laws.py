"""How an estimate errs: its interval at any level, and the least departure that it catches."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

from theorytk.inference.betting import betting_interval

POWER = 0.99
"""Power with which a departure counts as caught (see `Law.departure`)."""

Interval = tuple[float, float]


class Law(Protocol):
    """What makes an interval out of an estimate."""

    def interval(self, level: float) -> Interval:
        """Return the two-sided interval with error probability `level`."""

    def departure(self, bound: float, above: bool, level: float) -> float:
        """Return the least departure beyond `bound` at which the interval excludes it.

        The power is `POWER`; ``inf`` means that no departure is caught so surely.
        """


@dataclass(frozen=True)
class Student:
    """Student's t with `df` degrees of freedom, widened on both sides by `bias`."""

    value: float
    se: float
    df: int
    bias: float = 0.0

    def interval(self, level: float) -> Interval:
        half = self.bias + (self._quantile(level) * self.se if self.se else 0.0)
        return self.value - half, self.value + half

    def departure(self, bound: float, above: bool, level: float) -> float:
        if not self.se:
            return 2 * self.bias
        shift = float(special.nctdtrinc(self.df, 1 - POWER, self._quantile(level)))
        return 2 * self.bias + shift * self.se

    def _quantile(self, level: float) -> float:
        return -float(special.stdtrit(self.df, level / 2))


@dataclass(frozen=True)
class Binomial:
    """Clopper-Pearson: the probability behind `successes` in `n` trials."""

    successes: int
    n: int

    def interval(self, level: float) -> Interval:
        from statsmodels.stats.proportion import proportion_confint

        lo, hi = proportion_confint(self.successes, self.n, alpha=level, method="beta")
        return float(lo), float(hi)

    def departure(self, bound: float, above: bool, level: float) -> float:
        if not above:
            return self.departure(1 - bound, True, level)
        if bound >= 1:
            return 0.0
        floor = max(bound, 0.0)
        counts = range(1, self.n + 1)
        index = bisect_left(counts, True, key=lambda k: self._tail(k, floor) < level / 2)
        if index == self.n:
            return math.inf
        least = counts[index]
        return float(special.betaincinv(least, self.n - least + 1, POWER)) - floor

    def _tail(self, k: int, p: float) -> float:
        """Return the probability of at least `k` successes."""
        return float(special.betainc(k, self.n - k + 1, p))


@dataclass(frozen=True, eq=False)
class Betting:
    """The betting interval for the mean of values in ``[lower, upper]``."""

    values: NDArray[np.float64]
    lower: float
    upper: float

    def interval(self, level: float) -> Interval:
        return betting_interval(self.values, level, self.lower, self.upper)

    def departure(self, bound: float, above: bool, level: float) -> float:
        # To first order: the half-width of this sample, and the spread of the mean.
        lo, hi = self.interval(level)
        mean = float(self.values.mean())
        se = float(self.values.std(ddof=1)) / math.sqrt(self.values.size)
        return (mean - lo if above else hi - mean) + float(special.ndtri(POWER)) * se


@dataclass(frozen=True)
class Kolmogorov:
    """The Dvoretzky-Kiefer-Wolfowitz band around the sup distance of `n` draws to a cdf."""

    value: float
    n: int

    def interval(self, level: float) -> Interval:
        half = self._band(level)
        return max(0.0, self.value - half), min(1.0, self.value + half)

    def departure(self, bound: float, above: bool, level: float) -> float:
        return self._band(level) + self._band(1 - POWER)

    def _band(self, level: float) -> float:
        return math.sqrt(math.log(2 / level) / (2 * self.n))


@dataclass(frozen=True)
class Undecided:
    """No interval can be given."""

    def interval(self, level: float) -> Interval:
        return -math.inf, math.inf

    def departure(self, bound: float, above: bool, level: float) -> float:
        return math.inf
