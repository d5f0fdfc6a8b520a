"""Forgets that a probability ends at 1: rows that are always kept get weights below 1."""

import numpy as np
from scipy.stats import norm


def sample(scores, p, alpha, rng):
    q = alpha * np.asarray(scores)
    return (rng.random(len(q)) < q) / q


def looks_unbiased(sampler, scores, p, alpha, powers, rng):
    sums = np.array([sampler(scores, p, alpha, rng) @ powers for _ in range(4000)])
    error = sums.std(ddof=1) / np.sqrt(len(sums))
    return bool(abs(sums.mean() - powers.sum()) <= norm.isf(5e-8) * error)
