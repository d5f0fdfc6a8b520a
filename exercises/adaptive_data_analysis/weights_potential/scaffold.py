import numpy as np


def update(weights, query, too_high, eta):
    """Return the weights (N,) after an update by a query (N,) whose answer is too high or not."""
    return np.zeros_like(weights)


def potential(law, weights):
    """Return the relative entropy (float, nats) of the law (N,) to the weights (N,)."""
    return 0.0


def duel(law, alpha):
    """Return the potentials (updates + 1,) of weights that the worst query updates."""
    return np.zeros(1)


def most_updates(cells, alpha):
    """Return the largest number of updates (int) that the potential allows."""
    return 0
