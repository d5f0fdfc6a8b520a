"""The frozen-rate test equation dz / d lambda = -kappa z, z = x / alpha, of exponential solvers.

Noise prediction sees ``eps = kappa x / sigma`` and data prediction ``(1 - kappa) x / alpha``. On
steps of one length h in lambda every sampler is then a fixed linear recurrence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from theorytk._validation import check_choice, check_int, check_real
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.models import OUTPUTS
from theorytk.diffusion.phi import phi_moment
from theorytk.diffusion.plans import Eval, Lin, Plan
from theorytk.diffusion.samplers.compile import METHODS, compile_plan
from theorytk.diffusion.samplers.multistep import VARIANTS
from theorytk.diffusion.schedules import VESchedule
from theorytk.diffusion.stability import STABILITY_METHODS
from theorytk.diffusion.theory import adams_bashforth_differences

__all__ = [
    "FROZEN_RATE_METHODS",
    "frozen_rate_growth",
    "frozen_rate_limit",
    "frozen_rate_root_limit",
    "momentum_rate_limit",
    "multistep_rate_limit",
]

Array = np.ndarray

FROZEN_RATE_METHODS = ("ddim", "dpm_2m", "dpmpp_2m")
"""Methods whose limit :func:`frozen_rate_limit` knows."""

N_STEPS, CUT = 16, 8  # the recurrence is that of step CUT, far from the start and the end


def frozen_rate_limit(method: str, h: float) -> float:
    """Return the largest rate kappa at which a sampler's steps of length h are stable.

    The test equation is dz/dlambda = -kappa z for z = x / alpha and real kappa: noise prediction
    treats kappa explicitly, data prediction treats 1 exactly and the rest explicitly. A guided
    pair of Gaussians of different widths has about kappa = guidance scale. At order 2, data
    prediction is the more stable by the factor (9 - q^2) / 8, which lies between 1 and 9/8.

    Parameters
    ----------
    method : {"ddim", "dpm_2m", "dpmpp_2m"}
        DDIM, or the two-step DPM-Solver in noise or in data prediction (as published).
    h : float
        The step in lambda, > 0; the grid is uniform in it.

    Returns
    -------
    float
        2 / (1 - q), 4 / ((1 - q)(3 + q)) or (3 - q) / (2 (1 - q)), with q = exp(-h).

    References
    ----------
    Derived here: the root that leaves the unit disc first is -1.

    Examples
    --------
    >>> round(frozen_rate_limit("dpm_2m", 1.2), 3), round(frozen_rate_limit("dpmpp_2m", 1.2), 3)
    (1.734, 1.931)
    """
    method = check_choice("method", method, FROZEN_RATE_METHODS)
    h = check_real("h", h, lower=0, lower_open=True)
    q, step = math.exp(-h), -math.expm1(-h)
    limits = {"ddim": 2 / step, "dpm_2m": 4 / (step * (3 + q)), "dpmpp_2m": (3 - q) / (2 * step)}
    return limits[method]


def multistep_rate_limit(
    h: float, *, order: int, output: str = "data", variant: str = "consistent"
) -> float:
    """Return the rate kappa at which a root of a multistep sampler is -1.

    With q = exp(-h) and G_k the moments of the backward differences, ``G_0 = M_0``,
    ``G_1 = M_1``, ``G_2 = (M_1 + M_2) / 2`` (M_k as in
    :func:`~theorytk.diffusion.phi.phi_moment`, or as the variant has them), it is
    ``2 / (q sum_k G_k (1 + q)^k)`` for noise and ``1 + (1 + q) / sum_k G_k 2^k`` for data
    prediction: the largest stable real rate.

    Parameters
    ----------
    h : float
        The step in lambda, > 0; the grid is uniform in it.
    order : int
        The number of outputs, 1 to 3.
    output : {"data", "noise"}
        The prediction that is interpolated.
    variant : {"consistent", "midpoint", "published"}
        As for :func:`~theorytk.diffusion.samplers.multistep.multistep`.

    Returns
    -------
    float

    References
    ----------
    Derived here; :func:`frozen_rate_limit` has the closed forms of orders 1 and 2. That no other
    root leaves the disc before is proved for order 2 and checked for order 3.

    Examples
    --------
    >>> round(multistep_rate_limit(1.2, order=3, output="noise"), 3)
    1.385
    """
    h = check_real("h", h, lower=0, lower_open=True)
    order = check_int("order", order, lower=1, upper=3)
    check_choice("output", output, OUTPUTS)
    check_choice("variant", variant, VARIANTS)
    moments = [phi_moment(k, h, output) for k in range(3)]
    if variant != "consistent" and order == 2:
        moments[1] = moments[0] / 2
    if variant == "published":
        moments[2] /= 2
    differences = (moments[0], moments[1], (moments[1] + moments[2]) / 2)[:order]
    q = math.exp(-h)
    if output == "noise":
        return float(2 / (q * sum(g * (1 + q) ** k for k, g in enumerate(differences))))
    return float(1 + (1 + q) / sum(g * 2**k for k, g in enumerate(differences)))


def momentum_rate_limit(method: str, h: float, *, order: int, damping: float = 1.0) -> float:
    """Return the rate kappa at which a root of a momentum sampler is -1.

    With q = exp(-h) it is ``2 / ((1 - q) sum_{k<r} gamma_k (1 + q)^k)`` for iPNDM ("ab"), times
    ``(1 + (1 - beta) q) / beta`` for HB. GHVB has ``a_k / beta`` of
    :func:`~theorytk.diffusion.samplers.momentum.ghvb_weights` in the place of gamma_k; Nesterov's
    variant divides that of HB by ``1 + (1 - beta)(1 + q)``. As h tends to 0, h kappa tends to
    minus :func:`~theorytk.diffusion.stability.real_limit`.

    Parameters
    ----------
    method : {"ab", "hb", "ghvb", "nesterov"}
        iPNDM, or a momentum method.
    h : float
        The step in lambda, > 0; the grid is uniform in it.
    order : int
        The number r of terms, 1 to 4.
    damping : float, default 1
        The damping coefficient beta, in (0, 1].

    Returns
    -------
    float

    References
    ----------
    Derived here: the outputs of earlier nodes are smaller by q per step, so that the backward
    difference of the root -1 is 1 + q in the place of 2.

    Examples
    --------
    >>> [round(momentum_rate_limit("ab", 1.2, order=r), 3) for r in (1, 2, 4)]
    [2.862, 1.734, 0.899]
    """
    method = check_choice("method", method, STABILITY_METHODS)
    h = check_real("h", h, lower=0, lower_open=True)
    order = check_int("order", order, lower=1, upper=4)
    beta = check_real("damping", damping, lower=0, lower_open=True, upper=1)
    beta = 1.0 if method == "ab" else beta
    q = math.exp(-h)
    gamma = adams_bashforth_differences(order)
    total = sum(g * (1 + q) ** k for k, g in enumerate(gamma))
    if method == "ghvb":
        total += (1 - beta) / beta * sum(g * (1 + q) ** (k + 1) for k, g in enumerate(gamma[:-1]))
    if method == "nesterov":
        total *= 1 + (1 - beta) * (1 + q)
    return float(2 * (1 + (1 - beta) * q) / (-math.expm1(-h) * beta * total))


def frozen_rate_growth(
    sampler: str | Callable[..., Plan], h: float, kappa: Any, **options: Any
) -> Array:
    """Return by how much a sampler's slowest mode grows in a step, at frozen rates.

    The recurrence is read off the plan: one step maps the registers that are still needed at a
    node to those at the next. States keep their size; what is made of noise predictions alone
    grows by exp(h) from node to node, which is divided out.

    Parameters
    ----------
    sampler : str or function
        A name in :data:`theorytk.diffusion.samplers.METHODS`, or a function
        ``f(schedule, times, **options) -> Plan`` whose steps are alike on a uniform grid.
    h : float
        The step in lambda, in (0, 40].
    kappa : array_like of complex
        The rates.
    **options
        Passed to the function of the sampler.

    Returns
    -------
    ndarray of float, of the shape of `kappa`
        The spectral radius: below 1 the sampler is stable.

    Raises
    ------
    ValueError
        If the plan's steps are not alike.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> growth = frozen_rate_growth("ddim", 1.2, [2.0, 3.0])
    >>> growth.round(3)
    array([0.398, 1.096])
    """
    rates = np.asarray(kappa, dtype=complex)
    if not np.isfinite(rates).all():
        raise ValueError("kappa must be finite; got a value that is not")
    plan = _uniform_plan(sampler, h, options)
    return _spectral_radius(plan, h, rates.ravel()).reshape(rates.shape)


def frozen_rate_root_limit(sampler: str | Callable[..., Plan], h: float, **options: Any) -> float:
    """Return the largest real rate up to which a sampler is stable, by following its roots.

    Parameters
    ----------
    sampler, h, **options
        As for :func:`frozen_rate_growth`.

    Returns
    -------
    float
        The end of the stable interval that holds 0.1; 0 if the sampler is unstable there, and
        infinity if it is stable up to 1e5.

    References
    ----------
    Derived here: steps of 2%, then bisection.

    Examples
    --------
    >>> limit = frozen_rate_root_limit("dpmpp_2m", 1.2)
    >>> abs(limit / frozen_rate_limit("dpmpp_2m", 1.2) - 1) < 1e-12
    True
    """
    plan = _uniform_plan(sampler, h, options)
    inside, outside = _first_growth(plan, h, np.geomspace(0.1, 1e5, 700))
    while math.isfinite(outside) and outside - inside > 1e-13 * outside:
        inside, outside = _first_growth(plan, h, np.linspace(inside, outside, 32)[:-1], outside)
    return outside


def _uniform_plan(sampler: str | Callable[..., Plan], h: float, options: dict[str, Any]) -> Plan:
    """Return a sampler's plan on steps of length h, with sigma = 1 at the node CUT."""
    h = check_real("h", h, lower=0, lower_open=True, upper=40)
    schedule = VESchedule(math.exp((CUT - N_STEPS) * h), math.exp(CUT * h))
    times = time_grid(schedule, "logsnr", N_STEPS)
    if isinstance(sampler, str):
        check_choice("sampler", sampler, METHODS)
        return compile_plan(schedule, times, sampler, **options)
    return sampler(schedule, times, **options)


def _first_growth(plan: Plan, h: float, rates: Array, end: float = math.inf) -> tuple[float, float]:
    """Return the first rate that grows, `end` if none does, and its neighbour; (0, 0) at once."""
    for block in np.array_split(rates, max(len(rates) // 50, 1)):
        growing = np.flatnonzero(_spectral_radius(plan, h, block) >= 1)
        if growing.size:
            first = int(np.searchsorted(rates, block[growing[0]]))
            return (float(rates[first - 1]), float(rates[first])) if first else (0.0, 0.0)
    return float(rates[-1]), end


def _spectral_radius(plan: Plan, h: float, rates: Array) -> Array:
    """Return the spectral radius of the plan's step from node CUT, where sigma = 1."""
    noisy = _noise_registers(plan)
    targets = [step.target for step in plan.instructions]
    start, end = (targets.index(f"x{i}") + 1 for i in (CUT, CUT + 1))
    before, after = (_needed(plan, position) for position in (start, end))
    if [name in noisy for name in before] != [name in noisy for name in after]:
        raise ValueError("the plan's steps must be alike; registers differ from node to node")
    basis = np.eye(len(before), dtype=complex)
    values = {name: np.tile(row, (len(rates), 1)) for name, row in zip(before, basis, strict=True)}
    for step in plan.instructions[start:end]:
        if isinstance(step, Eval):
            sigma = float(plan.schedule.sigma(step.t))
            factor = rates / sigma if step.output == "noise" else 1 - rates
            values[step.target] = factor[:, None] * values[step.source]
        elif isinstance(step, Lin):
            values[step.target] = sum(
                (c * values[name] for c, name in step.terms[1:]),
                step.terms[0][0] * values[step.terms[0][1]],
            )
        else:
            raise ValueError("sampler must draw no noise; its plan has a Noise instruction")
    shrink = [math.exp(-h) if name in noisy else 1.0 for name in after]
    matrix = np.stack([c * values[name] for c, name in zip(shrink, after, strict=True)], axis=1)
    radius: Array = np.abs(np.linalg.eigvals(matrix)).max(axis=1)
    return radius


def _noise_registers(plan: Plan) -> set[str]:
    """Return the registers that are noise predictions or made of them alone."""
    noisy: set[str] = set()
    for step in plan.instructions:
        if isinstance(step, Eval):
            is_noise = step.output == "noise"
        else:
            is_noise = all(name in noisy for name in step.sources)
        if is_noise:
            noisy.add(step.target)
    return noisy


def _needed(plan: Plan, position: int) -> list[str]:
    """Return the registers assigned before an instruction and read by it or later ones."""
    later = {name for step in plan.instructions[position:] for name in step.sources}
    earlier = [*plan.inputs, *(step.target for step in plan.instructions[:position])]
    return [name for name in earlier if name in later]
