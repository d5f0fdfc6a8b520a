"""Forgets the prior of the levels in Bayes' formula."""

import numpy as np
from scipy.stats import kstest, norm

# The law of the data: two Gaussians on the line.
WEIGHTS = np.array([0.6, 0.4])
MEANS = np.array([-2.0, 3.0])
DEVIATIONS = np.array([0.3, 0.2])
# The noise levels sigma_0 < ... < sigma_39 and their prior probabilities.
LEVELS = np.geomspace(0.05, 10.0, 40)
PRIOR = LEVELS**-0.5 / np.sum(LEVELS**-0.5)


def draw(x, level, probabilities, rng):
    """Draw the level from its probabilities given x."""
    below = np.cumsum(probabilities, axis=1) < rng.random((len(x), 1))
    return np.minimum(below.sum(axis=1), len(LEVELS) - 1)


def most_likely(x, level, probabilities, rng):
    """Take the level that is most probable given x."""
    return probabilities.argmax(axis=1)


def neighbour(x, level, probabilities, rng):
    """Propose the next or the last level; accept with the probability min(1, ratio)."""
    proposed = np.clip(level + rng.choice([-1, 1], len(x)), 0, len(LEVELS) - 1)
    rows = np.arange(len(x))
    ratio = probabilities[rows, proposed] / np.maximum(probabilities[rows, level], 1e-300)
    return np.where(rng.random(len(x)) < ratio, proposed, level)


def fresh(x, level, probabilities, rng):
    """Draw the level from the prior."""
    return rng.choice(len(LEVELS), len(x), p=PRIOR)


RULES = {"draw": draw, "most_likely": most_likely, "neighbour": neighbour, "fresh": fresh}


def posterior(x):
    spread = np.hypot(DEVIATIONS, LEVELS[:, None])
    densities = norm.logpdf(np.asarray(x)[:, None, None], MEANS, spread)
    logs = np.logaddexp.reduce(densities + np.log(WEIGHTS), axis=2)
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def p_value(rule, rng):
    n = 20_000
    level = rng.choice(len(LEVELS), n, p=PRIOR)
    which = rng.choice(2, n, p=WEIGHTS)
    x = rng.normal(MEANS[which], np.hypot(DEVIATIONS[which], LEVELS[level]))
    level = rule(x, level, posterior(x), rng)
    place = np.cumsum(PRIOR)[level] - PRIOR[level] * rng.random(n)
    spread = np.hypot(DEVIATIONS, LEVELS[level, None])
    within = norm.cdf(x[:, None], MEANS, spread) @ WEIGHTS
    return min(1.0, 2 * min(kstest(u, "uniform").pvalue for u in (place, within)))


def decisions():
    return {"draw": True, "most_likely": False, "neighbour": True, "fresh": False}
