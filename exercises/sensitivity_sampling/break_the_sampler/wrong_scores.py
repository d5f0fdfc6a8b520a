"""Gives the rows of the flat block the sum k of leverage scores, not that of sensitivities."""

import itertools

import numpy as np
from scipy.linalg import block_diag


def sample(scores, rng):
    return np.flatnonzero(rng.random(len(scores)) < np.minimum(1, 2 * scores))


def cube(k):
    signs = [(1.0, *rest) for rest in itertools.product((1.0, -1.0), repeat=k - 1)]
    return np.array(signs), np.full(len(signs), k / len(signs))


def breaking_matrix():
    flat, scores = cube(13)
    pairs = np.repeat(np.eye(38), 2, axis=0) / 2  # always kept: more rows than columns
    A = block_diag(flat, flat, pairs)
    return A, np.concatenate([scores, scores, np.full(len(pairs), 1 / 2)])


def repaired_scores(A, scores):
    Q = np.linalg.qr(A)[0]
    return scores + np.sum(Q**2, axis=1)
