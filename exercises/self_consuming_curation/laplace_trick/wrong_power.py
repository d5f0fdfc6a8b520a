"""Counts the kept sample among the others: phi to the power K."""

import numpy as np


def phi(u, p, r):
    return np.exp(-np.outer(u, np.exp(r))) @ p


def curation_weights(p, r, K):
    shifted = r - np.max(r)
    v = np.arange(-40.0, np.log(745.0) - shifted.min() + 1, 0.2)
    u = np.exp(v)
    w = np.exp(shifted)
    common = 0.2 * u * phi(u, p, shifted) ** (K)
    return K * w * (common @ np.exp(-np.outer(u, w)))


def curate(p, r, K, generations):
    for _ in range(generations):
        p = p * curation_weights(p, r, K)
    return p
