"""Gives the exponent of the variance."""

import numpy as np


def losses(field, target, path, t, x0, x1, z, antithetic):
    alpha, beta, gamma, d_alpha, d_beta, d_gamma = path(t)

    def loss(z):
        f = field(t, alpha * x0 + beta * x1 + gamma * z)
        goal = -z / gamma if target == "score" else d_alpha * x0 + d_beta * x1 + d_gamma * z
        return np.sum(f * (f / 2 - goal), axis=1)

    return (loss(z) + loss(-z)) / 2 if antithetic else loss(z)


def score_variances(t, sd0, sd1, a):
    gamma2 = a * t * (1 - t)
    signal = (1 - t) ** 2 * sd0**2 + t**2 * sd1**2
    C = signal + gamma2
    even = signal**2 / (2 * C**4) + 2 * (gamma2 / (2 * C**2) - 1 / C) ** 2
    odd = signal**3 / (C**4 * gamma2)
    return even + odd, even


def exponents():
    return -1.0, 0.0


def gain(t, sd0, sd1, a):
    simple, antithetic = score_variances(t, sd0, sd1, a)
    return simple / (2 * antithetic)
