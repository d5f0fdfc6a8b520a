"""Breaks it with flat blocks alone: the sample has too few rows, which one sees by counting."""

import itertools

import numpy as np
from scipy.linalg import block_diag
from scipy.stats import binom


def sample(scores, rng):
    return np.flatnonzero(rng.random(len(scores)) < np.minimum(1, 2 * scores))


def cube(k):
    signs = [(1.0, *rest) for rest in itertools.product((1.0, -1.0), repeat=k - 1)]
    j = np.arange(k + 1)
    total = k / (binom.pmf(j, k, 0.5) @ np.abs(2 * j - k))
    return np.array(signs), np.full(len(signs), total / len(signs))


def breaking_matrix():
    flat, scores = cube(12)
    return block_diag(flat, flat, flat, flat), np.tile(scores, 4)


def repaired_scores(A, scores):
    Q = np.linalg.qr(A)[0]
    return scores + np.sum(Q**2, axis=1)
