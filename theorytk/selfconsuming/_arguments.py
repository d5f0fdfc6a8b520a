"""Arguments that the modules of this package share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import check_array, check_int, check_real

Array = NDArray[np.float64]

# exp(-LARGEST_RANGE) is still a normal number.
LARGEST_RANGE = 700.0
MASS_TOLERANCE = 1e-9


def check_group_size(K: Any, *, lower: int = 2) -> float:
    """Return K as a float: an integer of at least `lower`, or infinity."""
    if isinstance(K, float) and math.inf == K:
        return K
    return float(check_int("K", int(K) if _is_integral(K) else K, lower=lower))


def check_mixing(lam: Any) -> float:
    """Return lam as a float in [0, inf]."""
    return math.inf if lam == math.inf else check_real("lam", lam, lower=0)


def check_rewards(name: str, reward: Any, size: int | None = None) -> Array:
    """Return finite rewards (n,) whose range does not overflow in exp."""
    r = check_array(name, reward, shape=(size,))
    check_int(f"{name} (atoms)", r.size, lower=1)
    check_real(f"{name} (range)", float(np.ptp(r)), lower=0, upper=LARGEST_RANGE)
    return r


def check_distribution(name: str, p: Any, size: int | None = None) -> Array:
    """Return probabilities (n,), rescaled to sum to 1 within rounding."""
    p = check_array(name, p, shape=(size,))
    check_int(f"{name} (atoms)", p.size, lower=1)
    check_real(f"{name} (smallest)", float(p.min()), lower=0)
    total = float(p.sum())
    check_real(f"{name} (sum)", total, lower=1 - MASS_TOLERANCE, upper=1 + MASS_TOLERANCE)
    return np.asarray(p / total)


def _is_integral(K: Any) -> bool:
    """Tell whether K is a float that holds an integer, as a stored factor may."""
    return isinstance(K, float) and K.is_integer()
