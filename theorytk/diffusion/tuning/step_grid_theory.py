"""What is proven of step grids: DDIM on a Gaussian turns by angles, and equal ones are best."""

from __future__ import annotations

from typing import Any

import numpy as np

from theorytk._validation import check_int, check_real
from theorytk.diffusion.plans import check_times
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["angle_grid", "ddim_contraction", "noise_angle"]


def noise_angle(schedule: NoiseSchedule, t: Any, variance: float) -> np.ndarray:
    """Return the angle arctan(sigma_t / (alpha_t sqrt(variance))).

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    t : array_like
        Times.
    variance : float
        The variance of the data, > 0.

    Returns
    -------
    ndarray
        In radians, of the shape of `t`; it increases in t, from 0 for data to pi / 2 for noise.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import EDM
    >>> round(float(noise_angle(EDM(), 2.0, 4.0)) / np.pi, 12)
    0.25
    """
    variance = check_real("variance", variance, lower=0.0, lower_open=True)
    return np.asarray(np.arctan(schedule.rho(t) / np.sqrt(variance)))


def angle_grid(
    schedule: NoiseSchedule,
    n_steps: int,
    variance: float,
    *,
    t_min: float | None = None,
    t_max: float | None = None,
) -> np.ndarray:
    """Return the times whose angles are equally spaced: DDIM's best grid for Gaussian data.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    n_steps : int
        The number of steps, >= 1.
    variance : float
        The variance of the data, > 0.
    t_min, t_max : float, optional
        The last and the first time; by default those of the schedule.

    Returns
    -------
    ndarray, shape (n_steps + 1,)
        The times, decreasing.

    References
    ----------
    Derived here: the contraction of DDIM is a product of cosines of the steps in angle
    (:func:`ddim_contraction`), whose logarithm is concave, so that equal steps maximise it.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import EDM
    >>> angle_grid(EDM(t_min=0.01, t_max=100.0), 2, 1.0).round(6)
    array([1.e+02, 1.e+00, 1.e-02])
    """
    n_steps = check_int("n_steps", n_steps, lower=1)
    first = schedule.t_max if t_max is None else check_real("t_max", t_max)
    last = schedule.t_min if t_min is None else check_real("t_min", t_min)
    ends = check_times(schedule, [first, last])
    start, end = noise_angle(schedule, ends, variance).tolist()
    angles = np.linspace(start, end, n_steps + 1)
    times = schedule.t_of_lam(-np.log(np.sqrt(variance) * np.tan(angles)))
    times[[0, -1]] = ends
    return check_times(schedule, times)


def ddim_contraction(schedule: NoiseSchedule, times: Any, variance: float) -> float:
    """Return DDIM's factor on x - alpha m over that of the exact flow, data N(m, variance).

    It is the product of the cosines of the steps in :func:`noise_angle`, at most 1: whatever the
    grid, DDIM makes a Gaussian too narrow.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing.
    variance : float
        The variance of the data, > 0.

    Returns
    -------
    float
        In (0, 1]; on :func:`angle_grid` it is cos(angle / n_steps)^n_steps, the largest of all
        grids with these ends and as many steps.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import EDM
    >>> round(ddim_contraction(EDM(), [2.0, 0.5], 1.0), 12)
    0.8
    """
    angles = noise_angle(schedule, check_times(schedule, times), variance)
    return float(np.prod(np.cos(np.diff(angles))))
