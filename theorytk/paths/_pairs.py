"""All pairs of a block of sources and the points: what the separation function is summed from."""

from __future__ import annotations

import itertools
from typing import Any

import array_api_compat
import numpy as np

from theorytk.paths._kernels import posterior_distances
from theorytk.paths.datasets import Array, DataSet, like


class PairBlock:
    """All pairs of some sources x_i and the points x_l, in the array library of the points."""

    def __init__(self, data: DataSet, rows: Any, noise: Any) -> None:
        self.xp = array_api_compat.array_namespace(data.points)
        self.data, self.noise = data, noise
        self.sources = data.points[like(rows, data.points), :]
        self.weights = like(data.weights, data.points)
        own = (np.arange(len(rows)), rows)
        squares = self.xp.vecdot(data.points, data.points)
        squared = self.sources @ data.points.T
        squared *= -2
        squared += squares
        squared += self.xp.vecdot(self.sources, self.sources)[:, None]
        squared[own] = 0
        # |x_l - x_i|^2 and z_i.(x_l - x_i)
        squared[squared < 0] = 0
        self.squared_distances = squared
        self.shifts = noise @ data.points.T
        self.shifts -= self.xp.asarray(self.shifts[own], copy=True)[:, None]

    def distances(self, shares: Array, s: Array) -> Array:
        """Return the mean over both signs of sum_i shares_i sum_l w_il |x_l - x_i|^2 at every s."""
        if array_api_compat.is_numpy_array(self.shifts):
            return np.asarray(
                posterior_distances(
                    self.squared_distances, self.shifts, self.data.weights, shares, s
                )
            )
        shares = like(shares, self.shifts)
        sums = np.zeros(len(s))
        for k, sign in itertools.product(range(len(s)), (1, -1)):
            w = self.posterior(slice(None), float(s[k]), sign)
            means = self.xp.sum(w * self.squared_distances, axis=1) / self.xp.sum(w, axis=1)
            sums[k] += float(shares @ means) / 2
        return sums

    def linear_gamma(self, part: slice, shares: Array, s: float) -> float:
        """Return gamma at s from what a linear estimate misses, for a part of the sources."""
        total, shares = 0.0, like(shares, self.shifts)
        for sign in (1, -1):
            w = self.posterior(part, s, sign)
            mean = (w @ self.data.points) / self.xp.sum(w, axis=1)[:, None]
            y = s * self.sources[part] + sign * self.noise[part]
            missed = mean - s / (1 + s * s) * y
            total += float(shares @ self.xp.vecdot(missed, missed)) / 2
        return (1 + s * s) * total / self.data.d

    def posterior(self, part: slice, s: float, sign: int) -> Any:
        """Return posterior weights relative to that of the source: no maximum is needed.

        Whatever s is, the logits are at most (z.e)^2 / 2 with e a unit vector.
        """
        logits = (sign * s) * self.shifts[part] - (0.5 * s * s) * self.squared_distances[part]
        return self.weights * self.xp.exp(logits)
