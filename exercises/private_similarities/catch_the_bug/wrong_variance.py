"""Compares the spread with that of the textbook's noise: flags what is merely cautious."""

import numpy as np

DRAWS = 60_000


def violates(mechanism, data, neighbour, epsilon, rng):
    spread = mechanism(data, DRAWS, rng).std()
    return bool(abs(spread - np.sqrt(2) / epsilon) > 0.1 / epsilon)
