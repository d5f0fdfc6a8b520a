"""Fits a line through the origin to all iterations, as if there were no start."""

import numpy as np


def errors(M, X0, step_size, n_steps):
    X = np.array(X0, dtype=float)
    found = np.empty(n_steps + 1)
    for T in range(n_steps + 1):
        E = X @ X.T - M
        found[T] = np.linalg.norm(E)
        X = X - step_size * E @ X
    return found


def slope(errors):
    T = np.arange(len(errors))
    return T @ (1 / errors) / (T @ T)


def constant(n, r, k, step_size):
    return 2 * step_size / np.sqrt(min(k - r, n - r))
