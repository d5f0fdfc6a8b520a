"""Time grids: the decreasing times at which a sampler steps."""

from __future__ import annotations

import numpy as np

from theorytk._validation import check_choice, check_int, check_real
from theorytk.diffusion.plans import check_times
from theorytk.diffusion.schedules import NoiseSchedule, VPDiscrete

__all__ = ["GRIDS", "integer_ladder", "time_grid"]

GRIDS = ("logsnr", "uniform", "quadratic", "power", "edm")


def time_grid(
    schedule: NoiseSchedule,
    kind: str,
    n_steps: int,
    *,
    t_min: float | None = None,
    t_max: float | None = None,
    rho: float = 7.0,
) -> np.ndarray:
    """Return n_steps + 1 decreasing times from t_max to t_min.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    kind : {"logsnr", "uniform", "quadratic", "power", "edm"}
        What is equally spaced: lambda, t, sqrt(t), t^(1/rho) or (sigma_t / alpha_t)^(1/rho).
    n_steps : int
        The number of steps, >= 1.
    t_min, t_max : float, optional
        The last and the first time; by default those of the schedule.
    rho : float, >= 1
        The exponent of "power" and of "edm".

    Returns
    -------
    ndarray, shape (n_steps + 1,)
        The times.

    References
    ----------
    Lu et al. (2022), *DPM-Solver*, section 3.3 ("logsnr"); Song, Meng and Ermon (2021), *DDIM*,
    appendix D.2 ("quadratic"); Karras et al. (2022), equation 5 ("edm"). No grid is best for all:
    a comparison of samplers must fix the grid.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import EDM
    >>> time_grid(EDM(), "logsnr", 2, t_min=1.0, t_max=4.0)
    array([4., 2., 1.])
    """
    check_choice("kind", kind, GRIDS)
    n_steps = check_int("n_steps", n_steps, lower=1)
    rho = check_real("rho", rho, lower=1.0)
    first = schedule.t_max if t_max is None else check_real("t_max", t_max)
    last = schedule.t_min if t_min is None else check_real("t_min", t_min)
    ends = check_times(schedule, [first, last])
    share = np.arange(n_steps + 1) / n_steps

    def spaced(first: float, last: float) -> np.ndarray:
        return first + share * (last - first)

    if kind == "logsnr":
        times = schedule.t_of_lam(spaced(*schedule.lam(ends)))
    elif kind == "edm":
        levels = spaced(*schedule.rho(ends) ** (1 / rho))
        times = schedule.t_of_lam(-rho * np.log(levels))
    else:
        exponent = {"uniform": 1.0, "quadratic": 2.0, "power": rho}[kind]
        times = spaced(*ends ** (1 / exponent)) ** exponent
    times[[0, -1]] = ends
    return check_times(schedule, times)


def integer_ladder(schedule: VPDiscrete, times: np.ndarray) -> np.ndarray:
    """Return the decreasing integer labels nearest to a grid's times.

    Labels that coincide after rounding are moved to the nearest free ones, so that the number of
    steps stays; ``schedule.t_of_label`` gives their times.

    Parameters
    ----------
    schedule : VPDiscrete
        A schedule with integer time labels.
    times : array_like, shape (n_steps + 1,)
        Decreasing times.

    Returns
    -------
    ndarray of int, shape (n_steps + 1,)
        Strictly decreasing labels; the first and the last are those of the first and last time.

    Raises
    ------
    ValueError
        If there are fewer labels between the first and the last than the grid has nodes.

    Examples
    --------
    >>> schedule = VPDiscrete(betas=np.linspace(1e-4, 0.02, 100))
    >>> integer_ladder(schedule, schedule.t_of_label([99, 2.3, 1.9, 0]))
    array([99,  2,  1,  0])
    """
    if not isinstance(schedule, VPDiscrete):
        raise TypeError(f"schedule must be a VPDiscrete; got {type(schedule).__name__}")
    times = check_times(schedule, times)
    labels = np.rint(schedule.label(times)).astype(int)
    first, last = labels[[0, -1]]
    if first - last < labels.size - 1:
        raise ValueError(
            f"times must leave a label for each of their {labels.size} nodes; "
            f"there are {first - last + 1} from {first} to {last}"
        )
    steps = np.arange(labels.size)
    # Strictly decreasing labels are non-increasing ones after a shift by one per step.
    shifted = np.minimum.accumulate(labels + steps)
    return np.asarray(np.maximum(shifted, last + steps[-1]) - steps)
