"""The mixtures of the experiments, and their exact denoisers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int, check_real
from theorytk.diffusion.hallucination.chain import Denoiser, levels
from theorytk.diffusion.schedules import VPDiscrete
from theorytk.diffusion.targets import MixtureTarget

__all__ = [
    "common_sigma",
    "diamond_mixture",
    "exact_denoiser",
    "grid_mixture",
    "line_mixture",
    "three_in_a_row",
]

Array = np.ndarray


def line_mixture(means: Any, sigma: float, weights: Any = None) -> MixtureTarget:
    """Return a mixture of Gaussians of one width on the line.

    Parameters
    ----------
    means : array_like, shape (K,)
        The modes, no two equal.
    sigma : float
        Their standard deviation, > 0.
    weights : array_like, shape (K,), optional
        Weights > 0 with sum 1; by default equal.

    Returns
    -------
    MixtureTarget

    Raises
    ------
    ValueError
        If modes coincide, sigma <= 0 or the weights are none.

    Examples
    --------
    >>> line_mixture([1.0, 2.0, 4.0], 0.05).law.means.ravel()
    array([1., 2., 4.])
    """
    means = check_array("means", means, shape=(None,))
    return _spherical(means[:, None], sigma, weights)


def three_in_a_row() -> MixtureTarget:
    """Return the first mixture of the experiments: modes 1, 2 and 3, sigma = 0.05.

    Returns
    -------
    MixtureTarget

    References
    ----------
    Aithal et al. (2024), section 4, and the released code.

    Examples
    --------
    >>> common_sigma(three_in_a_row())
    0.05
    """
    return line_mixture((1.0, 2.0, 3.0), 0.05)


def grid_mixture(
    n_side: int = 5,
    spacing: float = 2.0,
    sigma: float = 0.05,
    *,
    angle: float = 0.0,
    scale: float | None = None,
) -> MixtureTarget:
    """Return a mixture whose modes are a square grid in the plane, centred at 0.

    Parameters
    ----------
    n_side : int
        Modes on a side, >= 2.
    spacing, sigma : float
        Distance of neighbours and standard deviation of a mode before scaling, > 0.
    angle : float
        Rotation in radians.
    scale : float, optional
        Everything is divided by this; by default by the standard deviation of a coordinate,
        sqrt(sigma^2 + spacing^2 (n_side^2 - 1) / 12).

    Returns
    -------
    MixtureTarget

    References
    ----------
    The defaults are those of Aithal et al. (2024), released code.

    Examples
    --------
    >>> print(f"{common_sigma(grid_mixture()):.6f}")
    0.017675
    """
    n_side = check_int("n_side", n_side, lower=2)
    spacing = check_real("spacing", spacing, lower=0.0, lower_open=True)
    sigma = check_real("sigma", sigma, lower=0.0, lower_open=True)
    angle = check_real("angle", angle)
    if scale is None:
        scale = math.sqrt(sigma**2 + spacing**2 * (n_side**2 - 1) / 12)
    scale = check_real("scale", scale, lower=0.0, lower_open=True)
    side = spacing * (np.arange(n_side) - (n_side - 1) / 2)
    points = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    c, s = math.cos(angle), math.sin(angle)
    return _spherical(points @ np.array([[c, s], [-s, c]]) / scale, sigma / scale, None)


def diamond_mixture(*, same_spacing: bool = False) -> MixtureTarget:
    """Return the grid of the experiments turned by 45 degrees.

    Parameters
    ----------
    same_spacing : bool
        Whether neighbours keep the distance of the grid. In the released code they do not: they
        are closer by a factor of sqrt(2), so that distance and direction change together.

    Returns
    -------
    MixtureTarget

    References
    ----------
    Aithal et al. (2024), released code; ``same_spacing=True`` is ours.

    Examples
    --------
    >>> means = diamond_mixture().law.means
    >>> print(f"{np.linalg.norm(means[1] - means[0]):.4f}")
    0.4999
    """
    spacing = 2.0 if same_spacing else math.sqrt(2.0)
    return grid_mixture(spacing=spacing, angle=math.pi / 4, scale=math.sqrt(0.05**2 + 8))


def exact_denoiser(target: MixtureTarget, schedule: VPDiscrete) -> Denoiser:
    """Return the denoiser E[x_0 | x_t = x] of a mixture.

    Parameters
    ----------
    target : MixtureTarget
        The law of the data.
    schedule : VPDiscrete
        The schedule.

    Returns
    -------
    callable
        A function of points (n, d) and a label.

    Examples
    --------
    >>> from theorytk.diffusion.hallucination.chain import steep_schedule
    >>> denoiser = exact_denoiser(three_in_a_row(), steep_schedule())
    >>> denoiser(np.array([[1.0], [1.02]]), 0).round(3).ravel()
    array([1.   , 1.015])
    """
    alpha, sigma = levels(schedule)

    def denoiser(x: Array, t: int) -> Array:
        value: Array = target.data(x, float(alpha[t]), float(sigma[t]))
        return value

    return denoiser


def common_sigma(target: MixtureTarget) -> float:
    """Return the standard deviation that all components share in all directions.

    Parameters
    ----------
    target : MixtureTarget
        The mixture.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If there is no such number.

    Examples
    --------
    >>> common_sigma(line_mixture([0.0, 1.0], 0.1))
    0.1
    """
    if not isinstance(target, MixtureTarget):
        raise TypeError(f"target must be a MixtureTarget; got {target!r}")
    covariances = target.law.covariances
    variance = covariances[0, 0, 0]
    if np.abs(covariances - variance * np.eye(target.dimension)).max() > 1e-12 * variance:
        raise ValueError("target must have one covariance, a multiple of the identity")
    return math.sqrt(variance)


def _spherical(means: Array, sigma: float, weights: Any) -> MixtureTarget:
    """Return the mixture of N(mean, sigma^2 I), its modes distinct."""
    sigma = check_real("sigma", sigma, lower=0.0, lower_open=True)
    check_int("means (number)", len(means), lower=1)
    if len(np.unique(means, axis=0)) < len(means):
        raise ValueError(f"means must be distinct; got {means.tolist()}")
    weights = np.full(len(means), 1 / len(means)) if weights is None else weights
    return MixtureTarget(weights, means, np.full(len(means), sigma**2))
