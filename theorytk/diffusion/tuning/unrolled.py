"""Plans unrolled: every state as a combination of the start and of the noise predictions.

A plan is a linear recurrence, so its k-th point of evaluation is ``a_k x0 + sum_j<k B_kj e_j``, and
so is its result. Two plans are one sampler if and only if these coefficients agree, and many plans
are run together by sharing the points that they have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from theorytk._validation import check_array
from theorytk.diffusion.models import Model
from theorytk.diffusion.plans import Eval, Lin, Plan
from theorytk.diffusion.reference import reference_trajectory
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.targets import Target
from theorytk.diffusion.tuning.decisions import SolverSchedule

__all__ = [
    "PlanBatch",
    "Trajectories",
    "Unrolled",
    "schedule_errors",
    "solve_trajectories",
    "unroll",
]

Array = np.ndarray

# Entries of scratch in one block of a combination.
BLOCK_ENTRIES = 1 << 18
SAME = 1e-9  # of the largest coefficient: below it two are one


@dataclass(frozen=True, eq=False)
class Unrolled:
    """A plan's points of evaluation and its result, as combinations.

    Attributes
    ----------
    times : tuple of float, length n_evaluations
        When the model is called.
    rows : ndarray, shape (n_evaluations + 1, n_evaluations + 1)
        Row k: the coefficients of x0 and of the noise predictions e_0, e_1, ... in the k-th point;
        the last row is the result. The predictions come before their use: ``rows[k, k + 1:]`` is 0.
    """

    times: tuple[float, ...]
    rows: Array


def unroll(plan: Plan) -> Unrolled:
    """Return a plan's states as combinations of its start and of the noise predictions.

    Parameters
    ----------
    plan : Plan
        With one input and without noise instructions.

    Returns
    -------
    Unrolled

    Raises
    ------
    ValueError
        If the plan starts from several states, draws noise, or has constants or coefficients per
        coordinate, as those along statistics of a model have.

    References
    ----------
    Derived here: states and outputs are linear in (x0, e_0, ..., e_{k-1}), and a kept data
    prediction is (x - sigma e) / alpha.

    Examples
    --------
    >>> from theorytk.diffusion.samplers import ddim
    >>> from theorytk.diffusion.schedules import EDM
    >>> unroll(ddim(EDM(), [4.0, 2.0, 1.0])).rows.round(12)
    array([[ 1.,  0.,  0.],
           [ 1., -2.,  0.],
           [ 1., -2., -1.]])
    """
    if len(plan.inputs) != 1:
        raise ValueError(f"the plan must start from one state; got {', '.join(plan.inputs)}")
    n = plan.n_evaluations
    vectors = {plan.inputs[0]: np.eye(n + 1)[0]}
    times: list[float] = []
    rows: list[Array] = []
    for step in plan.instructions:
        if isinstance(step, Lin):
            if any(isinstance(c, np.ndarray) for c, _ in step.terms):
                raise ValueError("the plan must not have coefficients per coordinate")
            vectors[step.target] = sum((c * vectors[s] for c, s in step.terms), np.zeros(n + 1))
        elif isinstance(step, Eval):
            rows.append(vectors[step.source])
            times.append(float(step.t))
            noise = np.zeros(n + 1)
            noise[len(rows)] = 1.0
            if step.output == "data":
                alpha, sigma = (
                    float(plan.schedule.alpha(step.t)),
                    float(plan.schedule.sigma(step.t)),
                )
                noise = (rows[-1] - sigma * noise) / alpha
            vectors[step.target] = noise
        else:
            raise ValueError("the plan must not draw noise or have constants")
    return Unrolled(tuple(times), np.array([*rows, vectors[plan.output]]))


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Starts of a model's probability flow and where it takes them.

    Attributes
    ----------
    model : Model
        The model, with its schedule.
    starts, ends : ndarray, shape (n, d)
        States at the first and at the last time of the plans that are to be judged.
    """

    model: Model
    starts: Array
    ends: Array

    def __post_init__(self) -> None:
        if self.model.schedule is None:
            raise ValueError("model must have a schedule; this one has None")
        shape = check_array("starts", self.starts, ndim=2).shape
        check_array("ends", self.ends, shape=shape)


def solve_trajectories(
    target: Target,
    schedule: NoiseSchedule,
    starts: object,
    *,
    t_max: float | None = None,
    t_min: float | None = None,
    rtol: float = 1e-7,
) -> Trajectories:
    """Return trajectories of a target's flow, solved to a tolerance.

    Parameters
    ----------
    target : Target
        The law of the data.
    schedule : NoiseSchedule
        The schedule.
    starts : array_like, shape (n, d)
        States at `t_max`.
    t_max, t_min : float, optional
        The first and the last time; by default those of the schedule.
    rtol : float
        Tolerance of the solver; see :func:`theorytk.diffusion.reference_trajectory`.

    Returns
    -------
    Trajectories

    Examples
    --------
    >>> from theorytk.diffusion import VPLinear, three_modes
    >>> solve_trajectories(three_modes(), VPLinear(), [[0.3, -1.0]]).ends.shape
    (1, 2)
    """
    x = check_array("starts", starts, shape=(None, target.dimension))
    first = schedule.t_max if t_max is None else t_max
    last = schedule.t_min if t_min is None else t_min
    solved = reference_trajectory(target, schedule, x, [first, last], rtol=rtol)
    return Trajectories(target.model(schedule), x, solved.states[-1])


class _Level(NamedTuple):
    """Distinct points of evaluation: those they follow from, and their coefficients."""

    parents: Array
    rows: Array


class _Group(NamedTuple):
    """Plans that call the model at the same times, as a tree of distinct points."""

    members: Array
    times: tuple[float, ...]
    levels: tuple[_Level, ...]
    results: Array


class PlanBatch:
    """Plans that are run together: points of evaluation that they share are computed once.

    Parameters
    ----------
    plans : sequence of Plan
        With one input and without noise instructions.

    Attributes
    ----------
    plans : tuple of Plan
        The plans.

    Examples
    --------
    >>> from theorytk.diffusion import VPLinear, compile_plan, three_modes
    >>> times = [1.0, 0.4, 0.001]
    >>> plans = [compile_plan(VPLinear(), times, name) for name in ("ddim", "dpmpp_2m")]
    >>> trajectories = solve_trajectories(three_modes(), VPLinear(), [[0.3, -1.0]])
    >>> PlanBatch(plans).errors(trajectories).shape
    (2,)
    """

    def __init__(self, plans: Sequence[Plan]) -> None:
        self.plans = tuple(plans)
        if not self.plans:
            raise ValueError("plans must hold at least one plan")
        unrolled = [unroll(plan) for plan in self.plans]
        members: dict[tuple[float, ...], list[int]] = {}
        for i, one in enumerate(unrolled):
            members.setdefault(one.times, []).append(i)
        self._groups = [
            _tree(np.array(these), times, np.stack([unrolled[i].rows for i in these]))
            for times, these in members.items()
        ]

    @cached_property
    def n_distinct(self) -> int:
        """How many distinct samplers there are.

        Plans at the same times of evaluation are one if their unrolled coefficients agree to 1e-9.
        """
        unrolled = [unroll(plan) for plan in self.plans]
        return sum(
            _n_distinct(np.stack([unrolled[i].rows for i in group.members]))
            for group in self._groups
        )

    def errors(self, trajectories: Trajectories) -> Array:
        """Return the root mean square errors of the plans' results.

        Parameters
        ----------
        trajectories : Trajectories
            From the first to the last time of the plans.

        Returns
        -------
        ndarray, shape (n_plans,)
            Over trajectories and coordinates, in the unit of the states.
        """
        starts, ends = trajectories.starts, trajectories.ends
        errors = np.empty(len(self.plans))
        for group in self._groups:
            history = np.broadcast_to(starts.ravel(), (1, 1, starts.size))
            for t, level in zip(group.times, group.levels[:-1], strict=True):
                before = history[level.parents]
                points = _combined(level.rows, before)
                noise = trajectories.model.predict("noise", points.reshape(-1, starts.shape[1]), t)
                history = np.concatenate([before, noise.reshape(len(points), 1, -1)], axis=1)
            last = group.levels[-1]
            distinct = _mean_squares(last, history, ends.ravel())
            errors[group.members] = np.sqrt(distinct[group.results])
        return errors


def schedule_errors(schedules: Sequence[SolverSchedule], trajectories: Trajectories) -> Array:
    """Return the root mean square errors of solver schedules.

    Parameters
    ----------
    schedules : sequence of SolverSchedule
        From the first to the last time of the trajectories.
    trajectories : Trajectories
        What they are judged on; its model's schedule is what they are compiled for.

    Returns
    -------
    ndarray, shape (n_schedules,)

    Examples
    --------
    >>> from theorytk.diffusion import VPLinear, three_modes
    >>> trajectories = solve_trajectories(three_modes(), VPLinear(), [[0.3, -1.0]])
    >>> from theorytk.diffusion.tuning.decisions import StepDecision
    >>> ddim = SolverSchedule([1.0, 0.4, 0.001], [StepDecision(), StepDecision()])
    >>> schedule_errors([ddim], trajectories).shape
    (1,)
    """
    schedule = trajectories.model.schedule
    assert schedule is not None
    return PlanBatch([one.compile(schedule) for one in schedules]).errors(trajectories)


def _tree(members: Array, times: tuple[float, ...], rows: Array) -> _Group:
    """Return the tree of the plans' distinct points; `rows` is (n_plans, n + 1, n + 1)."""
    at = np.zeros(len(rows), dtype=np.intp)
    levels = []
    for k in range(len(times) + 1):
        first, after = _distinct(np.column_stack([at, rows[:, k, : k + 1]]))
        levels.append(_Level(at[first], np.ascontiguousarray(rows[first, k, : k + 1])))
        at = after
    return _Group(members, times, tuple(levels), at)


def _distinct(keys: Array) -> tuple[Array, Array]:
    """Return where each distinct row first is, and which of them every row is."""
    seen: dict[bytes, int] = {}
    which = np.array([seen.setdefault(key.tobytes(), len(seen)) for key in keys])
    first = np.empty(len(seen), dtype=np.intp)
    first[which[::-1]] = np.arange(len(keys))[::-1]
    return first, which


def _n_distinct(rows: Array) -> int:
    """Return how many of the arrays rows[i] differ; a random combination tells them apart."""
    flat = rows.reshape(len(rows), -1)
    direction = np.random.default_rng(0).standard_normal(flat.shape[1])
    tolerance = SAME * (1 + np.abs(flat).max())
    return 1 + int(np.sum(np.diff(np.sort(flat @ direction)) > tolerance))


def _combined(rows: Array, history: Array) -> Array:
    """Return the combinations (u, m) of histories (u, k, m) with coefficients (u, k)."""
    combined: Array = np.matmul(rows[:, None, :], history)[:, 0]
    return combined


def _mean_squares(level: _Level, history: Array, ends: Array) -> Array:
    """Return the mean squared errors of the results, block by block."""
    size = max(1, BLOCK_ENTRIES // (history.shape[1] * history.shape[2]))
    squares = np.empty(len(level.rows))
    for start in range(0, len(squares), size):
        block = slice(start, start + size)
        results = _combined(level.rows[block], history[level.parents[block]])
        squares[block] = np.mean((results - ends) ** 2, axis=1)
    return squares
