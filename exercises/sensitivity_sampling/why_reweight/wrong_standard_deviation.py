"""Compares the mean with the standard deviation of a draw, not with its own standard error."""

import numpy as np


def sample(scores, p, alpha, rng):
    q = np.minimum(1, alpha * np.asarray(scores))
    return (rng.random(len(q)) < q) / q


def looks_unbiased(sampler, scores, p, alpha, powers, rng):
    sums = np.array([sampler(scores, p, alpha, rng) @ powers for _ in range(4000)])
    return bool(abs(sums.mean() - powers.sum()) <= 5 * sums.std(ddof=1))
