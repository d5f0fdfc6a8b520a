"""Forgets the K of the denominator: K - 1 for (K - 1) / K, which gains violate."""

import itertools

import numpy as np


def curation_weights(p, r, K):
    """Return the curation weights H, shape (n,), by enumeration of the K - 1 other samples."""
    w = np.exp(r)
    H = np.zeros(len(p))
    for others in itertools.product(range(len(p)), repeat=K - 1):
        others = list(others)
        H += K * np.prod(p[others]) * w / (w + np.sum(w[others]))
    return H


def gain(p, r, K):
    return p @ ((curation_weights(p, r, K) - 1) * np.exp(r))


def gain_by_spread(p, r, K):
    total = 0.0
    for outcome in itertools.product(range(len(p)), repeat=K):
        outcome = list(outcome)
        W = np.exp(r[outcome])
        total += np.prod(p[outcome]) * np.sum((W - W.mean()) ** 2) / W.sum()
    return total


def gain_bound(p, r, K):
    w = np.exp(r)
    return (K - 1) * (p @ (w - p @ w) ** 2) / w[p > 0].max()


def least_ratio(problems):
    return min(gain(*problem) / gain_bound(*problem) for problem in problems)
