"""Takes the best of a hundred random schedules."""

import numpy as np


def any_step(i, rng):
    prediction = ("data", "noise")[rng.integers(2)]
    return prediction, int(rng.integers(1, min(3, i + 1) + 1)), bool(i < 3 and rng.integers(2))


def search(error, budget, rng):
    best, least = None, np.inf
    for _ in range(budget):
        nodes = 0.01 + 0.97 * np.sort(rng.random(3)) + 0.005 * np.arange(3)
        steps = [any_step(i, rng) for i in range(4)]
        found = error(nodes, steps)
        if best is None or found < least:
            best, least = (nodes, steps), found
    return best
