"""Guided mixtures, starts to learn compensation ratios from and others to judge them on."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from theorytk.diffusion import (
    GuidedTarget,
    MixtureTarget,
    Target,
    random_mixture,
    sample,
    time_grid,
)
from theorytk.diffusion.samplers import unipc
from theorytk.diffusion.tuning.compensation import search_compensation

from ..diffusion_samplers.common import SCHEDULE, run

DC = "zhao2024dc"
DIMENSION, COMPONENTS, CLASS = 4, 6, 3
LEARNING, HELD_OUT = 40, 32
SUBSTEPS = 20
ORDER = 2


class Problem(NamedTuple):
    """A target, a time grid and the exact states (n_steps + 1, n, d) of its trajectories.

    The first `LEARNING` trajectories are to learn from, the others are held out.
    """

    target: Target
    times: np.ndarray
    states: np.ndarray

    def log_error(self, ratios, device="cpu", part=slice(LEARNING, None)):
        """Return the log root mean square error of UniPC with these ratios."""
        plan = unipc(SCHEDULE, self.times, order=ORDER, ratios=ratios)
        result = run(plan, self.target.model(SCHEDULE), self.states[:1, part], device)
        return np.log(np.mean((result - self.states[-1, part]) ** 2)) / 2


@cache
def guided(seed, scale):
    """Return a random mixture guided towards the mixture of half of its components, and starts."""
    rng = np.random.default_rng(seed)
    whole = random_mixture(DIMENSION, COMPONENTS, rng)
    weights, means, covariances = (
        a[:CLASS] for a in (whole.law.weights, whole.law.means, whole.law.covariances)
    )
    part = MixtureTarget(weights / weights.sum(), means, covariances)
    starts = rng.standard_normal((LEARNING + HELD_OUT, DIMENSION))
    return GuidedTarget(whole, part, scale), starts


@cache
def problem(seed, scale, n_steps):
    """Return a guided mixture with its trajectories, on a grid uniform in t."""
    target, starts = guided(seed, scale)
    times = time_grid(SCHEDULE, "uniform", n_steps)
    return Problem(target, times, trajectories(target, times, starts))


def trajectories(target, times, starts):
    """Return the states (n_steps + 1, n, d) at all times of the flow through starting points."""
    model, fine = target.model(SCHEDULE), fine_plan(tuple(times))
    return np.stack(sample(fine, model, starts, record=True).states[::SUBSTEPS])


@cache
def fine_plan(times):
    """Return UniPC-3 on 20 substeps, equal in lambda, of each step of a grid."""
    lam, parts = SCHEDULE.lam(np.array(times)), np.arange(SUBSTEPS) / SUBSTEPS
    fine = SCHEDULE.t_of_lam(np.concatenate([a + parts * (b - a) for a, b in pairwise(lam)]))
    fine[::SUBSTEPS] = times[:-1]
    return unipc(SCHEDULE, np.append(fine, times[-1]), order=3)


@cache
def searched(seed, scale, n_steps, n_points):
    """Return the ratios that the greedy search finds on the first trajectories."""
    given = problem(seed, scale, n_steps)
    model, states = given.target.model(SCHEDULE), given.states[:, :n_points]
    found = search_compensation(
        model, SCHEDULE, given.times, states[0], order=ORDER, references=states, n_scan=9
    )
    return found.ratios


def ratios_of(algorithm, seed, scale, n_steps, n_points):
    """Return the ratios of a rule: "none", "random", "searched", "searched SHARE" or a function."""
    if callable(algorithm):
        given = problem(seed, scale, n_steps)
        states = given.states[:, :n_points]
        return algorithm(given.target.model(SCHEDULE), SCHEDULE, given.times, states[0], states)
    if algorithm == "none":
        return np.ones(n_steps)
    if algorithm == "random":
        drawn = np.random.default_rng(seed).uniform(0.5, 1.5, n_steps)
        return np.where(np.arange(n_steps) < 2, 1.0, drawn)
    share = float(algorithm.removeprefix("searched") or 1)
    return 1 + share * (searched(seed, scale, n_steps, n_points) - 1)
