"""Momentum samplers: heavy ball, generalised heavy ball (GHVB) and Nesterov's variant.

In y = x / alpha and rho = sigma / alpha the probability flow is dy / d rho = eps. A step is
``y_{i+1} = y_i + (rho_{i+1} - rho_i) u_i``, where u_i is made of a velocity v_i, an exponential
average of the noise predictions with the damping coefficient beta in (0, 1].
"""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

from theorytk._validation import check_choice, check_int, check_real
from theorytk.diffusion.plans import Eval, Instruction, Lin, Plan, check_times
from theorytk.diffusion.samplers._exponential import exponential_step
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.theory import adams_bashforth_differences, adams_bashforth_weights

__all__ = [
    "MOMENTUM_METHODS",
    "MomentumWeights",
    "ghvb",
    "ghvb_weights",
    "heavy_ball",
    "momentum_weights",
    "nesterov",
]

MOMENTUM_METHODS = ("hb", "ghvb", "nesterov")
"""The names of the methods: heavy ball, generalised heavy ball and Nesterov's variant."""

HIGHEST = 5


class MomentumWeights(NamedTuple):
    """The weights of a momentum method, newest first; eps_i is the noise prediction at node i.

    ``v_i = (1 - beta) v_{i-1} + beta sum_j inward_j eps_{i-j}`` and
    ``u_i = sum_j outward_j v_{i-j} + sum_j direct_j eps_{i-j}``.
    """

    inward: tuple[float, ...]
    outward: tuple[float, ...]
    direct: tuple[float, ...] = ()


def momentum_weights(method: str, order: int, damping: float) -> MomentumWeights:
    """Return the weights of a momentum method.

    Parameters
    ----------
    method : {"hb", "ghvb", "nesterov"}
        The method.
    order : int
        The number of terms of its Adams-Bashforth part, 1 to 5.
    damping : float
        The damping coefficient beta, in (0, 1]. At 1 all are the Adams-Bashforth method.

    Returns
    -------
    MomentumWeights

    References
    ----------
    Wizadwongsa et al. (ICLR 2024): HB, GHVB and Nesterov's variant.

    Examples
    --------
    >>> momentum_weights("hb", 2, 0.8)
    MomentumWeights(inward=(1.5, -0.5), outward=(1.0,), direct=())
    """
    check_choice("method", method, MOMENTUM_METHODS)
    order, damping = _check(order, damping)
    mean = adams_bashforth_weights(order)
    if method == "hb":
        return MomentumWeights(mean, (1.0,))
    if method == "nesterov":
        return MomentumWeights(mean, (1 - damping,), tuple(damping * w for w in mean))
    return MomentumWeights((1.0,), ghvb_weights(order, damping))


def ghvb_weights(order: int, damping: float) -> tuple[float, ...]:
    """Return the weights of the last velocities, newest first, of GHVB.

    They are those of ``sum_k a_k nabla^k / beta`` with ``a_k = beta gamma_k + (1 - beta)
    gamma_{k-1}``, where nabla is the backward difference and gamma are the coefficients of
    Adams-Bashforth: the series of ``(beta + (1 - beta) nabla) sum_k gamma_k nabla^k`` up to
    nabla^(order - 1), whose first factor undoes the velocity's average.

    Parameters
    ----------
    order : int
        The number r of terms, 1 to 5.
    damping : float
        The damping coefficient beta, in (0, 1].

    Returns
    -------
    tuple of float, length `order`
        They sum to 1.

    References
    ----------
    Wizadwongsa et al. (ICLR 2024) for the method; the generating function is derived here.

    Examples
    --------
    >>> [round(1.6 * w, 12) for w in ghvb_weights(2, 0.8)]
    [2.8, -1.2]
    """
    order, damping = _check(order, damping)
    gamma = (0.0, *adams_bashforth_differences(order))
    a = [damping * gamma[k + 1] + (1 - damping) * gamma[k] for k in range(order)]
    return tuple(
        (-1) ** j * sum(math.comb(k, j) * a[k] for k in range(j, order)) / damping
        for j in range(order)
    )


def heavy_ball(
    schedule: NoiseSchedule,
    times: Any,
    *,
    order: int = 2,
    damping: float = 0.8,
    bootstrap: int = 0,
) -> Plan:
    """Return the plan of HB: Adams-Bashforth steps averaged into a velocity.

    It is of first order for every damping below 1: the velocity lags behind by the mean age
    (1 - beta) / beta of what it averages. Its real limit of stability is (2 - beta) / beta times
    that of Adams-Bashforth.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing.
    order : int, default 2
        The number of Adams-Bashforth terms, 1 to 5; the first steps have fewer.
    damping : float, default 0.8
        The damping coefficient beta, in (0, 1].
    bootstrap : int
        The number b of steps whose exact states ``x0..xb`` the caller gives. The velocity starts
        as the average over the past of the polynomial through the b + 1 outputs there: with b = 0
        at the first output, as published.

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
        If there are fewer steps than `order`.

    References
    ----------
    Wizadwongsa et al., Diffusion Sampling with Momentum for Mitigating Divergence Artifacts
    (ICLR 2024). The start from several exact states is derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> heavy_ball(VPLinear(), [0.9, 0.5, 0.2, 0.05], order=2).n_evaluations
    3
    """
    return _momentum("hb", schedule, times, order, damping, bootstrap)


def ghvb(
    schedule: NoiseSchedule,
    times: Any,
    *,
    order: int = 2,
    damping: float = 0.8,
    bootstrap: int = 0,
) -> Plan:
    """Return the plan of GHVB, whose weights of the velocities undo their lag.

    Its order is `order` on a grid uniform in rho, from exact history; on others at most 2, as that
    of iPNDM, which it is at damping 1.

    Parameters
    ----------
    schedule, times, order, damping, bootstrap
        As for :func:`heavy_ball`; `order` is the number of velocities.

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
        If there are fewer steps than `order`.

    References
    ----------
    Wizadwongsa et al. (ICLR 2024), whose "order 2.8" is order=3, damping=0.8; weights as in
    :func:`ghvb_weights`. Its orders are derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> ghvb(VPLinear(), [0.9, 0.5, 0.2, 0.05], order=3, damping=0.5).n_evaluations
    3
    """
    return _momentum("ghvb", schedule, times, order, damping, bootstrap)


def nesterov(
    schedule: NoiseSchedule,
    times: Any,
    *,
    order: int = 2,
    damping: float = 0.8,
    bootstrap: int = 0,
) -> Plan:
    """Return the plan of Nesterov's variant, which averages twice: u = (1 - beta) v + beta AB.

    It is of first order for every damping below 1, with a lag of (1 - beta)^2 / beta.

    Parameters
    ----------
    schedule, times, order, damping, bootstrap
        As for :func:`heavy_ball`.

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
        If there are fewer steps than `order`.

    References
    ----------
    Wizadwongsa et al. (ICLR 2024), the released code; its lag is derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> nesterov(VPLinear(), [0.9, 0.5, 0.2, 0.05]).n_evaluations
    3
    """
    return _momentum("nesterov", schedule, times, order, damping, bootstrap)


def _momentum(
    method: str, schedule: NoiseSchedule, times: Any, order: int, damping: float, bootstrap: int
) -> Plan:
    """Return the plan of a method; ``v{i}`` is the velocity at node i."""
    grid = check_times(schedule, times)
    n_steps = len(grid) - 1
    order, damping = _check(order, damping)
    first = check_int("bootstrap", bootstrap, lower=0, upper=n_steps - 1)
    if n_steps < order:
        warnings.warn(f"{n_steps} steps never reach order {order}", UserWarning, stacklevel=3)
    by_terms = [momentum_weights(method, k, damping) for k in range(1, order + 1)]
    steps: list[Instruction] = []
    for i in range(n_steps):
        steps.append(Eval(f"m{i}", f"x{i}", float(grid[i])))
        if i == first:
            steps += _velocities(by_terms, damping, first)
        weights = by_terms[min(order, i + 1) - 1]
        if i > first:
            steps.append(_velocity(i, weights, damping))
        if i >= first:
            step = exponential_step(schedule, float(grid[i]), float(grid[i + 1]), "noise")
            used = [*_terms("v", i, weights.outward), *_terms("m", i, weights.direct)]
            row = [math.expm1(step.h) * w for w, _ in used]
            steps.append(step.lin(f"x{i + 1}", f"x{i}", row, [name for _, name in used]))
    return Plan(
        method=f"{method}{order} (damping {damping:g})",
        schedule=schedule,
        times=grid,
        instructions=tuple(steps),
        inputs=tuple(f"x{i}" for i in range(first + 1)),
        output=f"x{n_steps}",
    )


def _velocities(by_terms: list[MomentumWeights], damping: float, last: int) -> list[Instruction]:
    """Return the velocities at the nodes 0 to last, whose outputs are known.

    With the forward difference Delta the average over the past of a polynomial of degree `last`,
    ``(1 + Delta) / (1 + Delta / beta)``, is a finite series.
    """
    series = [1.0, *((1 - damping) * (-1 / damping) ** k for k in range(1, last + 1))]
    start = [
        (sum((-1) ** (k - j) * math.comb(k, j) * series[k] for k in range(j, last + 1)), f"m{j}")
        for j in range(last + 1)
    ]
    later = (
        _velocity(i, by_terms[min(len(by_terms), i + 1) - 1], damping) for i in range(1, last + 1)
    )
    return [Lin("v0", tuple(start)), *later]


def _velocity(i: int, weights: MomentumWeights, damping: float) -> Lin:
    """Return the step of the velocity to node i."""
    terms = [(damping * w, name) for w, name in _terms("m", i, weights.inward)]
    return Lin(f"v{i}", (*([(1 - damping, f"v{i - 1}")] if damping < 1 else []), *terms))


def _terms(kind: str, i: int, weights: tuple[float, ...]) -> list[tuple[float, str]]:
    return [(w, f"{kind}{i - j}") for j, w in enumerate(weights)]


def _check(order: int, damping: float) -> tuple[int, float]:
    order = check_int("order", order, lower=1, upper=HIGHEST)
    return order, check_real("damping", damping, lower=0, lower_open=True, upper=1)
