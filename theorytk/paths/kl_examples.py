"""Examples that decide what can be said of KL: the bounds attained, the bound that fails, the ODE.

In both the true law is N(0, 1) at all times, so that b = 0 and s = -x.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import check_real

__all__ = ["OscillatingDrift", "TightGaussian", "oscillating_drift", "tight_gaussian"]


@dataclass(frozen=True)
class TightGaussian:
    """Errors of velocity and score, for rho(t) = N(0, 1), that attain the bounds asymptotically.

    Parameters
    ----------
    amplitude, epsilon : float
        The size A of the error of the drift at t = 1, and the diffusion coefficient.
    kl : float
        The divergence at t = 1.
    excess_velocity, excess_score : float
        The excess losses.
    mean_square_error : float
        The integral of E |b_F^ - b_F|^2.
    """

    amplitude: float
    epsilon: float
    kl: float
    excess_velocity: float
    excess_score: float
    mean_square_error: float

    def fields(self, t: float, x: Any) -> tuple[Any, Any]:
        """Return the learnt velocity and score at points x (n, d)."""
        error = self.amplitude / 2 * math.exp(-self.epsilon * (1 - t))
        return error + 0 * x, error / self.epsilon - x


def tight_gaussian(amplitude: float, epsilon: float) -> TightGaussian:
    """Return the example whose KL is 1 - exp(-2 epsilon) times `kl_bound`, and times that by drift.

    Both ends are N(0, 1) and the interpolant is trigonometric, so that b = 0, s = -x. The errors
    A e / 2 and A e / (2 epsilon), e = exp(-epsilon (1 - t)), add A e to the drift -epsilon x: the
    generated variance stays 1 and the mean ends at A (1 - exp(-2 epsilon)) / (2 epsilon). The
    printed bound is exceeded if epsilon > log(2) / 2.

    Parameters
    ----------
    amplitude : float
        The size A of the error of the drift at t = 1.
    epsilon : float
        The diffusion coefficient, > 0.

    Returns
    -------
    TightGaussian

    References
    ----------
    Derived here.

    Examples
    --------
    >>> from theorytk.paths.interpolant_theory import kl_bound
    >>> from theorytk.paths.kl_examples import tight_gaussian
    >>> found = tight_gaussian(1.0, 2.0)
    >>> bound = kl_bound(found.excess_velocity, found.excess_score, 2.0, form="printed")
    >>> round(found.kl / bound, 4)
    1.9634
    """
    A, epsilon = (
        check_real("amplitude", amplitude),
        check_real("epsilon", epsilon, lower=0.0, lower_open=True),
    )
    gained = -math.expm1(-2 * epsilon)
    square = A**2 * gained / (2 * epsilon)
    return TightGaussian(
        amplitude=A,
        epsilon=epsilon,
        kl=(A * gained / (2 * epsilon)) ** 2 / 2,
        excess_velocity=square / 8,
        excess_score=square / (8 * epsilon**2),
        mean_square_error=square,
    )


@dataclass(frozen=True)
class OscillatingDrift:
    """The velocity (c / k) sin(k x) in the place of b = 0, for rho(t) = N(0, 1).

    Parameters
    ----------
    kl : float
        The divergence KL(rho(1) | rho^(1)) of the ordinary differential equation.
    kl_limit : float
        Its limit for infinite k.
    excess_velocity : float
        The excess loss, which tends to 0.
    """

    kl: float
    kl_limit: float
    excess_velocity: float


def oscillating_drift(c: float, k: float) -> OscillatingDrift:
    """Return the example in which the loss of the velocity vanishes but KL of the ODE does not.

    The flow is u' = c sin u for u = k x, which tan(u / 2) = e^c tan(u_0 / 2) solves, so that
    du_0/du = 1 / (cosh c + sinh c cos u). For large k the phase u is uniform and x_0 = x, and KL
    tends to the mean of log(cosh c + sinh c cos u), 2 log cosh(c / 2). The excess loss is
    c^2 (1 - exp(-2 k^2)) / (4 k^2). For finite k the KL is a quadrature.

    Parameters
    ----------
    c : float
        The strength.
    k : float
        The wave number, > 0.

    Returns
    -------
    OscillatingDrift

    References
    ----------
    Derived here; it shows that Albergo, Boffi, Vanden-Eijnden (2023), (2.39), gives no control by
    the loss.

    Examples
    --------
    >>> from theorytk.paths.kl_examples import oscillating_drift
    >>> found = oscillating_drift(2.0, 64.0)
    >>> round(found.kl, 4), round(found.kl_limit, 4), found.excess_velocity < 3e-4
    (0.8677, 0.8676, True)
    """
    c, k = check_real("c", c), check_real("k", k, lower=0.0, lower_open=True)
    # Spectrally accurate once several nodes fall on each wave, which steepens like e^|c|.
    n_nodes = 1001 + 2 * math.ceil(20 * k * math.exp(min(abs(c), 8.0)))
    x = np.linspace(-9.0, 9.0, n_nodes)
    weights = np.exp(-(x**2) / 2)
    u, tau = k * x, math.tanh(c / 2)
    start = x - 2 / k * np.arctan(tau * np.sin(u) / (1 + tau * np.cos(u)))
    stretch = np.log(math.cosh(c) + math.sinh(c) * np.cos(u))
    return OscillatingDrift(
        kl=float(weights @ ((start**2 - x**2) / 2 + stretch) / weights.sum()),
        kl_limit=2 * math.log(math.cosh(c / 2)),
        excess_velocity=-(c**2) * math.expm1(-2 * k**2) / (4 * k**2),
    )
