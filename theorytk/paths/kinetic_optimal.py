"""The kinetic-optimal path: in closed form by one quadrature, and as a boundary value problem."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.integrate import solve_bvp
from scipy.interpolate import PchipInterpolator

from theorytk._validation import check_real
from theorytk.paths.datasets import Array
from theorytk.paths.gaussian_paths import GaussianPath, PolarState
from theorytk.paths.named_paths import trigonometric_path
from theorytk.paths.separation import RIGHT_ANGLE, Separation, gamma_and_slope

__all__ = [
    "KineticBVP",
    "best_vp_path",
    "kinetic_optimal_path",
    "solve_kinetic_bvp",
]

# Below this Phi the law is called isotropic Gaussian.
ISOTROPIC = 1e-6

# What gamma is taken for where an iterate of the solver passes a zero of it.
SMALLEST = 1e-4

# Values of phi next to 0 that are not used.
INEXACT = 40

# The steps in which the boundary value problem goes from gamma = 1 to the law's.
SHARES = (0.0, 0.7, 0.95, 1.0)


def kinetic_optimal_path(separation: Separation) -> GaussianPath:
    """Return the Gaussian path of least kinetic energy for a law.

    With phi = int_0^theta sqrt(gamma) the energy is that of a curve in the plane with the polar
    coordinates (r, phi); the optimum is the chord from (1, 0) to (1, Phi) at constant speed.
    Its energy is ``2 - 2 cos Phi`` (`theorytk.paths.theory.optimal_energy`).

    Parameters
    ----------
    separation : Separation
        The separation of the law.

    Returns
    -------
    GaussianPath
        For an isotropic Gaussian law (Phi < 1e-6), for which every variance-preserving path has
        energy 0, the trigonometric one, with a warning.

    References
    ----------
    Shaul et al. (ICML 2023), Theorem 3.1, where the constant b is left to the boundary conditions;
    that it is the optimal energy, and this closed form, are derived here.

    Examples
    --------
    >>> from theorytk.paths.oracles import subspace_separation
    >>> path = kinetic_optimal_path(subspace_separation(1, 4))
    >>> path.a([0.5]).round(6), path.m([0.5]).round(6)  # sqrt(t^2 + t(1-t)), 1 - t
    (array([0.707107]), array([0.5]))
    """
    total = separation.angle()
    if total < ISOTROPIC:
        return _isotropic()
    inverse = _inverse(separation)

    def state(t: Array) -> PolarState:
        phi = np.arctan2(t * math.sin(total), 1 - t + t * math.cos(total))
        theta = inverse(phi)
        r = np.sqrt(1 - 2 * (1 - math.cos(total)) * t * (1 - t))
        dr = (1 - math.cos(total)) * (2 * t - 1) / r
        return PolarState(r, theta, dr, math.sin(total) / r**2 / np.sqrt(separation.gamma(theta)))

    return GaussianPath("kinetic-optimal", state)


def best_vp_path(separation: Separation) -> GaussianPath:
    """Return the path of least energy among the variance-preserving ones, r = 1: Phi^2.

    Parameters
    ----------
    separation : Separation
        The separation of the law.

    Returns
    -------
    GaussianPath
        For an isotropic Gaussian law the trigonometric path, with a warning.

    References
    ----------
    Derived here: with r = 1 the energy is int (phi')^2, least at constant speed.

    Examples
    --------
    >>> from theorytk.paths.oracles import single_point_separation
    >>> best_vp_path(single_point_separation(1)).a([0.5]).round(6)
    array([0.707107])
    """
    total = separation.angle()
    if total < ISOTROPIC:
        return _isotropic()
    inverse = _inverse(separation)

    def state(t: Array) -> PolarState:
        theta = inverse(t * total)
        speed = total / np.sqrt(separation.gamma(theta))
        return PolarState(np.ones_like(t), theta, np.zeros_like(t), speed)

    return GaussianPath("best-vp", state)


@dataclass(frozen=True)
class KineticBVP:
    """A stationary path of the energy between two angles, from its Euler-Lagrange equations.

    Attributes
    ----------
    energy : float
        Its kinetic energy per dimension.
    t, r, theta : ndarray, shape (m,)
        The path at the nodes of the mesh.
    """

    energy: float
    t: Array = field(repr=False)
    r: Array = field(repr=False)
    theta: Array = field(repr=False)


def solve_kinetic_bvp(
    separation: Separation,
    theta_start: float = 0.1,
    theta_end: float = RIGHT_ANGLE,
    *,
    tol: float = 1e-8,
) -> KineticBVP:
    """Solve the Euler-Lagrange equations of the energy numerically, as an independent check.

    ``r'' = r theta'^2 gamma`` and ``p' = r^2 theta'^2 gamma' / 2`` with p = r^2 gamma theta', from
    (r, theta) = (1, theta_start) to (1, theta_end). The ends are away from zeros of gamma, where
    theta' is infinite. The closed form is ``2 - 2 cos(phi(theta_end) - phi(theta_start))``.

    Parameters
    ----------
    separation : Separation
        The separation of the law, with gamma > 1e-4 between the angles.
    theta_start, theta_end : float
        The angles at t = 0 and 1, by default 0.1 and pi/2.
    tol : float, default 1e-8
        Tolerance of the solver.

    Returns
    -------
    KineticBVP

    Raises
    ------
    ValueError
        If the solver does not converge.

    References
    ----------
    Shaul et al. (ICML 2023), the Lagrangian behind Theorem 3.1. The solver is scipy's collocation.

    Examples
    --------
    >>> from theorytk.paths.oracles import single_point_separation
    >>> print(round(solve_kinetic_bvp(single_point_separation(1), 0.5).energy, 8))
    1.04114892
    """
    start = check_real("theta_start", theta_start, lower=0.0, upper=RIGHT_ANGLE)
    end = check_real("theta_end", theta_end, lower=start, upper=RIGHT_ANGLE, lower_open=True)
    if separation.gamma(np.linspace(start, end, 1000)).min() <= SMALLEST:
        raise ValueError(f"theta_start and theta_end must have gamma > {SMALLEST:g} between them")

    def solve(t: Array, guess: Array, share: float) -> Any:
        """Solve with gamma replaced by 1 - share (1 - gamma)."""

        def slopes(_: Array, y: Array) -> Array:
            r, dr, theta, p = y
            gamma, dgamma = gamma_and_slope(separation, theta)
            gamma = np.maximum(1 - share * (1 - gamma), SMALLEST)
            dtheta = p / (r * r * gamma)
            force = 0.5 * r * r * dtheta**2 * share * dgamma
            return np.array([dr, r * dtheta**2 * gamma, dtheta, force])

        with np.errstate(all="ignore"):
            return solve_bvp(slopes, ends, t, guess, tol=tol, max_nodes=20_000)

    def ends(left: Array, right: Array) -> Array:
        return np.array([left[0] - 1, right[0] - 1, left[2] - start, right[2] - end])

    t = np.linspace(0, 1, 50)
    one, length = np.ones_like(t), end - start
    y = np.array([one, 0 * one, start + length * t, length * one])
    for share in SHARES:
        found = solve(t, y, share)
        t, y = found.x, found.y
    if not found.success:
        raise ValueError(f"theta_start must let solve_bvp converge; got {found.message!r}")
    r, dr, theta, p = found.y
    # The energy density is constant along a stationary path; its mean only averages rounding.
    density = dr**2 + p**2 / (r * r * separation.gamma(theta))
    return KineticBVP(float(np.mean(density)), found.x, r, theta)


def _inverse(separation: Separation) -> Callable[[Array], Array]:
    """Return theta as a function of phi, by its logarithms: both start as powers of each other."""
    theta, _, phi = separation.table
    rising = np.flatnonzero(np.diff(phi, prepend=0.0) > 0)
    # The first values of a cumulative Simpson rule are inexact relative to themselves.
    rising = rising[min(INEXACT, len(rising) - 2) :]
    theta, phi = theta[rising], phi[rising]
    theta[-1] = RIGHT_ANGLE
    log_phi, log_theta = np.log(phi), np.log(theta)
    root = PchipInterpolator(log_phi, log_theta)
    power = (log_theta[1] - log_theta[0]) / (log_phi[1] - log_phi[0])

    def inverse(values: Array) -> Array:
        # Below the table the first power goes on.
        below = theta[0] * (values / phi[0]) ** power
        within = np.exp(root(np.log(np.clip(values, phi[0], phi[-1]))))
        return np.minimum(np.where(values < phi[0], below, within), RIGHT_ANGLE)

    return inverse


def _isotropic() -> GaussianPath:
    """Return the trigonometric path, with a warning."""
    warnings.warn(
        "isotropic Gaussian data: every variance-preserving path has energy 0", stacklevel=3
    )
    return trigonometric_path()
