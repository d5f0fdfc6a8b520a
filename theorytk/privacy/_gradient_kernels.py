"""Kernel of private gradient descent: clipped gradients, rounded example by example."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

# Floats hold sums of so many whole numbers up to 2^32 exactly.
EXACT = 2**20


@njit(cache=True, nogil=True)
def clipped_gradients(X: Any, labels: Any, batch: Any, weights: Any, clip: Any, height: Any) -> Any:
    """Return the sum over a batch of clipped gradients of the softmax loss, in grid steps.

    An example's gradient is the outer product of its row and of its residual (probabilities less
    the label); each entry is rounded towards zero. Nothing of it depends on the other examples.
    """
    d, k = weights.shape
    totals, sums = np.zeros((d, k), np.int64), np.zeros((k, d))
    residual = np.empty(k)
    for place, i in enumerate(batch):
        if place % EXACT == 0:
            totals += sums.T.astype(np.int64)
            sums[:] = 0.0
        residual[:] = 0.0
        for c in range(d):
            for j in range(k):
                residual[j] += X[i, c] * weights[c, j]
        top = residual.max()
        mass = 0.0
        for j in range(k):
            residual[j] = math.exp(residual[j] - top)
            mass += residual[j]
        square = 0.0
        for j in range(k):
            residual[j] = residual[j] / mass - (1.0 if j == labels[i] else 0.0)
            square += residual[j] * residual[j]
        row = 0.0
        for c in range(d):
            row += X[i, c] * X[i, c]
        norm = math.sqrt(row * square)
        if not norm > 0:  # NaN where weights have diverged
            continue
        # A hair below 1 covers the rounding of the norm.
        factor = height * min(1.0, clip / norm * (1 - 1e-12))
        for j in range(k):
            for c in range(d):
                sums[j, c] += np.trunc(X[i, c] * residual[j] * factor)
    return totals + sums.T.astype(np.int64)
