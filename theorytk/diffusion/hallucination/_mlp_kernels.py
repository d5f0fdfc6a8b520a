"""The parts of a training step that are not matrix products: numba only, no validation.

Everything is in single precision; the loops are free of branches, so that they vectorise.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = ["activate", "adam_step", "scale_by_slopes"]

F = np.float32
# exp(u) = 2^n exp(r) with u = n log(2) + r. log(2) is split into a part with few bits, whose
# products with n are exact, and the rest; the Taylor series of exp(r) is exact to rounding.
LOG2_E, LOG2_HIGH = F(1 / math.log(2)), F(0.693359375)
LOG2_LOW = F(math.log(2) - 0.693359375)
ZERO, HALF, ONE, LARGEST = F(0), F(0.5), F(1), F(87)
C3, C4, C5, C6 = F(1 / 6), F(1 / 24), F(1 / 120), F(1 / 720)
EXPONENT_BIAS, MANTISSA = np.int32(127), np.int32(2**23)


@njit(cache=True, nogil=True, error_model="numpy")
def activate(z: Any, bias: Any, hidden: Any) -> None:
    """Write SiLU(z + bias) to hidden and its derivative to z; z and hidden are (B, H)."""
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            v = z[i, j] + bias[j]
            u = min(max(-v, -LARGEST), LARGEST)
            n = np.floor(u * LOG2_E + HALF)
            r = (u - n * LOG2_HIGH) - n * LOG2_LOW
            tail = HALF + r * (C3 + r * (C4 + r * (C5 + r * C6)))
            power = np.int32((np.int32(n) + EXPONENT_BIAS) * MANTISSA).view(np.float32)
            s = ONE / (ONE + (ONE + r * (ONE + r * tail)) * power)
            hidden[i, j] = v * s
            z[i, j] = s * (ONE + v * (ONE - s))


@njit(cache=True, nogil=True)
def scale_by_slopes(gradient: Any, slopes: Any, bias_gradient: Any) -> None:
    """Multiply gradient (B, H) by slopes, and write its sum over B to bias_gradient (H,)."""
    bias_gradient[:] = ZERO
    for i in range(gradient.shape[0]):
        for j in range(gradient.shape[1]):
            gradient[i, j] *= slopes[i, j]
            bias_gradient[j] += gradient[i, j]


@njit(cache=True, nogil=True, error_model="numpy")
def adam_step(
    weights: Any, gradient: Any, mean: Any, square: Any, rate: Any, decays: Any, tiny: Any
) -> None:
    """Take a step of Adam; rate contains the corrections of both averages, as tiny does."""
    a, b = decays
    for i in range(weights.size):
        mean[i] = a * mean[i] + (ONE - a) * gradient[i]
        square[i] = b * square[i] + (ONE - b) * gradient[i] ** 2
        weights[i] -= rate * mean[i] / (np.sqrt(square[i]) + tiny)
