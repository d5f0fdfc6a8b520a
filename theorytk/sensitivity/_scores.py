"""Scores of rows by name, for what samples rows itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_choice
from theorytk.sensitivity._whitening import Array
from theorytk.sensitivity.leverage import leverage_scores, root_leverage_scores
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.sampling import augmented_scores
from theorytk.sensitivity.sensitivities import sensitivities

# Scores within this factor of the Lewis weights, as a logarithm, are as good for sampling.
LEWIS_TOLERANCE = 0.1

SCORES: dict[str, Callable[[Any, float], Array]] = {
    "lewis": lambda A, p: lewis_weights(A, p, tol=LEWIS_TOLERANCE).weights,
    "sensitivity": lambda A, p: sensitivities(A, p).values,
    "augmented": lambda A, p: augmented_scores(A, sensitivities(A, p).values),
    "leverage": lambda A, p: leverage_scores(A),
    "root-leverage": root_leverage_scores,
    "uniform": lambda A, p: A.any(axis=1) * 1.0,
}


def row_scores(A: Any, p: float, scores: Any) -> Array:
    """Return the scores (n,) of the rows of A by name, or the given ones, checked."""
    if isinstance(scores, str):
        return np.asarray(SCORES[check_choice("scores", scores, SCORES)](A, p))
    given: Array = check_array("scores", scores, shape=(len(A),))
    if A[given == 0].any():
        raise ValueError("scores must be positive for rows that are not zero; got 0 for one")
    return given
