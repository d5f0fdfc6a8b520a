"""What cfBH tends to as calibration and test points grow together."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from theorytk._validation import check_choice, check_real
from theorytk.conformal.theory import check_level

__all__ = ["AsymptoticLimits", "asymptotic_limits", "gaussian_limits"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AsymptoticLimits:
    """What cfBH tends to as calibration and test points grow together.

    Parameters
    ----------
    cut : float
        Test scores up to it are selected; ``-inf`` if none are.
    threshold : float
        The p-value at the cut, t*.
    fdr, power : float
        Limits of the false discovery rate and of the power.
    """

    cut: float
    threshold: float
    fdr: float
    power: float


def asymptotic_limits(
    calibration_cdf: Callable[[Array], Array],
    test_cdf: Callable[[Array], Array],
    null_cdf: Callable[[Array], Array],
    q: float,
    pi0: float,
    bracket: tuple[float, float],
) -> AsymptoticLimits:
    """Return the limits of cfBH from the distributions of the scores.

    The cut is the last v at which ``F(v) <= q G(v)``: the false discovery proportion that
    cfBH estimates there is q.

    Parameters
    ----------
    calibration_cdf, test_cdf : callable
        F and G, continuous distribution functions of a calibration score (its limit is below 1
        if the score can be infinite) and of an imputed test score; they take arrays.
    null_cdf : callable
        Probability that a test point is null and its score is at most v.
    q : float
        Level, between 0 and 1.
    pi0 : float
        Probability of a null, between 0 and 1, both excluded.
    bracket : tuple of float
        Range of scores in which to look. If F <= q G still holds at its end, all are selected.

    Returns
    -------
    AsymptoticLimits
        False discovery proportion and power tend to them with fluctuations of order n^(-1/2),
        provided that F - q G crosses 0 at the cut.

    References
    ----------
    Y. Jin, E. Candes, Selection by prediction with conformal p-values, JMLR 24 (2023), asymptotic
    analysis; the form by cut points is derived here.

    Examples
    --------
    >>> from scipy.stats import norm, uniform
    >>> useless = asymptotic_limits(
    ...     lambda v: 0.5 * norm.cdf(v), norm.cdf, lambda v: 0.5 * norm.cdf(v), 0.1, 0.5, (-8, 8)
    ... )
    >>> useless.fdr, useless.power
    (0.0, 0.0)
    """
    q, pi0 = check_level(q), check_real("pi0", pi0, lower=0, upper=1, lower_open=True)
    check_real("pi0", pi0, upper=1, upper_open=True)
    left = check_real("bracket[0]", bracket[0])
    right = check_real("bracket[1]", bracket[1], lower=left, lower_open=True)

    def excess(v: Array) -> Array:
        return np.asarray(calibration_cdf(v) - q * test_cdf(v))

    grid = np.linspace(left, right, 1001)
    below = np.flatnonzero(excess(grid) <= 0)
    if not len(below):
        return AsymptoticLimits(-math.inf, 0.0, 0.0, 0.0)
    last = int(below[-1])
    if last == len(grid) - 1:
        cut = right
    else:
        cut = float(optimize.brentq(lambda v: float(excess(np.array(v))), *grid[last : last + 2]))
    at = np.array(cut)
    selected, false = float(test_cdf(at)), float(null_cdf(at))
    power = (selected - false) / (1 - pi0)
    return AsymptoticLimits(cut, float(calibration_cdf(at)), false / selected, power)


def gaussian_limits(score: str, q: float, sigma: float) -> AsymptoticLimits:
    """Return the limits of cfBH on the Gaussian bed with the prediction x.

    X is standard normal and Y = X + sigma * noise, the threshold 0 (setting ``"gaussian"`` of
    `theorytk.conformal.problems.regression_data`).

    Parameters
    ----------
    score : {"clip", "residual", "sub"}
        The score function; ``"sub"`` calibrates on nulls only.
    q : float
        Level, between 0 and 1.
    sigma : float
        Standard deviation of the noise, > 0.

    Returns
    -------
    AsymptoticLimits

    Notes
    -----
    ``P(-X <= v, Y <= 0) = Phi(v) / 2 - T(v, 1 / sigma)`` with Owen's function T.

    References
    ----------
    Derived here from `asymptotic_limits`.

    Examples
    --------
    >>> found = gaussian_limits("clip", 0.1, 0.5)
    >>> round(-found.cut, 5), round(found.fdr, 5), round(found.power, 5)
    (0.18279, 0.1, 0.76947)
    """
    sigma = check_real("sigma", sigma, lower=0, lower_open=True)

    def null_cdf(v: Array) -> Array:
        return np.asarray(special.ndtr(v) / 2 - special.owens_t(v, 1 / sigma))

    calibration_cdf = {
        "clip": null_cdf,
        "residual": lambda v: special.ndtr(v / sigma),
        "sub": lambda v: 2 * null_cdf(v),
    }[check_choice("score", score, ("clip", "residual", "sub"))]
    return asymptotic_limits(calibration_cdf, special.ndtr, null_cdf, q, 0.5, (-8.0, 8.0))
