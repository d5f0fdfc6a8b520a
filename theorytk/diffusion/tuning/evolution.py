"""Evolutionary search for solver schedules, with times and relaxations that move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_int
from theorytk.diffusion.models import OUTPUTS
from theorytk.diffusion.tuning.decisions import (
    CORRECTORS,
    RELAXATIONS,
    SolverSchedule,
    StepDecision,
)
from theorytk.diffusion.tuning.unrolled import Trajectories, schedule_errors

__all__ = ["EvolutionResult", "Mutation", "evolve"]

Array = np.ndarray
MOST_TRIALS = 1000


@dataclass(frozen=True)
class Mutation:
    """The probabilities and sizes of what an evolution changes.

    Parameters
    ----------
    parents : int
        How many of the best schedules may be parents.
    crossover : float
        The probability that a child has two parents; then each kind of decision comes from one of
        them, or, with probability 1/2, each step does.
    change : float
        The probability with which each decision is drawn anew or moved.
    time_scale, relaxation_scale : float
        Standard deviations: of the factor 1 + N(0, s) of a time, and of what is added to a
        relaxation.
    insert_or_delete : float
        The probability of each: a step more, a step less.
    orders, predictions, correctors : tuple of float
        Probabilities of the orders 1 to 4, of noise and data, of no and pseudo corrector.

    References
    ----------
    The defaults are the settings of the released code of Liu et al. (ICLR 2024), without the
    third prediction and the implicit corrector.

    Examples
    --------
    >>> Mutation().parents
    15
    """

    parents: int = 15
    crossover: float = 0.3
    change: float = 0.3
    time_scale: float = 0.08
    relaxation_scale: float = 0.03
    insert_or_delete: float = 0.2
    orders: tuple[float, ...] = (0.2, 0.4, 0.3, 0.1)
    predictions: tuple[float, ...] = (0.5, 0.5)
    correctors: tuple[float, ...] = (0.5, 0.5)


@dataclass(frozen=True, eq=False)
class EvolutionResult:
    """What an evolution found.

    Attributes
    ----------
    best : SolverSchedule
        The schedule with the smallest training error.
    train_error, held_out_error : float
        Its root mean square errors, in the unit of the states.
    train_errors : ndarray, shape (n_evaluated,)
        Training errors in the order of their evaluation; the first are the given schedules'.
    """

    best: SolverSchedule
    train_error: float
    held_out_error: float
    train_errors: Array

    @property
    def overfit(self) -> float:
        """The held-out error over the training error."""
        return self.held_out_error / self.train_error


def evolve(
    start: Sequence[SolverSchedule],
    train: Trajectories,
    held_out: Trajectories,
    *,
    n_children: int = 1000,
    mutation: Mutation | None = None,
    rng: int | np.random.Generator | None = None,
) -> EvolutionResult:
    """Search schedules by evolution, and report on trajectories held out.

    One child after the other is made of the best schedules so far and evaluated. None has more
    evaluations than the largest of the given schedules; ends of the time grid stay.

    Parameters
    ----------
    start : sequence of SolverSchedule
        The first population, with common first and last times.
    train : Trajectories
        What schedules are judged on.
    held_out : Trajectories
        What the best is reported on.
    n_children : int
        How many children are evaluated, >= 1.
    mutation : Mutation, optional
        Probabilities and sizes of changes.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    EvolutionResult

    Raises
    ------
    ValueError
        If the given schedules are none, or differ in their ends.
    RuntimeError
        If the mutations give no child within the budget.

    References
    ----------
    Liu et al. (ICLR 2024), the search of their released code, whose score is the FID of 1000
    samples; here it is the error on the training trajectories.

    Examples
    --------
    >>> from theorytk.diffusion import VPLinear, three_modes
    >>> from theorytk.diffusion.tuning.unrolled import solve_trajectories
    >>> noise_schedule, rng = VPLinear(), np.random.default_rng(0)
    >>> train, held_out = (
    ...     solve_trajectories(three_modes(), noise_schedule, rng.standard_normal((n, 2)))
    ...     for n in (16, 64)
    ... )
    >>> ddim = SolverSchedule([1.0, 0.5, 0.2, 0.001], [StepDecision()] * 3)
    >>> found = evolve([ddim], train, held_out, n_children=30, rng=0)
    >>> bool(found.train_error < found.train_errors[0])
    True
    """
    n_children = check_int("n_children", n_children, lower=1)
    if not start:
        raise ValueError("start must hold at least one schedule")
    if len({(one.times[0], one.times[-1]) for one in start}) > 1:
        raise ValueError("start must hold schedules with common first and last times")
    mutation, rng = mutation or Mutation(), as_generator(rng)
    budget = max(one.n_evaluations for one in start)
    errors: list[float] = schedule_errors(start, train).tolist()
    ranked = sorted(zip(errors, range(len(start)), start, strict=True))
    for _ in range(n_children):
        parents = [one for _, _, one in ranked[: mutation.parents]]
        child = _child(parents, mutation, budget, rng)
        error = float(schedule_errors([child], train)[0])
        errors.append(error)
        ranked = sorted([*ranked, (error, len(errors), child)])[: max(mutation.parents, 1)]
    error, _, best = ranked[0]
    reported = float(schedule_errors([best], held_out)[0])
    return EvolutionResult(best, error, reported, np.array(errors))


def _child(
    parents: Sequence[SolverSchedule], mutation: Mutation, budget: int, rng: np.random.Generator
) -> SolverSchedule:
    """Return a schedule within the budget made of one or two parents."""
    for _ in range(MOST_TRIALS):
        one = parents[int(rng.integers(len(parents)))]
        if rng.random() < mutation.crossover:
            one = _crossed(one, parents[int(rng.integers(len(parents)))], rng)
        times = _moved(one.times, mutation, rng)
        decisions = [_changed(decision, mutation, rng) for decision in one.decisions]
        if len(decisions) > 1 and rng.random() < mutation.insert_or_delete:
            gone = int(rng.integers(1, len(decisions)))
            del times[gone], decisions[gone]
        if rng.random() < mutation.insert_or_delete:
            at = int(rng.integers(len(decisions)))
            times.insert(at + 1, float(rng.uniform(times[at + 1], times[at])))
            decisions.insert(at + 1, _changed(decisions[at], mutation, rng))
        child = _repaired(times, decisions, one.analytic_first_step)
        if child.n_evaluations <= budget and min(-np.diff(child.times)) > 0:
            return child
    raise RuntimeError(f"no child of at most {budget} evaluations in {MOST_TRIALS} trials")


def _crossed(
    one: SolverSchedule, other: SolverSchedule, rng: np.random.Generator
) -> SolverSchedule:
    """Return a mixture of two schedules if they have as many steps, else one of them."""
    if one.n_steps != other.n_steps:
        return (one, other)[rng.integers(2)]
    pairs = list(zip(one.decisions, other.decisions, strict=True))
    if rng.random() < 0.5:
        decisions = [pair[rng.integers(2)] for pair in pairs]
    else:
        source = {field.name: rng.integers(2) for field in fields(StepDecision)}
        decisions = [
            StepDecision(**{name: getattr(pair[k], name) for name, k in source.items()})
            for pair in pairs
        ]
    times = (one, other)[rng.integers(2)].times
    return _repaired(list(times), decisions, one.analytic_first_step)


def _moved(times: Sequence[float], mutation: Mutation, rng: np.random.Generator) -> list[float]:
    """Return times of which some inner ones are multiplied by 1 + N(0, s), sorted."""
    inner = np.array(times[1:-1])
    factors = 1 + mutation.time_scale * rng.standard_normal(len(inner))
    inner = np.where(rng.random(len(inner)) < mutation.change, inner * factors, inner)
    inner = np.clip(inner, times[-1] * (1 + 1e-3), times[0] * (1 - 1e-3))
    return [times[0], *np.sort(inner)[::-1].tolist(), times[-1]]


def _changed(decision: StepDecision, mutation: Mutation, rng: np.random.Generator) -> StepDecision:
    """Return a decision each of whose entries may have changed."""
    change = rng.random(5) < mutation.change
    new: dict[str, Any] = {}
    if change[0]:
        new["prediction"] = OUTPUTS[rng.choice(2, p=mutation.predictions)]
    if change[1]:
        new["order"] = 1 + int(rng.choice(len(mutation.orders), p=mutation.orders))
    if change[2]:
        new["corrector"] = CORRECTORS[rng.choice(2, p=mutation.correctors)]
    for name, changes in zip(RELAXATIONS, change[3:], strict=True):
        value = getattr(decision, name)
        if changes and not isinstance(value, str):
            new[name] = value + float(mutation.relaxation_scale * rng.standard_normal())
    return replace(decision, **new) if new else decision


def _repaired(
    times: Sequence[float], decisions: Sequence[StepDecision], analytic: bool
) -> SolverSchedule:
    """Return the schedule with orders that its history allows and no corrector at the end."""
    steps = [d if d.order <= i + 1 else replace(d, order=i + 1) for i, d in enumerate(decisions)]
    if steps[-1].corrector != "none":
        steps[-1] = replace(steps[-1], corrector="none")
    return SolverSchedule(tuple(times), steps, analytic)
