"""The law of a sum of independent noises: how wide an interval must be."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri

from theorytk.privacy._arguments import Array

# The characteristic function is summed at this many multiples of 2 pi / PERIOD, in units of the
# standard deviation: what lies further out than half the period has probability below 1e-12.
TERMS = 1024
PERIOD = 40.0


def noise_quantile(variances: Array, counts: Array, kind: str, coverage: float) -> Array:
    """Return the s for which the noise is within [-s, s] with probability `coverage`, shape (q,).

    Entry (i, j) of `variances` and `counts` stands for that many equal noises, Laplace or Gaussian,
    of this total variance. Gaussian noises add up to one. Laplace noises are inverted from their
    characteristic function ``prod (1 + t^2 variance / (2 count))^-count``.
    """
    sd = np.sqrt(variances.sum(axis=1))
    if kind == "gaussian":
        return np.asarray(sd * ndtri((1 + coverage) / 2))
    return np.array(
        [_laplace_quantile(*row, coverage) for row in zip(variances, counts, sd, strict=True)]
    )


def _laplace_quantile(variances: Array, counts: Array, sd: float, coverage: float) -> float:
    if sd == 0:
        return 0.0
    k = np.arange(1, TERMS + 1)
    step = 2 * math.pi / PERIOD
    used = variances > 0
    share, number = variances[used] / sd**2, counts[used]
    transform = np.exp(-np.log1p(np.outer((k * step) ** 2 / 2, share / number)) @ number)

    def missing(s: float) -> float:
        inside = (s * step + 2 * (np.sin(s * step * k) / k) @ transform) / math.pi
        return float(coverage - inside)

    if missing(PERIOD / 2) > 0:
        return sd * PERIOD / 2
    return sd * float(brentq(missing, 0.0, PERIOD / 2, xtol=1e-12))
