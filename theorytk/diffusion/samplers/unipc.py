"""UniP and UniPC: multistep predictors, and correctors that cost no evaluation."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_choice, check_int
from theorytk.diffusion.models import OUTPUTS
from theorytk.diffusion.phi import phi_moment
from theorytk.diffusion.plans import Eval, Instruction, Lin, Plan, check_times
from theorytk.diffusion.samplers._exponential import (
    exponential_step,
    lowers_final_orders,
    moment_weights,
)
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["B_FUNCTIONS", "unip", "unipc"]

B_FUNCTIONS = ("bh1", "bh2")
"""The functions B(h) of UniPC: h, and e^h - 1 (noise) or 1 - e^-h (data prediction)."""


def unip(
    schedule: NoiseSchedule,
    times: Any,
    *,
    order: int,
    output: str = "data",
    b: str = "bh2",
    lower_order_final: bool | str = True,
    bootstrap: int = 0,
) -> Plan:
    """Return the plan of UniP, the predictor of UniPC alone.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing.
    order : int
        The order p of convergence, >= 1; the first steps have a lower one.
    output : {"data", "noise"}
        The prediction that is interpolated.
    b : {"bh1", "bh2"}
        The function B(h). Only steps of order 2 depend on it.
    lower_order_final : bool or "auto"
        Whether the order falls to 1 over the last steps; ``"auto"`` does so if n_steps < 10.
    bootstrap : int
        The number b of steps whose exact states ``x0..xb`` the caller gives.

    Returns
    -------
    Plan
        With one evaluation per step.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Warns
    -----
    UserWarning
        If there are fewer steps than `order`: the plan then never reaches it.

    References
    ----------
    Zhao, Bai, Rao, Zhou, Lu, UniPC (NeurIPS 2023), UniP-p, with the weight 1/2 of their code at
    order 2. That order 2 with ``"bh2"`` is the midpoint DPM-Solver++(2M), and that higher orders do
    not depend on B, is derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> unip(VPLinear(), [0.9, 0.5, 0.2, 0.05], order=2).n_evaluations
    3
    """
    rule = unipc_rule(schedule, times, order, output, b, lower_order_final)
    bootstrap = check_int("bootstrap", bootstrap, lower=0, upper=rule.n_steps - 1)
    return _plan("unip", rule, 0, np.ones(rule.n_steps), bootstrap)


def unipc(
    schedule: NoiseSchedule,
    times: Any,
    *,
    order: int,
    output: str = "data",
    b: str = "bh2",
    lower_order_final: bool | str = True,
    final_corrector: bool = False,
    ratios: Any = None,
    order_of_compensation: int = 2,
    bootstrap: int = 0,
) -> Plan:
    """Return the plan of UniPC: every predicted state is corrected by the model's output there.

    That output is kept for the later steps and not taken again at the corrected state, so the
    corrector, which raises the order by one, costs no evaluation.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing.
    order : int
        The order p of the predictor, >= 1: that of convergence is p + 1.
    output : {"data", "noise"}
        The prediction that is interpolated.
    b : {"bh1", "bh2"}
        The function B(h). Only predictors of order 2 and correctors of order 1 depend on it.
    lower_order_final : bool or "auto"
        Whether the order falls to 1 over the last steps; ``"auto"`` does so if n_steps < 10.
    final_corrector : bool
        Whether the last step is corrected too, for one more evaluation. Without it the last step
        has the predictor's order only.
    ratios : array_like, shape (n_steps,), optional
        Compensation ratios: before step i the output at its start, t_i, is replaced for this step
        and the later ones by the polynomial in t through the last outputs, at the time
        ``ratios[i] t_i + (1 - ratios[i]) t_{i-1}``. A ratio of 1, the default, changes nothing.
    order_of_compensation : int
        The degree k of that polynomial, >= 1; the first k ratios must be 1.
    bootstrap : int
        The number b of steps whose exact states ``x0..xb`` the caller gives.

    Returns
    -------
    Plan
        With one evaluation per step, and one more with `final_corrector`.

    Raises
    ------
    ValueError
        If an argument is out of range, or `ratios` are not one per step, finite and 1 where the
        history is too short.

    Warns
    -----
    UserWarning
        If there are fewer steps than `order`: the plan then never reaches it.

    References
    ----------
    Zhao, Bai, Rao, Zhou, Lu, UniPC (NeurIPS 2023), UniPC-p, with the weights 1/2 of their code
    for the predictor of order 2 and the corrector of order 1. Compensation ratios: Zhao, Wang,
    Zhou, Lu, DC-Solver (ECCV 2024), dynamic compensation, and its released code.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> unipc(VPLinear(), [0.9, 0.5, 0.2, 0.05], order=3).n_evaluations
    3
    """
    rule = unipc_rule(schedule, times, order, output, b, lower_order_final)
    degree = check_int("order_of_compensation", order_of_compensation, lower=1)
    values = np.ones(rule.n_steps)
    if ratios is not None:
        values = check_array("ratios", ratios, shape=(rule.n_steps,))
    bootstrap = check_int("bootstrap", bootstrap, lower=0, upper=rule.n_steps - 1)
    fixed = values[: max(degree, bootstrap)]
    if (fixed != 1).any():
        raise ValueError(f"ratios must be 1 in the first {len(fixed)} steps; got {fixed}")
    n_corrected = rule.n_steps if final_corrector else rule.n_steps - 1
    return _plan("unipc", rule, n_corrected, values, bootstrap, degree)


@dataclass(frozen=True)
class UniPCRule:
    """A method of the family on a time grid, from which its steps are written one by one."""

    schedule: NoiseSchedule
    times: np.ndarray
    order: int
    output: str
    b: str
    lowers: bool

    @property
    def n_steps(self) -> int:
        """The number of steps."""
        return len(self.times) - 1

    def evaluation(self, i: int, source: str) -> Eval:
        """Return the evaluation at node i."""
        return Eval(f"m{i}", source, float(self.times[i]), self.output)

    def step(self, i: int, outputs: Sequence[str], corrected: bool) -> list[Instruction]:
        """Return step i, from ``x{i}`` to ``x{i+1}``, and the evaluation that serves the next.

        `outputs` are the registers of the model's outputs at the nodes 0..i. A corrected step
        predicts ``p{i+1}`` first.
        """
        lam = self.schedule.lam(self.times)
        step = exponential_step(
            self.schedule, float(self.times[i]), float(self.times[i + 1]), self.output
        )
        used = min(self.order, i + 1, self.n_steps - i if self.lowers else self.order)
        history = range(i, i - used, -1)
        nodes = [float(lam[j] - lam[i]) / step.h for j in history]
        names = [outputs[j] for j in history]
        predicted = f"p{i + 1}" if corrected else f"x{i + 1}"
        weights = _weights(nodes, step.h, self.output, self.b)
        steps: list[Instruction] = [step.lin(predicted, f"x{i}", weights, names)]
        if corrected or i + 1 < self.n_steps:
            steps.append(self.evaluation(i + 1, predicted))
        if corrected:
            weights = _weights([*nodes, 1.0], step.h, self.output, self.b)
            steps.append(step.lin(f"x{i + 1}", f"x{i}", weights, [*names, f"m{i + 1}"]))
        return steps

    def compensation(self, i: int, outputs: Sequence[str], ratio: float, degree: int) -> Lin:
        """Return ``c{i}``, the polynomial in t through the last outputs at the shifted time."""
        nodes = self.times[i - degree : i + 1][::-1].tolist()
        t = ratio * nodes[0] + (1 - ratio) * nodes[1]
        terms = []
        for j, node in enumerate(nodes):
            others = [other for other in nodes if other != node]
            weight = math.prod((t - other) / (node - other) for other in others)
            terms.append((weight, outputs[i - j]))
        return Lin(f"c{i}", tuple(terms))


def unipc_rule(
    schedule: NoiseSchedule,
    times: Any,
    order: int,
    output: str,
    b: str,
    lower_order_final: bool | str,
) -> UniPCRule:
    """Return the rule of a method whose arguments are checked."""
    grid = check_times(schedule, times)
    check_int("order", order, lower=1)
    check_choice("output", output, OUTPUTS)
    check_choice("b", b, B_FUNCTIONS)
    n_steps = len(grid) - 1
    if n_steps < order:
        warnings.warn(f"{n_steps} steps never reach order {order}", UserWarning, stacklevel=3)
    lowers = lowers_final_orders(lower_order_final, n_steps)
    return UniPCRule(schedule, grid, order, output, b, lowers)


def _plan(
    name: str,
    rule: UniPCRule,
    n_corrected: int,
    ratios: np.ndarray,
    first: int,
    degree: int = 0,
) -> Plan:
    """Return the plan from node `first` on, its first `n_corrected` steps with a corrector."""
    steps: list[Instruction] = [rule.evaluation(i, f"x{i}") for i in range(first + 1)]
    outputs = [f"m{i}" for i in range(rule.n_steps + 1)]
    for i in range(first, rule.n_steps):
        if ratios[i] != 1:
            steps.append(rule.compensation(i, outputs, float(ratios[i]), degree))
            outputs[i] = f"c{i}"
        steps += rule.step(i, outputs, corrected=i < n_corrected)
    inputs = tuple(f"x{i}" for i in range(first + 1))
    label = f"{name}{rule.order} ({rule.output}, {rule.b})"
    if (ratios[first:] != 1).any():
        label = f"dc-{label}"
    return Plan(label, rule.schedule, rule.times, tuple(steps), inputs, f"x{rule.n_steps}")


def _weights(nodes: Sequence[float], h: float, output: str, b: str) -> list[float]:
    """Return the weights of the outputs at `nodes`, of which the first is the step's start, 0.

    They integrate the interpolating polynomial exactly. With two nodes the release puts B / 2 for
    the moment of u, to which it is equal up to O(h^2); only there does B matter.
    """
    moments = [phi_moment(k, h, output) for k in range(len(nodes))]
    if len(nodes) == 2:
        moments[1] = (h if b == "bh1" else moments[0]) / 2
    return moment_weights(nodes, moments)
