"""Random mixtures, guided or not, and the errors of samplers on them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from theorytk.diffusion import GuidedTarget, Target, random_mixture, reference_trajectory, time_grid

from .common import SCHEDULE, run
from .mistakes import mistake
from .samplers import SAMPLERS, named

# Dimensions and numbers of components of the mixtures, one of each per replicate.
FAMILIES = ((2, 3), (2, 8), (8, 10), (16, 20))
POINTS = 16
FINAL = dict(lower_order_final=True)
ALGORITHMS = {
    **SAMPLERS,
    "unipc-3 final": named("unipc", order=3, **FINAL),
    "dpmpp_2m final": named("dpmpp_2m", **FINAL),
    "dpmpp_3m final": named("dpmpp_3m", **FINAL),
    "dpmpp_3m published final": named("dpmpp_3m", variant="published", **FINAL),
}


class Problem(NamedTuple):
    """A target, starting points (n, d) at time 1 and the ends (n, d) of the flow through them."""

    target: Target
    starts: np.ndarray
    ends: np.ndarray


def solved(target, rng):
    """Return a problem: normal starting points of a target, and where its flow takes them."""
    x = rng.standard_normal((POINTS, target.dimension))
    times = [SCHEDULE.t_max, SCHEDULE.t_min]
    return Problem(target, x, reference_trajectory(target, SCHEDULE, x, times, rtol=1e-7).states[1])


@cache
def problems(seed):
    """Return a random problem of each family."""
    rng = np.random.default_rng(seed)
    return [solved(random_mixture(d, k, rng), rng) for d, k in FAMILIES]


@cache
def compiled(algorithm, kind, n_steps):
    """Return the plan of an algorithm, given by its name or as a function, on a grid."""
    times = time_grid(SCHEDULE, kind, n_steps)
    if algorithm in ALGORITHMS:
        return ALGORITHMS[algorithm](SCHEDULE, times, 0)
    sampler = mistake(algorithm) if isinstance(algorithm, str) else algorithm
    return sampler(SCHEDULE, times, 0)


def log_error(problem, plan, device):
    """Return the logarithm of the root mean square error of a plan on a problem."""
    result = run(plan, problem.target.model(SCHEDULE), problem.starts[None], device)
    return np.log(np.mean((result - problem.ends) ** 2)) / 2


@cache
def log_errors(seed, algorithm, kind, n_evaluations, device):
    """Return the mean logarithm of the error over one problem of each family."""
    n_steps = n_evaluations // 2 if algorithm == "heun" else n_evaluations
    plan = compiled(algorithm, kind, n_steps)
    return np.mean([log_error(problem, plan, device) for problem in problems(seed)])


@cache
def guided_problem(seed, scale):
    """Return a mixture in 8 dimensions guided towards one of its components, solved."""
    rng = np.random.default_rng(seed)
    mixture = random_mixture(8, 10, rng)
    return solved(GuidedTarget(mixture, mixture.component(0), scale), rng)


@cache
def guided_log_error(seed, scale, algorithm, n_steps, device):
    """Return the logarithm of the error on a guided mixture, on a grid uniform in lambda."""
    return log_error(guided_problem(seed, scale), compiled(algorithm, "logsnr", n_steps), device)
