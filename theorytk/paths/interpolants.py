"""Stochastic interpolants x_t = I(t, x0, x1) + gamma(t) z, and their coefficients.

Only gamma^2 and gamma * gamma' are used where they suffice: both are finite at the ends, where the
derivative of gamma itself can be infinite.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, to_device

from theorytk._validation import check_array, check_choice, check_real

__all__ = [
    "Coefficients",
    "Gamma",
    "Interpolant",
    "NonlinearInterpolant",
    "Parts",
    "gamma_schedule",
    "interpolant",
]

Array = np.ndarray
Schedule = Callable[[Array], Array]


class Coefficients(NamedTuple):
    """The coefficients of x_t = alpha x0 + beta x1 + gamma z at times t, arrays of its shape.

    Parameters
    ----------
    alpha, beta, gamma2 : ndarray
        The coefficients, gamma as its square.
    d_alpha, d_beta, gamma_d_gamma : ndarray
        The derivatives alpha', beta' and gamma * gamma'.
    """

    alpha: Array
    beta: Array
    gamma2: Array
    d_alpha: Array
    d_beta: Array
    gamma_d_gamma: Array


class Parts(NamedTuple):
    """Draws of an interpolant, x_t = signal + gamma * noise, as its objectives need them.

    Parameters
    ----------
    signal, d_signal : array, shape (n, d)
        What the noise is added to, and its time derivative.
    noise : array, shape (n, d)
        Standard normal: z, or x0 if the interpolant is one-sided.
    gamma, gamma_d_gamma : array, shape (n, 1) or (1, 1)
        The scale gamma of the noise, and gamma * gamma'.
    has_noise : bool
        Whether gamma is anything but identically 0.
    """

    signal: Any
    d_signal: Any
    noise: Any
    gamma: Any
    gamma_d_gamma: Any
    has_noise: bool


@dataclass(frozen=True)
class Gamma:
    """The scale gamma(t) >= 0 of the latent noise, zero at both ends.

    Parameters
    ----------
    name : str
        Its name, for messages.
    squared, d_half_squared : callable
        The functions gamma^2 and gamma * gamma' of an array of times.
    """

    name: str
    squared: Schedule
    d_half_squared: Schedule


def gamma_schedule(name: str, *, a: float = 1.0) -> Gamma:
    """Return a named scale of the latent noise.

    Parameters
    ----------
    name : str
        ``"brownian"`` is sqrt(a t (1 - t)), whose derivative is infinite at the ends;
        ``"quadratic"`` is a t (1 - t), ``"sin-squared"`` is a sin^2(pi t), ``"none"`` is 0.
    a : float, default 1
        The factor, > 0.

    Returns
    -------
    Gamma

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), table of choices; the paper has a = 1 but for the first.

    Examples
    --------
    >>> import numpy as np
    >>> gamma_schedule("brownian", a=2.0).squared(np.array([0.0, 0.5]))
    array([0. , 0.5])
    """
    a = check_real("a", a, lower=0.0, lower_open=True)
    known: dict[str, tuple[Schedule, Schedule]] = {
        "brownian": (lambda t: a * t * (1 - t), lambda t: a * (0.5 - t)),
        "quadratic": (
            lambda t: (a * t * (1 - t)) ** 2,
            lambda t: a**2 * t * (1 - t) * (1 - 2 * t),
        ),
        "sin-squared": (
            lambda t: a**2 * np.sin(np.pi * t) ** 4,
            lambda t: a**2 * np.pi * np.sin(np.pi * t) ** 2 * np.sin(2 * np.pi * t),
        ),
        "none": (np.zeros_like, np.zeros_like),
    }
    squared, d_half_squared = known[check_choice("name", name, known)]
    return Gamma(name, squared, d_half_squared)


class _StochasticInterpolant(ABC):
    """What every interpolant can do once it gives its parts."""

    @abstractmethod
    def parts(self, t: Any, x0: Any, x1: Any, z: Any = None) -> Parts:
        """Return signal, noise and scale of draws, and their time derivatives."""

    def interpolate(self, t: Any, x0: Any, x1: Any, z: Any = None) -> Any:
        """Return the draws x_t, shape (n, d), of pairs (x0, x1) and noise z at times t.

        `t` is a number or has shape (n,). Without latent noise, z is not needed.
        """
        parts = self.parts(t, x0, x1, z)
        return parts.signal + parts.gamma * parts.noise


@dataclass(frozen=True)
class Interpolant(_StochasticInterpolant):
    """The spatially linear interpolant x_t = alpha(t) x0 + beta(t) x1 + gamma(t) z.

    A one-sided interpolant starts at a standard normal x0, which takes the part of z: alpha is 0
    and gamma the coefficient of x0.

    Parameters
    ----------
    name : str
        Its name, for messages.
    alpha, beta, d_alpha, d_beta : callable
        Functions of an array of times: the coefficients and their derivatives.
    gamma : Gamma
        The latent noise.
    one_sided : bool, default False
        Whether x0 takes the part of z.
    """

    name: str
    alpha: Schedule
    beta: Schedule
    d_alpha: Schedule
    d_beta: Schedule
    gamma: Gamma
    one_sided: bool = False

    def coefficients(self, t: Any) -> Coefficients:
        """Return all coefficients at times t in [0, 1]."""
        times = check_times("t", t)
        found = Coefficients(
            alpha=self.alpha(times),
            beta=self.beta(times),
            gamma2=self.gamma.squared(times),
            d_alpha=self.d_alpha(times),
            d_beta=self.d_beta(times),
            gamma_d_gamma=self.gamma.d_half_squared(times),
        )
        degenerate = (found.gamma2 < 0) | (found.alpha**2 + found.beta**2 + found.gamma2 == 0)
        if np.any(degenerate):
            raise ValueError(
                f"gamma^2 must not be negative, nor vanish together with alpha and beta; got "
                f"{self.gamma.name!r} for {self.name!r} at t = {times[degenerate].flat[0]:g}"
            )
        return found

    def parts(self, t: Any, x0: Any, x1: Any, z: Any = None) -> Parts:
        """Return signal, noise and scale of draws, and their time derivatives.

        Parameters
        ----------
        t : float or array, shape (n,)
            Times in [0, 1].
        x0, x1, z : array, shape (n, d)
            The end points and the latent noise, which a one-sided interpolant takes from x0.

        Returns
        -------
        Parts
        """
        c = self.coefficients(t)
        alpha, beta, d_alpha, d_beta = (
            as_column(values, x1) for values in (c.alpha, c.beta, c.d_alpha, c.d_beta)
        )
        signal, d_signal = alpha * x0 + beta * x1, d_alpha * x0 + d_beta * x1
        return _with_noise(signal, d_signal, self.gamma, t, x0 if self.one_sided else z)

    def score_from_denoiser(self, t: float, eta: Any) -> Any:
        """Return the score -eta / gamma of a denoiser eta = E[z | x_t] at one time.

        Where gamma is 0 the denoiser says nothing of the score: `ValueError`.
        """
        gamma2 = float(self.coefficients(check_real("t", t)).gamma2)
        if gamma2 == 0:
            raise ValueError(f"t must be a time at which gamma > 0 for {self.name!r}; got {t!r}")
        return -eta / math.sqrt(gamma2)


@dataclass(frozen=True)
class NonlinearInterpolant(_StochasticInterpolant):
    """A user's own interpolant x_t = I(t, x0, x1) + gamma(t) z, for sampling and objectives.

    Parameters
    ----------
    path, d_path : callable
        The functions I(t, x0, x1) and its time derivative, of arrays t (n, 1) or (1, 1), x0 and
        x1 (n, d); I(0, x0, x1) = x0 and I(1, x0, x1) = x1.
    gamma : Gamma
        The latent noise.
    """

    path: Callable[[Any, Any, Any], Any]
    d_path: Callable[[Any, Any, Any], Any]
    gamma: Gamma

    def parts(self, t: Any, x0: Any, x1: Any, z: Any = None) -> Parts:
        """Return signal, noise and scale of draws, and their time derivatives."""
        column = as_column(check_times("t", t), x1)
        signal, d_signal = self.path(column, x0, x1), self.d_path(column, x0, x1)
        return _with_noise(signal, d_signal, self.gamma, t, z)


def interpolant(name: str, gamma: str | Gamma | None = None) -> Interpolant:
    """Return a named interpolant.

    Parameters
    ----------
    name : str
        ``"linear"``: 1 - t and t. ``"trigonometric"``: cos and sin of pi t / 2, times
        sqrt(1 - gamma^2). ``"encoder-decoder"``: cos^2(pi t) on the first half for x0 and on the
        second for x1. ``"mirror"``: x1 + gamma z, between equal laws. ``"one-sided-linear"``,
        ``"one-sided-trigonometric"`` and ``"one-sided-vp"`` (sqrt(1 - t^2) and t) start at a
        standard normal x0, which takes the part of z.
    gamma : str or Gamma, optional
        The latent noise; ``"brownian"`` by default, ``"sin-squared"`` for the encoder-decoder. A
        one-sided interpolant has its own. The trigonometric one needs gamma < 1.

    Returns
    -------
    Interpolant

    Raises
    ------
    ValueError
        If the name is unknown or gamma does not suit it.

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), (4.10) and the table of choices; its (4.9) has alpha and
    beta of the linear one swapped. Where gamma is 1 the trigonometric coefficients have a kink.

    Examples
    --------
    >>> linear = interpolant("linear", gamma_schedule("brownian", a=2.0))
    >>> float(linear.coefficients(0.5).gamma2)
    0.5
    """
    check_choice("name", name, [*_TWO_SIDED, "trigonometric", *_ONE_SIDED])
    if name in _ONE_SIDED:
        if gamma is not None:
            raise ValueError(
                f"gamma must be None for {name!r}, whose x0 is the noise; got {gamma!r}"
            )
        beta, d_beta, squared, d_half_squared = _ONE_SIDED[name]
        noise = Gamma(name, squared, d_half_squared)
        return Interpolant(name, np.zeros_like, beta, np.zeros_like, d_beta, noise, one_sided=True)
    if gamma is None:
        gamma = "sin-squared" if name == "encoder-decoder" else "brownian"
    latent = gamma if isinstance(gamma, Gamma) else gamma_schedule(gamma)
    if name == "trigonometric":
        return _trigonometric(latent)
    made = Interpolant(name, *_TWO_SIDED[name], latent)
    made.coefficients(np.array([0.0, 0.5, 1.0]))
    return made


def _trigonometric(gamma: Gamma) -> Interpolant:
    largest = float(gamma.squared(np.linspace(0, 1, 1001)).max())
    if largest >= 1:
        raise ValueError(f"gamma must be < 1 for 'trigonometric'; got at most {largest**0.5:g}")

    def radius(t: Array) -> Any:
        return np.sqrt(1 - gamma.squared(t))

    def d_radius(t: Array) -> Any:
        return -gamma.d_half_squared(t) / radius(t)

    q = np.pi / 2
    return Interpolant(
        "trigonometric",
        alpha=lambda t: radius(t) * np.cos(q * t),
        beta=lambda t: radius(t) * np.sin(q * t),
        d_alpha=lambda t: d_radius(t) * np.cos(q * t) - q * radius(t) * np.sin(q * t),
        d_beta=lambda t: d_radius(t) * np.sin(q * t) + q * radius(t) * np.cos(q * t),
        gamma=gamma,
    )


# alpha, beta and their derivatives.
_TWO_SIDED: dict[str, tuple[Schedule, Schedule, Schedule, Schedule]] = {
    "linear": (lambda t: 1 - t, lambda t: t, lambda t: -np.ones_like(t), np.ones_like),
    "encoder-decoder": (
        lambda t: np.where(t < 0.5, np.cos(np.pi * t) ** 2, 0.0),
        lambda t: np.where(t > 0.5, np.cos(np.pi * t) ** 2, 0.0),
        lambda t: np.where(t < 0.5, -np.pi * np.sin(2 * np.pi * t), 0.0),
        lambda t: np.where(t > 0.5, -np.pi * np.sin(2 * np.pi * t), 0.0),
    ),
    "mirror": (np.zeros_like, np.ones_like, np.zeros_like, np.zeros_like),
}

# beta, beta', gamma^2 and gamma * gamma'.
_ONE_SIDED: dict[str, tuple[Schedule, Schedule, Schedule, Schedule]] = {
    "one-sided-linear": (lambda t: t, np.ones_like, lambda t: (1 - t) ** 2, lambda t: t - 1),
    "one-sided-trigonometric": (
        lambda t: np.sin(np.pi / 2 * t),
        lambda t: np.pi / 2 * np.cos(np.pi / 2 * t),
        lambda t: np.cos(np.pi / 2 * t) ** 2,
        lambda t: -np.pi / 4 * np.sin(np.pi * t),
    ),
    "one-sided-vp": (lambda t: t, np.ones_like, lambda t: 1 - t**2, lambda t: -t),
}


def check_times(name: str, value: Any) -> Array:
    """Return times in [0, 1], a number or shape (n,), as a NumPy array."""
    on_host = to_device(value, "cpu") if is_array_api_obj(value) else value
    times: Array = check_array(name, on_host)
    if times.ndim > 1 or ((times < 0) | (times > 1)).any():
        raise ValueError(f"{name} must be one time or (n,) times in [0, 1]; got {value!r}")
    return times


def as_column(values: Array, like: Any) -> Any:
    """Return NumPy values, of shape () or (n,), as (1, 1) or (n, 1) in the manner of `like`."""
    xp = array_namespace(like)
    return xp.asarray(np.reshape(values, (-1, 1)), dtype=like.dtype, device=device(like))


def _with_noise(signal: Any, d_signal: Any, gamma: Gamma, t: Any, noise: Any) -> Parts:
    """Return the parts with the noise scaled by gamma; only gamma = 0 needs no noise."""
    has_noise = gamma.name != "none"
    if noise is None:
        if has_noise:
            raise ValueError(f"z must be given, since gamma is {gamma.name!r}; got None")
        noise = array_namespace(signal).zeros_like(signal)
    times = check_times("t", t)
    scale = as_column(np.sqrt(gamma.squared(times)), signal)
    slope = as_column(gamma.d_half_squared(times), signal)
    return Parts(signal, d_signal, noise, scale, slope, has_noise)
