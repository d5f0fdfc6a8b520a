import numpy as np


def sample(scores, rng):
    """Return the indices of the rows that are kept. (Complete: the sampler of the colleague.)"""
    return np.flatnonzero(rng.random(len(scores)) < np.minimum(1, 2 * scores))


def breaking_matrix():
    """Return a matrix, shape (n, d), and its sensitivities for p = 1, shape (n,)."""
    return np.eye(2), np.zeros(2)


def repaired_scores(A, scores):
    """Return better scores, shape (n,), from `A`, shape (n, d), and its sensitivities."""
    return np.zeros(len(A))
