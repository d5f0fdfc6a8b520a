"""The law of what a chain in one dimension returns, without Monte Carlo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtr, ndtri

from theorytk._validation import check_array, check_int, check_real
from theorytk.diffusion.hallucination._kernels import bin_moments, deposit
from theorytk.diffusion.hallucination.chain import (
    Denoiser,
    checked_prediction,
    reverse_steps,
    start_label,
)
from theorytk.diffusion.hallucination.tables import DenoiserTable, check_table
from theorytk.diffusion.schedules import VPDiscrete

__all__ = [
    "CertifiedMass",
    "GridLaw",
    "certified_mass",
    "ddim_cdf",
    "propagate_law",
    "transport_quantiles",
]

Array = np.ndarray

# Nodes in the standard deviation of the smallest noise. Sums over nodes of a density that has been
# convolved with it are then exact to rounding.
FINEST = 8.0
# The pad of the convolution, in standard deviations of the largest noise: no mass crosses it.
PAD = 8.5


@dataclass(frozen=True)
class GridLaw:
    """The law of a function of a variable with a density, both linear between the nodes of a grid.

    Attributes
    ----------
    grid : ndarray, shape (G,)
        The nodes.
    density : ndarray, shape (G,)
        The density of the variable: the state before the last step.
    values : ndarray, shape (G,)
        The function: the last step.
    escaped : float
        The mass that ever lay beyond the grid, summed over all steps. No probability is wrong by
        more than this because the grid ends.
    mass_error : float
        By how much rounding has changed the total mass.
    """

    grid: Array
    density: Array
    values: Array
    escaped: float
    mass_error: float

    def masses(self, edges: Any) -> Array:
        """Return the mass of each bin (edges_k, edges_{k+1}], shape (m,), for edges (m + 1,)."""
        mass: Array = self._bins(edges)[0]
        return mass

    def probability(self, intervals: Any) -> float:
        """Return the mass of disjoint intervals (m, 2), each (lower, upper]."""
        intervals = check_array("intervals", intervals, shape=(None, 2))
        return float(sum(self.masses(pair)[0] for pair in intervals))

    def moments(self, edges: Any) -> tuple[Array, Array, Array]:
        """Return mass, mean and standard deviation of each bin, (m,) each; NaN without mass."""
        mass, first, second = self._bins(edges)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = first / mass
            return mass, mean, np.sqrt(np.maximum(second / mass - mean**2, 0.0))

    def _bins(self, edges: Any) -> Array:
        edges = check_array("edges", edges, shape=(None,), finite=False)
        if edges.size < 2 or not np.all(np.diff(edges) > 0):
            raise ValueError("edges must be increasing, at least two")
        spacing = (self.grid[-1] - self.grid[0]) / (self.grid.size - 1)
        found = np.zeros((3, edges.size - 1))
        bin_moments(self.density, self.values, spacing, edges, found)
        return found


def propagate_law(
    table: DenoiserTable,
    schedule: VPDiscrete,
    *,
    eta: float = 1.0,
    variance: str = "large",
    t_start: int | None = None,
    last_step: bool = True,
) -> GridLaw:
    """Return the law of the output of a chain that starts from N(0, 1).

    Each step moves the masses of the nodes, divides each among its two neighbours, and convolves
    with the noise. The last step has none: its law is read off its preimages.

    Parameters
    ----------
    table : DenoiserTable
        The denoiser.
    schedule : VPDiscrete
        The schedule.
    eta : float in (0, 1]
        As in :func:`reverse_steps`; for 0 see :func:`ddim_cdf`.
    variance : {"large", "small"}
        As in :func:`reverse_steps`.
    t_start : int, optional
        The label at which the chain starts; by default the schedule's last.
    last_step : bool
        False gives the law of x_0, the state that the last step takes.

    Returns
    -------
    GridLaw

    Raises
    ------
    ValueError
        If the nodes are too far apart for the smallest noise (eight are needed in its standard
        deviation), the table has too few labels, or eta is 0.

    References
    ----------
    Derived here. The density after a step is a mixture of Gaussians with standard deviation of
    at least eight nodes, whose Riemann sums are exact to rounding; what is left is the division of
    masses among neighbours and the curvature within a cell, both of second order in the spacing.
    See :func:`certified_mass`.

    Examples
    --------
    >>> from theorytk.diffusion import VPDiscrete
    >>> schedule = VPDiscrete(betas=[0.1, 0.2, 0.5, 0.9], clip=None)
    >>> table = DenoiserTable(np.linspace(-7.0, 7.0, 2001), np.zeros((4, 2001)))
    >>> law = propagate_law(table, schedule, last_step=False)
    >>> mass, mean, sd = law.moments([-1.0, 0.0, 7.0])
    >>> mass.round(4)
    array([0.475, 0.5  ])
    """
    start = check_table(table, schedule, t_start)
    check_real("eta", eta, lower=0.0, lower_open=True, upper=1.0)
    signal, keep, noise = reverse_steps(schedule, eta=eta, variance=variance)
    needed = float(noise[1 : start + 1].min()) / FINEST
    if table.spacing > needed:
        raise ValueError(f"table's spacing must be <= {needed:.3g}; got {table.spacing:.3g}")
    grid, G = table.grid, table.grid.size
    size = next_fast_len(G + math.ceil(PAD * float(noise[: start + 1].max()) / table.spacing), True)
    frequencies = 2 * math.pi * np.arange(size // 2 + 1) / (size * table.spacing)
    half_squares = -0.5 * frequencies**2

    masses = np.exp(-0.5 * grid**2) * table.spacing / math.sqrt(2 * math.pi)
    escaped = max(1.0 - float(masses.sum()), 0.0)
    masses /= masses.sum()
    moved = np.empty(size)
    for t in range(start, 0, -1):
        escaped += deposit(masses, grid, table.values[t], signal[t], keep[t], moved)
        spectrum = rfft(moved)
        spectrum *= np.exp(noise[t] ** 2 * half_squares)
        spread = irfft(spectrum, size)
        np.maximum(spread, 0.0, out=spread)
        masses = spread[:G]
        beyond = spread[G:]
        middle = beyond.size // 2
        escaped += float(beyond.sum())
        masses[-1] += beyond[:middle].sum()
        masses[0] += beyond[middle:].sum()
    total = float(masses.sum())
    values = table.values[0] if last_step else grid
    return GridLaw(grid, masses / (total * table.spacing), values, escaped, abs(total - 1.0))


@dataclass(frozen=True)
class CertifiedMass:
    """A probability, and what bounds its error.

    Attributes
    ----------
    value : float
        The probability on the refined grid.
    refinement : float
        Its distance from that on the table's own grid. As the error is of second order in the
        spacing, the value is off by about a third of this.
    escaped : float
        The mass that ever lay beyond the grid: the most that its end can change.
    mass_error : float
        By how much rounding has changed the total mass.
    """

    value: float
    refinement: float
    escaped: float
    mass_error: float


def certified_mass(
    table: DenoiserTable, schedule: VPDiscrete, intervals: Any, **options: Any
) -> CertifiedMass:
    """Return the probability that a chain's output lies in some intervals, with its error.

    Parameters
    ----------
    table : DenoiserTable
        The denoiser.
    schedule : VPDiscrete
        The schedule.
    intervals : array_like, shape (m, 2)
        Disjoint intervals.
    **options
        Those of :func:`propagate_law`.

    Returns
    -------
    CertifiedMass

    References
    ----------
    Derived here: the refined table is the same function, so that only the grid differs. The error
    is that for the chain of the table, not for a denoiser that the table interpolates.

    Examples
    --------
    >>> from theorytk.diffusion import VPDiscrete
    >>> schedule = VPDiscrete(betas=[0.1, 0.2, 0.5, 0.9], clip=None)
    >>> table = DenoiserTable(np.linspace(-7.0, 7.0, 2001), np.zeros((4, 2001)))
    >>> certified_mass(table, schedule, [[0.0, 7.0]], last_step=False).refinement < 1e-6
    True
    """
    coarse = propagate_law(table, schedule, **options).probability(intervals)
    law = propagate_law(table.refined(), schedule, **options)
    value = law.probability(intervals)
    return CertifiedMass(value, abs(value - coarse), law.escaped, law.mass_error)


def transport_quantiles(
    denoiser: Denoiser, schedule: VPDiscrete, n: int, *, t_start: int | None = None
) -> Array:
    """Return what DDIM makes of the quantiles (i + 1/2) / n of N(0, 1).

    Parameters
    ----------
    denoiser : callable
        A function of points (n, 1) and a label.
    schedule : VPDiscrete
        The schedule.
    n : int
        Number of quantiles, >= 1. Probabilities are resolved to 1 / n.
    t_start : int, optional
        The label at which the chain starts; by default the schedule's last.

    Returns
    -------
    ndarray, shape (n,)
        Quantiles of the output where all steps increase, as those of exact denoisers do.

    Raises
    ------
    ValueError
        If a prediction has another shape or is not finite; the step is named.

    Examples
    --------
    >>> from theorytk.diffusion import VPDiscrete
    >>> schedule = VPDiscrete(betas=[0.1, 0.9])
    >>> transport_quantiles(lambda x, t: 0.5 * x, schedule, 3).round(3)
    array([-0.366,  0.   ,  0.366])
    """
    n = check_int("n", n, lower=1)
    start = start_label(schedule, t_start)
    signal, keep, _ = reverse_steps(schedule, eta=0.0)
    x = ndtri((np.arange(n) + 0.5) / n)[:, None]
    for t in range(start, -1, -1):
        x = signal[t] * checked_prediction(denoiser, x, t) + keep[t] * x
    return np.asarray(x[:, 0])


def ddim_cdf(
    table: DenoiserTable,
    schedule: VPDiscrete,
    y: Any,
    *,
    t_start: int | None = None,
    last_step: bool = True,
) -> Array:
    """Return the distribution function of the output of DDIM, exact for the table.

    Parameters
    ----------
    table : DenoiserTable
        The denoiser.
    schedule : VPDiscrete
        The schedule.
    y : array_like
        Where.
    t_start : int, optional
        The label at which the chain starts from N(0, 1); by default the schedule's last.
    last_step : bool
        False gives the law of x_0, the state that the last step takes.

    Returns
    -------
    ndarray
        Of the shape of `y`.

    Raises
    ------
    ValueError
        If a step does not increase; it is named. Then see :func:`transport_quantiles`.

    References
    ----------
    Derived here: increasing steps are traced back from y to the start.

    Examples
    --------
    >>> from theorytk.diffusion import VPDiscrete
    >>> schedule = VPDiscrete(betas=[0.1, 0.9])
    >>> grid = np.linspace(-7.0, 7.0, 1001)
    >>> ddim_cdf(DenoiserTable(grid, np.tile(0.5 * grid, (2, 1))), schedule, [0.259]).round(3)
    array([0.753])
    """
    start = check_table(table, schedule, t_start)
    signal, keep, _ = reverse_steps(schedule, eta=0.0)
    x = check_array("y", y)
    for t in range(0 if last_step else 1, start + 1):
        moved = signal[t] * table.values[t] + keep[t] * table.grid
        if np.any(np.diff(moved) <= 0):
            raise ValueError(f"table must make every step increase; step {t} does not")
        x = np.interp(x, moved, table.grid)
    return np.asarray(ndtr(x))
