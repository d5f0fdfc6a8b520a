"""Arguments that several files of the topic check alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import check_array, check_real

Array = NDArray[np.float64]


def check_probability(name: str, value: Any) -> float:
    """Return a probability strictly between 0 and 1."""
    return check_real(name, value, lower=0.0, upper=1.0, lower_open=True, upper_open=True)


def check_nonnegative(name: str, value: Any) -> Array:
    """Return an array of finite numbers >= 0."""
    array = check_array(name, value)
    if (array < 0).any():
        raise ValueError(f"{name} must be >= 0; got {array.min():g}")
    return array


def check_positive(name: str, value: Any) -> Array:
    """Return an array of finite numbers > 0."""
    array = check_array(name, value)
    if (array <= 0).any():
        raise ValueError(f"{name} must be > 0; got {array.min():g}")
    return array
