"""What the coin's experiments share; imported relatively, so the fingerprint must follow it."""

from __future__ import annotations

import functools


@functools.cache  # which goes to workers by name
def outcome_probability(n: int) -> float:
    """Return the probability of one sequence of n fair tosses."""
    return 2.0**-n
