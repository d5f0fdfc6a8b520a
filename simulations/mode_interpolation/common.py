"""What the experiments on mode interpolation share: mixtures, schedule, tables that are kept."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.stats import spearmanr

from theorytk.claims import Assumption
from theorytk.diffusion.hallucination import (
    cap_slope,
    default_grid,
    exact_denoiser,
    level_weights,
    line_mixture,
    steep_schedule,
    subsample_schedule,
    tabulate,
)
from theorytk.inference import mean_estimate, violations_estimate

PAPER = "aithal2024"
SCHEDULE = steep_schedule()
LABELS = 1000
# Above the steepest slope of the exact denoisers of all mixtures below: a bound that never binds.
UNBOUNDED = 1000
RULE = Assumption("a hallucination is farther than 6 standard deviations from every mode")
START = Assumption("chains start at label 300 of 1000 from N(0, 1)")
MODES = {"1,2,3": (1, 2, 3), "1,2,4": (1, 2, 4), "1,2,4,5": (1, 2, 4, 5)}


@lru_cache(maxsize=8)
def mixture(modes):
    """Return the mixture of modes of standard deviation 0.05, by name."""
    return line_mixture(MODES[modes], 0.05)


@lru_cache(maxsize=16)
def schedule_of(labels):
    """Return the schedule of the paper with so many labels left, and where chains start."""
    return subsample_schedule(SCHEDULE, labels), round(0.3 * labels)


def tabulated(denoiser, modes, labels, nodes):
    """Return the table of a denoiser, given as a function of a target and a schedule."""
    schedule, start = schedule_of(labels)
    target = mixture(modes)
    points = default_grid(target, nodes)
    return tabulate(denoiser(target, schedule), schedule, points, t_start=start)


@lru_cache(maxsize=4)
def exact(modes, labels, nodes):
    """Return the table of the exact denoiser, and the densities of the noisy data."""
    table = tabulated(exact_denoiser, modes, labels, nodes)
    return table, level_weights(mixture(modes), schedule_of(labels)[0], table)


@lru_cache(maxsize=4)
def capped(modes, bound, labels=LABELS, nodes=8192):
    """Return the best table of slope at most `bound`."""
    table, weights = exact(modes, labels, nodes)
    return cap_slope(table, schedule_of(labels)[0], bound, weights)


def envelopes(x, values, weights, bound):
    """Return the mean of the largest minorant and the least majorant of slope at most `bound`."""
    distance = bound * np.abs(x[:, None] - x)
    return ((values + distance).min(axis=1) + (values - distance).max(axis=1)) / 2


def violated(failures):
    """Return the share of instances in which a statement fails."""
    return violations_estimate(int(failures.sum()), len(failures))


def spearman(first, second):
    """Return the rank correlation of two columns as a function of a table."""
    return lambda table: float(spearmanr(table[first], table[second]).statistic)


def jackknife_estimate(table, statistic):
    """Estimate a statistic of all rows by Tukey's pseudo-values, leaving out one replicate each."""
    whole, groups = statistic(table), table["replicate"]
    kept = [statistic(table[groups != group]) for group in groups.unique()]
    return mean_estimate(len(kept) * whole - (len(kept) - 1) * np.array(kept))
