"""Looks at thresholds only, which cannot see the grid of floating-point noise."""

import numpy as np
from scipy.stats import beta

DRAWS = 60_000


def events(x):
    """Return functions from releases to True and False, with thresholds among the values of `x`."""
    cuts = np.quantile(x, np.linspace(0.01, 0.99, 60))
    below = [lambda y, c=c: y <= c for c in cuts]
    above = [lambda y, c=c: y > c for c in cuts]
    return [*below, *above]


def log_ratio_limit(hits, hits_other, n):
    """Return a lower confidence limit of the log-ratio of two probabilities."""
    risk = 0.0005
    low = beta.ppf(risk, hits, n - hits + 1) if hits else 0.0
    high = beta.ppf(1 - risk, hits_other + 1, n - hits_other) if hits_other < n else 1.0
    return np.log(low / high) if low > 0 else -np.inf


def largest(x, y):
    half = len(x) // 2
    tried = events(np.append(x[:half], y[:half]))
    limits = [log_ratio_limit(e(x[:half]).sum(), e(y[:half]).sum(), half) for e in tried]
    best = tried[int(np.argmax(limits))]
    return log_ratio_limit(best(x[half:]).sum(), best(y[half:]).sum(), len(x) - half)


def violates(mechanism, data, neighbour, epsilon, rng):
    x, y = mechanism(data, DRAWS, rng), mechanism(neighbour, DRAWS, rng)
    return bool(max(largest(x, y), largest(y, x)) > epsilon)
