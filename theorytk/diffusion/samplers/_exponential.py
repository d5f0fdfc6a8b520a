"""One step of an exponential integrator: what multistep and singlestep methods share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from theorytk._validation import check_choice
from theorytk.diffusion.models import OUTPUTS
from theorytk.diffusion.plans import Lin
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["ExponentialStep", "exponential_step", "lowers_final_orders", "moment_weights"]


class ExponentialStep(NamedTuple):
    """The exact linear part of a step from time s to time t.

    ``x_t = decay x_s + gain sum_k c_k M_k`` if the model's output along the way is
    ``sum_k c_k u^k``, u = (lambda - lambda_s) / h, with ``M_k = phi_moment(k, h, output)``.
    """

    decay: float
    gain: float
    h: float

    def lin(
        self, target: str, source: str, weights: Sequence[float], outputs: Sequence[str]
    ) -> Lin:
        """Return the step from the state `source` with the model's weighted `outputs`."""
        terms = zip(weights, outputs, strict=True)
        return Lin(target, ((self.decay, source), *((self.gain * w, m) for w, m in terms)))


def exponential_step(schedule: NoiseSchedule, s: float, t: float, output: str) -> ExponentialStep:
    """Return the step from time s to time t for a method written in `output`.

    It is ``(alpha_t / alpha_s, -sigma_t)`` for the noise and ``(sigma_t / sigma_s, alpha_t)`` for
    the data prediction: the variation of constants of Lu et al., DPM-Solver (NeurIPS 2022) and
    DPM-Solver++ (2022).
    """
    check_choice("output", output, OUTPUTS)
    h = float(schedule.lam(t)) - float(schedule.lam(s))
    if not 0.0 < h < math.inf:
        raise ValueError(
            "times must increase the half log signal-to-noise ratio by a finite amount at every "
            f"step; from t = {s:g} to t = {t:g} it changes by {h:g}"
        )
    growth = float(schedule.log_alpha(t)) - float(schedule.log_alpha(s))
    if output == "noise":
        return ExponentialStep(math.exp(growth), -float(schedule.sigma(t)), h)
    return ExponentialStep(math.exp(growth - h), float(schedule.alpha(t)), h)


def moment_weights(nodes: Sequence[float], moments: Sequence[float]) -> list[float]:
    """Return the weights w with ``sum_j w_j u_j^k = M_k``, k < n, for the n distinct nodes u.

    Then ``sum_j w_j p(u_j) = sum_k c_k M_k`` for every polynomial ``p = sum_k c_k u^k``, k < n.
    """
    if len(set(nodes)) < len(nodes):
        raise ValueError(f"nodes must be distinct; got {list(nodes)}")
    vandermonde = np.vander(nodes, increasing=True).T
    return [float(w) for w in np.linalg.solve(vandermonde, moments)]


def lowers_final_orders(value: bool | str, n_steps: int) -> bool:
    """Return whether `lower_order_final` lowers the orders of the last steps of a multistep plan.

    ``"auto"`` does so below ten steps, as the released code of DPM-Solver++.
    """
    if isinstance(value, bool):
        return value
    if value != "auto":
        raise ValueError(f"lower_order_final must be True, False or 'auto'; got {value!r}")
    return n_steps < 10
