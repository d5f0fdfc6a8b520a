"""Searches the decisions only, with steps that are equal in lambda."""

import numpy as np


def same_order(prediction, order, corrector):
    return [(prediction, min(order, i + 1), corrector and i < 3) for i in range(4)]


def any_step(i, rng):
    prediction = ("data", "noise")[rng.integers(2)]
    return prediction, int(rng.integers(1, min(3, i + 1) + 1)), bool(i < 3 and rng.integers(2))


def search(error, budget, rng):
    nodes, best = np.array([0.25, 0.5, 0.75]), same_order("data", 2, False)
    least = error(nodes, best)
    for _ in range(budget - 1):
        i = int(rng.integers(4))
        steps = [*best[:i], any_step(i, rng), *best[i + 1 :]]
        found = error(nodes, steps)
        if found < least:
            best, least = steps, found
    return nodes, best
