"""Time grids by name, those of least cost among them, and the errors of samplers on them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from theorytk.diffusion import compile_plan, random_mixture, time_grid
from theorytk.diffusion.tuning.step_grid_theory import angle_grid
from theorytk.diffusion.tuning.step_grids import optimal_grid, step_costs

from ..diffusion_samplers.common import SCHEDULE
from ..diffusion_samplers.suite import FAMILIES, POINTS, Problem, log_error
from .compensation_common import trajectories

STANDARD = ("logsnr", "uniform", "quadratic", "edm")
METHODS = {
    "ddim": ("ddim", {}),
    "2m": ("dpmpp_2m", {}),
    "2m final": ("dpmpp_2m", dict(lower_order_final=True)),
}
CANDIDATES, TRAINING_TARGETS, TRAINING_POINTS = 64, 8, 8


@cache
def trained_costs():
    """Return the costs of steps, of both orders, for training mixtures, two of each family."""
    candidates, several = time_grid(SCHEDULE, "logsnr", CANDIDATES), []
    for seed in range(TRAINING_TARGETS):
        rng = np.random.default_rng(seed)
        target = random_mixture(*FAMILIES[seed % len(FAMILIES)], rng)
        x = rng.standard_normal((TRAINING_POINTS, target.dimension))
        several.append(step_costs(target, SCHEDULE, x, candidates, order=2))
    return several


@cache
def named_grid(name, method, n_steps):
    """Return the times of a grid: of a kind, "optimal", "optimal for METHOD" or "angles V"."""
    if callable(name):
        return name(SCHEDULE, n_steps)
    if name in STANDARD:
        return time_grid(SCHEDULE, name, n_steps)
    kind, *rest = name.split(" ")
    if kind == "angles":
        return angle_grid(SCHEDULE, n_steps, float(rest[0]))
    costs = trained_costs()
    if (rest[-1] if rest else method) == "ddim":
        costs = [replace(c, second=None) for c in costs]
    return optimal_grid(costs, n_steps).times


@cache
def held_out(seed):
    """Return a random mixture of each family, with starting points and the ends of their flow."""
    rng, found, times = np.random.default_rng(seed), [], time_grid(SCHEDULE, "logsnr", 8)
    for family in FAMILIES:
        target = random_mixture(*family, rng)
        x = rng.standard_normal((POINTS, target.dimension))
        found.append(Problem(target, x, trajectories(target, times, x)[-1]))
    return found


@cache
def log_error_on(seed, name, method, n_steps, device):
    """Return the mean log error over one held-out mixture of each family."""
    function, options = METHODS[method]
    plan = compile_plan(SCHEDULE, named_grid(name, method, n_steps), function, **options)
    return np.mean([log_error(problem, plan, device) for problem in held_out(seed)])
