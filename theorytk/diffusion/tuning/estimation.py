"""Estimation of the statistics of DPM-Solver-v3 from any model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline

from theorytk._validation import as_generator, check_array, check_choice, check_int
from theorytk.diffusion.models import Model
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.targets import Target
from theorytk.diffusion.tuning.statistics import ModelStatistics, lambda_nodes

__all__ = ["JACOBIANS", "estimate_statistics"]

Array = np.ndarray
Draw = Callable[[int, np.random.Generator], Any]

JACOBIANS = ("exact", "difference", "hutchinson")
"""How :func:`estimate_statistics` finds the diagonal of the Jacobian of a prediction."""

# A variance of f below this share of that of y = x / alpha is rounding, as for Gaussian data.
ROUNDING = 1e-20


def estimate_statistics(
    model: Target | Model | Callable[[Any, float], Any],
    draw: Draw,
    schedule: NoiseSchedule,
    *,
    n_nodes: int = 121,
    n_samples: int = 1024,
    rng: int | np.random.Generator | None = None,
    jacobian: str = "difference",
    pooled: bool = False,
    t_min: float | None = None,
    t_max: float | None = None,
) -> ModelStatistics:
    """Estimate the statistics of a model over nodes that are equally spaced in lambda.

    With y = x / alpha and f = exp(-lambda) eps - l y at draws x of the forward law, and f' its
    derivative by lambda along the probability flow: l is the mean of sigma d eps_i / dx_i, s and b
    are the least-squares coefficients of f' on f. All nodes use the same clean data and noises,
    so that the tables are smooth.

    Parameters
    ----------
    model : Target, Model or callable
        What is to be sampled from; a plain function of (x, t) predicts the noise.
    draw : callable
        Returns clean data: ``draw(n, rng)`` is an array (n, *event), such as ``target.sample``.
    schedule : NoiseSchedule
        The schedule.
    n_nodes : int
        Nodes, >= 4.
    n_samples : int
        Draws, >= 2.
    rng : int, Generator or None
        Random state.
    jacobian : {"exact", "difference", "hutchinson"}
        Its diagonal from the target, by central differences in each coordinate (2 evaluations per
        coordinate of the event), or by one random direction per draw (2 evaluations).
    pooled : bool
        Whether one l, s and b serve all coordinates.
    t_min, t_max : float, optional
        The range of times that the nodes cover; by default that of the schedule.

    Returns
    -------
    ModelStatistics
        The standard errors are over draws.

    Raises
    ------
    ValueError
        If an argument is out of range, or an exact Jacobian is asked of a model without one.

    References
    ----------
    Zheng et al., DPM-Solver-v3 (NeurIPS 2023), for what is estimated. The estimator, with common
    draws, differences along the flow and standard errors, is derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> from theorytk.diffusion.targets import GaussianTarget
    >>> target = GaussianTarget([1.0], 0.25)
    >>> options = dict(n_nodes=5, n_samples=8, rng=0, jacobian="exact")
    >>> found = estimate_statistics(target, target.sample, VPLinear(), **options)
    >>> bool(np.allclose(found.linear[:, 0], 1 / (1 + 0.25 * np.exp(2 * found.lam))))
    True
    """
    check_int("n_nodes", n_nodes, lower=4)
    check_int("n_samples", n_samples, lower=2)
    check_choice("jacobian", jacobian, JACOBIANS)
    diagonal = _diagonals(model, schedule, jacobian)
    rng = as_generator(rng)
    clean = check_array("draw's result", draw(n_samples, rng))
    if clean.ndim < 2 or len(clean) != n_samples:
        raise ValueError(f"draw must return ({n_samples}, *event); got shape {clean.shape}")
    noise, signs = rng.standard_normal(clean.shape), rng.choice([-1.0, 1.0], clean.shape)
    lam = lambda_nodes(schedule, n_nodes, t_min, t_max)
    points = _Points(_noise_model(model, schedule), schedule, clean, noise)
    axes = tuple(range(clean.ndim)) if pooled else (0,)
    tables = np.empty((6, n_nodes, *(() if pooled else clean.shape[1:])))
    for i, at in enumerate(lam):
        values = diagonal(points, float(at), signs)
        tables[[0, 3], i] = _mean(
            values.mean(axis=tuple(range(1, clean.ndim))) if pooled else values
        )
    slopes = CubicSpline(lam, tables[0])(lam, 1)
    for i, at in enumerate(lam):
        y, eps, change = points.along_flow(float(at), lam[0], lam[-1])
        f = np.exp(-at) * eps - tables[0, i] * y
        rate = np.exp(-at) * ((tables[0, i] - 1) * eps + change) - slopes[i] * y
        tables[[1, 2, 4, 5], i] = _regression(f, rate, ROUNDING * y.var(axis=axes), axes)
    return ModelStatistics(lam, *tables)


class _Points:
    """Draws of the forward law, from the same clean data and noises at every node."""

    def __init__(self, model: Model, schedule: NoiseSchedule, clean: Array, noise: Array) -> None:
        self.model, self.schedule, self.clean, self.noise = model, schedule, clean, noise
        dtype = np.asarray(
            model.predict("noise", *self.at(float(schedule.lam(schedule.t_max))))
        ).dtype
        self.step = float(np.cbrt(np.finfo(dtype).eps))

    def at(self, lam: float) -> tuple[Array, float]:
        """Return the draws and the time of a node."""
        t = float(self.schedule.t_of_lam(lam))
        t = min(max(t, self.schedule.t_min), self.schedule.t_max)
        return float(self.schedule.alpha(t)) * self.clean + float(
            self.schedule.sigma(t)
        ) * self.noise, t

    def predict(self, x: Array, t: float) -> Array:
        """Return the model's noise in double precision."""
        return check_array("model's output", self.model.predict("noise", x, t), shape=x.shape)

    def along_flow(self, lam: float, first: float, last: float) -> tuple[Array, Array, Array]:
        """Return y = x / alpha, the noise, and its derivative by lambda along the flow.

        It is the derivative of the parabola through three points; DDIM takes the flow to two of
        them with an error that is proportional to the square of the step, which has no effect.
        """
        x, t = self.at(lam)
        y, eps = x / float(self.schedule.alpha(t)), self.predict(x, t)
        h = self.step
        shifts = (h, 2 * h) if lam - h < first else (-h, -2 * h) if lam + h > last else (-h, h)
        values = []
        for shift in shifts:
            near = float(self.schedule.t_of_lam(lam + shift))
            there = y + np.exp(-lam) * np.expm1(-shift) * eps
            values.append(self.predict(float(self.schedule.alpha(near)) * there, near))
        a, b = shifts
        rates = [(v - eps) / shift for v, shift in zip(values, shifts, strict=True)]
        return y, eps, (b * rates[0] - a * rates[1]) / (b - a)


def _diagonals(model: Any, schedule: NoiseSchedule, jacobian: str) -> Callable[..., Array]:
    """Return the function that gives sigma d eps_i / d x_i at the draws of a node."""
    if jacobian == "exact":
        exact = getattr(model, "score_jacobian_diagonal", None)
        if exact is None:
            raise ValueError(
                "jacobian 'exact' needs a target with score_jacobian_diagonal, such as a "
                f"MixtureTarget; got {type(model).__name__}"
            )

        def from_target(points: _Points, lam: float, signs: Array) -> Array:
            x, t = points.at(lam)
            sigma = float(schedule.sigma(t))
            values: Array = -(sigma**2) * exact(x, float(schedule.alpha(t)), sigma)
            return values

        return from_target

    def from_differences(points: _Points, lam: float, signs: Array) -> Array:
        x, t = points.at(lam)
        sigma = float(schedule.sigma(t))
        h = points.step * float(np.hypot(schedule.alpha(t), sigma))

        def along(v: Array) -> Array:
            change = points.predict(x + h * v, t) - points.predict(x - h * v, t)
            slopes: Array = sigma * change / (2 * h)
            return slopes

        if jacobian == "hutchinson":
            products: Array = signs * along(signs)
            return products
        values = np.empty_like(x)
        for i in np.ndindex(x.shape[1:]):
            unit = np.zeros(x.shape[1:])
            unit[i] = 1.0
            values[(slice(None), *i)] = along(unit)[(slice(None), *i)]
        return values

    return from_differences


def _noise_model(model: Any, schedule: NoiseSchedule) -> Model:
    """Return the model with its schedule."""
    if isinstance(model, Target):
        return model.model(schedule)
    if not isinstance(model, Model):
        return Model(model, "noise", schedule)
    if model.schedule not in (None, schedule):
        raise ValueError(f"model was made for {model.schedule}; got schedule {schedule}")
    return Model(model.function, model.predicts, schedule)


def _mean(values: Array) -> Array:
    """Return means over draws and their standard errors."""
    return np.stack([values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))])


def _regression(f: Array, rate: Array, floor: Array, axes: tuple[int, ...]) -> Array:
    """Return slope and intercept of `rate` on f over some axes, and their standard errors.

    The errors allow for residuals of unequal variance; coordinates of a draw are taken together.
    """
    centre, mean = f.mean(axis=axes), rate.mean(axis=axes)
    z, w = f - centre, rate - mean
    variance = (z**2).mean(axis=axes)
    flat = variance <= floor
    safe = np.where(flat, 1.0, variance)
    slope = np.where(flat, 0.0, (z * w).mean(axis=axes) / safe)
    residual = w - slope * z
    shares = np.stack([np.where(flat, 0.0, residual * z / safe), residual])
    shares[1] -= centre * shares[0]
    if len(axes) > 1:
        shares = shares.reshape(2, len(f), -1).mean(axis=2)
    errors = shares.std(axis=1, ddof=1) / np.sqrt(len(f))
    return np.stack([slope, mean - slope * centre, *errors])
