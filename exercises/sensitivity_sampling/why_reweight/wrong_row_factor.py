"""Returns the factor q^(-1/p) of the row, where the weight of its p-th power is asked for."""

import numpy as np
from scipy.stats import norm


def sample(scores, p, alpha, rng):
    q = np.minimum(1, alpha * np.asarray(scores))
    return (rng.random(len(q)) < q) * q ** (-1 / p)


def looks_unbiased(sampler, scores, p, alpha, powers, rng):
    sums = np.array([sampler(scores, p, alpha, rng) @ powers for _ in range(4000)])
    error = sums.std(ddof=1) / np.sqrt(len(sums))
    return bool(abs(sums.mean() - powers.sum()) <= norm.isf(5e-8) * error)
