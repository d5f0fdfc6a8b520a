"""Makes heavier what should be lighter: the sign of the penalty is reversed."""

import numpy as np


def update(weights, query, too_high, eta):
    penalty = 1 - query if too_high else query
    new = weights * np.exp(-eta * (penalty - penalty.min()))
    return new / new.sum()


def potential(law, weights):
    some = law > 0
    return np.sum(law[some] * np.log(law[some] / weights[some]))


def duel(law, alpha):
    weights = np.full(len(law), 1 / len(law))
    potentials = [potential(law, weights)]
    for _ in range(10000):
        worst = (law > weights).astype(float)
        if worst @ (law - weights) <= alpha:
            return np.array(potentials)
        weights = update(weights, worst, False, alpha / 2)
        potentials.append(potential(law, weights))
    return np.array(potentials)


def most_updates(cells, alpha):
    return int(4 * np.log(cells) / alpha**2)
