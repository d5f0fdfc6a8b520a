import numpy as np


def angle(e):
    """Return Phi for the eigenvalues e, shape (d,), of mean 1."""
    return 0.0


def euler_step(e, x):
    """Return x + u_0(x), shape (n, d), for x of shape (n, d) and eigenvalues e of shape (d,)."""
    return np.zeros_like(x)


def distance(e):
    """Return W_2^2 / d between the law after one Euler step from noise and the data."""
    return 0.0


def exact_law(d):
    """Return eigenvalues, shape (d,), for which one Euler step is exact; d >= 2."""
    return np.ones(d)


def inexact_law(d):
    """Return eigenvalues, shape (d,), for which one Euler step is not exact; d >= 3."""
    return np.ones(d)
