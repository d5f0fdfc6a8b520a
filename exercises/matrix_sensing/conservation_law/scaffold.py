import numpy as np


def imbalance(F, G):
    """Return F^T F - G^T G, shape (k, k), for F of shape (n1, k) and G of shape (n2, k)."""
    return np.zeros((F.shape[1], F.shape[1]))


def predicted_change(F, G, R, step_size):
    """Return the exact change of the imbalance in one step of gradient descent, shape (k, k).

    F, G are the factors before the step and R is A*A(F G^T - M), shape (n1, n2).
    """
    return np.zeros((F.shape[1], F.shape[1]))


def gradient_step(F, G, residual, step_size):
    """Return the factors after one step of gradient descent; residual(F, G) returns R."""
    return np.zeros_like(F), np.zeros_like(G)


def violates(F, G, F_next, G_next, R, step_size):
    """Return True if the step from F, G to F_next, G_next breaks the identity, else False."""
    return False
