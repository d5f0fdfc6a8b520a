"""Asks the mean to be within a thousandth of the sum, whatever its standard error is."""

import numpy as np


def sample(scores, p, alpha, rng):
    q = np.minimum(1, alpha * np.asarray(scores))
    return (rng.random(len(q)) < q) / q


def looks_unbiased(sampler, scores, p, alpha, powers, rng):
    sums = np.array([sampler(scores, p, alpha, rng) @ powers for _ in range(4000)])
    return bool(abs(sums.mean() / powers.sum() - 1) <= 1e-3)
