"""Takes the sum of squares for conserved, the sign of f0^2 - g0^2 lost."""

import numpy as np


def equal_factors(t, x0):
    return x0**2 / (1 + 2 * x0**2 * np.asarray(t))


def independent_factors(t, f0, g0):
    total = f0**2 + g0**2
    return f0 * g0 * np.exp(-total * np.asarray(t))


def rate(f0, g0):
    return f0**2 + g0**2
