"""Takes the top of the widest hat for the worst point."""

import numpy as np


def loss(x, rates):
    x = np.asarray(x)
    total = np.full(x.shape, float(rates[0]))
    for level, rate in enumerate(rates[1:], start=1):
        total += rate * (1 - np.abs((2**level * x) % 2 - 1))
    return total


def largest_loss(rates):
    return float(rates[0] + rates[1])


def budget(levels, epsilon):
    rates = np.append(1.0, 2.0 ** (-2 / 3 * np.arange(1, levels + 1)))
    return epsilon * rates / largest_loss(rates)


def saving(levels):
    return budget(levels, 1.0).sum()
