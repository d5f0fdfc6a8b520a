"""Gaussian probability paths a(t) x_1 + m(t) x_0, their marginal velocity and sampling with it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from theorytk._validation import check_array, check_int, check_real
from theorytk.paths.datasets import Array
from theorytk.paths.generate import integrate_ode

__all__ = [
    "GaussianPath",
    "PolarState",
]

# Velocities are evaluated this far from both ends at least, where a derivative may be infinite.
END = 1e-10


class PolarState(NamedTuple):
    """The path in polar form (a, m) = r (sin theta, cos theta) and its time derivatives.

    Attributes
    ----------
    r, theta : ndarray
        Radius, and angle in [0, pi/2].
    dr, dtheta : ndarray
        Their derivatives; `dtheta` is infinite at an end where the path starts or stops so.
    """

    r: Array
    theta: Array
    dr: Array
    dtheta: Array


@dataclass(frozen=True)
class GaussianPath:
    """A path p_t(x | x_1) = N(a(t) x_1, m(t)^2 I) from noise at t = 0 to data at t = 1.

    Parameters
    ----------
    name : str
        The name of the path.
    state : callable
        `PolarState` of an array of times.
    t_max : float, default 1
        Where the path is cut off; it is never evaluated beyond.

    References
    ----------
    Shaul et al. (ICML 2023), eqs (10), (11), (15) to (17) and, for the polar form, (25).

    Examples
    --------
    >>> from theorytk.paths.named_paths import trigonometric_path
    >>> path = trigonometric_path()
    >>> path.a([0.0, 0.5, 1.0]).round(6), path.dm([0.0]).round(6)
    (array([0.      , 0.707107, 1.      ]), array([-0.]))
    """

    name: str
    state: Callable[[Array], PolarState] = field(repr=False)
    t_max: float = 1.0

    def polar(self, t: Any) -> PolarState:
        """Return radius, angle and their derivatives.

        Parameters
        ----------
        t : array_like
            Times in [0, t_max].

        Returns
        -------
        PolarState
        """
        with np.errstate(divide="ignore"):
            return self.state(self._times(t))

    def a(self, t: Any) -> Array:
        """Return the factor of the data.

        Parameters
        ----------
        t : array_like
            Times in [0, t_max].

        Returns
        -------
        ndarray
            Of the shape of `t`.
        """
        r, theta, _, _ = self.polar(t)
        return r * np.sin(theta)

    def m(self, t: Any) -> Array:
        """Return the factor of the noise.

        Parameters
        ----------
        t : array_like
            Times in [0, t_max].

        Returns
        -------
        ndarray
            Of the shape of `t`.
        """
        r, theta, _, _ = self.polar(t)
        return r * np.cos(theta)

    def da(self, t: Any) -> Array:
        """Return the derivative of `a`, which may be infinite at 0; at 1 it is a limit.

        Parameters
        ----------
        t : array_like
            Times in [0, t_max].

        Returns
        -------
        ndarray
            Of the shape of `t`.
        """
        r, theta, dr, dtheta = self.polar(np.minimum(self._times(t), self.t_max - END))
        return dr * np.sin(theta) + r * np.cos(theta) * dtheta

    def dm(self, t: Any) -> Array:
        """Return the derivative of `m`, which may be infinite at 1; at 0 it is a limit.

        Parameters
        ----------
        t : array_like
            Times in [0, t_max].

        Returns
        -------
        ndarray
            Of the shape of `t`.
        """
        r, theta, dr, dtheta = self.polar(np.maximum(self._times(t), END))
        return dr * np.cos(theta) - r * np.sin(theta) * dtheta

    def velocity(self, t: float, x: Any, posterior_mean: Callable[[Any, float], Any]) -> Any:
        """Return the marginal velocity u_t(x), finite at both ends.

        ``u = (r'/r) x + (r theta' / cos theta) (mu - sin theta cos theta x / m)``, in which no
        product of zero and infinity is left but at the ends, where it is taken 1e-10 away.

        Parameters
        ----------
        t : float
            Time in [0, t_max].
        x : array, shape (k, d)
            Positions.
        posterior_mean : callable
            E[x_1 | s x_1 + z = y] of y, shape (k, d), and s, such as
            `theorytk.paths.datasets.DataSet.posterior_mean`.

        Returns
        -------
        array, shape (k, d)

        References
        ----------
        Shaul et al. (ICML 2023), eq (17); this form is derived here.
        """
        t = check_real("t", t, lower=0.0, upper=self.t_max)
        r, theta, dr, dtheta = map(float, self.polar(np.clip(t, END, self.t_max - END)))
        sine, cosine = math.sin(theta), math.cos(theta)
        mean = posterior_mean(x / (r * cosine), sine / cosine)
        return (dr / r) * x + (r * dtheta / cosine) * (mean - (sine / r) * x)

    def sample(
        self,
        x0: Any,
        posterior_mean: Callable[[Any, float], Any],
        n_steps: int,
        *,
        method: str = "euler",
    ) -> Any:
        """Carry noise to t_max along the marginal velocity.

        Parameters
        ----------
        x0 : array, shape (k, d)
            Standard normal noise.
        posterior_mean : callable
            As for `velocity`.
        n_steps : int
            Steps of equal length.
        method : {"euler", "heun", "rk4"}, default "euler"
            Explicit Runge-Kutta method with 1, 2 or 4 evaluations a step. The last step is always
            Euler's: at t = 1 there is no velocity off the data.

        Returns
        -------
        array, shape (k, d)

        Raises
        ------
        ValueError
            If `x0` is no finite matrix.
        """
        n_steps = check_int("n_steps", n_steps, lower=1)
        x = x0 if array_api_compat.is_torch_array(x0) else check_array("x0", x0, ndim=2)
        last = self.t_max * (n_steps - 1) / n_steps

        def field(t: float, at: Any) -> Any:
            return self.velocity(t, at, posterior_mean)

        if n_steps > 1:
            x = integrate_ode(field, x, n_steps=n_steps - 1, method=method, t_span=(0.0, last))
        return integrate_ode(field, x, n_steps=1, method="euler", t_span=(last, self.t_max))

    def _times(self, t: Any) -> Array:
        """Return times in [0, t_max]."""
        t = check_array("t", t)
        if ((t < 0) | (t > self.t_max)).any():
            raise ValueError(f"t must be in [0, {self.t_max:g}]; got {t.min():g} to {t.max():g}")
        return np.asarray(t)
