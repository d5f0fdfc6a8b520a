"""Kinetic energy of Gaussian paths, per dimension, and its minimum over discrete paths."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import minimize

from theorytk._validation import check_int
from theorytk.paths.datasets import Array
from theorytk.paths.gaussian_paths import GaussianPath
from theorytk.paths.separation import RIGHT_ANGLE, Separation, gamma_and_slope

__all__ = [
    "DiscretePath",
    "conditional_energy",
    "kinetic_energy",
    "minimise_discrete_energy",
]

# Distances from an end at which the order of a pole of the energy density is measured.
NEAR_END = np.array([1e-8, 1e-6])

# From this order on a pole is not integrable; 1 but for lower terms at these distances.
POLE = 0.98


def kinetic_energy(path: GaussianPath, separation: Separation, *, n_grid: int = 4000) -> float:
    """Return the kinetic energy int E|u_t(x_t)|^2 / d dt of the marginal velocity.

    ``int r'^2 + r^2 theta'^2 gamma(theta) dt`` up to the end of the path, by differences of r and
    theta over a grid that is dense at both ends, so that neither 1/m nor a derivative occurs.

    Parameters
    ----------
    path : GaussianPath
        The path; a/m need not increase.
    separation : Separation
        The separation of the law.
    n_grid : int, default 4000
        Intervals of the grid. The error is of the order n_grid^-2.

    Returns
    -------
    float
        Infinite if the energy density has a pole at an end that is not integrable.

    References
    ----------
    Shaul et al. (ICML 2023), eqs (18) to (21) and the polar form after (25), derived here again.

    Examples
    --------
    >>> from theorytk.paths.named_paths import cond_ot_path
    >>> from theorytk.paths.oracles import subspace_separation
    >>> law = subspace_separation(1, 4)
    >>> round(kinetic_energy(cond_ot_path(), law), 5), round(2 - law.delta(), 5)
    (1.2146, 1.2146)
    """
    n_grid = check_int("n_grid", n_grid, lower=2)
    if _has_pole(path, separation):
        return math.inf
    t = path.t_max * np.sin(RIGHT_ANGLE * np.linspace(0, 1, n_grid + 1)) ** 2
    r, theta, _, _ = path.polar(t)
    return _discrete_energy(t, r, theta, separation)


def conditional_energy(path: GaussianPath, *, n_grid: int = 4000) -> float:
    """Return the energy int a'^2 + m'^2 dt of the conditional velocity.

    It is `kinetic_energy` with lambda = 1, and the difference of the two is the energy
    int beta^2 (1 - lambda) dt with beta = a' - a m'/m that averaging over x_1 saves.

    Parameters
    ----------
    path : GaussianPath
        The path.
    n_grid : int, default 4000
        Intervals of the grid.

    Returns
    -------
    float
        Infinite for instance for vp-linear, and for the kinetic-optimal path of most laws.

    References
    ----------
    Shaul et al. (ICML 2023), eqs (18) to (21).

    Examples
    --------
    >>> from theorytk.paths.named_paths import cond_ot_path
    >>> round(conditional_energy(cond_ot_path()), 6)
    2.0
    """
    return kinetic_energy(path, Separation(np.ones_like, 1), n_grid=n_grid)


@dataclass(frozen=True)
class DiscretePath:
    """A path of least discrete energy.

    Attributes
    ----------
    energy : float
        Its energy per dimension.
    t, r, theta : ndarray, shape (n_intervals + 1,)
        Times, radii and angles.
    """

    energy: float
    t: Array = field(repr=False)
    r: Array = field(repr=False)
    theta: Array = field(repr=False)


def minimise_discrete_energy(separation: Separation, n_intervals: int) -> DiscretePath:
    """Minimise the energy over radii and angles at equidistant times, by L-BFGS.

    An independent check of `theorytk.paths.kinetic_optimal.kinetic_optimal_path`; the discrete
    energy takes gamma at the middle of each interval of angles.

    Parameters
    ----------
    separation : Separation
        The separation of the law.
    n_intervals : int
        Intervals of time, >= 2.

    Returns
    -------
    DiscretePath
        Where gamma vanishes fast at 0, as for isotropic laws, L-BFGS ends above the minimum.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> from theorytk.paths.oracles import single_point_separation
    >>> print(round(minimise_discrete_energy(single_point_separation(1), 64).energy, 3))
    2.0
    """
    n = check_int("n_intervals", n_intervals, lower=2)
    t = np.linspace(0, 1, n + 1)

    def complete(free: Array) -> tuple[Array, Array]:
        r = np.concatenate([[1.0], free[: n - 1], [1.0]])
        return r, np.concatenate([[0.0], free[n - 1 :], [RIGHT_ANGLE]])

    def objective(free: Any) -> tuple[float, Any]:
        r, theta = complete(free)
        radial, angular, mean, middle = _intervals(r, theta)
        gamma, dgamma = gamma_and_slope(separation, middle)
        energy = n * (radial**2 + mean**2 * angular**2 * gamma).sum()
        by_mean = mean * angular**2 * gamma
        by_middle = 0.5 * mean**2 * angular**2 * dgamma
        by_angular = 2 * mean**2 * angular * gamma
        to_r = (2 * radial + by_mean)[:-1] + (by_mean - 2 * radial)[1:]
        to_theta = (by_angular + by_middle)[:-1] + (by_middle - by_angular)[1:]
        return float(energy), n * np.concatenate([to_r, to_theta])

    start = np.concatenate([np.ones(n - 1), RIGHT_ANGLE * t[1:-1]])
    options: Any = {"maxiter": 20_000, "maxfun": 40_000, "maxcor": 40, "ftol": 1e-13, "gtol": 1e-8}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    r, theta = complete(found.x)
    return DiscretePath(float(found.fun), t, r, theta)


def _intervals(r: Array, theta: Array) -> tuple[Array, Array, Array, Array]:
    """Return differences and middles over every interval: of r, of theta, then r and theta."""
    return np.diff(r), np.diff(theta), (r[1:] + r[:-1]) / 2, (theta[1:] + theta[:-1]) / 2


def _discrete_energy(t: Array, r: Array, theta: Array, separation: Separation) -> float:
    """Return the energy of a path by its values on a grid."""
    radial, angular, mean, middle = _intervals(r, theta)
    gamma = separation.spline(middle)
    return float(((radial**2 + mean**2 * angular**2 * gamma) / np.diff(t)).sum())


def _has_pole(path: GaussianPath, separation: Separation) -> bool:
    """Return whether the energy density has a pole of order 1 at t = 0 or at t = 1."""
    ends = [NEAR_END, 1 - NEAR_END] if path.t_max == 1 else [NEAR_END]
    for t in ends:
        r, theta, dr, dtheta = path.polar(t)
        density = dr**2 + r**2 * dtheta**2 * separation.gamma(theta)
        if density[1] > 0 and density[0] > density[1] * 100**POLE:
            return True
    return False
