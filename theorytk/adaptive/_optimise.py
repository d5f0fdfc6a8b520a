"""Minimisation over one or two positive parameters, for many problems at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

COARSE = {1: 257, 2: 65}  # points to a side of the first grid
FINE = 9
SHRINK = 0.6
ROUNDS = 44


def minimise(
    objective: Callable[..., Array], ranges: list[tuple[Any, Any]], size: int
) -> tuple[Array, list[Array]]:
    """Return the least values (size,) of `objective` and the parameters that give them.

    A coarse grid in the logarithms of the parameters, then finer ones round the best point so far:
    no derivatives, no scale, and kinks do no harm. The objective takes one array (size, g) per
    parameter and returns values (size, g). The ends of a range are numbers or columns (size, 1);
    equal ends fix a parameter.
    """
    lower = np.array([np.broadcast_to(np.log(low), (size, 1)) for low, _ in ranges])
    upper = np.array([np.broadcast_to(np.log(high), (size, 1)) for _, high in ranges])
    centre, half = (lower + upper) / 2, (upper - lower) / 2
    points = COARSE[len(ranges)]
    rows = np.arange(size)
    for _ in range(1 + ROUNDS):
        axes = np.meshgrid(*[np.linspace(-1, 1, points)] * len(ranges))
        grid = np.array([axis.ravel() for axis in axes])[:, None, :]
        logs = np.clip(centre + half * grid, lower, upper)
        with np.errstate(over="ignore"):
            values = objective(*np.exp(logs))
        best = values.argmin(axis=1)
        centre = logs[:, rows, best][:, :, None]
        half = half * (4 / points if points != FINE else SHRINK)
        points = FINE
    return values[rows, best], list(np.exp(centre[:, :, 0]))
