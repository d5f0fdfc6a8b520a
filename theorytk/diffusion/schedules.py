"""Noise schedules: x_t = alpha_t x_0 + sigma_t eps, and half the log signal-to-noise ratio, lambda.

Everything is computed on the host in float64, in forms that lose no digits at either end.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_real

__all__ = [
    "EDM",
    "NoiseSchedule",
    "VESchedule",
    "VPCosine",
    "VPDiscrete",
    "VPLinear",
]

OFFSET = 0.008  # the s of the cosine schedule (Nichol and Dhariwal 2021, equation 17)


class NoiseSchedule(ABC):
    """The coefficients alpha_t and sigma_t of the forward law, for t in [t_min, t_max].

    A subclass gives ``log_alpha``, ``sigma`` and the inverse ``t_of_lam``; all accept scalars and
    arrays and return float64 arrays of the same shape. Bounds are checked where a time grid is
    made or used (:func:`theorytk.diffusion.plans.check_times`), not in every call.

    Attributes
    ----------
    t_min, t_max : float
        The range of times, in which lambda_t is finite and strictly decreasing.
    """

    t_min: float
    t_max: float

    @abstractmethod
    def log_alpha(self, t: Any) -> np.ndarray:
        """Return log alpha_t."""

    @abstractmethod
    def sigma(self, t: Any) -> np.ndarray:
        """Return sigma_t."""

    @abstractmethod
    def t_of_lam(self, lam: Any) -> np.ndarray:
        """Return the time at which lambda_t = lam."""

    def alpha(self, t: Any) -> np.ndarray:
        """Return alpha_t."""
        return np.asarray(np.exp(self.log_alpha(t)))

    def lam(self, t: Any) -> np.ndarray:
        """Return lambda_t = log(alpha_t / sigma_t), which decreases in t."""
        return np.asarray(self.log_alpha(t) - np.log(self.sigma(t)))

    def rho(self, t: Any) -> np.ndarray:
        """Return sigma_t / alpha_t = exp(-lambda_t)."""
        return np.asarray(np.exp(-self.lam(t)))


class _VariancePreserving(NoiseSchedule):
    """A schedule with alpha^2 + sigma^2 = 1, given by log alpha and its inverse."""

    @abstractmethod
    def _t_of_log_alpha(self, log_alpha: np.ndarray) -> np.ndarray:
        """Return the time at which log alpha_t has this value."""

    def sigma(self, t: Any) -> np.ndarray:
        """Return sigma_t = sqrt(1 - alpha_t^2)."""
        return np.asarray(np.sqrt(-np.expm1(2 * self.log_alpha(t))))

    def t_of_lam(self, lam: Any) -> np.ndarray:
        """Return the time at which lambda_t = lam."""
        return self._t_of_log_alpha(-0.5 * np.logaddexp(0.0, -2 * np.asarray(lam, dtype=float)))


@dataclass(frozen=True)
class VPLinear(_VariancePreserving):
    """The variance-preserving schedule whose rate beta(t) is linear in t.

    Parameters
    ----------
    beta0, beta1 : float
        beta(t) = beta0 + t (beta1 - beta0), with 0 < beta0 <= beta1.
    t_min, t_max : float
        The range of times; lambda is infinite at t = 0.

    References
    ----------
    Song et al. (2021), *Score-based generative modeling through stochastic differential
    equations*, equation 32. The inverse is that of Lu et al. (2022), *DPM-Solver*, appendix D, in
    a form without cancellation.

    Examples
    --------
    >>> schedule = VPLinear()
    >>> print(f"{schedule.lam(1.0):.9f} {schedule.t_of_lam(0.0):.9f}")
    -5.024978407 0.258960262
    """

    beta0: float = 0.1
    beta1: float = 20.0
    t_min: float = 1e-3
    t_max: float = 1.0

    def __post_init__(self) -> None:
        check_real("beta0", self.beta0, lower=0.0, lower_open=True)
        check_real("beta1", self.beta1, lower=self.beta0)
        check_range(self.t_min, self.t_max)

    def log_alpha(self, t: Any) -> np.ndarray:
        """Return log alpha_t = -(beta1 - beta0) t^2 / 4 - beta0 t / 2."""
        t = np.asarray(t, dtype=float)
        return np.asarray(-0.25 * t * ((self.beta1 - self.beta0) * t + 2 * self.beta0))

    def _t_of_log_alpha(self, log_alpha: np.ndarray) -> np.ndarray:
        root = np.sqrt(self.beta0**2 - 4 * (self.beta1 - self.beta0) * log_alpha)
        return -4 * log_alpha / (self.beta0 + root)


@dataclass(frozen=True)
class VPCosine(_VariancePreserving):
    """The cosine schedule: alpha_t = cos(a_t) / cos(a_0), a_t = (t + s) / (1 + s) pi / 2.

    Parameters
    ----------
    offset : float
        The s above, > 0.
    t_min, t_max : float
        The range of times, 0 < t_min < t_max < 1: lambda is infinite at t = 0 and at t = 1.

    References
    ----------
    Nichol and Dhariwal (2021), *Improved denoising diffusion probabilistic models*, equation 17;
    ``t_max`` as in the released code of Lu et al. (2022), *DPM-Solver*. The inverse without
    cancellation is derived here from sin^2(a_t / 2) = sin^2(a_0 / 2) + cos(a_0)(1 - alpha_t) / 2.

    Examples
    --------
    >>> schedule = VPCosine()
    >>> abs(float(schedule.t_of_lam(schedule.lam(0.3))) - 0.3) < 1e-14
    True
    """

    offset: float = OFFSET
    t_min: float = 1e-3
    t_max: float = 0.9946

    def __post_init__(self) -> None:
        check_real("offset", self.offset, lower=0.0, lower_open=True)
        check_range(self.t_min, self.t_max, upper=1.0)

    def log_alpha(self, t: Any) -> np.ndarray:
        """Return log cos(a_t) - log cos(a_0)."""
        start, rise = cosine_angles(t, self.offset)
        return np.asarray(
            np.log1p(-2 * np.sin(start + rise / 2) * np.sin(rise / 2) / math.cos(start))
        )

    def _t_of_log_alpha(self, log_alpha: np.ndarray) -> np.ndarray:
        start, rate = cosine_angles(1.0, self.offset)
        square = math.sin(start / 2) ** 2 - math.cos(start) * np.expm1(log_alpha) / 2
        return np.asarray((2 * np.arcsin(np.sqrt(square)) - start) / rate)


@dataclass(frozen=True)
class VPDiscrete(_VariancePreserving):
    """The schedule of a network trained on N integer time labels.

    Label n = 0..N-1 is at t = (n + 1) / N; log alpha is linear in t between them.

    Parameters
    ----------
    betas : sequence of float, shape (N,), optional
        Rates in (0, 1); alpha_n^2 is the product of 1 - beta up to n.
    alphas_cumprod : sequence of float, shape (N,), optional
        The values of alpha_n^2 in (0, 1), strictly decreasing. Exactly one of the two is given.
    clip : float, optional
        Labels whose lambda is below this are dropped at the end (``t_max`` says what is left):
        cosine ladders end at lambda close to minus infinity. ``None`` drops nothing.

    References
    ----------
    The released code of Lu et al. (2022), *DPM-Solver* (`NoiseScheduleVP`, kind "discrete"), which
    stretches a clipped ladder to [0, 1]; here the times of the labels that are left do not move.

    Examples
    --------
    >>> import numpy as np
    >>> schedule = VPDiscrete(betas=np.linspace(1e-4, 0.02, 1000))
    >>> float(schedule.label(0.5))
    499.0
    """

    betas: Sequence[float] | None = field(default=None, repr=False)
    alphas_cumprod: Sequence[float] | None = field(default=None, repr=False)
    clip: float | None = -5.1

    def __post_init__(self) -> None:
        if (self.betas is None) == (self.alphas_cumprod is None):
            raise ValueError("give exactly one of betas and alphas_cumprod")
        for name in ("betas", "alphas_cumprod"):
            if getattr(self, name) is not None:
                values = _inside_unit_interval(name, getattr(self, name))
                object.__setattr__(self, name, tuple(values.tolist()))
        if np.any(np.diff(self._ladder[1]) >= 0):
            raise ValueError("alphas_cumprod must be strictly decreasing")
        if self.clip is not None:
            check_real("clip", self.clip, upper=float(self.lam(self.t_min)), upper_open=True)

    @cached_property
    def _ladder(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the times of all labels and log alpha there."""
        if self.betas is not None:
            log_alpha = 0.5 * np.cumsum(np.log1p(-np.asarray(self.betas)))
        else:
            log_alpha = 0.5 * np.log(np.asarray(self.alphas_cumprod))
        return np.arange(1, log_alpha.size + 1) / log_alpha.size, log_alpha

    @property
    def t_min(self) -> float:  # type: ignore[override]
        """The time of label 0."""
        return float(self._ladder[0][0])

    @cached_property
    def t_max(self) -> float:  # type: ignore[override]
        """The time of the last label that `clip` leaves."""
        times = self._ladder[0]
        if self.clip is None:
            return float(times[-1])
        return float(times[self.lam(times) >= self.clip][-1])

    def label(self, t: Any) -> np.ndarray:
        """Return the (real-valued) label N t - 1 that the network sees at time t."""
        return np.asarray(t, dtype=float) * self._ladder[0].size - 1.0

    def t_of_label(self, label: Any) -> np.ndarray:
        """Return the time (label + 1) / N."""
        return (np.asarray(label, dtype=float) + 1.0) / self._ladder[0].size

    def log_alpha(self, t: Any) -> np.ndarray:
        """Return log alpha_t, linear between the labels."""
        return np.asarray(np.interp(np.asarray(t, dtype=float), *self._ladder))

    def _t_of_log_alpha(self, log_alpha: np.ndarray) -> np.ndarray:
        times, values = self._ladder
        return np.asarray(np.interp(log_alpha, values[::-1], times[::-1]))


@dataclass(frozen=True)
class EDM(NoiseSchedule):
    """The variance-exploding schedule whose time is the noise level: alpha_t = 1 and sigma_t = t.

    Parameters
    ----------
    t_min, t_max : float
        The smallest and the largest noise level.

    References
    ----------
    Karras et al. (2022), *Elucidating the design space of diffusion-based generative models*,
    table 1, whose default range this is.
    """

    t_min: float = 0.002
    t_max: float = 80.0

    def __post_init__(self) -> None:
        check_range(self.t_min, self.t_max)

    def log_alpha(self, t: Any) -> np.ndarray:
        """Return zero."""
        return np.zeros(np.shape(t))

    def sigma(self, t: Any) -> np.ndarray:
        """Return t."""
        return np.array(t, dtype=float)

    def t_of_lam(self, lam: Any) -> np.ndarray:
        """Return exp(-lam)."""
        return np.asarray(np.exp(-np.asarray(lam, dtype=float)))


@dataclass(frozen=True)
class VESchedule(NoiseSchedule):
    """Variance exploding, geometric in time: sigma_min at t = 0, sigma_max at t = 1, alpha_t = 1.

    Parameters
    ----------
    sigma_min, sigma_max : float
        The smallest and the largest noise level, 0 < sigma_min < sigma_max.

    References
    ----------
    Song et al. (2021), equation 31.
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0
    t_min: float = field(default=0.0, init=False)
    t_max: float = field(default=1.0, init=False)

    def __post_init__(self) -> None:
        check_real("sigma_min", self.sigma_min, lower=0.0, lower_open=True)
        check_real("sigma_max", self.sigma_max, lower=self.sigma_min, lower_open=True)

    def log_alpha(self, t: Any) -> np.ndarray:
        """Return zero."""
        return np.zeros(np.shape(t))

    def sigma(self, t: Any) -> np.ndarray:
        """Return sigma_min (sigma_max / sigma_min)^t."""
        return self.sigma_min * np.exp(np.asarray(t, dtype=float) * self._log_ratio)

    def t_of_lam(self, lam: Any) -> np.ndarray:
        """Return the time at which sigma_t = exp(-lam)."""
        return (-np.asarray(lam, dtype=float) - math.log(self.sigma_min)) / self._log_ratio

    @property
    def _log_ratio(self) -> float:
        return math.log(self.sigma_max / self.sigma_min)


def cosine_angles(t: Any, offset: float) -> tuple[float, Any]:
    """Return a_0 and a_t - a_0 of the cosine schedule."""
    rate = math.pi / 2 / (1 + offset)
    return offset * rate, np.asarray(t, dtype=float) * rate


def check_range(
    t_min: float, t_max: float, *, upper: float = math.inf, upper_open: bool = True
) -> None:
    """Check the range of times of a schedule whose lambda is infinite at t = 0."""
    check_real("t_min", t_min, lower=0.0, lower_open=True)
    check_real("t_max", t_max, lower=t_min, lower_open=True, upper=upper, upper_open=upper_open)


def _inside_unit_interval(name: str, values: Any) -> np.ndarray:
    array = check_array(name, values, ndim=1)
    if array.size < 2 or not np.all((array > 0) & (array < 1)):
        raise ValueError(f"{name} must hold at least two numbers, all strictly between 0 and 1")
    return array
