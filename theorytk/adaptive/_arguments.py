"""Arguments that several files of the topic check alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from theorytk._validation import check_array, check_real
from theorytk.adaptive._optimise import Array


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


def check_counts(name: str, value: Any) -> Array:
    """Return an array of whole numbers >= 1, as floats."""
    array = check_array(name, value)
    wrong = (array < 1) | (array != np.floor(array))
    if wrong.any():
        raise ValueError(f"{name} must be an integer >= 1; got {array[wrong].flat[0]:g}")
    return array
