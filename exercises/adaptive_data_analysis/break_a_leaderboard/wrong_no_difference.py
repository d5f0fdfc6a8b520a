"""Takes the standard deviation of the losses, not of their difference to the leader's."""

import numpy as np


def attack(score, n, calls, rng):
    vectors = rng.integers(2, size=(calls, n))
    liked = np.array([score(u) <= 0.5 for u in vectors])
    return (vectors[liked].mean(axis=0) > 0.5).astype(int)


def ladder(losses, best, leader):
    n = len(losses)
    loss = np.mean(losses)
    if loss < best - np.std(losses, ddof=1) / np.sqrt(n):
        return round(loss * n) / n, losses
    return best, leader
