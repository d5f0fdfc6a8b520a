"""Adds the whole output to the velocity, without beta."""

import numpy as np

WEIGHTS = {
    1: np.array([1.0]),
    2: np.array([3.0, -1.0]) / 2,
    3: np.array([23.0, -16.0, 5.0]) / 12,
    4: np.array([55.0, -59.0, 37.0, -9.0]) / 24,
}


def polynomials(r, beta):
    size = max(3, r + 1)
    rho, sigma = np.zeros(size), np.zeros(size)
    rho[:3] = 1, -(2 - beta), 1 - beta
    sigma[1 : r + 1] = WEIGHTS[r]
    return rho, sigma


def real_limit(r, beta):
    alternating = WEIGHTS[r] @ (-1.0) ** np.arange(r)
    return -2 * (2 - beta) / alternating


def inside(z, beta):
    z, half = np.asarray(z) / beta, (2 - beta) / beta
    return (z.real / half + 1) ** 2 + z.imag**2 < 1


def area(beta):
    return np.pi * (2 - beta) * beta
