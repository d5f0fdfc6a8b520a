"""Gives the penalty -1 where 0 is due: every step is twice as long."""

import numpy as np


def update(weights, query, too_high, eta):
    penalty = 2 * query - 1 if too_high else 1 - 2 * query
    new = weights * np.exp(-eta * (penalty - penalty.min()))
    return new / new.sum()


def potential(law, weights):
    some = law > 0
    return np.sum(law[some] * np.log(law[some] / weights[some]))


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
    return int(4 * np.log(cells) / alpha**2)
