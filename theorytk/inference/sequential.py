"""Verdicts on a stream of bounded values, taken as soon as they can be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorytk._validation import check_array, check_int, check_real
from theorytk.inference.betting import (
    FRACTIONS,
    SMALLEST,
    check_range,
    log_gains,
    log_mixture,
    to_unit,
)
from theorytk.inference.estimates import LEVEL, Estimate, bounded_mean_estimate
from theorytk.inference.judging import Judgement, Verdict, judge
from theorytk.inference.regions import Region

__all__ = ["sequential_verdict"]


def sequential_verdict(
    stream: Iterable[ArrayLike],
    region: Region,
    *,
    lower: float = 0.0,
    upper: float = 1.0,
    level: float = LEVEL,
    max_n: int | None = None,
) -> Judgement:
    """Judge the mean of a stream of bounded values, and stop as soon as it is decided.

    This is `judge` on `bounded_mean_estimate` after every value: because that interval is valid
    at all n at once, looking costs nothing. A true statement is ever contradicted with
    probability at most ``level / 2`` (`level` for `Between`), and one that fails by more than the
    margin is ever supported with probability at most ``level / 2``.

    Parameters
    ----------
    stream : iterable of float or of array_like, shape (b,)
        Values within ``[lower, upper]``, one by one or in blocks; drawn no further than needed,
        up to the block. False discovery proportions of successive replicates, say.
    region : Region
        `AtMost`, `AtLeast` or `Between`, in the unit of the values.
    lower, upper : float
        What the values cannot leave, known beforehand.
    level : float
        Error probability of the interval, between 0 and 1.
    max_n : int or None
        Most values to use, >= 2; ``None`` leaves it to the stream to end.

    Returns
    -------
    Judgement
        ``verdict`` (undecided when the values ran out), ``estimate.n`` (values used) and
        ``interval``.

    Raises
    ------
    ValueError
        If a value lies outside the range, or if the stream holds fewer than two.
    TypeError
        If `region` is no region.

    References
    ----------
    `betting_interval` says why it may be looked at after every value.

    Examples
    --------
    >>> from theorytk.inference import AtMost
    >>> rng = np.random.default_rng(0)
    >>> fdp = (rng.beta(2, 18, size=100) for _ in range(1000))  # of mean 0.1
    >>> found = sequential_verdict(fdp, AtMost(0.1, margin=0.02))
    >>> str(found.verdict), found.estimate.n
    ('supported', 584)
    >>> fdp = (rng.beta(3, 17, size=100) for _ in range(1000))  # of mean 0.15
    >>> found = sequential_verdict(fdp, AtMost(0.1, margin=0.02))
    >>> str(found.verdict), found.estimate.n
    ('contradicted', 53)
    """
    if not isinstance(region, Region):
        raise TypeError(f"region must be AtMost, AtLeast or Between; got {region!r}")
    level = check_real("level", level, lower=0, upper=1, lower_open=True, upper_open=True)
    most = math.inf if max_n is None else check_int("max_n", max_n, lower=2)
    lower, upper = check_range(lower, upper)
    watch = _Watch(region, lower, upper, level)
    blocks: list[NDArray[np.float64]] = []
    seen = 0
    for item in stream:
        block = check_array("stream (item)", np.atleast_1d(np.asarray(item)), ndim=1)
        block = block[: int(min(most - seen, len(block)))]
        decided = seen + 1 + np.flatnonzero(watch.decided(to_unit(block, lower, upper)))
        blocks.append(block)
        seen += len(block)
        for n in decided[decided >= 2]:
            found = judge(_estimate(blocks, int(n), lower, upper), region, level=level)
            if found.verdict != Verdict.UNDECIDED:  # the two may differ in the last digit
                return found
        if seen >= most:
            break
    return judge(_estimate(blocks, seen, lower, upper), region, level=level)


def _estimate(blocks: list[NDArray[np.float64]], n: int, lower: float, upper: float) -> Estimate:
    values = np.concatenate(blocks) if blocks else np.empty(0)
    return bounded_mean_estimate(values[:n], lower, upper)


class _Watch:
    """The capitals at the ends of a region: which means an interval would exclude."""

    def __init__(self, region: Region, lower: float, upper: float, level: float) -> None:
        width, wanted = upper - lower, math.log(2 / level)

        def above(end: float) -> _Hand:
            return _Hand((end - lower) / width, False, wanted)

        def below(end: float) -> _Hand:
            return _Hand((upper - end) / width, True, wanted)

        self.beyond = [above(region.hi), below(region.lo)]
        self.within = [above(region.lo - region.margin), below(region.hi + region.margin)]

    def decided(self, x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell after each further value of [0, 1] whether the statement is decided."""
        contradicted = np.logical_or(*[hand.excludes(x, strictly=True) for hand in self.beyond])
        supported = np.logical_and(*[hand.excludes(x, strictly=False) for hand in self.within])
        return contradicted | supported


@dataclass
class _Hand:
    """Bets on a mean above m (or, of values turned round, 1 - mean above m)."""

    m: float
    turned: bool
    wanted: float
    log_capitals: NDArray[np.float64] = field(default_factory=lambda: np.zeros((len(FRACTIONS), 1)))

    def excludes(self, x: NDArray[np.float64], *, strictly: bool) -> NDArray[np.bool_]:
        """Tell after each value whether the interval lies above m (or, not strictly, at it)."""
        if self.m < 0 or (self.m == 0 and not strictly):
            return np.ones(x.shape, dtype=bool)
        if self.m >= 1:
            return np.zeros(x.shape, dtype=bool)
        gains = log_gains(1 - x if self.turned else x, max(self.m, SMALLEST))
        path = np.cumsum(np.hstack([self.log_capitals, gains]), axis=1)[:, 1:]
        if x.size:
            self.log_capitals = path[:, -1:]
        return np.asarray(log_mixture(path) > self.wanted)
