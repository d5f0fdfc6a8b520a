"""Leaves the data out of the observation: the noise alone goes into the posterior mean."""

import numpy as np
from scipy.integrate import quad


def posterior_mean(y, s):
    return np.tanh(s * y)


def one_minus_lambda(s):
    g = np.linspace(-9, 9, 1201)
    density = np.exp(-(g**2) / 2) / np.sqrt(2 * np.pi)
    return np.sum((1 - np.tanh(s * g) ** 2) * density) * (g[1] - g[0])


def delta(d):
    # In d dimensions 1 - lambda(s) is that of one dimension at s sqrt(d).
    return quad(one_minus_lambda, 0, 12, epsabs=1e-9)[0] / np.sqrt(d)


def sum_rule(d):
    return quad(lambda s: s * one_minus_lambda(s), 0, 12, epsabs=1e-9)[0] / d
