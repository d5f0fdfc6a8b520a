"""What is proven of samplers of the reverse diffusion: weak orders, laws on Gaussians."""

from __future__ import annotations

from typing import Any

import numpy as np

from theorytk._validation import check_array, check_choice, check_int
from theorytk.diffusion.models import OUTPUTS
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["expected_weak_order", "first_order_variance_loss"]


def expected_weak_order(order: int) -> int:
    """Return the weak order of :func:`~theorytk.diffusion.samplers.stochastic.sde_multistep`.

    Parameters
    ----------
    order : int
        How many outputs of the model a step uses, >= 1.

    Returns
    -------
    int
        The least of `order` and 2: what the noise within a step does to the model's output is not
        seen at the nodes, however many are used.

    References
    ----------
    A. Li et al., MRS (ICLR 2025), orders 1 and 2. That more outputs do not raise it is seen in the
    exact moments of Gaussians, not proved.

    Examples
    --------
    >>> [expected_weak_order(k) for k in (1, 2, 3)]
    [1, 2, 2]
    """
    return min(check_int("order", order, lower=1), 2)


def first_order_variance_loss(
    schedule: NoiseSchedule, start: float, end: float, variance: Any, *, output: str = "data"
) -> np.ndarray:
    """Return the share of the variance that first-order SDE steps lose, per unit of their length.

    For data N(m, variance), exact predictions and an exact start the variance at the end is
    1 - h c of the exact one, up to O(h^2), for steps of length h in lambda; this is c.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    start, end : float
        The first and the last time.
    variance : array_like
        Variances of the data, > 0.
    output : {"data", "noise"}
        The prediction that is held fixed over a step.

    Returns
    -------
    ndarray
        (v + u_1) (f(u_1) - f(u_0)), with u = (sigma / alpha)^2 at the start (0) and at the end (1),
        and f(u) = v / (v + u)^2 for data and -u / (v + u)^2 for noise prediction; of the shape of
        `variance`. From pure noise to clean data it is 1 for data and 0 for noise prediction.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import EDM
    >>> [round(float(first_order_variance_loss(EDM(), 80, 0.002, 1.0, output=o)), 4) + 0.0
    ...  for o in ("data", "noise")]
    [1.0, 0.0002]
    """
    v = check_array("variance", variance)
    if not np.all(v > 0):
        raise ValueError(f"variance must be > 0; got {v.min():g}")
    data = check_choice("output", output, OUTPUTS) == "data"
    first, last = (float(schedule.rho(t)) ** 2 for t in (start, end))

    def kept(u: float) -> np.ndarray:
        return np.asarray((v if data else -u) / (v + u) ** 2)

    return np.asarray((v + last) * (kept(last) - kept(first)))
