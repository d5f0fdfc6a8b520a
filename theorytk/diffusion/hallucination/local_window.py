"""A signal with at most one box, and its best denoiser among those that see a window only.

What a local denoiser cannot see it cannot forbid: two boxes, which the data never have, appear far
from each other. No training is needed to show it, for the posterior mean is a finite sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.diffusion.hallucination.chain import levels
from theorytk.diffusion.schedules import VPDiscrete

__all__ = ["BoxSignals", "LocalWindowDenoiser"]

Array = np.ndarray


@dataclass(frozen=True)
class BoxSignals:
    """Signals of -1 in which one box of +1 is present or not.

    Parameters
    ----------
    length : int
        Pixels L.
    width : int
        Pixels of the box, 1 <= width < L. All L - width + 1 positions are equally likely.
    presence : float
        Probability of a box, strictly between 0 and 1.

    Examples
    --------
    >>> signals = BoxSignals(length=5, width=2)
    >>> signals.supports([[-1, 1, 1, -1, -1], [1, 1, -1, 1, 1], [-1, 1, 1, 1, -1]])
    array([ True, False, False])
    """

    length: int = 32
    width: int = 4
    presence: float = 0.5

    def __post_init__(self) -> None:
        check_int("length", self.length, lower=2)
        check_int("width", self.width, lower=1, upper=self.length - 1)
        check_real(
            "presence", self.presence, lower=0.0, upper=1.0, lower_open=True, upper_open=True
        )

    @property
    def n_positions(self) -> int:
        """The number of places for the box."""
        return self.length - self.width + 1

    def sample(self, n: int, rng: int | np.random.Generator | None = None) -> Array:
        """Return n signals, (n, L)."""
        n, rng = check_int("n", n, lower=1), as_generator(rng)
        offset = np.arange(self.length) - rng.integers(self.n_positions, size=n)[:, None]
        box = (offset >= 0) & (offset < self.width) & (rng.random((n, 1)) < self.presence)
        return np.where(box, 1.0, -1.0)

    def count_boxes(self, x: Any) -> Array:
        """Return the number of runs of positive pixels in each signal of (n, L), (n,)."""
        x = check_array("x", x, shape=(None, self.length))
        starts = np.diff(x > 0, axis=1, prepend=False) & (x > 0)
        return np.asarray(starts.sum(axis=1))

    def supports(self, x: Any) -> Array:
        """Return whether the signs of each signal of (n, L) are those of a possible one, (n,)."""
        count, positive = self.count_boxes(x), (np.asarray(x) > 0).sum(axis=1)
        possible: Array = (count == 0) | ((count == 1) & (positive == self.width))
        return possible


@dataclass(frozen=True)
class LocalWindowDenoiser:
    """The posterior mean of each pixel given the noisy pixels within a radius.

    A denoiser: a function of points (n, L) and a label.

    Parameters
    ----------
    schedule : VPDiscrete
        The schedule.
    radius : int or None
        Pixels seen on either side, >= 0; ``None`` is all.
    signals : BoxSignals
        The law of the data.

    References
    ----------
    Derived here: a pixel y is N(alpha, sigma^2) in the box and N(-alpha, sigma^2) outside, so that
    the window's likelihood with a box at p is exp(2 alpha / sigma^2 sum of y) times that without a
    box, the sum over the pixels of the box that are in the window. The posterior mean is
    2 P(pixel in the box) - 1.

    Examples
    --------
    >>> schedule = VPDiscrete(alphas_cumprod=[0.5, 0.1])
    >>> denoiser = LocalWindowDenoiser(schedule, radius=0, signals=BoxSignals(2, 1))
    >>> denoiser([[0.0, 0.0]], 0)
    array([[-0.5, -0.5]])
    """

    schedule: VPDiscrete
    radius: int | None = None
    signals: BoxSignals = BoxSignals()

    def __post_init__(self) -> None:
        levels(self.schedule)
        if self.radius is not None:
            check_int("radius", self.radius, lower=0)

    def __call__(self, x: Any, t: int) -> Array:
        """Return the predictions of x_0 at signals x_t, (n, L)."""
        x = check_array("x", x, shape=(None, self.signals.length))
        alpha, sigma = self._levels
        t = check_int("t", t, lower=0, upper=alpha.size - 1)
        sums = np.zeros((x.shape[1] + 1, len(x)))
        np.cumsum(x.T, axis=0, out=sums[1:])
        sums *= 2 * alpha[t] / sigma[t] ** 2
        value: Array = np.empty_like(x)
        for i, (first, last, holds) in enumerate(self._windows):
            odds = sums[last] - sums[first]
            top = np.maximum(odds.max(axis=0), 0.0)
            np.exp(odds - top, out=odds)
            inside, total = odds[holds].sum(axis=0), odds.sum(axis=0)
            # A box out of sight has the odds 1, as no box has.
            unseen = self._odds_of_none + self.signals.n_positions - first.size
            value[:, i] = 2 * inside / (total + unseen * np.exp(-top)) - 1
        return value

    @cached_property
    def _levels(self) -> tuple[Array, Array]:
        return levels(self.schedule)

    @property
    def _odds_of_none(self) -> float:
        """The prior odds of no box against one at a given place."""
        return self.signals.n_positions * (1 / self.signals.presence - 1)

    @cached_property
    def _windows(self) -> list[tuple[Array, Array, Array]]:
        """Return for each pixel the parts that it sees of boxes, and which of these hold it."""
        length, width = self.signals.length, self.signals.width
        radius = length if self.radius is None else self.radius
        place = np.arange(self.signals.n_positions)
        windows = []
        for i in range(length):
            first = np.maximum(place, i - radius)
            last = np.minimum(place + width, i + radius + 1)
            seen, holds = last > first, (place <= i) & (i < place + width)
            windows.append((first[seen], last[seen], holds[seen]))
        return windows
