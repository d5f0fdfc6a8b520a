"""Draws the noise with a random generator: three digits, where eight are asked for."""

import numpy as np
from scipy.integrate import quad


def posterior_mean(y, s):
    return np.tanh(s * y)


def one_minus_lambda(s):
    g = np.random.default_rng(0).standard_normal(20_000)
    return np.mean(1 - np.tanh(s**2 + s * g))


def delta(d):
    # In d dimensions 1 - lambda(s) is that of one dimension at s sqrt(d).
    return quad(one_minus_lambda, 0, 12, epsabs=1e-9)[0] / np.sqrt(d)


def sum_rule(d):
    return quad(lambda s: s * one_minus_lambda(s), 0, 12, epsabs=1e-9)[0] / d
