import numpy as np


def losses(field, target, path, t, x0, x1, z, antithetic):
    """Return the loss of each draw, shape (n,), for target "velocity" or "score".

    `field(t, x)`: points (n, d) to vectors (n, d). `path(t)`: alpha, beta, gamma and their
    derivatives, six numbers. `x0`, `x1`, `z`: shape (n, d).
    """
    return np.zeros(len(x0))


def score_variances(t, sd0, sd1, a):
    """Return the variances of the score's loss, simple and antithetic, for Gaussian ends."""
    return 0.0, 0.0


def exponents():
    """Return the exponents of t in the standard deviations near 0, simple and antithetic."""
    return 1.0, 1.0


def gain(t, sd0, sd1, a):
    """Return the ratio of evaluations, simple over antithetic, for one standard error."""
    return 0.0
