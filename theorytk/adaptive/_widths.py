"""The width of each bound, one function each; `bounds` says whose theorem and constants it is.

n and k are columns (m, 1) of floats; a function returns its widths (m,) and the parameters that
give them, each (m,). Bounds of Gaussian answers are functions of rho = k / (2 n^2 sigma^2), the
zCDP of the whole transcript. A failure probability beta / 2 goes to the noise wherever that and
the sample fail apart. A bound on one query that is chosen from the transcript holds for the worst
of all, because choosing is post-processing: only noise needs a union over k.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import betaincinv, erfcinv

from theorytk.adaptive._optimise import Array, minimise
from theorytk.adaptive.transfer import (
    gaussian_delta,
    gaussian_shortfall,
    laplace_shortfall,
    squared_gap_bound,
    tanh_gap,
    zcdp_epsilon,
)

Result = tuple[Array, dict[str, Array]]

RHO = (1e-18, 1e3)
DELTA = (1e-60, 0.5)


def split(n: Array, k: Array, beta: float) -> Result:
    rows = np.floor(n / k)
    with np.errstate(divide="ignore"):
        width = np.sqrt(np.log(2 * k / beta) / (2 * rows))
    return width[:, 0], {"rows": rows[:, 0]}


def split_binomial(n: Array, k: Array, beta: float) -> Result:
    rows = np.maximum(np.floor(n / k), 1.0)

    def shortfall(ones: Array) -> Any:  # of the lower Clopper-Pearson limit
        return -(ones / rows - betaincinv(ones, rows - ones + 1, beta / (2 * k)))

    _, (ones,) = minimise(shortfall, [(1.0, rows)], len(n))
    nearest = np.clip(np.floor(ones)[:, None] + np.arange(2.0), 1, rows)
    width = -shortfall(nearest).min(axis=1)
    return np.where((n >= k)[:, 0], width, np.inf), {"rows": np.floor(n / k)[:, 0]}


def description_length(n: Array, k: Array, beta: float, step: float | None = None) -> Result:
    def width(steps: Array, step: Array) -> Any:
        levels = np.log1p(steps)
        histories = k * levels + np.log1p(-np.exp(-k * levels)) - np.log(steps)
        return step / 2 + np.sqrt((math.log(2 / beta) + histories) / (2 * n))

    if step is None:
        _, (steps,) = minimise(lambda steps: width(steps, 1 / steps), [(1.0, 1e12)], len(n))
        candidates = np.floor(steps)[:, None] + np.arange(2.0)
        values = width(candidates, 1 / candidates)
        best = values.argmin(axis=1)[:, None]
        chosen = 1 / np.take_along_axis(candidates, best, axis=1)
        return np.take_along_axis(values, best, axis=1)[:, 0], {"step": chosen[:, 0]}
    spacing = np.full_like(n, step)
    return width(np.ceil(1 / spacing - 1e-9), spacing)[:, 0], {"step": spacing[:, 0]}


def dfhprr(n: Array, k: Array, beta: float, sigma: float | None = None) -> Result:
    quantile = math.sqrt(2) * erfcinv(beta / (2 * k))
    least = np.sqrt(48 * math.log(8 / beta) / n)
    log_failure = math.log(16 / beta)

    def gap(rho: Array) -> Any:
        """Return 4 epsilon = 4 ln(16 / beta) / ln(1 / delta), a cubic in t = (epsilon - rho) / 2r.

        With r = sqrt(rho), ln(1 / delta) is t^2 + c; Newton's method falls to the root.
        """
        r, c = np.sqrt(rho), np.maximum(-np.log(math.pi * rho), 0) / 2
        t = np.cbrt(log_failure / (2 * r))
        for _ in range(15):
            cubic = (t**2 + c) * (rho + 2 * r * t) - log_failure
            t = np.maximum(t - cubic / (2 * t * (rho + 2 * r * t) + 2 * r * (t**2 + c)), 0)
        return np.maximum(4 * (rho + 2 * r * t), least)

    value, (rho,) = _gaussian(n, k, sigma, lambda sigma, rho: gap(rho) + sigma * quantile)
    return value, {"sigma": _sigma(n, k, rho)}


def nissim_stemmer(n: Array, k: Array, beta: float, sigma: float | None = None) -> Result:
    quantile = math.sqrt(2) * erfcinv(beta / (2 * k))

    def required(rho: Array, epsilon: Array) -> Any:
        """Return the least epsilon at the delta for which (2 delta/e) ln(2/e) = beta / 2 at e."""
        e = np.minimum(epsilon, 0.7)
        delta = beta * e / (4 * np.log(2 / e))
        return np.maximum(zcdp_epsilon(rho, delta), np.sqrt(2 * np.log(8 / delta) / n))

    def gap(rho: Array) -> Any:
        epsilon = np.full_like(rho, 0.7)
        for _ in range(12):  # a contraction; what is required falls with epsilon
            epsilon = required(rho, epsilon)
        return 13 * np.maximum(epsilon, required(rho, epsilon))

    value, (rho,) = _gaussian(n, k, sigma, lambda sigma, rho: gap(rho) + sigma * quantile)
    return value, {"sigma": _sigma(n, k, rho)}


def bns(
    n: Array, k: Array, beta: float, sigma: float | None = None, c_delta: float = 6.0
) -> Result:
    copies = math.floor(1 / beta + 1e-9)
    caught = 1 - (1 - beta) ** copies

    def width(sigma: Array, rho: Array, delta: Array) -> Any:
        gap = np.expm1(zcdp_epsilon(rho, delta)) + c_delta * copies * delta
        return (gap + sigma * np.sqrt(2 * np.log(4 * k / delta))) / caught

    value, (rho, delta) = _gaussian(n, k, sigma, width, DELTA)
    return value, {"sigma": _sigma(n, k, rho), "delta": delta}


def jung(n: Array, k: Array, beta: float, sigma: float | None = None) -> Result:
    def width(sigma: Array, rho: Array, delta: Array) -> Any:
        noise = sigma * math.sqrt(2) * erfcinv(delta / k)
        return noise + np.expm1(zcdp_epsilon(rho, delta)) + 6 * delta / beta

    value, (rho, delta) = _gaussian(n, k, sigma, width, DELTA)
    return value, {"sigma": _sigma(n, k, rho), "delta": delta}


def mutual_information(
    n: Array, k: Array, beta: float, sigma: float | None = None, noise_factor: float = 1.0
) -> Result:
    def width(sigma: Array, rho: Array) -> Any:
        noise = sigma * np.sqrt(2 * np.log(4 * k / beta))
        return np.sqrt(2 / beta * squared_gap_bound(rho * n, n)) + noise_factor * noise

    value, (rho,) = _gaussian(n, k, sigma, width)
    return value, {"sigma": _sigma(n, k, rho)}


def tanh_gdp(n: Array, k: Array, beta: float, sigma: float | None = None) -> Result:
    def width(sigma: Array, rho: Array, score: Array) -> Any:
        mu = np.sqrt(2 * rho)
        epsilon = mu * (score + mu / 2)
        gap = tanh_gap(epsilon) + gaussian_delta(epsilon, mu) / beta
        return gap + sigma * gaussian_shortfall(k, beta)

    value, (rho, score) = _gaussian(n, k, sigma, width, (1e-3, 37.0))
    mu = np.sqrt(2 * rho)
    return value, {"sigma": _sigma(n, k, rho), "epsilon": mu * (score + mu / 2)}


def tanh_zcdp(n: Array, k: Array, beta: float, sigma: float | None = None) -> Result:
    def width(sigma: Array, rho: Array, delta: Array) -> Any:
        gap = tanh_gap(zcdp_epsilon(rho, delta)) + delta / beta
        return gap + sigma * gaussian_shortfall(k, beta)

    value, (rho, delta) = _gaussian(n, k, sigma, width, DELTA)
    return value, {"sigma": _sigma(n, k, rho), "epsilon": zcdp_epsilon(rho, delta)}


def dfhprr_pure(n: Array, k: Array, beta: float, scale: float | None = None) -> Result:
    def width(scale: Array) -> Any:
        epsilon = k / (n * scale)
        event = np.maximum(2 * n * epsilon**2, 2 * math.log(6 / beta))
        return np.sqrt((np.log(2 * k) + event) / (2 * n)) + scale * np.log(2 * k / beta)

    return _laplace(n, scale, width)


def laplace_pure(n: Array, k: Array, beta: float, scale: float | None = None) -> Result:
    def width(scale: Array) -> Any:
        return scale * laplace_shortfall(k, beta) + tanh_gap(k / (n * scale))

    return _laplace(n, scale, width)


def _gaussian(
    n: Array,
    k: Array,
    sigma: float | None,
    width: Callable[..., Array],
    *ranges: tuple[float, float],
) -> tuple[Array, list[Array]]:
    """Minimise ``width(sigma, rho, ...)`` over rho, or at a given sigma, and over the rest."""
    rho = RHO if sigma is None else (k / (2 * (n * sigma) ** 2),) * 2
    return minimise(
        lambda rho, *rest: width(np.sqrt(k / (2 * rho)) / n, rho, *rest), [rho, *ranges], len(n)
    )


def _sigma(n: Array, k: Array, rho: Array) -> Array:
    return np.sqrt(k[:, 0] / (2 * rho)) / n[:, 0]


def _laplace(n: Array, scale: float | None, width: Callable[[Array], Array]) -> Result:
    """Minimise ``width(scale)`` over the scale of Laplace noise, or evaluate it at a given one."""
    value, (best,) = minimise(width, [(1e-15, 1e3) if scale is None else (scale, scale)], len(n))
    return value, {"scale": best}
