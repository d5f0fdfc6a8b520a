import numpy as np


def errors(M, X0, step_size, n_steps):
    """Return ||X_T X_T^T - M||_F for T = 0, ..., n_steps, shape (n_steps + 1,).

    M has shape (n, n) and X0 shape (n, k).
    """
    return np.zeros(n_steps + 1)


def slope(errors):
    """Return the slope c of 1 / errors against T = 0, 1, 2, ... where it is a straight line."""
    return 0.0


def constant(n, r, k, step_size):
    """Return the law for c: n rows, rank r, k > r columns, step eta."""
    return 0.0
