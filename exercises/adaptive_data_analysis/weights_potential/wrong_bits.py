"""Computes the potential in bits, and the largest number of updates with it."""

import numpy as np


def update(weights, query, too_high, eta):
    penalty = query if too_high else 1 - query
    new = weights * np.exp(-eta * (penalty - penalty.min()))
    return new / new.sum()


def potential(law, weights):
    some = law > 0
    return np.sum(law[some] * np.log2(law[some] / weights[some]))


def duel(law, alpha):
    weights = np.full(len(law), 1 / len(law))
    potentials = [potential(law, weights)]
    while True:
        worst = (law > weights).astype(float)
        if worst @ (law - weights) <= alpha:
            return np.array(potentials)
        weights = update(weights, worst, False, alpha / 2)
        potentials.append(potential(law, weights))


def most_updates(cells, alpha):
    return int(4 * np.log2(cells) / alpha**2)
