"""What the experiments on searched schedules share: random problems, spaces, and searches."""

from __future__ import annotations

from functools import cache, partial
from typing import NamedTuple

import numpy as np

from theorytk.diffusion import MixtureTarget, VPLinear, random_mixture, time_grid
from theorytk.diffusion.tuning.decisions import SolverSchedule, StepDecision
from theorytk.diffusion.tuning.evolution import evolve
from theorytk.diffusion.tuning.gradient import refine
from theorytk.diffusion.tuning.predictor import predictor_search
from theorytk.diffusion.tuning.search import baselines, decision_space
from theorytk.diffusion.tuning.unrolled import PlanBatch, Trajectories, solve_trajectories

USF = "liu2024usf"
SCHEDULE = VPLinear()
TIMES = time_grid(SCHEDULE, "logsnr", 4)
MOST_TRAIN, HELD_OUT = 64, 192


DDIM = SolverSchedule(TIMES, [StepDecision()] * 4)


class Problem(NamedTuple):
    """A target, trajectories to choose schedules on, and others to report on."""

    target: MixtureTarget
    train: Trajectories
    held_out: Trajectories


@cache
def problem(seed):
    """Return a random mixture of four Gaussians in the plane with solved trajectories."""
    rng = np.random.default_rng(seed)
    target = random_mixture(2, 4, rng)
    starts = rng.standard_normal((MOST_TRAIN + HELD_OUT, 2))
    solved = solve_trajectories(target, SCHEDULE, starts)
    return Problem(target, part(solved, slice(MOST_TRAIN)), part(solved, slice(MOST_TRAIN, None)))


def part(trajectories, which):
    """Return some of the trajectories."""
    model, starts, ends = trajectories.model, trajectories.starts, trajectories.ends
    return Trajectories(model, starts[which], ends[which])


@cache
def space():
    """Return the 2304 schedules of four steps, equal in lambda."""
    return tuple(decision_space(TIMES))


@cache
def plans():
    """Return their plans."""
    return PlanBatch([one.compile(SCHEDULE) for one in space()])


@cache
def baseline_plans():
    """Return the plans of the seven baselines."""
    return PlanBatch(list(baselines(SCHEDULE, TIMES).values()))


@cache
def best_baseline(seed):
    """Return the smallest error of a baseline on the trajectories held out."""
    return float(baseline_plans().errors(problem(seed).held_out).min())


def exhaustive(target, train, rng, *, rank=0):
    """Return the schedule of this rank on the training trajectories, 0 the best."""
    return space()[np.argsort(plans().errors(train), kind="stable")[rank]]


def shuffled(target, train, rng):
    """Return the schedule that is best by errors that were permuted."""
    return space()[np.argmin(rng.permutation(plans().errors(train)))]


def evolution(target, train, rng, *, n_children=200):
    """Return what an evolution from DDIM finds; times and relaxations move."""
    return evolve([DDIM], train, train, n_children=n_children, rng=rng).best


def by_predictor(target, train, rng):
    """Return what a search of 100 evaluations finds with the predictor."""
    return predictor_search(space(), train, train, rng=rng).best


def refined(target, train, rng, *, max_gradients=50):
    """Return the best of all schedules, its times and relaxations moved along gradients."""
    start = exhaustive(target, train, rng)
    return refine(start, target, train, train, max_gradients=max_gradients).schedule


SEARCHES = {
    "exhaustive": exhaustive,
    "evolution": evolution,
    "predictor": by_predictor,
    "refined": refined,
    "refined, 3 gradients": partial(refined, max_gradients=3),
    "shuffled scores": shuffled,
}
