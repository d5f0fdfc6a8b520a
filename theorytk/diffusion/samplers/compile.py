"""Samplers by the names that the field gives them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from theorytk._validation import check_choice, nearest
from theorytk.diffusion.plans import Plan, check_times
from theorytk.diffusion.samplers.deis import VARIABLES, deis, ipndm
from theorytk.diffusion.samplers.momentum import ghvb, heavy_ball, nesterov
from theorytk.diffusion.samplers.multistep import ddim, multistep
from theorytk.diffusion.samplers.runge_kutta import TABLEAUX, rho_runge_kutta
from theorytk.diffusion.samplers.singlestep import fast_orders, singlestep
from theorytk.diffusion.samplers.stochastic import sde_multistep
from theorytk.diffusion.samplers.unipc import unip, unipc
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["METHODS", "SDE_METHODS", "compile_plan"]


def compile_plan(schedule: NoiseSchedule, times: Any, method: str, **options: Any) -> Plan:
    """Return the plan of a method given by its name.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing. ``"dpm_fast"`` takes the inner times of its steps from it too,
        so that n_steps evaluations are made.
    method : str
        A name in :data:`METHODS` or :data:`SDE_METHODS`.
    **options
        The keyword arguments of the method's function that its name leaves open.

    Returns
    -------
    Plan

    Raises
    ------
    TypeError
        If the method lacks such an option, or needs one that is not given.
    ValueError
        If no method has this name, or an argument is out of range.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> compile_plan(VPLinear(), [0.9, 0.5, 0.2, 0.05], "unipc", order=2).n_evaluations
    3
    """
    methods = METHODS | SDE_METHODS
    function = methods[check_choice("method", method, methods)]
    open_parameters = _open_parameters(function)
    for name in options:
        if name not in open_parameters:
            accepted = ", ".join(open_parameters) or "none"
            raise TypeError(
                f"method {method!r} has no option {name!r}; accepted: {accepted}"
                f"{nearest(name, open_parameters)}"
            )
    for name, parameter in open_parameters.items():
        if parameter.default is parameter.empty and name not in options:
            raise TypeError(f"method {method!r} needs the option {name!r}")
    return function(schedule, times, **options)


def _open_parameters(function: Callable[..., Plan]) -> dict[str, inspect.Parameter]:
    """Return the keyword-only parameters that a method's name does not fix."""
    fixed = function.keywords if isinstance(function, partial) else {}
    parameters = inspect.signature(function).parameters.items()
    return {n: p for n, p in parameters if p.kind is p.KEYWORD_ONLY and n not in fixed}


def _second_order(
    schedule: NoiseSchedule,
    times: Any,
    *,
    output: str,
    variant: str = "midpoint",
    lower_order_final: bool | str = False,
    bootstrap: int = 0,
) -> Plan:
    """Return the multistep method of order 2, by default the published 2M."""
    return multistep(
        schedule,
        times,
        order=2,
        output=output,
        variant=variant,
        lower_order_final=lower_order_final,
        bootstrap=bootstrap,
    )


def _fast(
    schedule: NoiseSchedule, times: Any, *, output: str = "noise", variant: str = "published"
) -> Plan:
    """Return DPM-Solver-fast; the grid holds the inner times of its steps too."""
    grid = check_times(schedule, times)
    orders = fast_orders(len(grid) - 1, 3)
    return singlestep(schedule, grid, orders=orders, output=output, variant=variant)


METHODS: dict[str, Callable[..., Plan]] = {
    "ddim": ddim,
    "dpm_2m": partial(_second_order, output="noise"),
    "dpm_3m": partial(multistep, order=3, output="noise"),
    "dpmpp_2m": partial(_second_order, output="data"),
    "dpmpp_3m": partial(multistep, order=3, output="data"),
    "dpm_2s": partial(singlestep, orders=2, output="noise"),
    "dpm_3s": partial(singlestep, orders=3, output="noise"),
    "dpmpp_2s": partial(singlestep, orders=2, output="data"),
    "dpmpp_3s": partial(singlestep, orders=3, output="data"),
    "dpm_fast": _fast,
    **{
        f"deis_{name}{degree}": partial(deis, degree=degree, variable=variable)
        for variable, name in VARIABLES.items()
        for degree in range(4)
    },
    **{f"deis_rhork_{name}": partial(rho_runge_kutta, tableau=name) for name in TABLEAUX},
    "ipndm": ipndm,
    "hb": heavy_ball,
    "ghvb": ghvb,
    "nesterov": nesterov,
    "unip": unip,
    "unipc": unipc,
    "euler": partial(rho_runge_kutta, tableau="euler"),
    "heun": partial(rho_runge_kutta, tableau="heun"),
}
"""The function of each method, ``f(schedule, times, **options) -> Plan``.

The third-order multistep methods are the consistent ones; ``variant="published"`` gives the
released, which are of second order.
"""

SDE_METHODS: dict[str, Callable[..., Plan]] = {
    "sde_dpm": partial(sde_multistep, output="noise"),
    "sde_dpmpp": partial(sde_multistep, output="data"),
}
"""The methods that draw noise, called as those of :data:`METHODS`; the option `order` is needed.

They follow the reverse diffusion: their results have its law, but are no function of the start.
"""
