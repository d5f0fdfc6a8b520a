"""What is proven of diffusion samplers: orders and laws on Gaussians."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from theorytk._validation import check_array, check_choice, check_int, check_real
from theorytk.diffusion.plans import Eval, Lin, Noise, Ones, Plan
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.targets import GaussianTarget

__all__ = [
    "FIXED_ORDERS",
    "Moments",
    "adams_bashforth_differences",
    "adams_bashforth_weights",
    "ddim_factor",
    "expected_order",
    "flow_factor",
    "propagate_gaussian",
]

Array = np.ndarray

FIXED_ORDERS = {
    "ddim": 1,
    "dpm_2m": 2,
    "dpm_2s": 2,
    "dpm_3s": 3,
    "dpmpp_2m": 2,
    "dpmpp_2s": 2,
    "dpmpp_3s": 3,
    **{f"deis_{variable}{r}": r + 1 for variable in ("tab", "rhoab", "logrho") for r in range(4)},
    "deis_rhork_euler": 1,
    "deis_rhork_heun": 2,
    "deis_rhork_kutta3": 3,
    "deis_rhork_ralston3": 3,
    "deis_rhork_heun3": 3,
    "deis_rhork_houwen3": 3,
    "deis_rhork_ssprk3": 3,
    "deis_rhork_rk4": 4,
    "euler": 1,
    "heun": 2,
}
"""The methods whose order no option changes but ``lower_order_final``."""


class Moments(NamedTuple):
    """The mean (d,) and the covariance (d, d) of a law."""

    mean: Array
    covariance: Array


def flow_factor(schedule: NoiseSchedule, start: float, end: float, variance: Any) -> Array:
    """Return the exact factor on x - alpha m from time `start` to `end`, data N(m, variance).

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    start, end : float
        Two times.
    variance : array_like
        Variances of the data, >= 0.

    Returns
    -------
    ndarray
        The root of V_end / V_start with V = alpha^2 variance + sigma^2, of the shape of
        `variance`.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> float(flow_factor(VPLinear(), 0.9, 0.1, 1.0))
    1.0
    """
    before, after = (_variance(schedule, t, variance) for t in (start, end))
    factor: Array = np.sqrt(after / before)
    return factor


def ddim_factor(schedule: NoiseSchedule, start: float, end: float, variance: Any) -> Array:
    """Return the factor of one DDIM step on x - alpha m, data N(m, variance).

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    start, end : float
        The two times of the step.
    variance : array_like
        Variances of the data, >= 0.

    Returns
    -------
    ndarray
        The factor sigma_t / sigma_s + alpha_t (1 - exp(-h)) alpha_s variance / V_s of the step
        from s to t, of length h in lambda, V = alpha^2 variance + sigma^2; of the shape of
        `variance`.

    References
    ----------
    Derived here from DDIM's step in data prediction.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> schedule = VPLinear()
    >>> exact = flow_factor(schedule, 0.5, 0.499, 0.2)
    >>> bool(abs(ddim_factor(schedule, 0.5, 0.499, 0.2) - exact) < 1e-5)
    True
    """
    h = float(schedule.lam(end) - schedule.lam(start))
    gain = -math.expm1(-h) * schedule.alpha(end) * schedule.alpha(start)
    spread = check_array("variance", variance) / _variance(schedule, start, variance)
    factor: Array = schedule.sigma(end) / schedule.sigma(start) + gain * spread
    return factor


def expected_order(
    method: str,
    *,
    order: int | None = None,
    variant: str = "consistent",
    damping: float = 0.8,
    lower_order_final: bool = False,
) -> int:
    """Return the order of convergence of a method on a grid uniform in lambda.

    Multistep methods are meant with exact history at their start.

    Parameters
    ----------
    method : str
        A name in :data:`theorytk.diffusion.samplers.METHODS`, except ``"dpm_fast"``, whose mix of
        orders, and with it the error, depends on n_steps modulo 3.
    order : int, optional
        The option of ``"ipndm"`` (default 4), of ``"hb"``, ``"ghvb"`` and ``"nesterov"``
        (default 2), and of ``"unip"`` and ``"unipc"``, >= 1.
    variant : str, default "consistent"
        The option of ``"dpm_3m"`` and ``"dpmpp_3m"``: ``"published"`` has half the weight of the
        second derivative, and order 2.
    damping : float, default 0.8
        The option of ``"hb"``, ``"ghvb"`` and ``"nesterov"``, in (0, 1]: momentum leaves order 1,
        but for GHVB.
    lower_order_final : bool, default False
        Whether the last step is of first order. It errs by O(h^2), so that no order is above 2.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the method is not known, or needs `order`.

    References
    ----------
    C. Lu et al., arXiv:2206.00927 and arXiv:2211.01095; Q. Zhang and Y. Chen, arXiv:2204.13902;
    W. Zhao et al., arXiv:2302.04867 for UniP-p (order p) and UniPC-p (p + 1); S. Wizadwongsa et
    al., arXiv:2307.11118, for order 1 of heavy ball. Derived here: order 2 of the published
    third-order multistep methods, and of iPNDM and GHVB, whose weights are those of an unweighted
    mean, while the integral carries d rho; order 1 of Nesterov's variant.

    Examples
    --------
    >>> expected_order("unipc", order=3), expected_order("dpm_3m", variant="published")
    (4, 2)
    """
    if method in ("unip", "unipc"):
        value = check_int("order", order, lower=1) + (method == "unipc")
    elif method == "ipndm":
        value = min(2, check_int("order", 4 if order is None else order, lower=1))
    elif method in ("hb", "ghvb", "nesterov"):
        damping = check_real("damping", damping, lower=0, lower_open=True, upper=1)
        value = min(2, check_int("order", 2 if order is None else order, lower=1))
        value = 1 if damping < 1 and method != "ghvb" else value
    elif method in ("dpm_3m", "dpmpp_3m"):
        published = check_choice("variant", variant, ("consistent", "published")) == "published"
        value = 2 if published else 3
    else:
        others = ("dpm_3m", "dpmpp_3m", "ghvb", "hb", "ipndm", "nesterov", "unip", "unipc")
        names = (*FIXED_ORDERS, *others)
        value = FIXED_ORDERS[check_choice("method", method, names)]
    return min(value, 2) if lower_order_final else value


def adams_bashforth_weights(order: int) -> tuple[float, ...]:
    """Return the weights of the last outputs, newest first, of the Adams-Bashforth method.

    A consistent multistep sampler's weights, over the sum that they share, tend to these on a
    grid uniform in lambda as its steps tend to 0.

    Parameters
    ----------
    order : int
        From 1 to 12.

    Returns
    -------
    tuple of float, length `order`
        They sum to 1.

    References
    ----------
    E. Hairer, S. P. Norsett and G. Wanner, Solving Ordinary Differential Equations I, III.1:
    the weights of backward differences, gamma_j = 1 - sum_{i < j} gamma_i / (j + 1 - i).

    Examples
    --------
    >>> [round(12 * w, 12) for w in adams_bashforth_weights(3)]
    [23.0, -16.0, 5.0]
    """
    order = check_int("order", order, lower=1, upper=12)
    gamma = _adams_bashforth_gamma(order)
    weights = [
        (-1) ** k * sum(math.comb(j, k) * gamma[j] for j in range(k, order)) for k in range(order)
    ]
    return tuple(float(w) for w in weights)


def adams_bashforth_differences(order: int) -> tuple[float, ...]:
    """Return the coefficients gamma_k of the backward differences in Adams-Bashforth's mean.

    Parameters
    ----------
    order : int
        Their number, from 1 to 12.

    Returns
    -------
    tuple of float, length `order`
        1, 1/2, 5/12, 3/8, 251/720, ...

    References
    ----------
    As for :func:`adams_bashforth_weights`.

    Examples
    --------
    >>> [round(24 * g, 12) for g in adams_bashforth_differences(4)]
    [24.0, 12.0, 10.0, 9.0]
    """
    order = check_int("order", order, lower=1, upper=12)
    return tuple(float(g) for g in _adams_bashforth_gamma(order))


def propagate_gaussian(plan: Plan, target: GaussianTarget, *, start: str = "exact") -> Moments:
    """Return the exact mean and covariance of a plan's result on a Gaussian target.

    The model is linear, so every register is an affine function of the first state and of the
    plan's noises, one coefficient per eigen-direction of the covariance.

    Parameters
    ----------
    plan : Plan
        The sampler. Where its inputs are several states, they are those of the exact flow
        through the first.
    target : GaussianTarget
        The law of the data.
    start : {"exact", "prior"}
        The law of the first state: the target's at that time, or N(0, sigma^2 I), from which
        one starts in practice.

    Returns
    -------
    Moments
        For :func:`theorytk.diffusion.metrics.gaussian_kl` and its neighbours.

    Raises
    ------
    ValueError
        If the plan has coefficients per coordinate and the covariance is not diagonal.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> from theorytk.diffusion.samplers.multistep import ddim
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> target = GaussianTarget([1.0], 0.5)
    >>> law = propagate_gaussian(ddim(VPLinear(), [0.9, 0.5, 0.1]), target)
    >>> law.mean == target.moments(float(VPLinear().alpha(0.1)))[0]
    array([ True])
    """
    if not isinstance(target, GaussianTarget):
        raise TypeError(f"target must be a GaussianTarget; got {target!r}")
    start = check_choice("start", start, ("exact", "prior"))
    variances, vectors = target.directions()
    mean = target.law.means[0] @ vectors
    noises = [step.target for step in plan.instructions if isinstance(step, Noise)]
    # Rows of a register: its mean, then its factors on the centred first state and on the noises.
    zero = np.zeros((2 + len(noises), len(mean)))
    registers = {
        name: _first(plan, t, mean, variances, start, zero)
        for name, t in zip(plan.inputs, plan.times, strict=False)
    }
    for step in plan.instructions:
        if isinstance(step, Eval):
            value = _predict(registers[step.source], plan.schedule, step, mean, variances)
        elif isinstance(step, Lin):
            value = _combined(step, registers, vectors)
        elif isinstance(step, Ones):
            value = zero.copy()
            value[0] = vectors.sum(axis=0)
        else:
            value = zero.copy()
            value[2 + noises.index(step.target)] = 1.0
        registers[step.target] = value
    result = registers[plan.output]
    spreads = np.ones_like(result[1:])
    spreads[0] = _first_variance(plan, variances, start)
    return Moments(vectors @ result[0], (vectors * (spreads * result[1:] ** 2).sum(0)) @ vectors.T)


def _combined(step: Lin, registers: dict[str, Array], vectors: Array) -> Array:
    """Return the linear combination of registers."""
    by_coordinate = any(isinstance(c, np.ndarray) for c, _ in step.terms)
    if by_coordinate and (vectors != np.eye(len(vectors))).any():
        raise ValueError(
            "target must have a diagonal covariance: the plan has coefficients per coordinate"
        )
    value: Array = np.sum([c * registers[name] for c, name in step.terms], axis=0)
    return value


def _first_variance(plan: Plan, variances: Array, start: str) -> Array:
    return _variance(plan.schedule, plan.times[0], variances if start == "exact" else 0 * variances)


def _first(plan: Plan, t: float, mean: Array, variances: Array, start: str, zero: Array) -> Array:
    """Return the register of the exact state at time t as a function of the first state."""
    alpha_0, alpha_t = plan.schedule.alpha(plan.times[0]), plan.schedule.alpha(t)
    factor = flow_factor(plan.schedule, plan.times[0], t, variances)
    value = zero.copy()
    value[0] = alpha_t * mean - (0.0 if start == "exact" else factor * alpha_0 * mean)
    value[1] = factor
    return value


def _predict(
    register: Array, schedule: NoiseSchedule, step: Eval, mean: Array, variances: Array
) -> Array:
    """Return the register of the exact prediction at a register."""
    alpha, sigma = float(schedule.alpha(step.t)), float(schedule.sigma(step.t))
    centred = register.copy()
    centred[0] -= alpha * mean
    centred /= alpha**2 * variances + sigma**2
    if step.output == "noise":
        return sigma * centred
    value: Array = alpha * variances * centred
    value[0] += mean
    return value


def _variance(schedule: NoiseSchedule, t: float, variance: Any) -> Array:
    """Return alpha^2 variance + sigma^2 at time t."""
    value: Array = (
        schedule.alpha(t) ** 2 * check_array("variance", variance) + schedule.sigma(t) ** 2
    )
    return value


def _adams_bashforth_gamma(order: int) -> list[Fraction]:
    gamma: list[Fraction] = []
    for j in range(order):
        gamma.append(Fraction(1) - sum(g / (j + 1 - i) for i, g in enumerate(gamma)))
    return gamma
