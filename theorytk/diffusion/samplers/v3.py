"""DPM-Solver-v3: exponential steps along the statistics of a model, with exact integrals."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from theorytk._validation import check_choice, check_int
from theorytk.diffusion.plans import Eval, Instruction, Lin, Ones, Plan, check_times
from theorytk.diffusion.samplers._v3_steps import V3Steps, as_coefficient
from theorytk.diffusion.samplers._v3_tables import TABLES, make_tables
from theorytk.diffusion.samplers.v3_interpolation import v3_weights
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.tuning.statistics import ModelStatistics, nodes_within

__all__ = ["dpm_v3"]

Array = np.ndarray


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
    lam = nodes_within(statistics, schedule.lam(grid))
    tables = make_tables(statistics, table)
    lam = tables.snapped(lam)
    if table == "trapezoid":
        grid = check_times(schedule, np.clip(schedule.t_of_lam(lam), grid[-1], grid[0]))
    steps = _Instructions(grid, V3Steps(schedule.alpha(grid), lam, tables))
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


class _Instructions:
    """Instructions of steps; ``f{i}`` is the output f at node i."""

    def __init__(self, grid: Array, steps: V3Steps) -> None:
        self.times, self.steps = grid, steps

    def output(self, i: int, state: str) -> list[Instruction]:
        """Return the evaluation at a state of node i, and its nonlinear part."""
        linear = as_coefficient(self.steps.linear(i))
        terms = ((math.exp(-self.steps.lam[i]), f"m{i}"), (linear, state))
        return [Eval(f"m{i}", state, float(self.times[i]), "noise"), Lin(f"f{i}", terms)]

    def step(self, target: str, i: int, nodes: Sequence[int], pseudo: bool) -> Lin:
        """Return the step from node i to i + 1 with the outputs at `nodes`, of which i is first."""
        state, outputs, constant = self.steps.coefficients(
            i, nodes, partial(v3_weights, pseudo=pseudo)
        )
        terms = [(state, f"x{i}")]
        terms += [(c, f"f{j}") for c, j in zip(outputs, nodes, strict=True)]
        terms.append((constant, "one"))
        return Lin(target, tuple((as_coefficient(c), name) for c, name in terms))
