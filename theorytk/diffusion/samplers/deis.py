"""DEIS: exponential integrators whose noise prediction is extrapolated by a polynomial; iPNDM.

In y = x / alpha and rho = sigma / alpha the probability flow is dy / d rho = eps. The polynomial
may be one in t (tAB), in rho (rhoAB) or in log rho; the Runge-Kutta methods in rho are in
:mod:`theorytk.diffusion.samplers.runge_kutta`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from theorytk._validation import check_choice, check_int
from theorytk.diffusion.plans import Eval, Instruction, Plan, check_times
from theorytk.diffusion.samplers._exponential import exponential_step
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["ADAMS_BASHFORTH", "VARIABLES", "deis", "ipndm"]

VARIABLES = {"t": "tab", "rho": "rhoab", "log_rho": "logrho"}
"""The variables of DEIS's polynomials, and the names of their methods."""

ADAMS_BASHFORTH = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)
"""The Adams-Bashforth weights of one to four terms, newest first."""

RIEMANN_NODES = 10_000
GAUSS_NODES, GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(24)
GAUSS_PANEL = 2.0  # In lambda: t(lambda) has singularities at distance pi / 2 for VPLinear.


def deis(
    schedule: NoiseSchedule,
    times: Any,
    *,
    degree: int,
    variable: str = "t",
    quadrature: str = "gauss",
    bootstrap: int = 0,
) -> Plan:
    """Return the plan of DEIS: Adams-Bashforth with exact weights, of order degree + 1.

    The last degree + 1 noise predictions are interpolated by a polynomial in `variable`, which is
    integrated exactly over the step. The first steps have less history and a lower degree.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing; sigma > 0 at its end.
    degree : int
        The polynomial's degree r, >= 0; 0 is DDIM.
    variable : {"t", "rho", "log_rho"}
        What the polynomial is one in: tAB, rhoAB, or the half log signal-to-noise ratio, which is
        the exact multistep DPM-Solver in noise prediction.
    quadrature : {"gauss", "riemann"}
        How the weights are integrated: to round-off by Gauss-Legendre in lambda (to about 1e-6 for
        tAB on a discrete schedule, whose t(lambda) has kinks), or by the left Riemann sum of 10000
        nodes in t of the authors' code, which leaves an error floor.
    bootstrap : int
        The number b of steps whose exact states ``x0..xb`` the caller gives.

    Returns
    -------
    Plan
        With one evaluation per step.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Warns
    -----
    UserWarning
        If there are fewer steps than degree + 1: the plan then never reaches that order.

    References
    ----------
    Zhang, Chen, Fast Sampling of Diffusion Models with Exponential Integrator (ICLR 2023): tAB and
    rhoAB; the Riemann sum is that of their code. The integral in lambda and the identity of
    ``"log_rho"`` are derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> plan = deis(VPLinear(), [0.9, 0.5, 0.2, 0.05], degree=2)
    >>> plan.method, plan.n_evaluations
    ('deis_tab2', 3)
    """
    grid = check_times(schedule, times)
    degree = check_int("degree", degree, lower=0)
    check_choice("variable", variable, VARIABLES)
    rules = {"gauss": _gauss_weights, "riemann": _riemann_weights}
    rule = rules[check_choice("quadrature", quadrature, rules)]

    def weights(i: int, h: float) -> list[float]:
        row = rule(schedule, grid[max(i - degree, 0) : i + 2][::-1], variable)
        return [float(w) for w in row]

    method = f"deis_{VARIABLES[variable]}{degree}" + " (riemann)" * (quadrature == "riemann")
    return _multistep(method, schedule, grid, degree + 1, bootstrap, weights)


def ipndm(schedule: NoiseSchedule, times: Any, *, order: int = 4, bootstrap: int = 0) -> Plan:
    """Return the plan of iPNDM: DDIM with the Adams-Bashforth mean of the noise predictions.

    On a grid uniform in rho its order is `order`; on any other it is at most 2, because the weights
    are those of equal steps and of an unweighted mean, while the integral carries d rho.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing.
    order : int
        The number of terms, 1 to 4; the first steps have fewer.
    bootstrap : int
        The number b of steps whose exact states ``x0..xb`` the caller gives.

    Returns
    -------
    Plan
        With one evaluation per step.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Warns
    -----
    UserWarning
        If there are fewer steps than `order`: the plan then never reaches that order.

    References
    ----------
    Zhang, Chen (ICLR 2023), the improved PNDM; its order is derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> ipndm(VPLinear(), [0.9, 0.7, 0.4, 0.2, 0.05]).n_evaluations
    4
    """
    grid = check_times(schedule, times)
    order = check_int("order", order, lower=1, upper=len(ADAMS_BASHFORTH))

    def weights(i: int, h: float) -> list[float]:
        return [math.expm1(h) * w for w in ADAMS_BASHFORTH[min(order, i + 1) - 1]]

    return _multistep(f"ipndm{order}", schedule, grid, order, bootstrap, weights)


def _multistep(
    method: str,
    schedule: NoiseSchedule,
    grid: np.ndarray,
    order: int,
    bootstrap: int,
    weights: Callable[[int, float], list[float]],
) -> Plan:
    """Return the plan whose step i, of length h, weighs m{i}, m{i-1}, ... by weights(i, h)."""
    n_steps = len(grid) - 1
    first = check_int("bootstrap", bootstrap, lower=0, upper=n_steps - 1)
    if n_steps < order:
        warnings.warn(f"{n_steps} steps never reach order {order}", UserWarning, stacklevel=3)
    steps: list[Instruction] = []
    for i in range(n_steps):
        steps.append(Eval(f"m{i}", f"x{i}", float(grid[i])))
        if i >= first:
            step = exponential_step(schedule, float(grid[i]), float(grid[i + 1]), "noise")
            row = weights(i, step.h)
            outputs = [f"m{i - j}" for j in range(len(row))]
            steps.append(step.lin(f"x{i + 1}", f"x{i}", row, outputs))
    inputs = tuple(f"x{i}" for i in range(first + 1))
    return Plan(method, schedule, grid, tuple(steps), inputs, f"x{n_steps}")


def _gauss_weights(schedule: NoiseSchedule, newest: np.ndarray, variable: str) -> np.ndarray:
    """Integrate ``e^(lambda_end - lambda)`` times the Lagrange basis over the step, in lambda.

    `newest` holds the step's end, its start, and the earlier times, in this order.
    """
    lam = schedule.lam(newest)
    start, end = float(lam[1]), float(lam[0])
    edges = np.linspace(start, end, math.ceil((end - start) / GAUSS_PANEL) + 1)
    half = np.diff(edges)[:, None] / 2
    points = (edges[:-1, None] + half + half * GAUSS_NODES).ravel()
    measure = (half * GAUSS_WEIGHTS).ravel() * np.exp(end - points)
    at = schedule.t_of_lam(points) if variable == "t" else points
    basis = _lagrange(_coordinate(at, points, variable), _coordinate(newest, lam, variable)[1:])
    return np.asarray(basis @ measure)


def _riemann_weights(schedule: NoiseSchedule, newest: np.ndarray, variable: str) -> np.ndarray:
    """Sum ``-(d rho / dt) dt / rho_end`` times the basis at the left ends of equal cells in t."""
    t = np.linspace(newest[1], newest[0], RIEMANN_NODES + 1)
    lam = schedule.lam(t)
    measure = np.gradient(np.exp(lam[-1] - lam), edge_order=2)[:-1]
    nodes = _coordinate(newest, schedule.lam(newest), variable)[1:]
    return np.asarray(-_lagrange(_coordinate(t, lam, variable)[:-1], nodes) @ measure)


def _coordinate(t: np.ndarray, lam: np.ndarray, variable: str) -> np.ndarray:
    """Return the polynomial's variable at times t, where the half log-SNR is lam."""
    if variable == "t":
        return t
    return np.asarray(np.exp(-lam)) if variable == "rho" else -lam


def _lagrange(points: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Return the Lagrange basis polynomials of the nodes at the points, (n_nodes, n_points)."""
    basis = np.ones((len(nodes), len(points)))
    for j, node in enumerate(nodes):
        for other in np.delete(nodes, j):
            basis[j] *= (points - other) / (node - other)
    return basis
