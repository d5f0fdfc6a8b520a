"""Steps of DPM-Solver-v3 along tabled statistics, as coefficients of states and outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from theorytk.diffusion.instructions import Coefficient
from theorytk.diffusion.samplers._v3_tables import CubicTables, TrapezoidTables, step_integrals

__all__ = ["StepCoefficients", "V3Steps", "as_coefficient"]

Array = np.ndarray
Tables = CubicTables | TrapezoidTables


class StepCoefficients(NamedTuple):
    """Coefficients of the state at a step's start, of outputs f at its nodes, and the constant."""

    state: Array
    outputs: list[Array]
    constant: Array


class V3Steps:
    """The steps of a grid; the output f is (sigma eps - l x) / alpha."""

    def __init__(self, alpha: Array, lam: Array, tables: Tables) -> None:
        self.alpha, self.lam, self.tables = alpha, lam.tolist(), tables
        self.paths = [tables.path(start, end) for start, end in pairwise(self.lam)]

    def linear(self, i: int) -> Array:
        """Return the coefficient of the state in the output at node i."""
        coefficient: Array = -self.tables.linear(self.lam[i]) / self.alpha[i]
        return coefficient

    def growth(self, i: int) -> Array:
        """Return E = exp(L + S) at the end of step i."""
        linear, scaling, _ = self.paths[i].end
        growth: Array = np.exp(linear + scaling)
        return growth

    def coefficients(
        self, i: int, nodes: Sequence[int], weigh: Callable[[list[float], Array], Array]
    ) -> StepCoefficients:
        """Return those of step i with the outputs at `nodes`, of which i is first.

        The function `weigh` takes the nodes in units of the step and the moments of E, and returns
        the weights of the outputs.
        """
        start, end = self.lam[i], self.lam[i + 1]
        step = step_integrals(self.paths[i], start, end, len(nodes))
        places = [(self.lam[j] - start) / (end - start) for j in nodes]
        offset, outputs = step.offset, []
        gain = self.alpha[i + 1] * np.exp(-step.linear)
        for j, weight in zip(nodes, weigh(places, step.moments), strict=True):
            scaling, shift = self._between(i, j)
            offset = offset - weight * shift
            outputs.append(-gain * (weight * np.exp(-scaling)))
        return StepCoefficients(gain / self.alpha[i], outputs, -gain * offset)

    def _between(self, i: int, j: int) -> tuple[Array, Array]:
        """Return the integrals of s and of exp(-S) b from node i to node j <= i + 1."""
        if j > i:
            return self.paths[i].end[1:]
        scaling, shift = np.zeros(()), np.zeros(())
        for m in range(i - 1, j - 1, -1):
            _, rise, beta = self.paths[m].end
            scaling = scaling - rise
            shift = shift - np.exp(-scaling) * beta
        return scaling, shift


def as_coefficient(c: Any) -> Coefficient:
    """Return a coefficient as a float or as an array of float64."""
    return float(c) if np.ndim(c) == 0 else np.asarray(c, dtype=np.float64)
