"""Integrals of the tabled statistics l, s and b that DPM-Solver-v3 needs, over a step.

With L and S the integrals of l and s from the start of a step, E = exp(L + S), and
beta = int exp(-S) b, a step needs L, S and beta at single points, and the integrals of E u^k and
of E beta, u = (lambda - lambda_s) / h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.polynomial import Legendre, legendre
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import CubicSpline

if TYPE_CHECKING:
    from theorytk.diffusion.tuning.statistics import ModelStatistics

__all__ = ["TABLES", "Path", "StepIntegrals", "make_tables", "step_integrals"]

Array = np.ndarray

TABLES = ("cubic", "trapezoid")
"""How l, s and b are continued between the nodes, and integrated."""

# Gauss points in each panel between two nodes; they integrate smooth functions to round-off.
POINTS = 6


class Path(NamedTuple):
    """Points (p,) from one lambda to another, weights of integrals over them, tables (p, *event).

    `end` holds L, S and beta at the path's end.
    """

    lam: Array
    weights: Array
    linear: Array
    scaling: Array
    offset: Array
    end: tuple[Array, Array, Array]


class StepIntegrals(NamedTuple):
    """L at the end of a step, the integrals of E u^k, k < n, shape (n, *event), and of E beta."""

    linear: Array
    moments: Array
    offset: Array


class CubicTables:
    """Cubic splines through the statistics, whose integrals are exact but for rounding.

    Any smooth l, s and b make the solver's formula exact if their integrals are, so that nothing
    is lost between the nodes.
    """

    def __init__(self, statistics: ModelStatistics) -> None:
        self.lam = statistics.lam
        self.linear, self.scaling, self.bias = (
            CubicSpline(self.lam, table)
            for table in (statistics.linear, statistics.scaling, statistics.bias)
        )
        self.sums = self.linear.antiderivative(), self.scaling.antiderivative()
        # Exact integrals of the polynomial through the Gauss points, from the panel's start.
        nodes, weights = legendre.leggauss(POINTS)
        basis = [
            Legendre.fit(nodes, unit, POINTS - 1, domain=[-1, 1]).integ(lbnd=-1)
            for unit in np.eye(POINTS)
        ]
        self.rule = (nodes + 1) / 2, weights / 2, np.array([p(nodes) for p in basis]).T / 2

    def snapped(self, lam: Array) -> Array:
        """Return where steps may end: anywhere."""
        return lam

    def path(self, start: float, end: float) -> Path:
        """Return the Gauss points of all panels from `start` to `end`."""
        between = self.lam[(self.lam > start) & (self.lam < end)]
        breaks = np.concatenate([[start], between, [end]])
        shares, weights, cumulative = self.rule
        lengths = np.diff(breaks)
        lam = breaks[:-1, None] + lengths[:, None] * shares
        linear, scaling = (sums(lam) - sums(start) for sums in self.sums)
        rate = np.exp(-scaling) * self.bias(lam)
        panels = np.cumsum(np.einsum("p,pm...,m->p...", lengths, rate, weights), axis=0)
        offset = np.einsum("p,pm...,im->pi...", lengths, rate, cumulative)
        offset[1:] += panels[:-1, None]
        event = self.bias.c.shape[2:]
        at_end = (*(sums(end) - sums(start) for sums in self.sums), panels[-1])
        return Path(
            lam.ravel(),
            (lengths[:, None] * weights).ravel(),
            linear.reshape(-1, *event),
            scaling.reshape(-1, *event),
            offset.reshape(-1, *event),
            at_end,
        )


class TrapezoidTables:
    """Cumulative trapezoids on the nodes, as in the released code: steps must end on nodes."""

    def __init__(self, statistics: ModelStatistics) -> None:
        self.lam, self.table = statistics.lam, statistics
        self.linear = self._at_node

    def _at_node(self, lam: float) -> Array:
        value: Array = self.table.linear[self._index(lam)]
        return value

    def _index(self, lam: float) -> int:
        return int(np.abs(self.lam - lam).argmin())

    def snapped(self, lam: Array) -> Array:
        """Return the nodes nearest to where steps end; no two may be the same."""
        indices = [self._index(float(at)) for at in lam]
        if len(set(indices)) < len(indices):
            shortest, span = np.diff(lam).min(), self.lam[-1] - self.lam[0]
            raise ValueError(
                "statistics must have nodes for all steps with table 'trapezoid', but two steps "
                f"end on one of {len(self.lam)}; {int(np.ceil(span / shortest)) + 1} equally "
                "spaced nodes are enough"
            )
        return self.lam[indices]

    def path(self, start: float, end: float) -> Path:
        """Return the nodes from `start` to `end`."""
        nodes = slice(self._index(start), self._index(end) + 1)
        lam = self.lam[nodes]
        linear, scaling = (
            cumulative_trapezoid(table[nodes], lam, axis=0, initial=0)
            for table in (self.table.linear, self.table.scaling)
        )
        rate = np.exp(-scaling) * self.table.bias[nodes]
        offset = cumulative_trapezoid(rate, lam, axis=0, initial=0)
        weights = np.convolve(np.diff(lam), [0.5, 0.5])
        return Path(lam, weights, linear, scaling, offset, (linear[-1], scaling[-1], offset[-1]))


def make_tables(statistics: ModelStatistics, table: str) -> CubicTables | TrapezoidTables:
    """Return the tables of statistics."""
    return CubicTables(statistics) if table == "cubic" else TrapezoidTables(statistics)


def step_integrals(path: Path, start: float, end: float, n: int) -> StepIntegrals:
    """Return the integrals over a step along its path, with the moments of u^k, k < n."""
    powers = ((path.lam - start) / (end - start)) ** np.arange(n)[:, None]
    growth = np.exp(path.linear + path.scaling)
    moments = np.einsum("p,p...,kp->k...", path.weights, growth, powers)
    offset = np.einsum("p,p...,p...->...", path.weights, growth, path.offset)
    return StepIntegrals(path.end[0], moments, offset)
