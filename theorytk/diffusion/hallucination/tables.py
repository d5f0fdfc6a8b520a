"""Denoisers as tables: values on a uniform grid at every label, linear between the nodes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from theorytk._validation import check_array, check_int, check_real
from theorytk.diffusion.hallucination.chain import (
    Denoiser,
    checked_prediction,
    levels,
    start_label,
)
from theorytk.diffusion.schedules import VPDiscrete
from theorytk.diffusion.targets import MixtureTarget

__all__ = ["DenoiserTable", "default_grid", "tabulate"]

Array = np.ndarray


@dataclass(frozen=True)
class DenoiserTable:
    """A denoiser of one coordinate.

    It is applied to each entry of an array, so that in d dimensions it is the denoiser of a
    product, whose coordinates are independent chains.

    Attributes
    ----------
    grid : ndarray, shape (G,)
        Uniform, increasing; G >= 3.
    values : ndarray, shape (T, G)
        The predictions at labels 0, ..., T - 1.

    Examples
    --------
    >>> table = DenoiserTable(np.linspace(-1.0, 1.0, 3), np.array([[-1.0, 0.0, 2.0]]))
    >>> table(np.array([[-0.5], [0.5]]), 0)
    array([[-0.5],
           [ 1. ]])
    """

    grid: Array
    values: Array

    def __post_init__(self) -> None:
        grid = check_array("grid", self.grid, shape=(None,))
        check_int("grid (nodes)", grid.size, lower=3)
        steps, spacing = np.diff(grid), (grid[-1] - grid[0]) / (grid.size - 1)
        if spacing <= 0 or np.abs(steps - spacing).max() > 1e-6 * spacing:
            raise ValueError("grid must be uniform and increasing")
        values = check_array("values", self.values, shape=(None, grid.size), finite=False)
        check_int("values (labels)", len(values), lower=1)
        bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if bad.size:
            raise ValueError(f"values must be finite; those of step {bad[0]} are not")
        object.__setattr__(self, "grid", grid)
        object.__setattr__(self, "values", np.ascontiguousarray(values))

    @property
    def spacing(self) -> float:
        """The distance of two nodes."""
        return float(self.grid[-1] - self.grid[0]) / (self.grid.size - 1)

    def __call__(self, x: Array, t: int) -> Array:
        """Return the predictions at points of any shape."""
        t = check_int("t", t, lower=0, upper=len(self.values) - 1)
        x = check_array("x", x)
        if x.size and not (x.min() >= self.grid[0] and x.max() <= self.grid[-1]):
            raise off_grid(self, t)
        return np.asarray(np.interp(x, self.grid, self.values[t]))

    def slopes(self, schedule: VPDiscrete) -> Array:
        """Return the steepest slope of each label, (T,), in units of the data.

        That is the slope of the prediction as a function of y = x_t / alpha_t.
        """
        alpha = levels(schedule)[0][: len(self.values)]
        return np.asarray(alpha * np.diff(self.values).max(axis=1) / self.spacing)

    def refined(self) -> DenoiserTable:
        """Return the same function with a node in the middle of each cell."""
        middles = (self.values[:, 1:] + self.values[:, :-1]) / 2
        values = np.empty((len(self.values), 2 * self.grid.size - 1))
        values[:, ::2], values[:, 1::2] = self.values, middles
        grid = np.linspace(self.grid[0], self.grid[-1], 2 * self.grid.size - 1)
        return DenoiserTable(grid, values)


def tabulate(
    denoiser: Denoiser, schedule: VPDiscrete, grid: Array, *, t_start: int | None = None
) -> DenoiserTable:
    """Return the table of a denoiser in one dimension.

    Parameters
    ----------
    denoiser : callable
        A function of points (n, 1) and a label.
    schedule : VPDiscrete
        The schedule.
    grid : ndarray, shape (G,)
        A uniform grid.
    t_start : int, optional
        The last label of the table; by default that of the schedule.

    Returns
    -------
    DenoiserTable

    Raises
    ------
    ValueError
        If a prediction has another shape or is not finite; the step is named.

    Examples
    --------
    >>> from theorytk.diffusion.hallucination.chain import steep_schedule
    >>> from theorytk.diffusion.hallucination.mixtures import exact_denoiser, three_in_a_row
    >>> schedule, target = steep_schedule(), three_in_a_row()
    >>> table = tabulate(
    ...     exact_denoiser(target, schedule), schedule, default_grid(target), t_start=20
    ... )
    >>> print(f"{table.slopes(schedule).max():.2f}")
    25.30
    """
    points = check_array("grid", grid, shape=(None,))[:, None]
    rows = range(start_label(schedule, t_start) + 1)
    return DenoiserTable(
        points[:, 0], np.stack([checked_prediction(denoiser, points, t)[:, 0] for t in rows])
    )


def default_grid(target: MixtureTarget, size: int = 8192, *, reach: float = 8.0) -> Array:
    """Return a grid that holds the noisy data of a mixture on the line at all noise levels.

    Mode m with standard deviation sigma <= 1 is at alpha m with one of at most
    sqrt(alpha^2 sigma^2 + 1 - alpha^2); the grid reaches as far as sqrt(m^2 + reach^2), the largest
    value of alpha m + sqrt(1 - alpha^2) reach.

    Parameters
    ----------
    target : MixtureTarget
        The law of the data, of one dimension.
    size : int
        Nodes, >= 3.
    reach : float
        Standard deviations on either side, > 0.

    Returns
    -------
    ndarray, shape (size,)

    Examples
    --------
    >>> from theorytk.diffusion.hallucination.mixtures import three_in_a_row
    >>> default_grid(three_in_a_row(), 3).round(3)
    array([-8.   ,  0.272,  8.544])
    """
    if target.dimension != 1:
        raise ValueError(f"target must have dimension 1; got {target.dimension}")
    size = check_int("size", size, lower=3)
    reach = check_real("reach", reach, lower=0.0, lower_open=True)
    reach *= max(1.0, math.sqrt(float(target.law.covariances.max())))
    low, high = float(target.law.means.min()), float(target.law.means.max())
    return np.linspace(-math.hypot(min(low, 0.0), reach), math.hypot(max(high, 0.0), reach), size)


def check_table(table: DenoiserTable, schedule: VPDiscrete, t_start: int | None) -> int:
    """Return the label at which a chain with this table starts."""
    if not isinstance(table, DenoiserTable):
        raise TypeError(f"table must be a DenoiserTable; got {table!r}")
    start = start_label(schedule, t_start)
    if start >= len(table.values):
        raise ValueError(f"t_start must be < {len(table.values)}, the table's labels; got {start}")
    return start


def off_grid(table: DenoiserTable, t: int) -> ValueError:
    """Return the error of a point that is not on a table's grid."""
    low, high = table.grid[0], table.grid[-1]
    return ValueError(
        f"x must lie on the table's grid, [{low:g}, {high:g}]; it left it at step {t}"
    )
