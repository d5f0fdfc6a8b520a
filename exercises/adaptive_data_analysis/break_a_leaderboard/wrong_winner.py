"""Submits the best of the random vectors: the minimum of 400 losses, with no vote."""

import numpy as np


def attack(score, n, calls, rng):
    vectors = rng.integers(2, size=(calls, n))
    return vectors[np.argmin([score(u) for u in vectors])]


def ladder(losses, best, leader):
    n = len(losses)
    loss = np.mean(losses)
    if loss < best - np.std(losses - leader, ddof=1) / np.sqrt(n):
        return round(loss * n) / n, losses
    return best, leader
