"""Log weights of the components of diagonal Gaussian mixtures: numba only, no validation.

Points lie along the last axis, so that every inner loop runs over them and vectorises.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def log_weights(x: Any, log_masses: Any, means: Any, precisions: Any) -> Any:
    """Return log_masses_k - sum_a precisions_ka (x_a - means_ka)^2 / 2 less its maximum over k.

    Shapes: x (d, n), log_masses (K,), means and precisions (K, d); the result (K, n).
    """
    K, d = means.shape
    n = x.shape[1]
    logits, top = np.empty((K, n)), np.full(n, -np.inf)
    for k in range(K):
        logit = logits[k]
        logit[:] = log_masses[k]
        for a in range(d):
            half, mean, point = 0.5 * precisions[k, a], means[k, a], x[a]
            for j in range(n):
                logit[j] -= half * (point[j] - mean) ** 2
        for j in range(n):
            top[j] = max(top[j], logit[j])
    for k in range(K):
        for j in range(n):
            logits[k, j] -= top[j]
    return logits
