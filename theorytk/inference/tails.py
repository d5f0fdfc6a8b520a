"""Rates of decay read off the tail of a trajectory, defined for every trajectory."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theorytk._validation import check_array, check_real

__all__ = ["tail_rate"]

FEWEST_POINTS = 5
LARGEST = 1e300


def tail_rate(
    iteration: ArrayLike, error: ArrayLike, *, above: float = 1e-11, below: float = 1e-4
) -> float:
    """Return the exponential rate at which an error decays in its tail.

    The rate is minus the least-squares slope of log(error) on the iteration, over the points with
    ``above < error < below``. A trajectory with fewer than five such points (slower, stalled or
    diverging) is fitted over the last half of its points with ``error > above`` instead, and one
    that is over at once, over its first two points with errors raised to `above`: every algorithm
    has a rate. An infinite error counts as 1e300.

    Parameters
    ----------
    iteration : array_like, shape (t,)
        Increasing iterations.
    error : array_like, shape (t,)
        Errors >= 0; infinite after divergence.
    above, below : float
        The window, above rounding and below the transient.

    Returns
    -------
    float
        The rate per iteration; positive for decay.

    Raises
    ------
    ValueError
        If the shapes differ or there are fewer than two points.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(200)
    >>> bool(np.isclose(tail_rate(t, 0.9**t), -np.log(0.9)))
    True
    """
    t = check_array("iteration", iteration, ndim=1)
    values = np.minimum(check_array("error", error, shape=t.shape, finite=False), LARGEST)
    above = check_real("above", above, lower=0.0, lower_open=True)
    below = check_real("below", below, lower=above, lower_open=True)
    if len(t) < 2:
        raise ValueError(f"iteration must hold two points or more; got {len(t)}")
    inside = (values > above) & (values < below)
    if inside.sum() < FEWEST_POINTS:
        resolved = np.flatnonzero(values > above)
        inside = np.zeros(len(values), dtype=bool)
        inside[resolved[len(resolved) // 2 :]] = True
    if inside.sum() < 2:  # over at once: at least as fast as from the first point to the second
        inside[:2] = True
        values = np.maximum(values, above)
    return -float(np.polyfit(t[inside], np.log(values[inside]), 1)[0])
