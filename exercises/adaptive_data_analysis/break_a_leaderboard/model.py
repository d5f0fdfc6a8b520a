import numpy as np


def attack(score, n, calls, rng):
    votes = np.zeros(n)
    for _ in range(calls):
        u = rng.integers(2, size=n)
        votes += (0.5 - score(u)) * (2 * u - 1)
    return (votes > 0).astype(int)


def ladder(losses, best, leader):
    n = len(losses)
    loss = np.mean(losses)
    margin = np.std(losses - leader, ddof=1) / np.sqrt(n)
    if loss < best - margin:
        return round(loss * n) / n, losses
    return best, leader
