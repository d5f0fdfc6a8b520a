"""The inner loop of the separation function: numba only, no validation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# Adding this rounds a double to an integer and leaves it in the low bits.
ROUNDING = 6755399441055744.0

# Only the order of sums and fused multiply-add are freed; without them the sums do not vectorise.
SUMS = {"contract", "reassoc"}

# A row below this share of the mean squared distance is exhausted.
EXHAUSTED = 1e-30


@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def fast_exp(x: float) -> float:
    """Return exp(x) to a relative error of 1e-14, in a form that vectorises; x >= -700."""
    x = max(x, -700.0)
    shifted = x * 1.4426950408889634 + ROUNDING
    k = shifted - ROUNDING
    r = x - k * 0.693147180369123816490 - k * 1.90821492927058770002e-10
    series = 1 / 39916800
    series = series * r + 1 / 3628800
    series = series * r + 1 / 362880
    series = series * r + 1 / 40320
    series = series * r + 1 / 5040
    series = series * r + 1 / 720
    series = series * r + 1 / 120
    series = series * r + 1 / 24
    series = series * r + 1 / 6
    series = series * r + 0.5
    series = series * r + 1.0
    series = series * r + 1.0
    exponent = (np.float64(shifted).view(np.int64) + 1023) << 52
    return series * np.int64(exponent).view(np.float64)


@njit(cache=True, nogil=True, fastmath=SUMS, error_model="numpy")
def antithetic_distance(distances: Any, noise: Any, weights: Any, s: float) -> float:
    """Return the mean squared distance to the source under the posteriors of +z and -z."""
    total_plus, total_minus, sum_plus, sum_minus = 0.0, 0.0, 0.0, 0.0
    for j in range(distances.size):
        quadratic, linear = -0.5 * s * s * distances[j], s * noise[j]
        plus = weights[j] * fast_exp(quadratic + linear)
        minus = weights[j] * fast_exp(quadratic - linear)
        total_plus += plus
        total_minus += minus
        sum_plus += plus * distances[j]
        sum_minus += minus * distances[j]
    return 0.5 * (sum_plus / total_plus + sum_minus / total_minus)


@njit(cache=True, nogil=True)
def posterior_distances(
    distances: Any, noise: Any, weights: Any, row_weights: Any, s_values: Any
) -> Any:
    """Return for ascending s > 0 the weighted sum over rows of the mean squared distance.

    `distances` and `noise` (rows, n) are |x_l - x_i|^2 and z_i.(x_l - x_i). The logits
    s noise - s^2 distances / 2 are relative to the source and need no maximum: whatever s, they
    are at most (z.e)^2 / 2 with e a unit vector. Once a row has vanished, all its logits are
    negative, so that s is beyond the vertex of each of them and no larger s brings it back.
    """
    sums = np.zeros(s_values.size)
    for i in range(distances.shape[0]):
        scale = EXHAUSTED * np.max(distances[i])
        for k in range(s_values.size):
            found = antithetic_distance(distances[i], noise[i], weights, s_values[k])
            if found <= scale:
                break
            sums[k] += row_weights[i] * found
    return sums
