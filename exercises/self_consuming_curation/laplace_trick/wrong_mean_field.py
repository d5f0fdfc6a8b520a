"""Replaces the weights of the other samples by their mean: the limit of many samples, not K."""

import numpy as np


def phi(u, p, r):
    return np.exp(-np.outer(u, np.exp(r))) @ p


def curation_weights(p, r, K):
    w = np.exp(r - np.max(r))
    return K * w / (w + (K - 1) * (p @ w))


def curate(p, r, K, generations):
    for _ in range(generations):
        p = p * curation_weights(p, r, K)
        p = p / p.sum()
    return p
