"""The usual Gaussian paths, and a perturbation of any."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from theorytk._validation import check_real
from theorytk.paths.datasets import Array
from theorytk.paths.gaussian_paths import GaussianPath, PolarState

__all__ = [
    "cond_ot_path",
    "ddpm_path",
    "perturbed_path",
    "polynomial_path",
    "trigonometric_path",
    "vp_linear_path",
]


def cond_ot_path() -> GaussianPath:
    """Return the straight path a = t, m = 1 - t of conditional optimal transport.

    Returns
    -------
    GaussianPath

    References
    ----------
    Lipman et al. (ICLR 2023); optimal for lambda = 1, Shaul et al. (ICML 2023).

    Examples
    --------
    >>> cond_ot_path().m([0.25])
    array([0.75])
    """
    return polynomial_path(1.0, name="cond-ot")


def polynomial_path(power: float, *, name: str = "polynomial") -> GaussianPath:
    """Return the path a = t^p, m = 1 - t^p.

    Parameters
    ----------
    power : float
        The exponent p > 0.
    name : str, default "polynomial"
        Its name.

    Returns
    -------
    GaussianPath

    References
    ----------
    Shaul et al. (ICML 2023), conditional paths of flow matching; Cond-OT is p = 1.

    Examples
    --------
    >>> polynomial_path(2.0).a([0.5]).round(12)
    array([0.25])
    """
    p = check_real("power", power, lower=0.0, lower_open=True)

    def state(t: Array) -> PolarState:
        a, da = t**p, p * t ** (p - 1)
        m = 1 - a
        r = np.hypot(a, m)
        return PolarState(r, np.arctan2(a, m), (a - m) * da / r, da / r**2)

    return GaussianPath(name, state)


def perturbed_path(path: GaussianPath, epsilon: float) -> GaussianPath:
    """Return a path with the same ends, to test whether another one is stationary.

    r becomes r (1 + epsilon sin(pi t)) and theta becomes theta + epsilon sin(2 theta) sin(pi t).
    Around a path of least energy the excess is of the order epsilon^2.

    Parameters
    ----------
    path : GaussianPath
        A path up to t = 1.
    epsilon : float
        The size of the perturbation, in (-0.5, 0.5), for which angles stay in [0, pi/2].

    Returns
    -------
    GaussianPath

    References
    ----------
    Derived here, one direction of the first variation.

    Examples
    --------
    >>> perturbed_path(cond_ot_path(), 0.1).polar([0.5]).r.round(6)
    array([0.777817])
    """
    e = check_real("epsilon", epsilon, lower=-0.5, upper=0.5, lower_open=True, upper_open=True)

    def state(t: Array) -> PolarState:
        r, theta, dr, dtheta = path.state(t)
        h, dh = e * np.sin(math.pi * t), e * math.pi * np.cos(math.pi * t)
        return PolarState(
            r * (1 + h),
            np.clip(theta + np.sin(2 * theta) * h, 0.0, math.pi / 2),
            dr * (1 + h) + r * dh,
            dtheta * (1 + 2 * np.cos(2 * theta) * h) + np.sin(2 * theta) * dh,
        )

    return GaussianPath(f"perturbed {path.name}", state, path.t_max)


def trigonometric_path() -> GaussianPath:
    """Return the path a = sin(pi t / 2), m = cos(pi t / 2).

    Returns
    -------
    GaussianPath

    References
    ----------
    Albergo, Vanden-Eijnden (ICLR 2023), trigonometric interpolant.

    Examples
    --------
    >>> trigonometric_path().da([0.0]).round(6)
    array([1.570796])
    """
    rate = math.pi / 2
    return _variance_preserving("trigonometric", lambda t: (rate * t, np.full_like(t, rate)))


def vp_linear_path() -> GaussianPath:
    """Return the variance-preserving path a = t, m = sqrt(1 - t^2).

    Its conditional energy is infinite; its energy is finite where gamma vanishes at pi/2.

    Returns
    -------
    GaussianPath

    Examples
    --------
    >>> vp_linear_path().m([0.6]).round(12)
    array([0.8])
    """

    def angle(t: Array) -> tuple[Array, Array]:
        m = np.sqrt((1 - t) * (1 + t))
        return np.arctan2(t, m), 1 / m

    return _variance_preserving("vp-linear", angle)


def ddpm_path(
    beta_min: float = 0.1, beta_max: float = 20.0, *, cutoff: float = 1e-5
) -> GaussianPath:
    """Return the variance-preserving path of denoising diffusion, cut off before t = 1.

    a = xi(1 - t) with xi(u) = exp(-u^2 (beta_max - beta_min) / 4 - u beta_min / 2). It starts at
    a(0) > 0, not at 0, and its conditional energy grows like beta_min/4 log(1/cutoff).

    Parameters
    ----------
    beta_min, beta_max : float
        Noise rates at both ends, positive.
    cutoff : float, default 1e-5
        The path ends at t = 1 - cutoff.

    Returns
    -------
    GaussianPath

    References
    ----------
    Song et al. (ICLR 2021), VP-SDE; the constants 0.1 and 20 are theirs.

    Examples
    --------
    >>> ddpm_path().a([0.0]).round(5)
    array([0.00657])
    """
    low = check_real("beta_min", beta_min, lower=0.0, lower_open=True)
    high = check_real("beta_max", beta_max, lower=0.0, lower_open=True)
    cutoff = check_real("cutoff", cutoff, lower=0.0, upper=1.0, lower_open=True, upper_open=True)

    def angle(t: Array) -> tuple[Array, Array]:
        u = 1 - t
        log_a = -0.25 * u * u * (high - low) - 0.5 * u * low
        a, m = np.exp(log_a), np.sqrt(-np.expm1(2 * log_a))
        return np.arctan2(a, m), 0.5 * a * (u * (high - low) + low) / m

    return _variance_preserving("ddpm", angle, 1 - cutoff)


def _variance_preserving(
    name: str, angle: Callable[[Array], tuple[Array, Array]], t_max: float = 1.0
) -> GaussianPath:
    """Return the path on the unit circle with this angle and its derivative."""

    def state(t: Array) -> PolarState:
        theta, dtheta = angle(t)
        return PolarState(np.ones_like(t), theta, np.zeros_like(t), dtheta)

    return GaussianPath(name, state, t_max)
