"""DPM-Solver-12 and -23: singlestep solvers whose steps follow an embedded error estimate."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from theorytk._validation import check_choice, check_int, check_real
from theorytk.diffusion.models import OUTPUTS, Model, conversion
from theorytk.diffusion.plans import Eval, Instruction, Lin, check_times
from theorytk.diffusion.samplers.singlestep import (
    RATIOS,
    VARIANTS,
    inner_times,
    stage_lin,
    step_instructions,
)
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["AdaptiveResult", "adaptive_sample"]

SHORTEST_STEP = 1e-10  # In lambda; shorter ones drown in the rounding of the schedule.


@dataclass(frozen=True)
class AdaptiveResult:
    """What :func:`adaptive_sample` returns.

    Attributes
    ----------
    x : array, shape (n, *event)
        The states at the end.
    order : int
        The higher order of the pair.
    n_accepted, n_rejected : ndarray of int, shape (n,)
        How many steps of each sample were accepted and rejected.
    """

    x: Any
    order: int
    n_accepted: np.ndarray
    n_rejected: np.ndarray

    @property
    def n_evaluations(self) -> np.ndarray:
        """How often the model was evaluated at each sample (NFE), rejected steps included."""
        counts: np.ndarray = self.order * (self.n_accepted + self.n_rejected)
        return counts


def adaptive_sample(
    schedule: NoiseSchedule,
    model: Model | Callable[[Any, float], Any],
    x: Any,
    *,
    order: int = 3,
    output: str = "noise",
    variant: str = "published",
    atol: float = 0.0078,
    rtol: float = 0.05,
    t_start: float | None = None,
    t_end: float | None = None,
    first_step: float = 0.05,
    safety: float = 0.9,
    max_steps: int = 10_000,
    per_sample: bool = False,
) -> AdaptiveResult:
    """Solve the probability flow with steps as long as the tolerances allow.

    A step of length h in lambda is taken by the solver of order k and by one of order k - 1 that
    shares its evaluations. With ``delta = max(atol, rtol max(|x_low|, |x_low before|))`` and E the
    root mean square of ``(x_high - x_low) / delta`` over the event, largest over the batch, it is
    accepted if E <= 1; then h becomes ``safety h E^(-1/k)``.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    model : Model or callable
        A function of (x, t); a plain callable predicts the noise.
    x : array, shape (n, *event)
        The states at `t_start`, of any array API namespace.
    order : {2, 3}
        The higher order: DPM-Solver-12 or -23.
    output : {"noise", "data"}
        The prediction that the steps are written in.
    variant : {"published", "taylor"}
        As in :func:`theorytk.diffusion.samplers.singlestep.singlestep`.
    atol, rtol : float
        The tolerances, atol > 0 and rtol >= 0.
    t_start, t_end : float, optional
        Where to start and to end; the schedule's ends by default.
    first_step : float
        The first h tried.
    safety : float
        In (0, 1).
    max_steps : int
        How many steps may be tried, accepted or not.
    per_sample : bool
        The published rule takes the largest E of the batch, so that a sample depends on the others
        in it. With True every sample is solved alone, one after the other.

    Returns
    -------
    AdaptiveResult

    Raises
    ------
    TypeError
        If `x` does not hold floating arrays.
    ValueError
        If an argument is out of range, or the model returns another shape or was made for another
        schedule.
    FloatingPointError
        If the error estimate is not finite, or the end is not reached in `max_steps` steps or
        with steps of at least 1e-10.

    References
    ----------
    Lu et al., DPM-Solver (NeurIPS 2022), appendix C (adaptive step size), and its released code,
    whose defaults these are; it stops within 1e-5 of the end, here the last step ends there.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> result = adaptive_sample(VPLinear(), lambda x, t: 0.5 * x, np.ones((2, 3)))
    >>> bool((result.n_evaluations == 3 * (result.n_accepted + result.n_rejected)).all())
    True
    """
    order = check_int("order", order, lower=2, upper=3)
    check_choice("output", output, OUTPUTS)
    check_choice("variant", variant, VARIANTS)
    atol = check_real("atol", atol, lower=0, lower_open=True)
    rtol = check_real("rtol", rtol, lower=0)
    first_step = check_real("first_step", first_step, lower=0, lower_open=True)
    safety = check_real("safety", safety, lower=0, upper=1, lower_open=True, upper_open=True)
    ends = check_times(
        schedule,
        [
            schedule.t_max if t_start is None else t_start,
            schedule.t_min if t_end is None else t_end,
        ],
    )
    max_steps = check_int("max_steps", max_steps, lower=1)
    if not isinstance(model, Model):
        model = Model(model)
    if model.schedule is not None and model.schedule != schedule:
        raise ValueError(f"the model was made for {model.schedule}, not for {schedule}")
    rule = _Rule(schedule, model, order, output, variant, atol, rtol, safety, max_steps)
    xp = array_namespace(x)
    if not xp.isdtype(x.dtype, "real floating"):
        raise TypeError(f"x must have a real floating dtype, got {x.dtype}; convert it")
    if x.ndim == 0:
        raise ValueError("x must have shape (n, *event); got a scalar array")
    n = x.shape[0]
    if n == 0:
        return AdaptiveResult(x, order, np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    batches = [x[i : i + 1, ...] for i in range(n)] if per_sample else [x]
    runs = [rule.solve(batch, float(ends[0]), float(ends[1]), first_step) for batch in batches]
    counts = np.array([[accepted, rejected] for _, accepted, rejected in runs])
    accepted, rejected = np.broadcast_to(counts, (n, 2)).T.copy()
    return AdaptiveResult(xp.concat([run[0] for run in runs]), order, accepted, rejected)


@dataclass(frozen=True)
class _Rule:
    """The pair of solvers and the rule of its steps."""

    schedule: NoiseSchedule
    model: Model
    order: int
    output: str
    variant: str
    atol: float
    rtol: float
    safety: float
    max_steps: int

    def solve(self, x: Any, s: float, end: float, h: float) -> tuple[Any, int, int]:
        """Return the states at `end`, and how many steps were accepted and rejected."""
        low_before = x
        accepted = rejected = 0
        lam_end = float(self.schedule.lam(end))
        while s > end:
            lam = float(self.schedule.lam(s))
            last = lam_end - lam - h < SHORTEST_STEP
            t = end if last else float(self.schedule.t_of_lam(lam + h))
            if h < SHORTEST_STEP or accepted + rejected == self.max_steps:
                raise FloatingPointError(
                    f"t = {end:g} is out of reach: after {accepted} accepted and {rejected} "
                    f"rejected steps t is {s:g} and the next step {h:g}"
                )
            low, high = self._pair(x, s, t)
            error = self._error(low, high, low_before)
            if not math.isfinite(error):
                raise FloatingPointError(f"the error estimate at t = {t:g} is {error}")
            h = min(h, lam_end - lam)
            if error <= 1.0:
                x, low_before, s = high, low, t
                accepted += 1
            else:
                rejected += 1
            h *= self.safety * max(error, 1e-10) ** (-1.0 / self.order)
        return x, accepted, rejected

    def _pair(self, x: Any, s: float, t: float) -> tuple[Any, Any]:
        """Return the states at t by the lower and by the higher order."""
        nodes = inner_times(self.schedule, s, t, RATIOS[self.order])
        shared = [*nodes[:-2], t]
        low = stage_lin(self.schedule, shared, 0, "low", self.output, self.variant)
        high = step_instructions(self.schedule, nodes, 0, self.output, self.variant)
        registers = self._run([*high, low], {"x0": x})
        return registers["low"], registers["x1"]

    def _run(self, instructions: list[Instruction], registers: dict[str, Any]) -> dict[str, Any]:
        """Execute evaluations and linear combinations."""
        for step in instructions:
            if isinstance(step, Eval):
                value = self._predict(step, registers[step.source])
            elif isinstance(step, Lin):
                value = sum(c * registers[name] for c, name in step.terms)
            registers[step.target] = value
        return registers

    def _predict(self, step: Eval, x: Any) -> Any:
        """Return the wanted prediction of the model, in the shape and dtype of x."""
        value = self.model(x, step.t)
        if value.shape != x.shape:
            raise ValueError(
                f"the model's output must have the shape {x.shape} of x; got {value.shape}"
            )
        alpha, sigma = float(self.schedule.alpha(step.t)), float(self.schedule.sigma(step.t))
        of_x, of_value = conversion(self.model.predicts, step.output, alpha, sigma)
        return of_x * x + of_value * array_namespace(x).astype(value, x.dtype)

    def _error(self, low: Any, high: Any, low_before: Any) -> float:
        """Return the root mean square of the scaled difference, largest over the batch."""
        xp = array_namespace(low)
        scale = self.rtol * xp.maximum(xp.abs(low), xp.abs(low_before))
        scaled = (high - low) / xp.clip(scale, min=self.atol)
        mean_square = xp.mean(xp.reshape(scaled, (low.shape[0], -1)) ** 2, axis=1)
        return math.sqrt(float(xp.max(mean_square)))
