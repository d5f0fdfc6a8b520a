"""Breaks it by bad luck with 64 columns of few rows each, which leverage scores do not repair."""

import numpy as np


def sample(scores, rng):
    return np.flatnonzero(rng.random(len(scores)) < np.minimum(1, 2 * scores))


def breaking_matrix():
    return np.tile(np.eye(64), (100, 1)) / 100, np.full(6400, 1 / 100)


def repaired_scores(A, scores):
    Q = np.linalg.qr(A)[0]
    return scores + np.sum(Q**2, axis=1)
