"""Exhaustive search for solver schedules: spaces of decisions, and errors held out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from theorytk._validation import check_int
from theorytk.diffusion.models import OUTPUTS
from theorytk.diffusion.plans import Plan
from theorytk.diffusion.samplers import compile_plan
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.tuning.decisions import MOST_OUTPUTS, SolverSchedule, StepDecision
from theorytk.diffusion.tuning.unrolled import PlanBatch, Trajectories

__all__ = [
    "BASELINES",
    "SearchResult",
    "baselines",
    "decision_space",
    "exhaustive_search",
    "n_distinct_solvers",
    "n_schedules",
]

Array = np.ndarray

BASELINES: dict[str, tuple[str, dict[str, object]]] = {
    "DDIM": ("ddim", {}),
    "2M, noise": ("dpm_2m", {}),
    "++2M": ("dpmpp_2m", {}),
    "++3M": ("dpmpp_3m", {}),
    "DEIS tAB3": ("deis_tab3", {}),
    "iPNDM": ("ipndm", {}),
    "UniPC-3": ("unipc", {"order": 3}),
}
"""The samplers with one evaluation a step that a searched schedule is compared with."""


def decision_space(
    times: Sequence[float],
    *,
    max_order: int = 3,
    predictions: Sequence[str] = OUTPUTS,
    correctors: Sequence[str] = ("none", "pseudo"),
    relaxations: Sequence[float | str] = (0.0,),
) -> list[SolverSchedule]:
    """Return every schedule whose steps take one of the given decisions.

    Parameters
    ----------
    times : sequence of float, shape (n_steps + 1,)
        The time grid, decreasing; the same for all.
    max_order : int
        The highest order, from 1 to 4; step i has at most order i + 1.
    predictions, correctors, relaxations : sequences
        What a step may choose from; the last step has no corrector, steps of order 1 no relaxation.
        The prediction "v3" is not among the default ones, for its plans need statistics.

    Returns
    -------
    list of SolverSchedule
        In the order of `itertools.product`, the last step fastest.

    Examples
    --------
    >>> len(decision_space([1.0, 0.6, 0.3, 0.1, 0.001]))
    2304
    """
    check_int("max_order", max_order, lower=1, upper=MOST_OUTPUTS)
    n_steps = len(times) - 1
    choices = [
        [
            StepDecision(prediction, order, corrector, relaxation)
            for prediction in predictions
            for order in range(1, min(max_order, i + 1) + 1)
            for corrector in (correctors if i + 1 < n_steps else ("none",))
            for relaxation in (relaxations if order > 1 else (0.0,))
        ]
        for i in range(n_steps)
    ]
    return [SolverSchedule(tuple(times), steps) for steps in itertools.product(*choices)]


def n_schedules(n_steps: int, max_order: int = 3) -> int:
    """Return the size of the default :func:`decision_space`.

    Parameters
    ----------
    n_steps : int
        The number of steps, >= 1.
    max_order : int
        The highest order of a step.

    Returns
    -------
    int

    References
    ----------
    Counting: a step of at most k orders has 4 k decisions, the last 2 k.

    Examples
    --------
    >>> n_schedules(4), n_schedules(5)
    (2304, 27648)
    """
    *inner, last = _orders(n_steps, max_order)
    return 2 * last * math.prod(4 * k for k in inner)


def n_distinct_solvers(n_steps: int, max_order: int = 3) -> int:
    """Return how many distinct solvers the default :func:`decision_space` holds.

    Parameters
    ----------
    n_steps : int
        The number of steps, >= 1.
    max_order : int
        The highest order of a step.

    Returns
    -------
    int

    References
    ----------
    Derived here, for steps of unequal length in lambda: a step of order 1 without corrector, from a
    state that is not corrected itself, is the same in both predictions; all else differs. With
    equal steps there are fewer.

    Examples
    --------
    >>> n_distinct_solvers(4), n_distinct_solvers(5)
    (1463, 16855)
    """
    *inner, last = _orders(n_steps, max_order)
    plain, corrected = 1, 0  # solvers up to a node, by whether the state there is corrected
    for k in inner:
        both = 2 * k * (plain + corrected)
        plain, corrected = both - plain, both
    return 2 * last * (plain + corrected) - plain


def _orders(n_steps: int, max_order: int) -> list[int]:
    """Return how many orders each step can choose from."""
    n_steps = check_int("n_steps", n_steps, lower=1)
    max_order = check_int("max_order", max_order, lower=1, upper=MOST_OUTPUTS)
    return [min(max_order, i + 1) for i in range(n_steps)]


def baselines(schedule: NoiseSchedule, times: Sequence[float]) -> dict[str, Plan]:
    """Return the plans of :data:`BASELINES` on a time grid.

    Parameters
    ----------
    schedule : NoiseSchedule
        The noise schedule.
    times : sequence of float, shape (n_steps + 1,)
        The time grid, decreasing; four steps or more, for iPNDM has order 4.

    Returns
    -------
    dict of str to Plan

    Examples
    --------
    >>> from theorytk.diffusion import VPLinear
    >>> sorted(baselines(VPLinear(), [1.0, 0.7, 0.4, 0.2, 0.001]))[:2]
    ['++2M', '++3M']
    """
    return {
        name: compile_plan(schedule, times, method, **options)
        for name, (method, options) in BASELINES.items()
    }


@dataclass(frozen=True, eq=False)
class SearchResult:
    """Errors of candidates on the trajectories they were chosen on, and on others.

    Attributes
    ----------
    train_errors, held_out_errors : ndarray, shape (n_candidates,)
        Root mean square errors, in the unit of the states.
    baseline_train_errors, baseline_held_out_errors : dict of str to float
        The same of the baselines.
    """

    train_errors: Array
    held_out_errors: Array
    baseline_train_errors: dict[str, float] = field(default_factory=dict)
    baseline_held_out_errors: dict[str, float] = field(default_factory=dict)

    @cached_property
    def ranking(self) -> Array:
        """The candidates' positions from the smallest training error to the largest."""
        order: Array = np.argsort(self.train_errors, kind="stable")
        return order

    @property
    def best(self) -> int:
        """The position of the candidate with the smallest training error."""
        return int(self.ranking[0])

    @property
    def overfit(self) -> float:
        """The chosen candidate's held-out error over its training error."""
        return float(self.held_out_errors[self.best] / self.train_errors[self.best])

    @property
    def gain(self) -> float:
        """The chosen candidate's held-out error over that of the baseline that is best there."""
        if not self.baseline_held_out_errors:
            raise ValueError("gain needs baselines; the search was given none")
        return float(self.held_out_errors[self.best] / min(self.baseline_held_out_errors.values()))


def exhaustive_search(
    candidates: PlanBatch,
    train: Trajectories,
    held_out: Trajectories,
    baselines: Mapping[str, Plan] | None = None,
) -> SearchResult:
    """Return the errors of all candidates on two sets of trajectories.

    Parameters
    ----------
    candidates : PlanBatch
        The plans of a decision space, or any others.
    train : Trajectories
        What the choice is made on.
    held_out : Trajectories
        What the choice is reported on; of the same target, with other starts.
    baselines : mapping of str to Plan, optional
        Plans to compare with, of no fewer evaluations than any candidate.

    Returns
    -------
    SearchResult

    Raises
    ------
    ValueError
        If a baseline has fewer evaluations than a candidate.

    References
    ----------
    Liu et al. (ICLR 2024) search with an evolution. To take all schedules, and to report on
    trajectories that were not searched on, is ours.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.diffusion import VPLinear, three_modes, time_grid
    >>> from theorytk.diffusion.tuning.unrolled import solve_trajectories
    >>> schedule, rng = VPLinear(), np.random.default_rng(0)
    >>> times = time_grid(schedule, "logsnr", 3)
    >>> plans = PlanBatch([one.compile(schedule) for one in decision_space(times)])
    >>> train, held_out = (
    ...     solve_trajectories(three_modes(), schedule, rng.standard_normal((n, 2)))
    ...     for n in (32, 128)
    ... )
    >>> exhaustive_search(plans, train, held_out).train_errors.shape
    (192,)
    """
    named = dict(baselines or {})
    most = max(plan.n_evaluations for plan in candidates.plans)
    for name, plan in named.items():
        if plan.n_evaluations < most:
            raise ValueError(
                f"baseline {name!r} has {plan.n_evaluations} evaluations, a candidate {most}: "
                "a comparison must be at as many"
            )
    first, second = (candidates.errors(these) for these in (train, held_out))
    others: list[dict[str, float]] = [{}, {}]
    if named:
        batch = PlanBatch(list(named.values()))
        others = [
            dict(zip(named, batch.errors(these).tolist(), strict=True))
            for these in (train, held_out)
        ]
    return SearchResult(first, second, *others)
