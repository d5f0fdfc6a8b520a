"""Gives the product the rate of the smaller factor's square, and forgets the 2 of x^-2."""

import numpy as np


def equal_factors(t, x0):
    return x0**2 / (1 + x0**2 * np.asarray(t))


def independent_factors(t, f0, g0):
    t = np.asarray(t)
    gap = f0**2 - g0**2
    if gap == 0:
        return equal_factors(t, f0)
    return f0 * g0 * np.exp(-2 * abs(gap) * t)


def rate(f0, g0):
    return 2 * abs(f0**2 - g0**2)
