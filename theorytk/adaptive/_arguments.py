"""Arguments that several files of the topic check alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from theorytk._validation import check_array
from theorytk.adaptive._optimise import Array
from theorytk.privacy._arguments import check_nonnegative, check_positive, check_probability

__all__ = ["check_counts", "check_nonnegative", "check_positive", "check_probability"]


def check_counts(name: str, value: Any) -> Array:
    """Return an array of whole numbers >= 1, as floats."""
    array = check_array(name, value)
    wrong = (array < 1) | (array != np.floor(array))
    if wrong.any():
        raise ValueError(f"{name} must be an integer >= 1; got {array[wrong].flat[0]:g}")
    return array
