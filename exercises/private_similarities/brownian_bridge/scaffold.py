import numpy as np


def hat_sum(t, levels):
    """Return the sum over levels of h Lambda(t)^2, for an array `t` in [0, 1]."""
    return np.zeros_like(t)


def limit(t):
    """Return what `hat_sum` tends to as the number of levels grows."""
    return np.zeros_like(t)


def privacy_cost(x, rho, levels):
    """Return the zero-concentrated cost of adding a point at each of `x`."""
    return np.zeros_like(x)


def answer_noise(levels, rho, size, rng):
    """Return draws of the noise of all answers, shape (size, 2**levels + 1)."""
    return np.zeros((size, 2**levels + 1))
