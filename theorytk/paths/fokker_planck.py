"""One-dimensional laws on a grid: residuals, an implicit solver, Kullback-Leibler divergences.

Grids are uniform and wide enough for the density to vanish at their ends; fields take a time and
points (n, 1), as those of :class:`theorytk.paths.mixtures.MixtureInterpolant` do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import solve_banded

from theorytk._validation import check_array, check_real
from theorytk.paths.generate import diffusion, steps

__all__ = [
    "fokker_planck_residual",
    "kl_along_flow",
    "kl_on_grid",
    "solve_fokker_planck",
]

Array = np.ndarray
Field = Callable[[float, Array], Array]

# The central difference of order 8 with unit spacing.
STENCIL = np.array([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280])
REACH = len(STENCIL) // 2

# Parts of a density below this fraction of its maximum say nothing in double precision.
NEGLIGIBLE = 1e-100


def fokker_planck_residual(
    logpdf: Field,
    drift: Field,
    t: float,
    grid: Any,
    *,
    diffusion: float = 0.0,
    dt: float = 1e-3,
) -> float:
    """Return how far a density is from solving d rho/dt + d(drift rho)/dx = D d^2 rho/dx^2.

    Parameters
    ----------
    logpdf, drift : callable
        The log density, shape (n,), and the drift, (n, 1), at a time and points (n, 1).
    t : float
        The time, at least 4 dt from 0 and 1.
    grid : array_like, shape (n,)
        The uniform grid.
    diffusion : float, default 0
        The coefficient D: 0 for the transport equation with drift b, epsilon for the forward one
        with b + epsilon s, -epsilon for the backward one with b - epsilon s.
    dt : float, default 1e-3
        The spacing of differences in time. They are of order 8, like those on the grid.

    Returns
    -------
    float
        The L1 norm of the difference of the two sides, over the sum of the norms of the terms and
        of the density.

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), transport equation, (2.20), (2.22).

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.fokker_planck import fokker_planck_residual
    >>> normal = lambda t, x: -x[:, 0] ** 2 / 2
    >>> residual = fokker_planck_residual(
    ...     normal, lambda t, x: -x, 0.5, np.linspace(-9, 9, 801), diffusion=1.0
    ... )
    >>> residual < 1e-10
    True
    """
    points, h = check_grid(grid)
    dt = check_real("dt", dt, lower=0.0, lower_open=True)
    t = check_real("t", t, lower=REACH * dt, upper=1 - REACH * dt)
    D = check_real("diffusion", diffusion)
    at_times = [np.exp(logpdf(t + k * dt, points)) for k in range(-REACH, REACH + 1)]
    change = np.tensordot(STENCIL, at_times, 1)[2 * REACH : -2 * REACH] / dt
    density = at_times[REACH]
    transport = derivative(drift(t, points)[:, 0] * density, h)[REACH:-REACH]
    spread = D * derivative(derivative(density, h), h)
    size = np.abs([change, transport, spread]).sum() + density.sum()
    return float(np.abs(change + transport - spread).sum() / size)


def solve_fokker_planck(
    drift: Field,
    density: Any,
    grid: Any,
    *,
    epsilon: float | Callable[[float], float],
    n_steps: int,
    t_span: tuple[float, float] = (0.0, 1.0),
) -> Array:
    """Return the density at the last time of dX = drift dt + sqrt(2 epsilon) dW.

    Implicit Euler steps with the exponentially fitted fluxes of Scharfetter and Gummel: positive,
    conserving mass, of order 1 in time and 2 in space. Nothing flows through the ends of the grid.

    Parameters
    ----------
    drift : callable
        The drift at a time and points (n, 1), shape (n, 1). If the first time is the larger, the
        equation is the backward one, run from the first time down to the last.
    density : array_like, shape (n,)
        The density at the first time on the grid.
    grid : array_like, shape (n,)
        The uniform grid, of the centres of cells.
    epsilon : float or callable
        The diffusion coefficient, > 0, or a function of time.
    n_steps : int
        Number of steps.
    t_span : (float, float), default (0, 1)
        First and last time.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Scharfetter, Gummel (1969), IEEE Trans. Electron Devices 16.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.fokker_planck import solve_fokker_planck
    >>> grid = np.linspace(-8, 8, 401)
    >>> start = np.exp(-((grid - 1) ** 2) / 2) / np.sqrt(2 * np.pi)
    >>> end = solve_fokker_planck(lambda t, x: -x, start, grid, epsilon=1.0, n_steps=400)
    >>> round(float(end @ grid) * 0.04, 2)
    0.37
    """
    points, h = check_grid(grid)
    rho = check_array("density", density, shape=(len(points),))
    between = points[:-1] + h / 2
    for start, end in steps(t_span, n_steps):
        rate = check_real("epsilon", diffusion(epsilon, end), lower=0.0, lower_open=True)
        towards = math.copysign(1.0, end - start) * drift(end, between)[:, 0]
        forward, back = _bernoulli(-towards * h / rate), _bernoulli(towards * h / rate)
        scale = abs(end - start) * rate / h**2
        banded = np.zeros((3, len(points)))
        banded[0, 1:], banded[2, :-1] = -scale * back, -scale * forward
        banded[1] = 1.0
        banded[1, :-1] += scale * forward
        banded[1, 1:] += scale * back
        rho = solve_banded((1, 1), banded, rho, overwrite_ab=True, check_finite=False)
    return np.asarray(rho)


def kl_on_grid(p: Any, q: Any) -> float:
    """Return the Kullback-Leibler divergence of two densities on one uniform grid.

    Parameters
    ----------
    p, q : array_like, shape (n,)
        The densities, of any normalisation.

    Returns
    -------
    float
        The divergence KL(p | q); infinity if q is 0 where p is not negligible.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.fokker_planck import kl_on_grid
    >>> grid = np.linspace(-9, 9, 201)
    >>> round(kl_on_grid(np.exp(-(grid**2) / 2), np.exp(-((grid - 1) ** 2) / 2)), 12)
    0.5
    """
    p = check_array("p", p, shape=(None,))
    q = check_array("q", q, shape=(len(p),))
    p, q = p / p.sum(), q / q.sum()
    seen = p > NEGLIGIBLE * p.max()
    if (q[seen] <= 0).any():
        return math.inf
    return float(np.sum(p[seen] * np.log(p[seen] / q[seen])))


def kl_along_flow(
    logpdf: Field,
    drift: Field,
    grid: Any,
    *,
    epsilon: float | Callable[[float], float],
    times: Any,
    n_steps: int,
) -> Array:
    """Return KL(rho(t) | rho^(t)) of a law and of the diffusion with another drift, at each time.

    Parameters
    ----------
    logpdf : callable
        The log density of rho at a time and points (n, 1), shape (n,).
    drift : callable
        The forward drift of rho^, which starts at the first time with the law rho; shape (n, 1).
    grid : array_like, shape (n,)
        The uniform grid.
    epsilon : float or callable
        The diffusion coefficient of rho^, > 0, or a function of time.
    times : array_like, shape (m,)
        Increasing times.
    n_steps : int
        Number of steps between two times.

    Returns
    -------
    ndarray, shape (m,)
        The divergences, the first of which is 0.

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), (2.42), bounds the last of them.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.fokker_planck import kl_along_flow
    >>> normal = lambda t, x: -x[:, 0] ** 2 / 2
    >>> kl_along_flow(
    ...     normal,
    ...     lambda t, x: 1 - x,
    ...     np.linspace(-8, 8, 801),
    ...     epsilon=1.0,
    ...     times=[0, 0.5, 1],
    ...     n_steps=500,
    ... ).round(3)
    array([0.   , 0.077, 0.2  ])
    """
    points, _ = check_grid(grid)
    nodes = check_array("times", times, shape=(None,)).tolist()
    found, rho = [], np.exp(logpdf(nodes[0], points))
    for k, t in enumerate(nodes):
        if k > 0:
            rho = solve_fokker_planck(
                drift, rho, grid, epsilon=epsilon, n_steps=n_steps, t_span=(nodes[k - 1], t)
            )
        found.append(kl_on_grid(np.exp(logpdf(t, points)), rho))
    return np.array(found)


def check_grid(grid: Any) -> tuple[Array, float]:
    """Return the points as (n, 1) and their spacing."""
    points = check_array("grid", grid, shape=(None,))
    if len(points) <= 4 * REACH:
        raise ValueError(f"grid must have more than {4 * REACH} points; got {len(points)}")
    spacings = np.diff(points)
    h = float(points[-1] - points[0]) / len(spacings)
    if not (np.abs(spacings - h) < 1e-6 * h).all():
        raise ValueError("grid must be increasing and uniform; got one that is not")
    return points[:, None], h


def derivative(values: Array, h: float) -> Array:
    """Return the derivative, without the ends that the stencil cannot reach."""
    return np.convolve(values, -STENCIL, mode="valid") / h


def _bernoulli(z: Array) -> Array:
    """Return z / (e^z - 1)."""
    z = np.clip(z, -700.0, 700.0)
    small = np.abs(z) < 1e-8
    quotient = np.where(small, 1.0, z) / np.where(small, 1.0, np.expm1(z))
    return np.where(small, 1 - z / 2, quotient)
