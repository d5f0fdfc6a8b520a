"""Audits of noise: an upper confidence limit of its scale against the scale that is required."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import brentq

from theorytk._validation import as_generator, check_array, check_choice, check_int
from theorytk.privacy._arguments import check_probability
from theorytk.privacy.audit_result import AuditResult
from theorytk.privacy.linear_mechanism import LinearMechanism
from theorytk.privacy.noise import KINDS

__all__ = ["scale_audit", "scale_limit"]


def scale_limit(
    noise: Any, *, kind: str = "laplace", bits: int | None = None, confidence: float = 0.999
) -> float:
    """Return an upper confidence limit of the scale of noise.

    Parameters
    ----------
    noise : array_like
        Released minus true values, of any shape.
    kind : {"laplace", "gaussian"}
        Law of the noise; the scale of a Gaussian is its standard deviation.
    bits : int, optional
        The noise is discrete, on the grid of step 2^-bits; otherwise continuous.
    confidence : float
        Probability in (0, 1), at least, that the scale is below the limit.

    Returns
    -------
    float

    Notes
    -----
    With t the mean of T = |noise|, or noise^2 / 2, the law has density exp(-a T) / Z(a), and
    Chernoff's bound gives ``P(mean T <= t) <= exp(-n (a t + log Z(a) - a' t - log Z(a')))`` for
    every a' >= a. Each a at which this is at least 1 - confidence remains.

    References
    ----------
    Derived here; for finite n, and for the discrete laws with their exact Z.

    Examples
    --------
    >>> noise = np.random.default_rng(0).laplace(scale=3.0, size=10000)
    >>> round(scale_limit(noise), 2)
    3.12
    """
    check_choice("kind", kind, KINDS)
    confidence = check_probability("confidence", confidence)
    values = check_array("noise", noise)
    if values.size == 0:
        raise ValueError("noise must hold at least one value; got none")
    step = 1.0 if bits is None else math.ldexp(1.0, -check_int("bits", bits, lower=0))
    values = values / step
    t = float((values**2 / 2 if kind == "gaussian" else np.abs(values)).mean())
    discrete = bits is not None
    if t == 0 and not discrete:
        return 0.0

    def fit(log_a: float) -> float:
        a = math.exp(log_a)
        return a * t + _log_partition(a, kind, discrete)

    best = -math.log(t * (2 if kind == "gaussian" else 1)) if t > 0 else 50.0
    if discrete and kind == "laplace" and t > 0:
        best = math.log(math.asinh(1 / t))
    excess = -math.log(1 - confidence) / values.size
    limit = fit(best) + excess
    lowest = best - 60 - 2 * excess  # as a falls, fit grows at least like -log(a) / 2
    log_a: float = brentq(lambda x: fit(x) - limit, lowest, best)
    return step * math.exp(-log_a / 2 if kind == "gaussian" else -log_a)


def scale_audit(
    mechanism: LinearMechanism,
    scales: Any,
    points: Any,
    *,
    n_trials: int = 200,
    confidence: float = 0.999,
    rng: Any = None,
) -> AuditResult:
    """Compare the noise of a mechanism, released minus true values, with the scales required.

    Parameters
    ----------
    mechanism : LinearMechanism
        What is audited.
    scales : array_like, shape (groups,)
        Noise scales that its guarantee requires; groups that require none are left out.
    points : array_like, shape (n,) or (n, d)
        Data of the releases.
    n_trials : int
        Releases, >= 1.
    confidence : float
        Probability in (0, 1) that noise of these scales passes, at least.
    rng : int, numpy.random.Generator or None
        Random state.

    Returns
    -------
    AuditResult
        The largest ratio of a required scale to the `scale_limit` of its noise; claimed is 1.

    Examples
    --------
    >>> from theorytk.privacy.flat_histogram import flat_histogram
    >>> mechanism = flat_histogram(4, epsilon=1.0)
    >>> scale_audit(mechanism.with_scales([0.5]), mechanism.scales, [0.5], rng=0).violated
    True
    """
    required = check_array("scales", scales, shape=(len(mechanism.groups),))
    n_trials = check_int("n_trials", n_trials, lower=1)
    confidence = check_probability("confidence", confidence)
    rng = as_generator(rng)
    true = mechanism.contributions(points).sum(axis=0)
    noise = mechanism.releases(points, n_trials, rng) - true
    each = 1 - (1 - confidence) / max(1, int(np.count_nonzero(required)))
    ends = np.cumsum(mechanism.sizes)[:-1]
    ratios = np.zeros(len(required))
    for g, values in enumerate(np.split(noise, ends, axis=1)):
        if required[g] > 0:
            bits = None if mechanism.noise == "float" else int(mechanism.bits[g])
            limit = scale_limit(values, kind=mechanism.kind, bits=bits, confidence=each)
            ratios[g] = required[g] / limit if limit > 0 else math.inf
    worst = int(ratios.argmax())
    return AuditResult(
        "scale",
        float(ratios[worst]),
        1.0,
        parameter="scale ratio",
        confidence=confidence,
        n_trials=n_trials,
        event=f"noise of {mechanism.groups[worst]!r}",
    )


def _log_partition(a: float, kind: str, discrete: bool) -> float:
    """Return log Z(a), the sum or integral of exp(-a |y|) or exp(-a y^2 / 2)."""
    if kind == "laplace":
        if discrete:
            return math.log1p(math.exp(-a)) - math.log(-math.expm1(-a))
        return math.log(2 / a)
    normal = math.log(2 * math.pi / a) / 2
    if not discrete:
        return normal
    # Poisson summation: both series end after a few terms on their side.
    y = np.arange(1, 8)
    if a > 2 * math.pi:
        return math.log1p(2 * float(np.exp(-a * y**2 / 2).sum()))
    return normal + math.log1p(2 * float(np.exp(-2 * (math.pi * y) ** 2 / a).sum()))
