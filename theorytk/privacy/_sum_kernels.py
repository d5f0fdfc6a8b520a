"""Kernel of exact sums: running sums of exponentials over sorted points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def exponential_totals(x: Any) -> Any:
    """Return for each of the ascending points the sum of exp(x_i - x_j) over those up to it."""
    totals = np.empty(len(x))
    running = 0.0
    for j in range(len(x)):
        running = 1.0 + (running * math.exp(x[j - 1] - x[j]) if j > 0 else 0.0)
        totals[j] = running
    return totals
