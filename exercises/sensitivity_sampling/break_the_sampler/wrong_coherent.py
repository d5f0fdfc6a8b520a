"""Builds what breaks uniform sampling, one row that alone has a column: its sensitivity is 1."""

import numpy as np
from scipy.linalg import block_diag


def sample(scores, rng):
    return np.flatnonzero(rng.random(len(scores)) < np.minimum(1, 2 * scores))


def breaking_matrix():
    pairs = np.repeat(np.eye(40), 2, axis=0) / 2
    return block_diag(pairs, np.ones((1, 1))), np.append(np.full(len(pairs), 1 / 2), 1.0)


def repaired_scores(A, scores):
    Q = np.linalg.qr(A)[0]
    return scores + np.sum(Q**2, axis=1)
