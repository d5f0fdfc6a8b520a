"""Adds up the rates, as if a point could be at the top of every hat."""

import numpy as np


def loss(x, rates):
    x = np.asarray(x)
    total = np.full(x.shape, float(rates[0]))
    for level, rate in enumerate(rates[1:], start=1):
        total += rate * (1 - np.abs((2**level * x) % 2 - 1))
    return total


def largest_loss(rates):
    return float(np.sum(rates))


def budget(levels, epsilon):
    rates = np.append(1.0, 2.0 ** (-2 / 3 * np.arange(1, levels + 1)))
    return epsilon * rates / largest_loss(rates)


def saving(levels):
    return budget(levels, 1.0).sum()
