"""The singlestep DPM-Solvers: exponential Runge-Kutta steps of order one to three."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from theorytk._validation import check_choice, check_int, check_real
from theorytk.diffusion.plans import Eval, Instruction, Lin, Plan, check_times
from theorytk.diffusion.samplers._exponential import exponential_step
from theorytk.diffusion.samplers.multistep import multistep_weights
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["VARIANTS", "fast_orders", "singlestep"]

VARIANTS = ("published", "taylor")
"""How :func:`singlestep` weighs its inner evaluations."""

RATIOS: dict[int, tuple[float, ...]] = {1: (), 2: (1 / 2,), 3: (1 / 3, 2 / 3)}
"""Where in a step of length 1 the inner evaluations of each order lie by default."""


def fast_orders(n_evaluations: int, order: int) -> tuple[int, ...]:
    """Return the orders of the steps of DPM-Solver-fast, whose sum is `n_evaluations`.

    Parameters
    ----------
    n_evaluations : int
        The budget of model evaluations, >= 1.
    order : {1, 2, 3}
        The highest order.

    Returns
    -------
    tuple of int

    References
    ----------
    Lu et al., DPM-Solver (NeurIPS 2022), DPM-Solver-fast, and its released code.

    Examples
    --------
    >>> fast_orders(9, 3), fast_orders(10, 3), fast_orders(11, 3), fast_orders(5, 2)
    ((3, 3, 2, 1), (3, 3, 3, 1), (3, 3, 3, 2), (2, 2, 1))
    """
    n = check_int("n_evaluations", n_evaluations, lower=1)
    order = check_int("order", order, lower=1, upper=3)
    full, rest = divmod(n, order)
    if order == 3 and rest == 0:
        return (3,) * (full - 1) + (2, 1)
    return (order,) * full + ((rest,) if rest else ())


def singlestep(
    schedule: NoiseSchedule,
    times: Any,
    *,
    orders: int | Sequence[int],
    output: str = "noise",
    variant: str = "published",
    r1: float | None = None,
    r2: float | None = None,
) -> Plan:
    """Return singlestep DPM-Solver (noise) or DPM-Solver++ (data prediction) steps as a plan.

    A step of order k evaluates the model k times: at its start and at ``lambda_s + r h`` for
    r = r1 (order 2), r1 and r2 (order 3).

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,) or (sum(orders) + 1,)
        The time grid, decreasing: the ends of the steps, or those and the inner times of every
        step. Inner times then give r1 and r2, as in the released code on grids other than logSNR.
    orders : int or sequence of int
        The order of every step, 1 to 3; one int serves all steps. See :func:`fast_orders`.
    output : {"noise", "data"}
        The prediction that the steps are written in.
    variant : {"published", "taylor"}
        ``"published"`` is the code's default type ``dpmsolver``; ``"taylor"`` integrates the
        polynomial through all outputs of the step exactly. They agree in order.
    r1, r2 : float, optional
        Where the inner evaluations lie, 0 < r1 <= 1 at order 2 (1/2 by default), and
        0 < r1 < r2 <= 1 at order 3 (1/3 and 2/3 by default).

    Returns
    -------
    Plan
        Its `times` are the ends of the steps.

    Raises
    ------
    ValueError
        If `times` fits neither form, or gives the inner times and so do `r1`, `r2`.

    References
    ----------
    Lu et al., DPM-Solver (NeurIPS 2022), Algorithms 1 (DPM-Solver-2) and 2 (DPM-Solver-3), and
    DPM-Solver++ (2022) for data prediction; ``"taylor"`` is from their released code.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> plan = singlestep(VPLinear(), [1.0, 0.5, 0.001], orders=3)
    >>> plan.n_evaluations, len(plan.times) - 1
    (6, 2)
    """
    times = check_times(schedule, times)
    check_choice("variant", variant, VARIANTS)
    steps = _steps(schedule, times, orders, r1, r2)
    instructions: list[Instruction] = []
    for i, nodes in enumerate(steps):
        instructions += step_instructions(schedule, nodes, i, output, variant)
    return Plan(
        method=f"singlestep-{max(len(nodes) - 1 for nodes in steps)} ({output}, {variant})",
        schedule=schedule,
        times=np.array([nodes[0] for nodes in steps] + [steps[-1][-1]]),
        instructions=tuple(instructions),
        inputs=("x0",),
        output=f"x{len(steps)}",
    )


def step_instructions(
    schedule: NoiseSchedule, nodes: Sequence[float], i: int, output: str, variant: str
) -> list[Instruction]:
    """Return the instructions from ``x{i}`` at nodes[0] to ``x{i+1}`` at nodes[-1].

    The model is evaluated at all nodes but the last; the inner states are ``u{i}_1`` and
    ``u{i}_2``, the outputs there ``m{i}_1`` and ``m{i}_2``.
    """
    instructions: list[Instruction] = [Eval(f"m{i}", f"x{i}", nodes[0], output)]
    for j in range(1, len(nodes) - 1):
        stage = stage_lin(schedule, nodes[: j + 1], i, f"u{i}_{j}", output, "taylor")
        instructions += [stage, Eval(f"m{i}_{j}", stage.target, nodes[j], output)]
    return [*instructions, stage_lin(schedule, nodes, i, f"x{i + 1}", output, variant)]


def stage_lin(
    schedule: NoiseSchedule, nodes: Sequence[float], i: int, target: str, output: str, variant: str
) -> Lin:
    """Return the stage from ``x{i}`` at nodes[0] to `target` at nodes[-1], outputs between used."""
    outputs = [f"m{i}", *(f"m{i}_{j}" for j in range(1, len(nodes) - 1))]
    step = exponential_step(schedule, nodes[0], nodes[-1], output)
    lam = schedule.lam(np.asarray(nodes[:-1]))
    points = ((lam - lam[0]) / step.h).tolist()
    weights_variant = "consistent"
    if variant == "published" and len(outputs) == 2:
        weights_variant = "midpoint"
    if variant == "published" and len(outputs) == 3:
        outputs, points = outputs[::2], points[::2]
    weights = multistep_weights(points, step.h, output=output, variant=weights_variant)
    return step.lin(target, f"x{i}", weights, outputs)


def inner_times(
    schedule: NoiseSchedule, s: float, t: float, ratios: Sequence[float]
) -> list[float]:
    """Return s, the times at ``lambda_s + r h`` for r in `ratios`, and t."""
    lam_s, lam_t = float(schedule.lam(s)), float(schedule.lam(t))
    return [s, *(float(schedule.t_of_lam(lam_s + r * (lam_t - lam_s))) for r in ratios), t]


def _steps(
    schedule: NoiseSchedule,
    times: np.ndarray,
    orders: int | Sequence[int],
    r1: float | None,
    r2: float | None,
) -> list[list[float]]:
    """Return for every step its start, its inner times and its end."""
    ends = len(times) - 1
    if isinstance(orders, Sequence):
        ks = [check_int("orders", k, lower=1, upper=3) for k in orders]
    else:
        ks = [check_int("orders", orders, lower=1, upper=3)] * ends
    if len(ks) == ends:
        ratios = {k: _ratios(k, r1, r2) for k in set(ks)}
        steps = zip(pairwise(times.tolist()), ks, strict=True)
        return [inner_times(schedule, s, t, ratios[k]) for (s, t), k in steps]
    if sum(ks) != ends:
        raise ValueError(
            f"times must have len(orders) + 1 = {len(ks) + 1} or sum(orders) + 1 = {sum(ks) + 1} "
            f"entries; got {len(times)}"
        )
    if r1 is not None or r2 is not None:
        raise ValueError("r1 and r2 must be None where times gives the inner times")
    starts = np.cumsum([0, *ks])
    return [times[a : b + 1].tolist() for a, b in pairwise(starts)]


def _ratios(order: int, r1: float | None, r2: float | None) -> list[float]:
    """Return where in a step of length 1 the inner evaluations lie."""
    ratios: list[float] = []
    for name, given, default in zip(("r1", "r2"), (r1, r2), RATIOS[order], strict=False):
        value = default if given is None else given
        lower = ratios[-1] if ratios else 0.0
        ratios.append(check_real(name, value, lower=lower, lower_open=True, upper=1))
    return ratios
