import numpy as np


def rescale(F, G, beta):
    """Return factors of the same product, the left one with all singular values beta.

    F has shape (n1, k) and G shape (n2, k). Raise ValueError if it cannot be done.
    """
    return np.zeros_like(F), np.zeros_like(G)


def descend(M, F0, G0, step_size, n_steps, threshold, beta):
    """Return ||F_t G_t^T - M||_F for t = 0, ..., n_steps, shape (n_steps + 1,).

    The factors are rescaled once, before the first step at an error <= threshold.
    """
    return np.zeros(n_steps + 1)


def best_beta(sigma_r):
    """Return the beta whose rate is best, for the smallest non-zero singular value sigma_r."""
    return 0.0
