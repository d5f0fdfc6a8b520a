"""SDE-DPM-Solver and SDE-DPM-Solver++: exact integrals of an interpolated output, and noise.

In l = lambda the reverse diffusion is ``d(x / alpha) = -2 e^-l eps dl + sqrt(2) e^-l dw``, and
``d(e^l x / sigma) = 2 e^(2 l) data dl + sqrt(2) e^l dw``. The noise of a step is drawn with its
exact law; only the model's output is approximated.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from theorytk._validation import check_choice, check_int
from theorytk.diffusion.models import OUTPUTS
from theorytk.diffusion.phi import phi_moment
from theorytk.diffusion.plans import Eval, Instruction, Lin, Noise, Plan, check_times
from theorytk.diffusion.samplers._exponential import moment_weights
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["SDE_VARIANTS", "sde_multistep"]

SDE_VARIANTS = ("consistent", "midpoint")
"""How :func:`sde_multistep` weighs the difference of outputs in its second-order steps."""


class _Step(NamedTuple):
    """``x_t = decay x_s + gain sum_k c_k M_k + spread z`` for an output ``sum_k c_k u^k``."""

    decay: float
    gain: float
    spread: float
    rate: float  # M_k is phi_moment(k, rate, output)

    def weights(self, nodes: Sequence[float], output: str, variant: str) -> list[float]:
        """Return the weights of the outputs taken at the nodes u, newest first."""
        moments = [phi_moment(k, self.rate, output) for k in range(len(nodes))]
        if variant == "midpoint" and len(nodes) == 2:
            moments[1] = moments[0] / 2
        return moment_weights(nodes, moments)


def sde_multistep(
    schedule: NoiseSchedule,
    times: Any,
    *,
    order: int,
    output: str = "data",
    variant: str = "consistent",
    lower_order_final: bool = False,
) -> Plan:
    """Return SDE-DPM-Solver (noise) or SDE-DPM-Solver++ (data prediction) as a plan.

    Each step integrates the reverse diffusion exactly along the polynomial in lambda through the
    last `order` model outputs, and draws its noise with the exact law. On a
    :class:`~theorytk.diffusion.mean_reverting.MeanReverting` schedule it is the SDE solver of the
    MR Sampler for centred states.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing.
    order : int
        How many model outputs a step uses, >= 1; the first steps use those that there are. The
        weak order is :func:`theorytk.diffusion.sde_theory.expected_weak_order`: at most 2.
    output : {"data", "noise"}
        The prediction that is interpolated. Unlike the steps of the probability flow, those of the
        first order differ too.
    variant : {"consistent", "midpoint"}
        ``"midpoint"`` replaces the moment of u by half of that of 1 in steps with two outputs.
    lower_order_final : bool
        Whether the last step is of first order.

    Returns
    -------
    Plan
        With one evaluation and one noise per step.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Warns
    -----
    UserWarning
        If there are fewer steps than `order`: the plan then never uses as many outputs.

    References
    ----------
    Lu et al., DPM-Solver++ (2022), SDE-DPM-Solver-1, SDE-DPM-Solver++1 and SDE-DPM-Solver++(2M)
    (``"midpoint"``); A. Li et al., MRS (ICLR 2025), SDE solvers of order 1 and 2
    (``"consistent"``). Orders beyond two are ours, by the same moments.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> print(sde_multistep(VPLinear(), [0.6, 0.3], order=1))
    sde-multistep-1 (data, consistent): 1 steps, 1 evaluations, 3 registers
      x0 given
      m0 = data(x0, t = 0.6)
      z0 = normal noise
      x1 = 0.159385 x0 + 0.603751 m0 + 0.760874 z0
      result x1
    """
    times = check_times(schedule, times)
    n_steps = len(times) - 1
    order = check_int("order", order, lower=1)
    output = check_choice("output", output, OUTPUTS)
    variant = check_choice("variant", variant, SDE_VARIANTS)
    if n_steps < order:
        warnings.warn(f"{n_steps} steps never reach order {order}", UserWarning, stacklevel=2)
    lam = schedule.lam(times)
    instructions: list[Instruction] = []
    steps = _exact_steps(schedule, times, output)
    for i, step in enumerate(steps):
        last = lower_order_final and i == n_steps - 1
        history = range(i, i - (1 if last else min(order, i + 1)), -1)
        nodes = [float((lam[j] - lam[i]) / (lam[i + 1] - lam[i])) for j in history]
        weights = step.weights(nodes, output, variant)
        terms = [(step.gain * w, f"m{j}") for w, j in zip(weights, history, strict=True)]
        instructions += [
            Eval(f"m{i}", f"x{i}", float(times[i]), output),
            Noise(f"z{i}"),
            Lin(f"x{i + 1}", ((step.decay, f"x{i}"), *terms, (step.spread, f"z{i}"))),
        ]
    return Plan(
        method=f"sde-multistep-{order} ({output}, {variant})",
        schedule=schedule,
        times=times,
        instructions=tuple(instructions),
        inputs=("x0",),
        output=f"x{n_steps}",
    )


def _exact_steps(schedule: NoiseSchedule, times: np.ndarray, output: str) -> list[_Step]:
    """Return the steps between the times but for the model's output."""
    h, growth = np.diff(schedule.lam(times)), np.diff(schedule.log_alpha(times))
    alpha, sigma = schedule.alpha(times[1:]), schedule.sigma(times[1:])
    if output == "noise":
        columns = np.exp(growth), -2 * sigma, sigma * np.sqrt(np.expm1(2 * h)), h
    else:
        columns = np.exp(growth - 2 * h), alpha, sigma * np.sqrt(-np.expm1(-2 * h)), 2 * h
    return [_Step(*map(float, row)) for row in zip(*columns, strict=True)]
