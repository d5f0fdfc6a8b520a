"""How an estimate errs: its interval at any level, and the least departure that it catches."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

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
    """The hedged capital interval for the mean of values in ``[lower, upper]``."""

    values: NDArray[np.float64]
    lower: float
    upper: float

    def interval(self, level: float) -> Interval:
        width = self.upper - self.lower
        x = np.clip((self.values - self.lower) / width, 0.0, 1.0)
        # When values drift, the limits can cross or miss the mean: the interval keeps the mean.
        lo = min(float(betting_lower(x, level)), float(x.mean()))
        hi = max(float(1 - betting_lower(1 - x, level)), float(x.mean()))
        return self.lower + width * lo, self.lower + width * hi

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


def betting_lower(x: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Return the largest mean m that bets on more than m reject at ``level / 2``.

    Values are in [0, 1], of shape (..., n). The running maximum of the capital falls with m, so
    that bisection finds it; the end returned is one that is rejected (or 0).
    """
    bets = _bets(x, level)
    lo = np.zeros(x.shape[:-1])
    hi = np.ones(x.shape[:-1])
    for _ in range(50):
        mid = (lo + hi) / 2
        m = mid[..., None]
        gains = np.log1p(np.minimum(bets, 0.5 / m) * (x - m))
        rejected = np.cumsum(gains, axis=-1).max(axis=-1) >= math.log(2 / level)
        lo = np.where(rejected, mid, lo)
        hi = np.where(rejected, hi, mid)
    return lo


def _bets(x: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Return the predictable bets: each knows the values before it only."""
    n = x.shape[-1]
    t = np.arange(1, n + 1)
    mean = (0.5 + np.cumsum(x, axis=-1)) / (t + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2, axis=-1)) / (t + 1)
    before = np.concatenate([np.full((*x.shape[:-1], 1), 0.25), variance[..., :-1]], axis=-1)
    return np.asarray(np.sqrt(2 * math.log(2 / level) / (n * before)))
