"""Runge-Kutta methods in rho = sigma / alpha: rhoRK of DEIS, Euler's and Heun's method of EDM.

In y = x / alpha the probability flow is dy / d rho = eps = (y - data) / rho.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from theorytk._validation import check_choice
from theorytk.diffusion.models import OUTPUTS
from theorytk.diffusion.plans import Eval, Instruction, Lin, Plan, check_times
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["TABLEAUX", "Tableau", "rho_runge_kutta"]


class Tableau(NamedTuple):
    """A Butcher tableau of an explicit method.

    Row j of `stages` weighs the earlier slopes in stage j + 1 (stage 0 is the step's start), and
    its sum is where in the step that stage lies; `weights` weighs all slopes in the result.
    """

    stages: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]


TABLEAUX = {
    "euler": Tableau((), (1.0,)),
    "heun": Tableau(((1.0,),), (1 / 2, 1 / 2)),
    "kutta3": Tableau(((1 / 2,), (-1.0, 2.0)), (1 / 6, 2 / 3, 1 / 6)),
    "ralston3": Tableau(((1 / 2,), (0.0, 3 / 4)), (2 / 9, 1 / 3, 4 / 9)),
    "heun3": Tableau(((1 / 3,), (0.0, 2 / 3)), (1 / 4, 0.0, 3 / 4)),
    "houwen3": Tableau(((8 / 15,), (1 / 4, 5 / 12)), (1 / 4, 0.0, 3 / 4)),
    "ssprk3": Tableau(((1.0,), (1 / 4, 1 / 4)), (1 / 6, 1 / 6, 2 / 3)),
    "rk4": Tableau(((1 / 2,), (0.0, 1 / 2), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6)),
}
"""The tableaux of DEIS's rhoRK."""


def rho_runge_kutta(
    schedule: NoiseSchedule, times: Any, *, tableau: str, output: str = "noise"
) -> Plan:
    """Return the plan of an explicit Runge-Kutta method for dy / d rho = eps, y = x / alpha.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing. Where it ends at sigma = 0, the last step is Euler's, because the
        model is not defined there.
    tableau : str
        A name in :data:`TABLEAUX`. ``"euler"`` is DDIM, and ``"heun"`` the sampler of EDM.
    output : {"noise", "data"}
        The prediction that the plan is written in; the result is the same.

    Returns
    -------
    Plan
        With one evaluation per stage and step; Heun's 2 n_steps, or 2 n_steps - 1 to sigma = 0.

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    Zhang, Chen (ICLR 2023), rhoRK and the tableaux of their code; Karras, Aittala, Aila, Laine
    (NeurIPS 2022), Algorithm 1 (Euler's last step). The form in data prediction is derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> rho_runge_kutta(VPLinear(), [0.9, 0.5, 0.2, 0.05], tableau="rk4").n_evaluations
    12
    """
    grid = check_times(schedule, times, final_zero=True)
    table = TABLEAUX[check_choice("tableau", tableau, TABLEAUX)]
    check_choice("output", output, OUTPUTS)
    steps: list[Instruction] = []
    for i in range(len(grid) - 1):
        to_data = float(schedule.sigma(grid[i + 1])) == 0.0
        used = TABLEAUX["euler"] if to_data else table
        steps += _step(schedule, i, float(grid[i]), float(grid[i + 1]), used, output)
    end = f"x{len(grid) - 1}"
    return Plan(f"deis_rhork_{tableau}", schedule, grid, tuple(steps), ("x0",), end)


def _step(
    schedule: NoiseSchedule, i: int, start: float, end: float, table: Tableau, output: str
) -> list[Instruction]:
    """Return the instructions from ``x{i}`` to ``x{i+1}``; stage j is ``u{i}_j`` and ``m{i}_j``."""
    rho, length = _rho(schedule, start), _rho(schedule, end) - _rho(schedule, start)
    slopes: list[dict[str, float]] = []

    def state_at(t: float, weights: tuple[float, ...], target: str) -> Lin:
        terms = {f"x{i}": 1.0 / float(schedule.alpha(start))}
        for weight, slope in zip(weights, slopes, strict=True):
            for register, coefficient in slope.items():
                total = terms.get(register, 0.0) + length * weight * coefficient
                terms[register] = total
        alpha = float(schedule.alpha(t))
        return Lin(target, tuple((alpha * c, r) for r, c in terms.items() if c))

    steps: list[Instruction] = [Eval(f"m{i}", f"x{i}", start, output)]
    slopes.append(_slope(schedule, start, f"x{i}", f"m{i}", output))
    for j, row in enumerate(table.stages, 1):
        t = _time(schedule, rho + sum(row) * length) if sum(row) < 1.0 else end
        state, prediction = f"u{i}_{j}", f"m{i}_{j}"
        steps += [state_at(t, row, state), Eval(prediction, state, t, output)]
        slopes.append(_slope(schedule, t, state, prediction, output))
    return [*steps, state_at(end, table.weights, f"x{i + 1}")]


def _slope(
    schedule: NoiseSchedule, t: float, state: str, prediction: str, output: str
) -> dict[str, float]:
    """Return dy / d rho at time t as a combination of registers."""
    if output == "noise":
        return {prediction: 1.0}
    return {state: 1.0 / float(schedule.sigma(t)), prediction: -1.0 / _rho(schedule, t)}


def _rho(schedule: NoiseSchedule, t: float) -> float:
    """Return sigma_t / alpha_t, also where it is 0."""
    return float(schedule.sigma(t)) / float(schedule.alpha(t))


def _time(schedule: NoiseSchedule, rho: float) -> float:
    """Return the time at which sigma_t / alpha_t = rho."""
    return float(schedule.t_of_lam(-math.log(rho)))
