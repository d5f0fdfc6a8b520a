"""Generation: the probability flow, the stochastic differential equations, denoising."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from theorytk._validation import as_generator, check_choice, check_int, check_real
from theorytk.paths.interpolants import Interpolant

__all__ = ["METHODS", "denoise", "feynman_kac", "integrate_ode", "integrate_sde"]

Field = Callable[[float, Any], Any]

# Explicit Runge-Kutta methods: for each stage the weights of the earlier ones, then those of the
# step. A stage's time is the sum of its weights.
METHODS: dict[str, tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]] = {
    "euler": (((),), (1.0,)),
    "heun": (((), (1.0,)), (0.5, 0.5)),
    "rk4": (((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6)),
}


def integrate_ode(
    velocity: Field,
    x: Any,
    *,
    n_steps: int,
    method: str = "rk4",
    t_span: tuple[float, float] = (0.0, 1.0),
) -> Any:
    """Return where the flow dX/dt = b(t, X) takes points, by equal steps of a Runge-Kutta method.

    Parameters
    ----------
    velocity : callable
        The field b(t, x), from a time and points (n, d) to (n, d).
    x : array, shape (n, d)
        The points at the first time, a NumPy array or a tensor.
    n_steps : int
        Number of steps.
    method : {"rk4", "heun", "euler"}
        The method, of order 4, 2 or 1.
    t_span : (float, float), default (0, 1)
        First and last time; backward in time if the first is the larger.

    Returns
    -------
    array, shape (n, d)
        The points at the last time. For a trajectory, integrate from each time to the next.

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), the probability flow.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.generate import integrate_ode
    >>> integrate_ode(lambda t, x: -x, np.array([[1.0]]), n_steps=20).round(6)
    array([[0.367879]])
    """
    stages, weights = METHODS[check_choice("method", method, METHODS)]
    for start, end in steps(t_span, n_steps):
        h = end - start
        slopes: list[Any] = []
        for row in stages:
            node = sum(row)
            moved = x if not row else x + h * _combined(row, slopes)
            slopes.append(velocity((1 - node) * start + node * end, moved))
        x = x + h * _combined(weights, slopes)
    return x


def integrate_sde(
    fields: Callable[[float, Any], tuple[Any, Any]],
    x: Any,
    *,
    epsilon: float | Callable[[float], float],
    n_steps: int,
    t_span: tuple[float, float] = (0.0, 1.0),
    rng: int | np.random.Generator | None = None,
) -> Any:
    """Return draws of the generative diffusion at the last time, by Euler-Maruyama.

    Forward it is dX = (b + epsilon s) dt + sqrt(2 epsilon) dW. If the first time is the larger, it
    is the backward equation with drift b - epsilon s, run from the first time down to the last.
    Both keep the law of the interpolant, for any epsilon(t) >= 0, as the step tends to 0.

    Parameters
    ----------
    fields : callable
        The fields (b, s) at a time and points (n, d), such as
        `MixtureInterpolant.velocity_and_score`.
    x : array, shape (n, d)
        The points at the first time, a NumPy array or a tensor.
    epsilon : float or callable
        The diffusion coefficient, >= 0, or a function of time.
    n_steps : int
        Number of steps. Where gamma and a covariance vanish, the step must shrink like that
        covariance over epsilon.
    t_span : (float, float), default (0, 1)
        First and last time.
    rng : int, Generator or None
        Random state of the noise.

    Returns
    -------
    array, shape (n, d)
        The points at the last time.

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), whose (2.20), (2.22) are their Fokker-Planck equations.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.generate import integrate_sde
    >>> x = np.zeros((4, 1))
    >>> integrate_sde(lambda t, x: (1 + x, -x), x, epsilon=0.0, n_steps=1, rng=0).ravel()
    array([1., 1., 1., 1.])
    """
    rng = as_generator(rng)
    for start, end in steps(t_span, n_steps):
        h = end - start
        rate = diffusion(epsilon, start)
        velocity, score = fields(start, x)
        x = x + h * velocity + abs(h) * rate * score
        if rate > 0:
            x = x + math.sqrt(2 * rate * abs(h)) * _normals(x, rng)
    return x


def denoise(
    interpolant: Interpolant,
    conditional_means: Callable[[float, Any], tuple[Any, ...]],
    x: Any,
    *,
    n_steps: int,
) -> Any:
    """Return the end of the denoising iteration of a one-sided interpolant, from x at t = 0.

    Each step is gamma(t') E[z | x_t] + beta(t') E[x1 | x_t]: the two means are put in the place of
    z and x1 at the next time t'. With (x - gamma E[z | x_t]) / beta for the second mean, this is
    (5.14) of the paper, without its division by beta(0) = 0. For the linear interpolant it is
    Euler's method; for any it is exact if x1 is one point. In general the error is of order 1.

    Parameters
    ----------
    interpolant : Interpolant
        A one-sided interpolant.
    conditional_means : callable
        From a time and points (n, d) to a tuple whose second and last entries are E[x1 | x_t] and
        E[z | x_t], such as `MixtureInterpolant.conditional_means`.
    x : array, shape (n, d)
        Draws of the standard normal law, a NumPy array or a tensor.
    n_steps : int
        Number of steps.

    Returns
    -------
    array, shape (n, d)

    Raises
    ------
    ValueError
        If the interpolant is not one-sided.

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), (5.14); this form is derived here.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.generate import denoise
    >>> from theorytk.paths.interpolants import interpolant
    >>> path = interpolant("one-sided-linear")
    >>> x, ones = np.zeros((2, 1)), np.ones((2, 1))
    >>> denoise(path, lambda t, x: (x, ones, x), x, n_steps=4).ravel()
    array([1., 1.])
    """
    if not interpolant.one_sided:
        raise ValueError(f"interpolant must be one-sided; got {interpolant.name!r}")
    for start, end in steps((0.0, 1.0), n_steps):
        means = conditional_means(start, x)
        after = interpolant.coefficients(end)
        x = math.sqrt(after.gamma2) * means[-1] + float(after.beta) * means[1]
    return x


def feynman_kac(
    x: Any,
    drift: Field,
    divergence: Field,
    density0: Callable[[Any], Any],
    *,
    epsilon: float | Callable[[float], float],
    n_steps: int,
    rng: int | np.random.Generator | None = None,
) -> Any:
    """Return one unbiased draw, but for the step, of the density at t = 1 for each of the points.

    The density of dX = b_F dt + sqrt(2 epsilon) dW, started with density rho0, is at (1, x) the
    mean of exp(-integral of div b_F along Y) rho0(Y_0), where Y starts at Y_1 = x and runs back in
    time with the same drift, dY = b_F dt + sqrt(2 epsilon) dW.

    Parameters
    ----------
    x : array, shape (n, d)
        The points, each repeated as often as draws are wanted.
    drift, divergence : callable
        The forward drift b_F(t, x), shape (n, d), and its divergence, shape (n,).
    density0 : callable
        The density rho0 of points (n, d), shape (n,).
    epsilon : float or callable
        The diffusion coefficient, >= 0, or a function of time.
    n_steps : int
        Number of Euler-Maruyama steps.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    array, shape (n,)

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), (2.58); the Feynman-Kac formula for
    d rho/dt = epsilon lap rho - b_F.grad rho - (div b_F) rho.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.generate import feynman_kac
    >>> uniform = lambda x: (abs(x[:, 0]) < 0.5) * 1.0
    >>> spread = (lambda t, x: x, lambda t, x: np.ones(len(x)))
    >>> feynman_kac(np.array([[0.5], [2.0]]), *spread, uniform, epsilon=0.0, n_steps=1000).round(2)
    array([0.37, 0.  ])
    """
    rng = as_generator(rng)
    log_weight: Any = 0.0
    for start, end in steps((1.0, 0.0), n_steps):
        h, rate = start - end, diffusion(epsilon, start)
        log_weight = log_weight - h * divergence(start, x)
        x = x - h * drift(start, x) + math.sqrt(2 * rate * h) * _normals(x, rng)
    xp = array_namespace(x)
    return xp.exp(log_weight) * density0(x)


def steps(t_span: tuple[float, float], n_steps: int) -> list[tuple[float, float]]:
    """Return the first and last time of each of equal steps."""
    start, end = (check_real(f"t_span[{i}]", t, lower=0.0, upper=1.0) for i, t in enumerate(t_span))
    times = np.linspace(start, end, check_int("n_steps", n_steps, lower=1) + 1).tolist()
    return list(pairwise(times))


def _combined(weights: tuple[float, ...], slopes: list[Any]) -> Any:
    """Return the weighted sum of slopes, leaving out zeros."""
    terms = [w * slope for w, slope in zip(weights, slopes, strict=True) if w]
    return sum(terms[1:], terms[0])


def diffusion(epsilon: float | Callable[[float], float], t: float) -> float:
    """Return epsilon(t)."""
    value = epsilon(t) if callable(epsilon) else epsilon
    return check_real("epsilon", value, lower=0.0)


def _normals(x: Any, rng: np.random.Generator) -> Any:
    """Return standard normal noise of the shape and kind of x."""
    noise = rng.standard_normal(tuple(x.shape))
    return array_namespace(x).asarray(noise, dtype=x.dtype, device=device(x))
