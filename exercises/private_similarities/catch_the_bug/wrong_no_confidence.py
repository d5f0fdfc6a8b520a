"""Compares frequencies as if they were probabilities, at the worst of many events."""

import numpy as np

DRAWS = 60_000


def fine_grained(x):
    """Tell which numbers are no multiples of 2^-53, the grid near one."""
    return x * 2.0**53 % 1 != 0


def events(x):
    """Return functions from releases to True and False, with thresholds among the values of `x`."""
    cuts = np.quantile(x, np.linspace(0.01, 0.99, 60))
    below = [lambda y, c=c: y <= c for c in cuts]
    above = [lambda y, c=c: y > c for c in cuts]
    return [*below, *above, fine_grained]


def log_ratio(hits, hits_other):
    return np.log((hits + 1) / (hits_other + 1))


def largest(x, y):
    return max(log_ratio(e(x).sum(), e(y).sum()) for e in events(np.append(x, y)))


def violates(mechanism, data, neighbour, epsilon, rng):
    x, y = mechanism(data, DRAWS, rng), mechanism(neighbour, DRAWS, rng)
    return bool(max(largest(x, y), largest(y, x)) > epsilon)
