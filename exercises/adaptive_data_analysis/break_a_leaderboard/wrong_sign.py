"""Weighs the vote by the loss above 1/2, not below: the vector is as bad as it could be good."""

import numpy as np


def attack(score, n, calls, rng):
    votes = np.zeros(n)
    for _ in range(calls):
        u = rng.integers(2, size=n)
        votes += (score(u) - 0.5) * (2 * u - 1)
    return (votes > 0).astype(int)


def ladder(losses, best, leader):
    n = len(losses)
    loss = np.mean(losses)
    if loss < best - np.std(losses - leader, ddof=1) / np.sqrt(n):
        return round(loss * n) / n, losses
    return best, leader
