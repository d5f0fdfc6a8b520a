"""Curation by enumeration: all outcomes of the samples that a user sees."""

from __future__ import annotations

import itertools

import numpy as np


def enumerated_weights(p, reward, K):
    """Return the curation weights by summing over the other K - 1 samples."""
    w, total = np.exp(reward - reward.max()), np.zeros(len(p))
    for others in itertools.product(range(len(p)), repeat=K - 1):
        total += np.prod(p[list(others)]) * K * w / (w + w[list(others)].sum())
    return total
