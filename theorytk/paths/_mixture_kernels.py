"""Velocity and score of a Gaussian mixture's flow at one time: numba only, no validation.

Points lie along the last axis, so that every inner loop runs over them and vectorises. The
exponentials between the two kernels are NumPy's, which use the machine's vector instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def whiten(x: Any, log_weights: Any, means: Any, precisions: Any) -> tuple[Any, Any]:
    """Return y_k = C_k^-1 (x - m_k) and the logarithms of weights, whose maximum over k is 0.

    Shapes: x (d, n), log_weights (K,), means (K, d), precisions (K, d, d); y (K, d, n), and the
    logarithms (K, n).
    """
    K, d = means.shape
    n = x.shape[1]
    y, logits, top = np.empty((K, d, n)), np.empty((K, n)), np.full(n, -np.inf)
    for k in range(K):
        logit = logits[k]
        logit[:] = log_weights[k]
        for a in range(d):
            out = y[k, a]
            for b in range(d):
                weight, mean, point = precisions[k, a, b], means[k, b], x[b]
                if b == 0:
                    for j in range(n):
                        out[j] = weight * (point[j] - mean)
                else:
                    for j in range(n):
                        out[j] += weight * (point[j] - mean)
            mean, point = means[k, a], x[a]
            for j in range(n):
                logit[j] -= 0.5 * out[j] * (point[j] - mean)
        for j in range(n):
            top[j] = max(top[j], logit[j])
    for k in range(K):
        for j in range(n):
            logits[k, j] -= top[j]
    return y, logits


@njit(cache=True, nogil=True)
def average(weights: Any, y: Any, d_means: Any, half_d_covs: Any) -> tuple[Any, Any]:
    """Return velocity and score, the averages of m_k' + C_k' y_k / 2 and of -y_k.

    Shapes: weights (K, n), y (K, d, n), d_means (K, d), half_d_covs (K, d, d); both averages
    (d, n).
    """
    K, d, n = y.shape
    total, term = np.zeros(n), np.empty(n)
    velocity, score = np.zeros((d, n)), np.zeros((d, n))
    for k in range(K):
        weight = weights[k]
        for j in range(n):
            total[j] += weight[j]
        for a in range(d):
            term[:] = d_means[k, a]
            for b in range(d):
                rate, other = half_d_covs[k, a, b], y[k, b]
                for j in range(n):
                    term[j] += rate * other[j]
            b_out, s_out, own = velocity[a], score[a], y[k, a]
            for j in range(n):
                b_out[j] += weight[j] * term[j]
                s_out[j] -= weight[j] * own[j]
    for a in range(d):
        for j in range(n):
            velocity[a, j] /= total[j]
            score[a, j] /= total[j]
    return velocity, score
