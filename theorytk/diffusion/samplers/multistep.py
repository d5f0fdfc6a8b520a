"""DDIM and the multistep DPM-Solvers: exact integrals of an interpolated model output."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from theorytk._validation import check_choice, check_int
from theorytk.diffusion.phi import phi_moment
from theorytk.diffusion.plans import Eval, Instruction, Plan, check_times
from theorytk.diffusion.samplers._exponential import (
    exponential_step,
    lowers_final_orders,
    moment_weights,
)
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["VARIANTS", "ddim", "multistep", "multistep_weights"]

VARIANTS = ("consistent", "midpoint", "published")
"""How :func:`multistep` weighs the highest derivative of its second- and third-order steps."""


def ddim(schedule: NoiseSchedule, times: Any, *, output: str = "data") -> Plan:
    """Return DDIM, the first-order exponential integrator, as a plan.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing.
    output : {"data", "noise"}
        The prediction that the plan is written in; the result is the same.

    Returns
    -------
    Plan

    References
    ----------
    Song, Meng, Ermon (ICLR 2021), eta = 0. It is DPM-Solver-1 (Lu et al., NeurIPS 2022) and the
    zeroth-degree tAB-DEIS (Zhang, Chen, ICLR 2023).

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> ddim(VPLinear(), [1.0, 0.5, 0.001]).n_evaluations
    2
    """
    return multistep(schedule, times, order=1, output=output)


def multistep(
    schedule: NoiseSchedule,
    times: Any,
    *,
    order: int,
    output: str = "data",
    variant: str = "consistent",
    lower_order_final: bool | str = False,
    bootstrap: int = 0,
) -> Plan:
    """Return a multistep DPM-Solver (noise) or DPM-Solver++ (data prediction) as a plan.

    Each step integrates exactly the polynomial in lambda through the last `order` model outputs.
    The first steps have the orders 1, 2, ... that their history allows.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing.
    order : int
        How many model outputs a step uses, >= 1: the order of convergence if consistent.
    output : {"data", "noise"}
        The prediction that is interpolated.
    variant : {"consistent", "midpoint", "published"}
        See :func:`multistep_weights`. ``"published"`` needs order <= 3.
    lower_order_final : bool or "auto"
        Whether the order falls to 1 over the last steps; ``"auto"`` does so if n_steps < 10.
    bootstrap : int
        How many states before the first computed one are given. The plan's inputs are then the
        exact states x0, ..., xb at the first b + 1 nodes.

    Returns
    -------
    Plan
        Evaluates the model once per node but the last.

    Raises
    ------
    ValueError
        If `bootstrap` leaves no step, or ``"published"`` is asked for beyond order 3.

    Warns
    -----
    UserWarning
        If there are fewer steps than `order`: the plan then never reaches it.

    References
    ----------
    Lu et al., DPM-Solver++ (2022), Algorithm 2 (2M), and their released code (3M,
    `lower_order_final`, active below ten steps). Orders beyond three and the consistent weights:
    derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> plan = multistep(VPLinear(), [1.0, 0.6, 0.3, 0.1, 0.001], order=2)
    >>> len(plan.instructions[-1].terms)
    3
    """
    times = check_times(schedule, times)
    n_steps = len(times) - 1
    order = check_int("order", order, lower=1)
    _check_variant(variant, order)
    bootstrap = check_int("bootstrap", bootstrap, lower=0, upper=n_steps - 1)
    lowers = lowers_final_orders(lower_order_final, n_steps)
    if n_steps < order:
        warnings.warn(f"{n_steps} steps never reach order {order}", UserWarning, stacklevel=2)
    lam = schedule.lam(times)
    instructions: list[Instruction] = [
        Eval(f"m{i}", f"x{i}", float(times[i]), output) for i in range(bootstrap)
    ]
    for i in range(bootstrap, n_steps):
        step = exponential_step(schedule, float(times[i]), float(times[i + 1]), output)
        used = min(order, i + 1, n_steps - i) if lowers else min(order, i + 1)
        history = range(i, i - used, -1)
        nodes = [float(lam[j] - lam[i]) / step.h for j in history]
        weights = multistep_weights(nodes, step.h, output=output, variant=variant)
        instructions += [
            Eval(f"m{i}", f"x{i}", float(times[i]), output),
            step.lin(f"x{i + 1}", f"x{i}", weights, [f"m{j}" for j in history]),
        ]
    return Plan(
        method=f"multistep-{order} ({output}, {variant})" if order > 1 else f"ddim ({output})",
        schedule=schedule,
        times=times,
        instructions=tuple(instructions),
        inputs=tuple(f"x{i}" for i in range(bootstrap + 1)),
        output=f"x{n_steps}",
    )


def multistep_weights(
    nodes: Sequence[float], h: float, *, output: str = "data", variant: str = "consistent"
) -> list[float]:
    """Return the weights of the model outputs in one multistep step of length h.

    The step is ``x_t = (sigma_t / sigma_s) x_s + alpha_t sum_j w_j m_j`` for data prediction and
    ``x_t = (alpha_t / alpha_s) x_s - sigma_t sum_j w_j m_j`` for noise prediction.

    Parameters
    ----------
    nodes : sequence of float
        Where the outputs were taken, newest first: ``u_j = (lambda_j - lambda_s) / h``, u_0 = 0.
    h : float
        The step in lambda.
    output : {"data", "noise"}
        What the outputs are.
    variant : {"consistent", "midpoint", "published"}
        ``"consistent"`` integrates the interpolating polynomial exactly. ``"midpoint"`` replaces
        the moment of u by half of that of 1 if there are two nodes (2M). ``"published"`` does so
        too and, if there are three, halves the moment of u^2 as the released third order does:
        that method converges with order two only.

    Returns
    -------
    list of float

    References
    ----------
    Lu et al., DPM-Solver++ (2022), and their released code ("midpoint" is `dpmsolver`, and
    `taylor` is the consistent second order). The missing factor 2 of the released third order,
    whose limit for small h has the weight 11/6 on the newest output instead of 23/12: derived here.

    Examples
    --------
    >>> [round(12 * w / 1e-9) for w in multistep_weights([0, -1, -2], 1e-9)]
    [23, -16, 5]
    """
    _check_variant(variant, len(nodes))
    moments = [phi_moment(k, h, output) for k in range(len(nodes))]
    if variant != "consistent" and len(nodes) == 2:
        moments[1] = moments[0] / 2
    if variant == "published" and len(nodes) == 3:
        moments[2] /= 2
    return moment_weights(nodes, moments)


def _check_variant(variant: str, order: int) -> None:
    """Refuse an unknown variant, and the published one where none was published."""
    if check_choice("variant", variant, VARIANTS) == "published" and order > 3:
        raise ValueError(f"variant 'published' needs order <= 3; got order {order}")
