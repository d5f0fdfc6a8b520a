"""UniP and UniPC: multistep predictors, and correctors that cost no evaluation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from theorytk._validation import check_choice, check_int
from theorytk.diffusion.models import OUTPUTS
from theorytk.diffusion.phi import phi_moment
from theorytk.diffusion.plans import Eval, Instruction, Plan, check_times
from theorytk.diffusion.samplers._exponential import exponential_step, moment_weights
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
    lower_order_final: bool = True,
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
    lower_order_final : bool
        Whether the order falls to 1 over the last steps.
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
    grid = _check(schedule, times, order, output, b)
    return _plan("unip", schedule, grid, order, output, b, lower_order_final, bootstrap, 0)


def unipc(
    schedule: NoiseSchedule,
    times: Any,
    *,
    order: int,
    output: str = "data",
    b: str = "bh2",
    lower_order_final: bool = True,
    final_corrector: bool = False,
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
    lower_order_final : bool
        Whether the order falls to 1 over the last steps.
    final_corrector : bool
        Whether the last step is corrected too, for one more evaluation. Without it the last step
        has the predictor's order only.
    bootstrap : int
        The number b of steps whose exact states ``x0..xb`` the caller gives.

    Returns
    -------
    Plan
        With one evaluation per step, and one more with `final_corrector`.

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
    Zhao, Bai, Rao, Zhou, Lu, UniPC (NeurIPS 2023), UniPC-p, with the weights 1/2 of their code
    for the predictor of order 2 and the corrector of order 1.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> unipc(VPLinear(), [0.9, 0.5, 0.2, 0.05], order=3).n_evaluations
    3
    """
    grid = _check(schedule, times, order, output, b)
    n_corrected = len(grid) - 1 if final_corrector else len(grid) - 2
    return _plan(
        "unipc", schedule, grid, order, output, b, lower_order_final, bootstrap, n_corrected
    )


def _check(schedule: NoiseSchedule, times: Any, order: int, output: str, b: str) -> np.ndarray:
    """Return the time grid; check what every step relies on."""
    grid = check_times(schedule, times)
    check_int("order", order, lower=1)
    check_choice("output", output, OUTPUTS)
    check_choice("b", b, B_FUNCTIONS)
    if len(grid) - 1 < order:
        message = f"{len(grid) - 1} steps never reach order {order}"
        warnings.warn(message, UserWarning, stacklevel=3)
    return grid


def _plan(
    name: str,
    schedule: NoiseSchedule,
    grid: np.ndarray,
    order: int,
    output: str,
    b: str,
    lower_order_final: bool,
    bootstrap: int,
    n_corrected: int,
) -> Plan:
    """Return the plan whose first `n_corrected` steps have a corrector; ``p{i}`` is predicted."""
    n_steps = len(grid) - 1
    first = check_int("bootstrap", bootstrap, lower=0, upper=n_steps - 1)
    lam = schedule.lam(grid)
    steps: list[Instruction] = [
        Eval(f"m{i}", f"x{i}", float(grid[i]), output) for i in range(first + 1)
    ]
    for i in range(first, n_steps):
        step = exponential_step(schedule, float(grid[i]), float(grid[i + 1]), output)
        used = min(order, i + 1, n_steps - i if lower_order_final else order)
        history = range(i, i - used, -1)
        nodes = [float(lam[j] - lam[i]) / step.h for j in history]
        outputs = [f"m{j}" for j in history]
        corrected = i < n_corrected
        predicted = f"p{i + 1}" if corrected else f"x{i + 1}"
        weights = _weights(nodes, step.h, output, b)
        steps.append(step.lin(predicted, f"x{i}", weights, outputs))
        if corrected or i + 1 < n_steps:
            steps.append(Eval(f"m{i + 1}", predicted, float(grid[i + 1]), output))
        if corrected:
            weights = _weights([*nodes, 1.0], step.h, output, b)
            steps.append(step.lin(f"x{i + 1}", f"x{i}", weights, [*outputs, f"m{i + 1}"]))
    inputs = tuple(f"x{i}" for i in range(first + 1))
    return Plan(
        f"{name}{order} ({output}, {b})", schedule, grid, tuple(steps), inputs, f"x{n_steps}"
    )


def _weights(nodes: Sequence[float], h: float, output: str, b: str) -> list[float]:
    """Return the weights of the outputs at `nodes`, of which the first is the step's start, 0.

    They integrate the interpolating polynomial exactly. With two nodes the release puts B / 2 for
    the moment of u, to which it is equal up to O(h^2); only there does B matter.
    """
    moments = [phi_moment(k, h, output) for k in range(len(nodes))]
    if len(nodes) == 2:
        moments[1] = (h if b == "bh1" else moments[0]) / 2
    return moment_weights(nodes, moments)
