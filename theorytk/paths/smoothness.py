"""What a choice of gamma trades: how smooth a one-dimensional flow is, and what it costs to move.

All are quadratures on a uniform grid that is wide enough for the density to vanish at its ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theorytk._validation import check_int
from theorytk.paths.fokker_planck import check_grid, derivative
from theorytk.paths.mixtures import MixtureInterpolant

__all__ = [
    "count_modes",
    "fisher_information",
    "interpolant_energy",
    "mean_square",
    "velocity_lipschitz",
]


def fisher_information(flow: MixtureInterpolant, t: float, grid: Any) -> float:
    """Return E |s(t, x_t)|^2, the Fisher information of the law of x_t, by quadrature for d = 1.

    Parameters
    ----------
    flow : MixtureInterpolant
        The flow, for d = 1.
    t : float
        The time.
    grid : array_like, shape (n,)
        The uniform grid.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.smoothness import fisher_information
    >>> from theorytk.paths.interpolants import interpolant
    >>> from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant
    >>> rho = GaussianMixture([1.0], [0.0], [4.0])
    >>> flow = MixtureInterpolant(rho, rho, interpolant("linear", "none"))
    >>> round(fisher_information(flow, 0.5, np.linspace(-20, 20, 401)), 12)
    0.5
    """
    points, h = check_grid(grid)
    return h * float(np.exp(flow.logpdf(t, points)) @ flow.score(t, points)[:, 0] ** 2)


def interpolant_energy(flow: MixtureInterpolant, grid: Any, *, n_nodes: int = 32) -> float:
    """Return the integral over t of E |b(t, x_t)|^2, by quadrature for d = 1.

    Parameters
    ----------
    flow : MixtureInterpolant
        The flow, for d = 1.
    grid : array_like, shape (n,)
        The uniform grid.
    n_nodes : int, default 32
        Gauss-Legendre nodes on each half of [0, 1].

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.smoothness import interpolant_energy
    >>> from theorytk.paths.interpolants import interpolant
    >>> from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant
    >>> ends = [GaussianMixture([1.0], [m], [1.0]) for m in (0.0, 2.0)]
    >>> flow = MixtureInterpolant(*ends, interpolant("trigonometric", "none"))
    >>> round(interpolant_energy(flow, np.linspace(-9, 11, 401)), 9)  # (pi / 2)^2 2^2 / 2
    4.934802201
    """
    return mean_square(flow, flow.velocity, grid, n_nodes=n_nodes)


def mean_square(
    flow: MixtureInterpolant, field: Callable[[float, Any], Any], grid: Any, *, n_nodes: int = 32
) -> float:
    """Return the integral over t of E |f(t, x_t)|^2 of a field f, by quadrature for d = 1.

    Of the error of a learnt field it is twice the excess loss.

    Parameters
    ----------
    flow : MixtureInterpolant
        The flow, for d = 1.
    field : callable
        The field f(t, x), from a time and points (n, 1) to (n, 1).
    grid : array_like, shape (n,)
        The uniform grid.
    n_nodes : int, default 32
        Gauss-Legendre nodes on each half of [0, 1].

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.smoothness import mean_square
    >>> from theorytk.paths.interpolants import interpolant
    >>> from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant
    >>> rho = GaussianMixture([1.0], [0.0], [4.0])
    >>> flow = MixtureInterpolant(rho, rho, interpolant("trigonometric", "none"))
    >>> round(mean_square(flow, lambda t, x: t * x, np.linspace(-20, 20, 401)), 12)  # 4 / 3
    1.333333333333
    """
    points, h = check_grid(grid)
    nodes, weights = np.polynomial.legendre.leggauss(check_int("n_nodes", n_nodes, lower=1))
    total = 0.0
    for t, weight in zip(np.append(1 + nodes, 3 + nodes) / 4, np.tile(weights / 4, 2), strict=True):
        values = field(t, points)[:, 0]
        total += float(weight * h * np.exp(flow.logpdf(t, points)) @ values**2)
    return total


def velocity_lipschitz(flow: MixtureInterpolant, t: float, grid: Any) -> float:
    """Return the largest |db/dx| on the grid, by differences of order 8, for d = 1.

    Parameters
    ----------
    flow : MixtureInterpolant
        The flow, for d = 1.
    t : float
        The time.
    grid : array_like, shape (n,)
        The uniform grid, fine enough to resolve the velocity.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.smoothness import velocity_lipschitz
    >>> from theorytk.paths.interpolants import interpolant
    >>> from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant
    >>> ends = [GaussianMixture([1.0], [0.0], [v]) for v in (1.0, 4.0)]
    >>> flow = MixtureInterpolant(*ends, interpolant("linear", "none"))
    >>> round(velocity_lipschitz(flow, 0.5, np.linspace(-5, 5, 101)), 9)
    1.2
    """
    points, h = check_grid(grid)
    return float(np.abs(derivative(flow.velocity(t, points)[:, 0], h)).max())


def count_modes(flow: MixtureInterpolant, t: float, grid: Any) -> int:
    """Return the number of local maxima of the density of x_t on the grid, for d = 1.

    Parameters
    ----------
    flow : MixtureInterpolant
        The flow, for d = 1.
    t : float
        The time.
    grid : array_like, shape (n,)
        The uniform grid.

    Returns
    -------
    int

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.smoothness import count_modes
    >>> from theorytk.paths.interpolants import interpolant
    >>> from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant
    >>> rho = GaussianMixture([0.5, 0.5], [-3.0, 3.0], [1.0, 1.0])
    >>> flow = MixtureInterpolant(rho, rho, interpolant("linear"))
    >>> count_modes(flow, 0.0, np.linspace(-9, 9, 201)), count_modes(
    ...     flow, 0.5, np.linspace(-9, 9, 201)
    ... )
    (2, 3)
    """
    points, _ = check_grid(grid)
    rising = np.diff(flow.logpdf(t, points)) > 0
    return int(np.sum(rising[:-1] & ~rising[1:]))
