"""The checkerboard in the plane: a density whose posterior mean is exact."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import erfcx, log_ndtr

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.paths.datasets import Array
from theorytk.paths.separation import RIGHT_ANGLE, Separation, interpolated

__all__ = [
    "checkerboard_posterior_mean",
    "checkerboard_sample",
    "checkerboard_separation",
    "outside_checkerboard",
]

# Side of a square: E|x|^2 = 2 where the 4 x 4 board has variance 1 along both axes.
SIDE = math.sqrt(3) / 2

# The four intervals of an axis, and which squares (i, j) belong to the board.
EDGES = SIDE * np.arange(-2.0, 3.0)
BOARD = np.add.outer(np.arange(4), np.arange(4)) % 2 == 0

# Of the quadrature in the plane: its step in y, and the largest s.
STEP, LARGEST_AMPLITUDE = 0.2, 60.0

# Below this s the truncated normal means are taken by a Gauss-Legendre rule, exact to rounding.
SMALL_AMPLITUDE = 0.1
LOG_ROOT = 0.5 * math.log(2 * math.pi)
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(12)


def checkerboard_sample(n: int, rng: int | np.random.Generator | None = None) -> Array:
    """Draw points uniformly from the 8 squares of the normalised checkerboard.

    Parameters
    ----------
    n : int
        How many.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ndarray, shape (n, 2)
        Of mean 0 and variance 1 along both axes.

    References
    ----------
    Shaul et al. (ICML 2023), Figure 2; normalised here.

    Examples
    --------
    >>> outside_checkerboard(checkerboard_sample(100, rng=0))
    0.0
    """
    rng = as_generator(rng)
    squares = np.argwhere(BOARD)[rng.integers(BOARD.sum(), size=check_int("n", n, lower=1))]
    return SIDE * (squares - 2 + rng.random(squares.shape))


def outside_checkerboard(x: Any) -> float:
    """Return the fraction of points that lie outside the squares.

    Parameters
    ----------
    x : array_like, shape (n, 2)
        Points.

    Returns
    -------
    float

    Examples
    --------
    >>> outside_checkerboard([[0.1, 0.1], [-0.1, 0.1], [9.0, 9.0], [0.2, 0.2]])
    0.5
    """
    cell = np.floor(check_array("x", x, shape=(None, 2)) / SIDE).astype(int) + 2
    on_board = ((cell >= 0) & (cell < 4)).all(axis=1)
    i, j = np.clip(cell, 0, 3).T
    return float(1 - (on_board & BOARD[i, j]).mean())


def checkerboard_posterior_mean(y: Any, s: float) -> Array:
    """Return E[x_1 | s x_1 + z = y] for the checkerboard.

    Parameters
    ----------
    y : array_like, shape (k, 2)
        Observations.
    s : float
        The signal-to-noise amplitude, >= 0.

    Returns
    -------
    ndarray, shape (k, 2)

    References
    ----------
    Derived here: within a square the posterior is a product of two truncated normal laws.

    Examples
    --------
    >>> checkerboard_posterior_mean([[50.0, 50.0]], 30.0).round(4)  # 50/30 lies on the board
    array([[1.6647, 1.6647]])
    """
    y = check_array("y", y, shape=(None, 2))
    log_mass, mean = _intervals(y, check_real("s", s, lower=0.0))
    logits = np.where(BOARD, log_mass[:, 0, :, None] + log_mass[:, 1, None, :], -np.inf)
    joint = np.exp(logits - logits.max(axis=(1, 2), keepdims=True))
    joint /= joint.sum(axis=(1, 2), keepdims=True)
    first = np.einsum("kij,ki->k", joint, mean[:, 0])
    return np.stack([first, np.einsum("kij,kj->k", joint, mean[:, 1])], axis=1)


def checkerboard_separation() -> Separation:
    """Return the separation of the checkerboard, by quadrature in the plane.

    Returns
    -------
    Separation
        Interpolated between 150 angles.

    References
    ----------
    Derived here: ``gamma = (1 + s^2) E|mu - s y / (1 + s^2)|^2 / 2`` by the trapezoidal rule in y.

    Examples
    --------
    >>> print(round(2 - checkerboard_separation().delta(), 3))  # the energy of Cond-OT
    0.538
    """
    s = np.geomspace(1e-2, LARGEST_AMPLITUDE, 110)
    gamma = np.array([_gamma(float(value)) for value in s])
    # Beyond, only observations within 1/s of an edge count: s gamma is linear in 1/s.
    slope, limit = np.polyfit(1 / s[-2:], s[-2:] * gamma[-2:], 1)
    tail = np.geomspace(1.1 * s[-1], 1e6, 40)
    gamma = np.concatenate([[0.0], gamma, (limit + slope / tail) / tail, [0.0]])
    theta = np.concatenate([[0.0], np.arctan(s), np.arctan(tail), [RIGHT_ANGLE]])
    return Separation(interpolated(theta, gamma), 2)


def _gamma(s: float) -> float:
    """Return gamma at s > 0; both coordinates contribute the same."""
    top = s * EDGES[-1] + 9
    y = np.linspace(-top, top, math.ceil(2 * top / STEP))
    log_mass, mean = _intervals(y, s)
    mass = np.exp(log_mass)
    density = mass @ BOARD @ mass.T
    first = ((mass * mean) @ BOARD @ mass.T) / np.maximum(density, np.finfo(float).tiny)
    missed = first - s / (1 + s * s) * y[:, None]
    share = density / density.sum()
    return float((1 + s * s) * (share * missed**2).sum())


def _intervals(y: Array, s: float) -> tuple[Array, Array]:
    """Return log masses and means over the four intervals of x with density phi(y - s x)."""
    y = y[..., None]
    if s < SMALL_AMPLITUDE:
        x = EDGES[:-1, None] + SIDE / 2 * (1 + NODES)
        weight = NODE_WEIGHTS * np.exp(s * y[..., None] * x - 0.5 * s * s * x * x)
        mass = weight.sum(axis=-1)
        return np.log(mass * SIDE / 2) - 0.5 * y * y - LOG_ROOT, (weight * x).sum(axis=-1) / mass
    low, high = s * EDGES[:-1] - y, s * EDGES[1:] - y
    # Reflected so that the tail nearer to 0 is on the right, where differences keep their digits.
    flip = low + high > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    # phi(b) / Phi(b) and phi(a) / Phi(a), and phi(a) / phi(b): exact far from the interval too.
    hazard, other = (math.sqrt(2 / math.pi) / erfcx(-z / math.sqrt(2)) for z in (b, a))
    ratio = np.exp(0.5 * (b - a) * (b + a))
    share = 1 - ratio * hazard / other
    pull = hazard * (ratio - 1) / share
    log_mass = log_ndtr(b) + np.log(share) - math.log(s)
    return log_mass, (y + np.where(flip, -pull, pull)) / s
