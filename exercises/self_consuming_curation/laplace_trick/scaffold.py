import numpy as np


def phi(u, p, r):
    """Return sum_j p_j exp(-u w_j) with w = exp(r), in the shape of `u` (one-dimensional).

    `p`, `r` (n,): probabilities and rewards.
    """
    return np.zeros(len(u))


def curation_weights(p, r, K):
    """Return the curation weights H, shape (n,), for K samples, K >= 1."""
    return np.zeros(len(p))


def curate(p, r, K, generations):
    """Return the law (n,) after `generations` trainings on curated samples."""
    return np.zeros(len(p))
