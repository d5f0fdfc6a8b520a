"""DPM-Solver-v3: exponential steps along the statistics of a model, with exact integrals."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_choice, check_int
from theorytk.diffusion.instructions import Coefficient
from theorytk.diffusion.plans import Eval, Instruction, Lin, Ones, Plan, check_times
from theorytk.diffusion.samplers._v3_tables import (
    TABLES,
    CubicTables,
    TrapezoidTables,
    make_tables,
    step_integrals,
)
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.tuning.statistics import ModelStatistics

__all__ = ["dpm_v3", "v3_weights"]

Array = np.ndarray
Tables = CubicTables | TrapezoidTables


def dpm_v3(
    schedule: NoiseSchedule,
    times: Any,
    *,
    statistics: ModelStatistics,
    order: int = 3,
    corrector: bool = True,
    pseudo_predictor: bool = False,
    pseudo_corrector: bool = False,
    lower_order_final: bool = True,
    table: str = "cubic",
    bootstrap: int = 0,
) -> Plan:
    """Return DPM-Solver-v3 as a plan.

    A step multiplies by exp(-L) and integrates exp(L + S) g exactly, where g is the polynomial in
    lambda through the last transformed outputs; L, S and the offset come from the statistics. The
    corrector repeats a step with the output at its end, which later steps use too: it costs no
    evaluation, and like the released one is left out at the end and for steps of one output.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing, within the range of the statistics.
    statistics : ModelStatistics
        Of the model, or of one like it.
    order : int
        How many outputs a step uses, >= 1: the order of convergence, with or without corrector.
        The first steps use as many as there are.
    corrector : bool
        Whether every predicted state is corrected.
    pseudo_predictor, pseudo_corrector : bool
        Whether derivatives are replaced by divided differences, which from order 3 on leaves
        order 2. The pseudo-corrector takes one output more, as released.
    lower_order_final : bool
        Whether the order falls to 1 over the last steps.
    table : {"cubic", "trapezoid"}
        ``"cubic"`` takes the statistics as cubic splines and integrates to round-off.
        ``"trapezoid"`` is as released: cumulative sums at the nodes, to which the times are moved.
    bootstrap : int
        The number b of steps whose exact states ``x0..xb`` the caller gives.

    Returns
    -------
    Plan
        With one evaluation per step; its coefficients are per coordinate if the statistics are.

    Raises
    ------
    ValueError
        If an argument is out of range, the statistics do not cover the times, or with
        ``"trapezoid"`` two steps end on one node.

    Warns
    -----
    UserWarning
        If there are fewer steps than `order`: the plan then never reaches it.

    References
    ----------
    K. Zheng, C. Lu, J. Chen and J. Zhu, DPM-Solver-v3 (NeurIPS 2023), and their released code,
    which the trapezoid repeats. Exact integrals of splines, and the orders of the corrector and of
    the pseudo variants: derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> from theorytk.diffusion.targets import GaussianTarget
    >>> from theorytk.diffusion.tuning.statistics import gaussian_statistics
    >>> statistics = gaussian_statistics(GaussianTarget([1.0], 0.1), VPLinear())
    >>> dpm_v3(VPLinear(), [0.9, 0.5, 0.2, 0.05], statistics=statistics).n_evaluations
    3
    """
    grid = check_times(schedule, times)
    order = check_int("order", order, lower=1)
    check_choice("table", table, TABLES)
    n_steps = len(grid) - 1
    first = check_int("bootstrap", bootstrap, lower=0, upper=n_steps - 1)
    if n_steps < order:
        warnings.warn(f"{n_steps} steps never reach order {order}", UserWarning, stacklevel=2)
    lam = _within(statistics, schedule.lam(grid))
    tables = make_tables(statistics, table)
    lam = tables.snapped(lam)
    if table == "trapezoid":
        grid = check_times(schedule, np.clip(schedule.t_of_lam(lam), grid[-1], grid[0]))
    steps = _Steps(schedule, grid, lam, tables)
    instructions: list[Instruction] = [Ones("one")]
    for i in range(first):
        instructions += steps.output(i, f"x{i}")
    for i in range(first, n_steps):
        used = min(order, i + 1, n_steps - i if lower_order_final else order)
        history = list(range(i, i - used, -1))
        corrected = corrector and i + 1 < n_steps and used + pseudo_corrector > 1
        if i == first:
            instructions += steps.output(i, f"x{i}")
        predicted = f"p{i + 1}" if corrected else f"x{i + 1}"
        instructions.append(steps.step(predicted, i, history, pseudo_predictor))
        if i + 1 < n_steps:
            instructions += steps.output(i + 1, predicted)
        if corrected:
            older = history[1 : used - 1 + pseudo_corrector]
            nodes = [i, i + 1, *older]
            instructions.append(steps.step(f"x{i + 1}", i, nodes, pseudo_corrector))
    return Plan(
        f"dpm_v3-{order}{' with corrector' if corrector else ''} ({table})",
        schedule,
        grid,
        tuple(instructions),
        tuple(f"x{i}" for i in range(first + 1)),
        f"x{n_steps}",
    )


class _Steps:
    """Instructions of steps; ``f{i}`` is (sigma eps - l x) / alpha at node i."""

    def __init__(self, schedule: NoiseSchedule, grid: Array, lam: Array, tables: Tables) -> None:
        self.times, self.lam, self.tables = grid, lam.tolist(), tables
        self.alpha = schedule.alpha(grid)
        self.paths = [tables.path(start, end) for start, end in pairwise(self.lam)]

    def output(self, i: int, state: str) -> list[Instruction]:
        """Return the evaluation at a state of node i, and its nonlinear part."""
        linear = self.tables.linear(self.lam[i])
        terms = (
            (math.exp(-self.lam[i]), f"m{i}"),
            (_coefficient(-linear / self.alpha[i]), state),
        )
        return [Eval(f"m{i}", state, float(self.times[i]), "noise"), Lin(f"f{i}", terms)]

    def step(self, target: str, i: int, nodes: Sequence[int], pseudo: bool) -> Lin:
        """Return the step from node i to i + 1 with the outputs at `nodes`, of which i is first."""
        start, end = self.lam[i], self.lam[i + 1]
        step = step_integrals(self.paths[i], start, end, len(nodes))
        places = [(self.lam[j] - start) / (end - start) for j in nodes]
        offset, outputs = step.offset, []
        for j, weight in zip(nodes, v3_weights(places, step.moments, pseudo=pseudo), strict=True):
            scaling, shift = self._between(i, j)
            offset = offset - weight * shift
            outputs.append((weight * np.exp(-scaling), f"f{j}"))
        gain = self.alpha[i + 1] * np.exp(-step.linear)
        terms = [(gain / self.alpha[i], f"x{i}"), *((-gain * w, f) for w, f in outputs)]
        terms.append((-gain * offset, "one"))
        return Lin(target, tuple((_coefficient(c), name) for c, name in terms))

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


def v3_weights(nodes: Sequence[float], moments: Any, *, pseudo: bool = False) -> Array:
    """Return the weights of outputs g at `nodes` in the integral of a polynomial in u.

    Parameters
    ----------
    nodes : sequence of float, length n
        Where the outputs were taken, in units of the step: the first is the step's start, 0.
    moments : array_like, shape (n, *event)
        The integrals of the powers u^k over the step, k < n.
    pseudo : bool
        Whether the coefficient of u^k is the divided difference of the first k + 1 outputs,
        instead of that of the polynomial through all.

    Returns
    -------
    ndarray, shape (n, *event)
        They differ with `pseudo` from three nodes on.

    References
    ----------
    Zheng et al., DPM-Solver-v3 (NeurIPS 2023), and the released code for the pseudo variant.

    Examples
    --------
    >>> v3_weights([0.0, -1.0], [1.0, 0.5])
    array([ 1.5, -0.5])
    """
    u = check_array("nodes", nodes, ndim=1)
    moments = check_array("moments", moments)
    if moments.shape[:1] != u.shape:
        raise ValueError(f"moments must have one row per node, {len(u)}; got {moments.shape}")
    if len(set(u.tolist())) < len(u):
        raise ValueError(f"nodes must be distinct; got {u.tolist()}")
    if pseudo:
        rows = np.zeros((len(u), len(u)))
        for k in range(len(u)):
            gaps = u[: k + 1, None] - u[: k + 1] + np.eye(k + 1)
            rows[k, : k + 1] = 1 / gaps.prod(axis=1)
    else:
        rows = np.linalg.inv(np.vander(u, increasing=True))
    weights: Array = np.einsum("kj,k...->j...", rows, moments)
    return weights


def _coefficient(c: Any) -> Coefficient:
    """Return a coefficient as a float or as an array of float64."""
    return float(c) if np.ndim(c) == 0 else np.asarray(c, dtype=np.float64)


def _within(statistics: ModelStatistics, lam: Array) -> Array:
    """Return the nodes of a time grid, checked against the range of the statistics."""
    if not isinstance(statistics, ModelStatistics):
        raise TypeError(f"statistics must be a ModelStatistics; got {statistics!r}")
    first, last = statistics.lam[[0, -1]]
    slack = 1e-9 * (last - first)
    if lam[0] < first - slack or lam[-1] > last + slack:
        raise ValueError(
            f"statistics must cover lambda from {lam[0]:g} to {lam[-1]:g}; they have "
            f"{len(statistics.lam)} nodes from {first:g} to {last:g}"
        )
    clipped: Array = np.clip(lam, first, last)
    return clipped
