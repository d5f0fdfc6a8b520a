"""Reference solutions of the probability-flow equation, with their measured accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from theorytk._validation import check_array, check_real
from theorytk.diffusion.models import Model
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.targets import Target

__all__ = ["ReferenceTrajectory", "reference_trajectory"]

Array = np.ndarray

# The accuracy is measured against a run at this many times the tolerance.
COARSER = 10.0
TIGHTEST = 1e-13


@dataclass(frozen=True)
class ReferenceTrajectory:
    """States of the probability flow, as good as exact for what is compared with them.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        The times, decreasing.
    states : ndarray, shape (n_times, n, d)
        The states at these times; the first are the given ones.
    accuracy : float
        The largest difference of a coordinate from those of a run at 10 times the tolerance,
        whose error is larger; in the unit of the states.
    n_evaluations : int
        Calls of the model, for both runs.
    """

    times: Array
    states: Array
    accuracy: float
    n_evaluations: int


def reference_trajectory(
    target: Target | Model, schedule: NoiseSchedule, x: Any, times: Any, *, rtol: float = 1e-12
) -> ReferenceTrajectory:
    """Solve the probability-flow equation of a target, or of a model, through given states.

    With c^2 = alpha^2 + sigma^2, the bounded u = x / c solves du/dlambda = s^2 u - s eps in the
    half log signal-to-noise ratio, s = sigma / c; it is integrated from each time to the next by
    a Runge-Kutta method of order 8, never interpolated.

    Parameters
    ----------
    target : Target or Model
        The law of the data, a guided pair, or a model of double precision for this schedule; its
        noise prediction is what is integrated.
    schedule : NoiseSchedule
        The schedule.
    x : array_like, shape (n, d)
        The states at ``times[0]``.
    times : array_like, shape (n_times,)
        At least two times, decreasing.
    rtol : float, default 1e-12
        Tolerance of the solver, relative and absolute for u, from 1e-13 to 1e-6.

    Returns
    -------
    ReferenceTrajectory

    Raises
    ------
    ValueError
        If the times do not decrease, or leave the schedule's range.
    FloatingPointError
        If the solver fails, as on a guided pair whose flow diverges.

    References
    ----------
    E. Hairer, S. P. Norsett and G. Wanner, Solving Ordinary Differential Equations I, II.10
    (DOP853, by SciPy). The equation for u is derived here from d(x / alpha)/dlambda =
    -exp(-lambda) eps; it is well scaled for variance-exploding schedules too.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> from theorytk.diffusion.targets import GaussianTarget
    >>> target, schedule = GaussianTarget([1.0], 0.1), VPLinear()
    >>> solved = reference_trajectory(target, schedule, [[0.5]], [0.9, 0.1])
    >>> bool(abs(solved.states[-1] - target.flow([[0.5]], schedule, 0.9, 0.1)) < 1e-11)
    True
    """
    noise = _scaled_noise(target, schedule)
    x = check_array("x", x, shape=(None, getattr(target, "dimension", None)))
    times = check_array("times", times, shape=(None,))
    if len(times) < 2 or not (np.diff(times) < 0).all():
        raise ValueError(f"times must be two or more and decrease; got {times}")
    check_real("times (first)", float(times[0]), upper=schedule.t_max)
    check_real("times (last)", float(times[-1]), lower=schedule.t_min)
    rtol = check_real("rtol", rtol, lower=TIGHTEST, upper=1e-6)
    states, calls = _solve(noise, schedule, x, times, rtol)
    others, more = _solve(noise, schedule, x, times, COARSER * rtol)
    accuracy = float(np.abs(states - others).max(initial=0.0))
    return ReferenceTrajectory(times, states, accuracy, calls + more)


def _scaled_noise(
    target: Target | Model, schedule: NoiseSchedule
) -> Callable[[Array, float, float, float], Array]:
    """Return eps as a function of u = x / c, alpha / c, sigma / c and lambda."""
    if isinstance(target, Target):
        return lambda u, a, s, lam: target.noise(u, a, s)
    if not isinstance(target, Model):
        raise TypeError(f"target must be a Target or a Model; got {target!r}")
    model = Model(target.function, target.predicts, schedule)

    def noise(u: Array, a: float, s: float, lam: float) -> Array:
        t = min(max(float(schedule.t_of_lam(lam)), schedule.t_min), schedule.t_max)
        values: Array = model.predict("noise", float(schedule.alpha(t)) / a * u, t)
        return values

    return noise


def _solve(
    noise: Callable[[Array, float, float, float], Array],
    schedule: NoiseSchedule,
    x: Array,
    times: Array,
    rtol: float,
) -> tuple[Array, int]:
    """Return the states at all times and the number of calls of the model."""
    lam = schedule.lam(times)
    scales = schedule.alpha(times) * np.hypot(1.0, np.exp(-lam))

    def slope(at: float, flat: Array) -> Array:
        a, s = 1 / np.hypot(1.0, np.exp(-at)), 1 / np.hypot(1.0, np.exp(at))
        u = flat.reshape(x.shape)
        derivative: Array = s**2 * u - s * noise(u, a, s, at)
        return derivative.ravel()

    states, calls, u = [x], 0, (x / scales[0]).ravel()
    for span, scale in zip(pairwise(lam), scales[1:], strict=True):
        solution = solve_ivp(slope, span, u, method="DOP853", t_eval=span[1:], rtol=rtol, atol=rtol)
        if not solution.success:
            raise FloatingPointError(f"the reference solution failed: {solution.message}")
        u, calls = solution.y[:, -1], calls + solution.nfev
        states.append(scale * u.reshape(x.shape))
    return np.stack(states), calls
