"""Leaves the change of volume out: the density of the start is taken for that of the end."""

import numpy as np


def excess_loss(c, k):
    return c**2 * (1 - np.exp(-2 * k**2)) / (4 * k**2)


def backward(x, c, k):
    u, r = k * np.asarray(x), np.tanh(c / 2)
    return x - 2 / k * np.arctan(r * np.sin(u) / (1 + r * np.cos(u)))


def stretch(x, c, k):
    return 1 / (np.cosh(c) + np.sinh(c) * np.cos(k * np.asarray(x)))


def divergence(c, k):
    x = np.linspace(-9, 9, 200001)
    weights = np.exp(-(x**2) / 2)
    log_ratio = (backward(x, c, k) ** 2 - x**2) / 2
    return weights @ log_ratio / weights.sum()


def limit(c):
    return 2 * np.log(np.cosh(c / 2))
