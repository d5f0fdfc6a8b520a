import numpy as np


def trapezoid(step, count):
    """Return rates t and weights w, each of shape (count,), of the trapezoidal rule in log t."""
    return np.ones(count), np.zeros(count)


def sup_error(t, w):
    """Return the largest |sum_j w_j exp(-t_j z) - 1 / (1 + z)| over z >= 0."""
    return 0.0


def fit(terms):
    """Return positive rates t and weights w, each of shape (terms,), of a good approximation."""
    return np.ones(terms), np.zeros(terms)
