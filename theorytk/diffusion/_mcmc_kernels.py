"""Isotropic mixtures with a noise level per point: numba only, no validation.

Component k at level s has variance variances_k + s^2 in every coordinate.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def score_and_logpdf(x: Any, sigma: Any, log_weights: Any, means: Any, variances: Any) -> Any:
    """Return the scores (n, d) and log densities (n,) of x (n, d) at levels sigma (n,)."""
    n, d = x.shape
    K = len(log_weights)
    score, logpdf = np.zeros((n, d)), np.empty(n)
    logits = np.empty(K)
    for i in range(n):
        level, top = sigma[i] ** 2, -np.inf
        for k in range(K):
            V, square = variances[k] + level, 0.0
            for a in range(d):
                square += (x[i, a] - means[k, a]) ** 2
            logits[k] = log_weights[k] - 0.5 * (d * math.log(2 * math.pi * V) + square / V)
            top = max(top, logits[k])
        total = 0.0
        for k in range(K):
            weight = math.exp(logits[k] - top)
            total += weight
            pull = weight / (variances[k] + level)
            for a in range(d):
                score[i, a] += pull * (means[k, a] - x[i, a])
        for a in range(d):
            score[i, a] /= total
        logpdf[i] = top + math.log(total)
    return score, logpdf


@njit(cache=True, nogil=True)
def level_posterior(x: Any, means: Any, log_masses: Any, half_precisions: Any) -> Any:
    """Return the probabilities (n, M) of the levels given x (n, d).

    They are proportional to sum_k exp(log_masses_jk - half_precisions_jk |x - means_k|^2), where
    the arrays are (M, K) and the squares do not depend on the level j.
    """
    n, d = x.shape
    M, K = log_masses.shape
    result = np.empty((n, M))
    squares, logits = np.empty(K), np.empty((M, K))
    for i in range(n):
        for k in range(K):
            squares[k] = 0.0
            for a in range(d):
                squares[k] += (x[i, a] - means[k, a]) ** 2
        top = -np.inf
        for j in range(M):
            for k in range(K):
                logits[j, k] = log_masses[j, k] - half_precisions[j, k] * squares[k]
                top = max(top, logits[j, k])
        total = 0.0
        for j in range(M):
            mass = 0.0
            for k in range(K):
                mass += math.exp(logits[j, k] - top)
            result[i, j] = mass
            total += mass
        for j in range(M):
            result[i, j] /= total
    return result
