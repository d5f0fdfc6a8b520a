"""The mean-reverting diffusion of image restoration, as a schedule for centred states."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_real
from theorytk.diffusion.schedules import OFFSET, NoiseSchedule, check_range, cosine_angles

__all__ = ["MeanReverting"]


@dataclass(frozen=True)
class MeanReverting(NoiseSchedule):
    """A mean-reverting diffusion, centred: the law of x_t - mu for dx = theta_t (mu - x) dt + g dw.

    With g^2 = 2 theta sigma_inf^2, alpha_t = exp(-integral of theta) and
    sigma_t^2 = sigma_inf^2 (1 - alpha_t^2). Every sampler applies to x - mu with this schedule.

    Parameters
    ----------
    theta : callable, optional
        The shape of the positive, smooth rate theta on [0, 1] (array in, array out); its scale is
        set by `alpha_end`. The default is the cosine shape 1 - cos^2(a_t) / cos^2(a_0).
    sigma_inf : float
        The stationary standard deviation.
    alpha_end : float
        The value of alpha at t = 1, in (0, 1).
    t_min, t_max : float
        The range of times, inside [0, 1].

    References
    ----------
    Luo et al. (2023), *Image restoration with mean-reverting stochastic differential equations*;
    the defaults are those of the code of Li et al. (2025), *A fast sampler for mean reverting
    diffusion*, on its ladder of 100 steps. The reduction to a centred schedule is derived here.
    """

    theta: Callable[[np.ndarray], np.ndarray] | None = None
    sigma_inf: float = 50 / 255
    alpha_end: float = 0.005
    t_min: float = 0.01
    t_max: float = 1.0

    def __post_init__(self) -> None:
        if self.theta is not None and not callable(self.theta):
            raise TypeError(f"theta must be a function of t or None; got {self.theta!r}")
        check_real("sigma_inf", self.sigma_inf, lower=0.0, lower_open=True)
        bounds: dict[str, Any] = dict(lower=0.0, upper=1.0, lower_open=True, upper_open=True)
        check_real("alpha_end", self.alpha_end, **bounds)
        check_range(self.t_min, self.t_max, upper=1.0, upper_open=False)
        grid = np.linspace(self.t_min, self.t_max, 65)
        rate = _cosine_rate(grid) if self.theta is None else self.theta(grid)
        if not np.all(check_array("theta(t)", rate, shape=(65,)) > 0):
            raise ValueError("theta must be positive on (t_min, t_max)")

    @cached_property
    def _scale(self) -> float:
        return float(math.log(self.alpha_end) / self._integral(np.array(1.0)))

    def _integral(self, t: np.ndarray) -> np.ndarray:
        """Return the integral of the unscaled rate over [0, t], relatively accurate for small t."""
        nodes, weights = _legendre()
        rate = _cosine_rate if self.theta is None else self.theta
        return np.asarray(t * (np.asarray(rate(t[..., None] * nodes)) @ weights))

    def log_alpha(self, t: Any) -> np.ndarray:
        """Return minus the integral of theta over [0, t]."""
        return self._scale * self._integral(np.asarray(t, dtype=float))

    def sigma(self, t: Any) -> np.ndarray:
        """Return sigma_inf sqrt(1 - alpha_t^2)."""
        return np.asarray(self.sigma_inf * np.sqrt(-np.expm1(2 * self.log_alpha(t))))

    def t_of_lam(self, lam: Any) -> np.ndarray:
        """Return the time at which lambda_t = lam, by bisection of [0, t_max]."""
        lam = np.asarray(lam, dtype=float)
        wanted = -0.5 * np.log1p(np.exp(-2 * (lam + math.log(self.sigma_inf))))
        low, high = np.zeros(lam.shape), np.full(lam.shape, float(self.t_max))
        for _ in range(60):
            middle = (low + high) / 2
            later = self.log_alpha(middle) > wanted
            low, high = np.where(later, middle, low), np.where(later, high, middle)
        return (low + high) / 2


def _cosine_rate(t: np.ndarray) -> np.ndarray:
    """Return 1 - cos^2(a_t) / cos^2(a_0), without cancellation."""
    start, rise = cosine_angles(t, OFFSET)
    return np.asarray(np.sin(2 * start + rise) * np.sin(rise) / math.cos(start) ** 2)


def _legendre() -> tuple[np.ndarray, np.ndarray]:
    """Return the Gauss-Legendre nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    return (nodes + 1) / 2, weights / 2
