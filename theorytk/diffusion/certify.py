"""Certificates of the order of convergence, for any sampler."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np

from theorytk._validation import check_array, check_choice, check_int, check_real
from theorytk.diffusion.certificates import OrderCertificate
from theorytk.diffusion.execution import sample
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.models import Model
from theorytk.diffusion.plans import Plan, check_times
from theorytk.diffusion.reference import ReferenceTrajectory, reference_trajectory
from theorytk.diffusion.samplers.compile import METHODS, compile_plan
from theorytk.diffusion.schedules import NoiseSchedule, VPLinear
from theorytk.diffusion.targets import GuidedTarget, MixtureTarget, Target, three_modes
from theorytk.inference import (
    MIN_REPLICATES,
    Between,
    Estimate,
    Verdict,
    judge,
    levels_of_looks,
    order_estimate,
)

__all__ = ["BlackBoxSampler", "OrderCertificate", "certify_order"]

Array = np.ndarray
Runner = Callable[[NoiseSchedule, Array, Array, Model], Any]

# A certified order is within a quarter of an integer, so that no two are confused.
TOLERANCE = 0.25
# Exact states before the first step: enough for the history of fourth-order multistep methods.
HISTORY = 3
# Starting points of one replicate, whose root mean square error has no zero as a point's can.
GROUP = 6
# Four grids, and up to three times a finer one until there is a verdict.
GRIDS, LOOKS = 4, 4
# The range of lambda, in which the law splits into its modes. At larger lambda the orders of
# starting points between two modes settle on finer grids only.
LAM_SPAN = (-4.0, 0.3)
RTOL = 1e-13


@runtime_checkable
class BlackBoxSampler(Protocol):
    """A sampler that is no plan, such as an adapter of another library's.

    It is called with the schedule, the times (n_steps + 1,), the exact states at the first
    ``needs + 1`` of them, shape (needs + 1, n, d), and the model of the noise; it returns the
    states at the last time, shape (n, d).

    Attributes
    ----------
    needs : int
        How many exact states it takes beyond the first, 0 if it starts itself.
    accuracy : float
        The rounding error of its result, in the unit of the states: about 1e-16 for double
        precision, 1e-7 for single.
    """

    needs: int
    accuracy: float

    def __call__(
        self, schedule: NoiseSchedule, times: Array, states: Array, model: Model
    ) -> Any: ...


def certify_order(
    sampler: str | Callable[..., Plan] | BlackBoxSampler,
    *,
    expected: int | None = None,
    target: Target | None = None,
    schedule: NoiseSchedule | None = None,
    kind: str | Callable[..., Any] = "logsnr",
    n_steps: Sequence[int] = (16, 32, 64, 128),
    n_points: int = 192,
    t_min: float | None = None,
    t_max: float | None = None,
    bootstrap: int | str = "exact",
    rng: int | np.random.Generator | None = 0,
    **options: Any,
) -> OrderCertificate:
    """Measure the order of convergence of a sampler and judge it.

    The sampler runs on refined grids from the same starting points, on a target whose flow is
    known to about 1e-12. The local orders are extrapolated, and groups of six starting points are
    the replicates. There is no verdict while the interval is longer than half an order; then a
    finer grid replaces the coarsest one, three times at most.

    Parameters
    ----------
    sampler : str, function or BlackBoxSampler
        A name in :data:`theorytk.diffusion.samplers.METHODS`; a function
        ``f(schedule, times, **options) -> Plan``; or an object with ``needs``.
    expected : int, optional
        The stated order, >= 1. Without it the verdict is on the nearest integer.
    target : Target, optional
        Default :func:`~theorytk.diffusion.targets.three_modes`. A single Gaussian is refused: its
        predictions are linear, and methods converge faster on it.
    schedule : NoiseSchedule, optional
        Default :class:`~theorytk.diffusion.schedules.VPLinear`.
    kind : str or function, default "logsnr"
        Of the grids: as for :func:`~theorytk.diffusion.grids.time_grid`, or a function
        ``f(schedule, n_steps, t_min=..., t_max=...) -> times``.
    n_steps : sequence of 4 int, default (16, 32, 64, 128)
        The first grids, each the same integer multiple of the one before.
    n_points : int, default 192
        Starting points, a multiple of 6 and >= 120, drawn from the target's law at t_max.
    t_min, t_max : float, optional
        The range of times; by default where lambda is 0.3 and -4.
    bootstrap : "exact" or int, default "exact"
        How many exact states a multistep method is given beyond the first: by default 3, and
        expected - 1 if that is more. With 0 a method starts itself, and its start may decide
        the order.
    rng : int, Generator or None, default 0
        Random state of the starting points.
    **options
        Passed to the function of the sampler.

    Returns
    -------
    OrderCertificate

    Raises
    ------
    ValueError
        If the target is a single Gaussian, the grids are not refined by one ratio, or the
        sampler's result is not finite.

    References
    ----------
    Derived here. The estimate is :func:`theorytk.inference.order_estimate`, the levels of the
    repeated verdicts are those of :func:`theorytk.inference.levels_of_looks`.

    Examples
    --------
    >>> certificate = certify_order("dpm_3m", variant="published", expected=3)
    >>> certificate.finding
    'not order 3'
    >>> certify_order("dpm_3m").finding
    'order 3'
    """
    steps, ratio = _check_steps(n_steps)
    if expected is not None:
        expected = check_int("expected", expected, lower=1)
    run, history, accuracy = _as_runner(sampler, bootstrap, expected, options)
    check_int("n_steps (smallest)", steps[0], lower=history + 1)
    schedule = VPLinear() if schedule is None else schedule
    make = partial(time_grid, kind=kind) if isinstance(kind, str) else kind
    grid = partial(make, schedule, **_span(schedule, t_min, t_max))
    problem = _pose(_check_target(target), schedule, grid, steps[0], n_points, rng)
    accuracy = max(accuracy, problem.exact.accuracy)
    errors: list[Array] = []
    for level in levels_of_looks(LOOKS):
        steps = (*steps, ratio * steps[-1]) if errors else steps
        errors += [problem.errors(run, n, history) for n in steps[len(errors) :]]
        order = order_estimate(np.stack(errors[-GRIDS:], axis=1), ratio=ratio, floor=accuracy)
        judged, verdict = _judge(order, expected, level)
        if verdict != Verdict.UNDECIDED:
            break
    table, stated = np.stack(errors, axis=1), expected is not None
    return OrderCertificate(
        _name(sampler), order, level, judged, stated, verdict, steps, table, accuracy
    )


@dataclass(frozen=True)
class _Problem:
    """Starting points and the exact states that they flow to."""

    target: Target
    schedule: NoiseSchedule
    grid: Callable[..., Any]
    exact: ReferenceTrajectory

    def errors(self, run: Runner, n_steps: int, history: int) -> Array:
        """Return the root mean square error of each group of points on one grid."""
        times = check_times(self.schedule, self.grid(n_steps=n_steps))
        start, end = self.exact.states
        if not np.array_equal(times[[0, -1]], self.exact.times):
            raise ValueError(
                f"kind must give grids with the same ends, {self.exact.times}; got {times[[0, -1]]}"
            )
        states = start[None]
        if history:
            first = times[: history + 1]
            states = reference_trajectory(
                self.target, self.schedule, start, first, rtol=RTOL
            ).states
        result = check_array(
            f"the sampler's result at {n_steps} steps",
            run(self.schedule, times, states, self.target.model(self.schedule)),
            shape=end.shape,
        )
        squares = np.mean((result - end) ** 2, axis=1).reshape(-1, GROUP)
        errors: Array = np.sqrt(squares.mean(axis=1))
        return errors


def _pose(
    target: Target,
    schedule: NoiseSchedule,
    grid: Callable[..., Any],
    n_steps: int,
    n_points: int,
    rng: int | np.random.Generator | None,
) -> _Problem:
    """Draw the starting points and solve for where they flow."""
    n_points = check_int("n_points", n_points, lower=GROUP * MIN_REPLICATES)
    if n_points % GROUP:
        raise ValueError(f"n_points must be a multiple of {GROUP}; got {n_points}")
    times = check_times(schedule, grid(n_steps=n_steps))[[0, -1]]
    law = target
    while isinstance(law, GuidedTarget):
        law = law.unconditional
    if not isinstance(law, MixtureTarget):
        raise TypeError(f"target must be a MixtureTarget or a GuidedTarget; got {target!r}")
    x = law.sample(n_points, rng, float(schedule.alpha(times[0])), float(schedule.sigma(times[0])))
    exact = reference_trajectory(target, schedule, x, times, rtol=RTOL)
    return _Problem(target, schedule, grid, exact)


def _judge(order: Estimate, expected: int | None, level: float) -> tuple[int, Verdict]:
    """Return the judged order and the verdict; only a stated order can be contradicted.

    An interval longer than the region decides nothing: then the local orders still move, and their
    extrapolation may lie on the wrong side of a stated order.
    """
    judged = max(1, round(order.value)) if expected is None else expected
    low, high = order.interval(level)
    region = Between(judged - TOLERANCE, judged + TOLERANCE)
    verdict = judge(order, region, level=level).verdict
    if high - low > 2 * TOLERANCE or (expected is None and verdict == Verdict.CONTRADICTED):
        verdict = Verdict.UNDECIDED
    return judged, verdict


def _span(schedule: NoiseSchedule, t_min: float | None, t_max: float | None) -> dict[str, float]:
    first, last = (float(t) for t in schedule.t_of_lam(np.asarray(LAM_SPAN)))
    return {
        "t_min": last if t_min is None else check_real("t_min", t_min),
        "t_max": first if t_max is None else check_real("t_max", t_max),
    }


def _as_runner(
    sampler: Any, bootstrap: int | str, expected: int | None, options: dict[str, Any]
) -> tuple[Runner, int, float]:
    """Return the sampler as one function, how many states it needs, and its rounding error."""
    if isinstance(sampler, BlackBoxSampler):
        if options:
            raise TypeError(f"options must be empty for a black box; got {sorted(options)}")
        needs = check_int("needs", sampler.needs, lower=0)
        return sampler, needs, check_real("accuracy", sampler.accuracy, lower=0)
    if isinstance(sampler, str):
        named = METHODS[check_choice("sampler", sampler, METHODS)]
        compile_ = partial(compile_plan, method=sampler)
    elif callable(sampler):
        named = compile_ = sampler
    else:
        raise TypeError(f"sampler must be a name, a function or a black box; got {sampler!r}")
    history = 0
    if "bootstrap" in inspect.signature(named).parameters:
        if bootstrap == "exact":
            history = max(HISTORY, (expected or 1) - 1)
        else:
            history = check_int("bootstrap", bootstrap, lower=0)
        options = {**options, "bootstrap": history}

    def run(schedule: NoiseSchedule, times: Array, states: Array, model: Model) -> Any:
        plan = compile_(schedule, times, **options)
        return sample(plan, model, states[0] if len(plan.inputs) == 1 else list(states)).x

    return run, history, 0.0


def _check_target(target: Target | None) -> Target:
    target = three_modes() if target is None else target
    if not isinstance(target, Target):
        raise TypeError(f"target must be a Target; got {target!r}")
    if _is_linear(target):
        raise ValueError(
            "target must not be Gaussian, where predictions are linear and methods converge "
            "faster; got one"
        )
    return target


def _is_linear(target: Target) -> bool:
    if isinstance(target, GuidedTarget):
        return _is_linear(target.unconditional) and _is_linear(target.conditional)
    return isinstance(target, MixtureTarget) and len(target.law.weights) == 1


def _check_steps(n_steps: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """Return the numbers of steps and their ratio."""
    steps = tuple(check_int("n_steps", n, lower=1) for n in n_steps)
    if len(steps) != GRIDS:
        raise ValueError(f"n_steps must be {GRIDS} numbers; got {steps}")
    ratio = steps[1] // steps[0]
    if ratio < 2 or any(b != ratio * a for a, b in pairwise(steps)):
        raise ValueError(f"n_steps must grow by one integer ratio >= 2; got {steps}")
    return steps, ratio


def _name(sampler: Any) -> str:
    if isinstance(sampler, str):
        return sampler
    function = sampler.func if isinstance(sampler, partial) else sampler
    return str(getattr(function, "__name__", type(function).__name__))
