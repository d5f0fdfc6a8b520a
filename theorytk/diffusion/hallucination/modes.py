"""What a chain makes of a mode: how wide it returns it, and how often if it starts late."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_real
from theorytk.diffusion.hallucination.chain import levels, reverse_steps, start_label
from theorytk.diffusion.schedules import VPDiscrete
from theorytk.diffusion.targets import MixtureTarget

__all__ = ["mode_spread", "start_tilt"]

Array = np.ndarray


def mode_spread(
    sigma: float,
    schedule: VPDiscrete,
    *,
    eta: float = 1.0,
    variance: str = "large",
    t_start: int | None = None,
) -> float:
    """Return the standard deviation of what a chain returns for data N(mu, sigma^2).

    It is that of each mode of a mixture, as long as the chain forgets where it was while modes
    still overlap.

    Parameters
    ----------
    sigma : float
        Standard deviation of the data, > 0.
    schedule : VPDiscrete
        The schedule.
    eta, variance
        As in :func:`~theorytk.diffusion.hallucination.chain.reverse_steps`.
    t_start : int, optional
        The label at which the chain starts from N(0, 1); by default the schedule's last.

    Returns
    -------
    float

    References
    ----------
    Derived here: the exact denoiser of a Gaussian is linear in y = x_t / alpha_t, of slope
    sigma^2 / (sigma^2 + s_t^2), so that a step multiplies the variance by a square and adds that
    of its noise.

    Examples
    --------
    >>> from theorytk.diffusion.hallucination.chain import steep_schedule
    >>> schedule = steep_schedule()
    >>> [round(mode_spread(0.05, schedule, variance=v), 4) for v in ("large", "small")]
    [0.0471, 0.0386]
    """
    sigma = check_real("sigma", sigma, lower=0.0, lower_open=True)
    steps, (alpha, noise) = reverse_steps(schedule, eta=eta, variance=variance), levels(schedule)
    slopes = sigma**2 / (sigma**2 + (noise / alpha) ** 2)
    factors = steps.signal * slopes / alpha + steps.keep
    spread = 1.0
    for t in range(start_label(schedule, t_start), -1, -1):
        spread = math.hypot(float(factors[t]) * spread, float(steps.noise[t]))
    return spread


def start_tilt(target: MixtureTarget, alpha: float) -> Array:
    """Return by how much a start from N(0, 1) changes the weights of modes, to first order.

    The noisy data have the mean alpha m instead, with the data's mean m.

    Parameters
    ----------
    target : MixtureTarget
        The law of the data, of one dimension.
    alpha : float
        Of the level where the chain starts, in [0, 1].

    Returns
    -------
    ndarray, shape (K,)
        The changes w_j alpha^2 m (m - mu_j), whose sum is 0; the next order is alpha^4.

    References
    ----------
    Derived here: the posterior weight of a mode given x_t = x is w_j (1 + alpha x (mu_j - m)) to
    first order, and x has the mean 0 in the place of alpha m.

    Examples
    --------
    >>> from theorytk.diffusion.hallucination.mixtures import three_in_a_row
    >>> start_tilt(three_in_a_row(), 0.1).round(4)
    array([ 0.0067,  0.    , -0.0067])
    """
    if target.dimension != 1:
        raise ValueError(f"target must have dimension 1; got {target.dimension}")
    alpha = check_real("alpha", alpha, lower=0.0, upper=1.0)
    weights: Any = check_array("weights", target.law.weights)
    means = target.law.means[:, 0]
    mean = float(weights @ means)
    return np.asarray(weights * alpha**2 * mean * (mean - means))
