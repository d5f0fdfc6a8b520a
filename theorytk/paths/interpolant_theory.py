"""What is proven about stochastic interpolants: likelihood bounds, end points, Euler-Maruyama.

A loss L[f] is the mean of |f|^2 / 2 - f.y, so that its excess over the least is E |error|^2 / 2,
integrated over t; KL is KL(rho(1) | rho^(1)) of the true law and of what a learnt field generates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from theorytk._validation import check_choice, check_int, check_real
from theorytk.paths.generate import diffusion, steps
from theorytk.paths.mixtures import MixtureInterpolant

__all__ = [
    "endpoint_velocity",
    "euler_maruyama_moments",
    "kl_bound",
    "kl_bound_from_drift",
    "kl_bound_from_mean_velocity",
    "optimal_epsilon",
]

Array = np.ndarray


def kl_bound_from_drift(mean_square_error: float, epsilon: float) -> float:
    """Return the bound KL <= E |b_F^ - b_F|^2 / (4 epsilon) for the forward diffusion.

    Parameters
    ----------
    mean_square_error : float
        The integral over t of E |b_F^ - b_F|^2 at x_t, for the drifts b + epsilon s.
    epsilon : float
        The diffusion coefficient, > 0.

    Returns
    -------
    float

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), (2.42): with g = grad log(rho / rho^) and u
    the error, dKL/dt = -E u.g - epsilon E |g|^2 <= E |u|^2 / (4 epsilon).

    Examples
    --------
    >>> kl_bound_from_drift(1.0, 0.5)
    0.5
    """
    error = _excess("mean_square_error", mean_square_error)
    return error / (4 * _positive("epsilon", epsilon))


def kl_bound(
    excess_velocity: float, excess_score: float, epsilon: float, *, form: str = "corrected"
) -> float:
    """Return the bound of KL by the excess losses of velocity and score.

    It is excess_b / epsilon + epsilon excess_s. The printed theorem has half of this, which is
    false: its proof bounds KL by E |b^ - b|^2 / (2 epsilon) + epsilon E |s^ - s|^2 / 2, and takes
    each mean for the excess of a loss, which is half of it. `tight_gaussian` exceeds the printed
    bound and attains the corrected one asymptotically.

    Parameters
    ----------
    excess_velocity, excess_score : float
        The excesses L_b[b^] - min L_b and L_s[s^] - min L_s, >= 0.
    epsilon : float
        The diffusion coefficient, > 0.
    form : {"corrected", "printed"}
        Which constants.

    Returns
    -------
    float

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), theorem on likelihood control, (2.45), with the
    losses (2.13), (2.16); the factor 2 is derived here, from |u + v|^2 <= 2 |u|^2 + 2 |v|^2 in
    `kl_bound_from_drift`.

    Examples
    --------
    >>> kl_bound(1.0, 1.0, 0.5), kl_bound(1.0, 1.0, 0.5, form="printed")
    (2.5, 1.25)
    """
    factor = {"corrected": 1.0, "printed": 0.5}[
        check_choice("form", form, ("corrected", "printed"))
    ]
    b = _excess("excess_velocity", excess_velocity)
    s = _excess("excess_score", excess_score)
    epsilon = _positive("epsilon", epsilon)
    return factor * (b / epsilon + epsilon * s)


def kl_bound_from_mean_velocity(
    excess_mean_velocity: float, excess_score: float, epsilon: float, largest_gap: float
) -> float:
    """Return the bound of KL by the excess losses of mean velocity v and score.

    It is (excess_v + largest_gap^2 excess_s) / epsilon, with the generated velocity
    b^ = v^ - gamma gamma' s^.

    Parameters
    ----------
    excess_mean_velocity, excess_score : float
        The excesses L_v[v^] - min L_v and L_s[s^] - min L_s, >= 0.
    epsilon : float
        The diffusion coefficient, > 0.
    largest_gap : float
        The supremum over t of |gamma gamma' - epsilon|, >= 0.

    Returns
    -------
    float

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), companion of (2.45), which has half of this: the same
    correction as in `kl_bound`, derived here from
    b_F^ - b_F = (v^ - v) + (epsilon - gamma gamma') (s^ - s).

    Examples
    --------
    >>> kl_bound_from_mean_velocity(1.0, 1.0, 0.5, 1.0)
    4.0
    """
    v = _excess("excess_mean_velocity", excess_mean_velocity)
    s = _excess("excess_score", excess_score)
    gap = check_real("largest_gap", largest_gap, lower=0.0)
    return (v + gap**2 * s) / _positive("epsilon", epsilon)


def optimal_epsilon(excess_velocity: float, excess_score: float) -> float:
    """Return the diffusion sqrt(excess_b / excess_s) at which `kl_bound` is least.

    Parameters
    ----------
    excess_velocity, excess_score : float
        The excess losses, > 0.

    Returns
    -------
    float

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), (2.49); the factor 2 of the bound does not matter.

    Examples
    --------
    >>> optimal_epsilon(1.0, 4.0)
    0.5
    """
    b = _excess("excess_velocity", excess_velocity)
    return math.sqrt(b / _positive("excess_score", excess_score))


def euler_maruyama_moments(
    fields: Callable[[float, Any], tuple[Any, Any]],
    mean: float,
    variance: float,
    *,
    epsilon: float | Callable[[float], float],
    n_steps: int,
    t_span: tuple[float, float] = (0.0, 1.0),
) -> tuple[float, float]:
    """Return mean and variance of `integrate_sde` after all steps, exactly, for affine fields.

    Parameters
    ----------
    fields : callable
        The fields (b, s) at a time and points (n, 1), affine in the point: those of an interpolant
        between two Gaussians.
    mean, variance : float
        The moments at the first time.
    epsilon : float or callable
        The diffusion coefficient, >= 0, or a function of time.
    n_steps : int
        Number of Euler-Maruyama steps.
    t_span : (float, float), default (0, 1)
        First and last time; the backward equation if the first is the larger.

    Returns
    -------
    mean, variance : float

    References
    ----------
    Derived here: a step x -> (1 + h a) x + h c + sqrt(2 epsilon |h|) z maps the moments.

    Examples
    --------
    >>> fields = lambda t, x: (0 * x, -x)
    >>> mean, variance = euler_maruyama_moments(fields, 1.0, 1.0, epsilon=1.0, n_steps=2)
    >>> mean, variance
    (0.25, 1.3125)
    """
    m, v = check_real("mean", mean), check_real("variance", variance, lower=0.0)
    probes = np.array([[0.0], [1.0]])
    for start, end in steps(t_span, n_steps):
        h, rate = end - start, diffusion(epsilon, start)
        velocity, score = fields(start, probes)
        at_zero, at_one = (h * velocity + abs(h) * rate * score)[:, 0].tolist()
        slope = 1 + at_one - at_zero
        m, v = slope * m + at_zero, slope**2 * v + 2 * rate * abs(h)
    return m, v


def endpoint_velocity(flow: MixtureInterpolant, end: int, x: Any) -> Any:
    """Return the limit of the velocity at t = 0 or 1 by the law of the end points.

    At 0 it is alpha' x + beta' E x1 - (gamma gamma') s_0(x), at 1 alpha' E x0 + beta' x -
    (gamma gamma') s_1(x), with alpha(0) = beta(1) = 1. The last factor is +a / 2 and -a / 2 for
    gamma^2 = a t (1 - t), and 0 if gamma is continuously differentiable.

    Parameters
    ----------
    flow : MixtureInterpolant
        The flow, whose interpolant has alpha(0) = 1 or is one-sided.
    end : {0, 1}
        Which end.
    x : array, shape (n, d)
        The points.

    Returns
    -------
    array, shape (n, d)

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), (4.12)-(4.14).

    Examples
    --------
    >>> from theorytk.paths.interpolants import interpolant
    >>> from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant
    >>> rho = GaussianMixture([1.0], [0.0], [1.0])
    >>> flow = MixtureInterpolant(rho, rho, interpolant("linear"))
    >>> endpoint_velocity(flow, 0, [[2.0]])
    array([[-1.]])
    """
    end = check_int("end", end, lower=0, upper=1)
    c = flow.interpolant.coefficients(float(end))
    here, there = (flow.rho1, flow.rho0) if end else (flow.rho0, flow.rho1)
    own, other = (c.d_beta, c.d_alpha) if end else (c.d_alpha, c.d_beta)
    return own * np.asarray(x) + other * there.mean() - c.gamma_d_gamma * here.score(x)


def _positive(name: str, value: float) -> float:
    return check_real(name, value, lower=0.0, lower_open=True)


def _excess(name: str, value: float) -> float:
    return check_real(name, value, lower=0.0)
