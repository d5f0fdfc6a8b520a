import numpy as np


def posterior_mean(X, y, s):
    """Return E[x_1 | y], shape (k, d), for points X, shape (n, d), observations y, shape (k, d)."""
    return np.zeros_like(y)


def one_minus_lambda(X, s, n_noise, rng):
    """Return estimates of 1 - lambda at the amplitudes s (array), of the shape of s.

    X has shape (n, d); every point is the source of n_noise observations; rng is a numpy Generator.
    """
    return np.ones_like(s)


def delta(X, n_noise, rng):
    """Return the estimate of the integral of 1 - lambda over all s >= 0."""
    return 0.0


def growth(n, delta):
    """Return the exponent c of the fit of delta to n^c, for arrays n and delta."""
    return 0.0


def log_slope(n, delta):
    """Return the slope of the least-squares line of delta^2 against ln n."""
    return 0.0
