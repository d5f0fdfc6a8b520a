"""Reports the best score so far, and leaves out that it must improve by a standard error."""

import numpy as np


def attack(score, n, calls, rng):
    vectors = rng.integers(2, size=(calls, n))
    agrees = np.sign(0.5 - np.array([score(u) for u in vectors]))
    return (agrees @ (2 * vectors - 1) > 0).astype(int)


def ladder(losses, best, leader):
    loss = np.mean(losses)
    if loss < best:
        return round(loss * len(losses)) / len(losses), losses
    return best, leader
