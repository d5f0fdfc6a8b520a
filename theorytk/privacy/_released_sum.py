"""Several releases whose answers add up, and the noise and bias of their sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from theorytk.privacy._arguments import Array
from theorytk.privacy._noise_law import noise_quantile
from theorytk.privacy.answering import as_answering, as_counting
from theorytk.privacy.linear_mechanism import LinearMechanism

# Queries whose noise is analysed at a time: a tree has hundreds of components for each.
CHUNK = 512


@dataclass(frozen=True)
class Part:
    """One release: of a coordinate of the points, or of all of them; answers count `factor`."""

    columns: int | slice
    mechanism: LinearMechanism
    factor: float
    table: Array


@dataclass(frozen=True)
class ReleasedSum:
    """Releases with independent noise; queries are in units of their boxes, shape (q, d).

    Asked for what a mechanism among them cannot do, its methods raise TypeError.
    """

    parts: list[Part]

    @property
    def mechanisms(self) -> list[LinearMechanism]:
        """What was released, for audits."""
        return [part.mechanism for part in self.parts]

    @property
    def kind(self) -> str:
        """Kind of the noise, the same in all."""
        return self.parts[0].mechanism.kind

    def answers(self, y: Array) -> Array:
        """Return the estimated sums, shape (q,)."""
        total = np.zeros(len(y))
        for part in self.parts:
            answers = as_answering(part.mechanism).answers(part.table, y[:, part.columns])
            total += part.factor * answers
        return total

    def count(self) -> float:
        """Return the mean of the released numbers of points."""
        counts = [as_counting(part.mechanism).count(part.table) for part in self.parts]
        return float(np.mean(counts))

    def count_quantile(self, coverage: float) -> float:
        """Return what the error of `count` keeps with this probability."""
        pairs = [as_counting(part.mechanism).count_components for part in self.parts]
        variances, counts = (np.concatenate(arrays, axis=1) for arrays in zip(*pairs, strict=True))
        quantile = noise_quantile(variances / len(pairs) ** 2, counts, self.kind, coverage)
        return float(quantile[0])

    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return how far below and above a point's share can lie in an answer without noise."""
        below, above = np.zeros(len(y)), np.zeros(len(y))
        for part in self.parts:
            down, up = as_answering(part.mechanism).bias_per_point(y[:, part.columns])
            below, above = below + part.factor * down, above + part.factor * up
        return below, above

    def noise_std(self, y: Array) -> Array:
        """Return the standard deviations of the noise of the answers, shape (q,)."""
        return self._by_chunks(y, lambda variances, _: np.sqrt(variances.sum(axis=1)))

    def noise_quantile(self, y: Array, coverage: float) -> Array:
        """Return what the noise of each answer keeps with this probability, shape (q,)."""
        if self.kind == "gaussian":
            one = noise_quantile(np.ones((1, 1)), np.ones((1, 1)), self.kind, coverage)
            return self.noise_std(y) * one
        return self._by_chunks(
            y, lambda variances, counts: noise_quantile(variances, counts, self.kind, coverage)
        )

    def _by_chunks(self, y: Array, law: Callable[[Array, Array], Array]) -> Array:
        out = np.empty(len(y))
        for i in range(0, len(y), CHUNK):
            out[i : i + CHUNK] = law(*self._components(y[i : i + CHUNK]))
        return out

    def _components(self, y: Array) -> tuple[Array, Array]:
        """Return (variances, counts) of the noises of the answers, of shape (q, k)."""
        variances, counts = [], []
        for part in self.parts:
            mechanism = as_answering(part.mechanism)
            noise, number = mechanism.noise_components(y[:, part.columns])
            variances.append(part.factor**2 * noise)
            counts.append(number)
        return np.concatenate(variances, axis=1), np.concatenate(counts, axis=1)
