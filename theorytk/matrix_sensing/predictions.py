"""Predictions about matrix sensing: approximations whose error is measured, not bounded.

Each says in its references what is exact in it and what is approximated; compare with
:mod:`theorytk.matrix_sensing.theory`, which holds only what is proven.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.optimize import brentq

from theorytk._validation import check_array, check_int, check_real
from theorytk.matrix_sensing.sensing import Array
from theorytk.matrix_sensing.theory import degrees_of_freedom

__all__ = [
    "escape_time",
    "imbalance_bound",
    "imbalance_edge",
    "max_columns",
    "measurement_slowdown",
    "noise_error",
    "optimal_beta",
    "optimal_scale",
]


def escape_time(sigma: Any, amplitude: Any, step_size: float) -> Array:
    """Return the iterations until an eigenvalue of the truth is half learned, from a small start.

    A row of X of norm a in an eigendirection grows by 1 + eta sigma while small, then saturates:
    a^2 reaches sigma / 2 after log(sigma / a^2 - 1) / (2 log(1 + eta sigma)).

    Parameters
    ----------
    sigma : array_like of float
        Eigenvalues of the truth, > 0.
    amplitude : array_like of float
        Initial norm a of that row of X, a^2 < sigma / 2; for `init_symmetric_factor` it is near
        ``scale * sqrt(k / n)``.
    step_size : float
        The step eta.

    Returns
    -------
    ndarray, shape of `sigma` and `amplitude` broadcast

    References
    ----------
    Derived here: the logistic solution of the scalar flow, its rate replaced by the discrete one.
    Exact for rank one and the flow; for several directions it neglects their coupling.

    Examples
    --------
    >>> escape_time([1.0, 0.5], 1e-6, 0.1).round()
    array([145., 276.])
    """
    step_size = check_real("step_size", step_size, lower=0.0, lower_open=True)
    sigma = check_array("sigma", sigma)
    amplitude = check_array("amplitude", amplitude)
    if not ((amplitude > 0) & (2 * amplitude**2 < sigma)).all():
        raise ValueError("amplitude must be > 0 with 2 amplitude^2 < sigma; got one that is not")
    return np.asarray(
        np.log(sigma / amplitude**2 - 1) / (2 * np.log1p(step_size * sigma)), dtype=float
    )


def noise_error(m: int, d: int, noise_std: float) -> float:
    """Return E ||F G^T - M||_F^2 = noise^2 d / (m - d - 1) of the minimiser for k = r.

    Parameters
    ----------
    m : int
        Gaussian measurements, > d + 1.
    d : int
        ``degrees_of_freedom`` at k = r.
    noise_std : float
        Noise nu: y = A(M) + nu z / sqrt(m) with z standard normal.

    Returns
    -------
    float
        The mean squared error, to first order in the noise.

    References
    ----------
    Derived here: least squares on the tangent space and the mean of an inverse Wishart matrix.

    Examples
    --------
    >>> round(noise_error(300, 23, 1.0), 4)
    0.0833
    """
    d = check_int("d", d, lower=1)
    m = check_int("m", m, lower=d + 2)
    return check_real("noise_std", noise_std, lower=0.0) ** 2 * d / (m - d - 1)


def imbalance_edge(aspect: float, *, ratio: float = 1 / 3) -> float:
    """Return the limit of the least eigenvalue of the initial imbalance in units of scale^2.

    For F0, G0 of `init_factors` with n rows and k columns, as n grows with k / n = `aspect`, it
    is the left edge of the free convolution of a Marchenko-Pastur law and another one scaled by
    -c^2. With K(z) = 1 / (1 - y z) - c^2 / (1 + c^2 y z) + 1 / z the edge is K at the negative
    root of K'.

    Parameters
    ----------
    aspect : float
        y = k / n in (0, 1).
    ratio : float, default 1/3
        The ratio c in [0, 1].

    Returns
    -------
    float

    References
    ----------
    Derived here from the R-transforms; exact in the limit, for n1 = n2 = n.

    Examples
    --------
    >>> round(imbalance_edge(0.25, ratio=0.0), 12)
    0.25
    """
    y = check_real("aspect", aspect, lower=0.0, upper=1.0, lower_open=True, upper_open=True)
    c2 = check_real("ratio", ratio, lower=0.0, upper=1.0) ** 2

    def slope(w: float) -> float:
        # z^2 K'(z) at z = -1 / w, which falls with w > c2 y.
        return y / (w + y) ** 2 + (c2**2 * y / (w - c2 * y) ** 2 if c2 else 0.0) - 1.0

    # At the ends the sign is sure: one term alone exceeds 1, or both are below 1 / 2.
    low = max(math.sqrt(y) - y, c2 * (y + math.sqrt(y)))
    high = math.sqrt(2 * y) + y
    w = low if slope(low) <= 0 else brentq(slope, low, high, xtol=1e-15)
    return float(w / (w + y) - c2 * w / (w - c2 * y) - w)


def imbalance_bound(aspect: float, *, ratio: float = 1 / 3) -> float:
    """Return (1 - sqrt(y))^2 - c^2 (1 + sqrt(y))^2, a lower bound of `imbalance_edge`.

    Parameters
    ----------
    aspect : float
        y = k / n in (0, 1).
    ratio : float, default 1/3
        The ratio c in [0, 1].

    Returns
    -------
    float
        In units of scale^2; negative where the bound says nothing.

    References
    ----------
    Derived here: Weyl's inequality and the edges of the Marchenko-Pastur law.

    Examples
    --------
    >>> round(imbalance_bound(0.25), 12)
    0.0
    """
    y = check_real("aspect", aspect, lower=0.0, upper=1.0, lower_open=True, upper_open=True)
    c = check_real("ratio", ratio, lower=0.0, upper=1.0)
    return (1 - math.sqrt(y)) ** 2 - c**2 * (1 + math.sqrt(y)) ** 2


def max_columns(n: int, *, ratio: float = 1 / 3) -> float:
    """Return n ((1 - c) / (1 + c))^2: for fewer columns `imbalance_bound` is positive.

    Parameters
    ----------
    n : int
        Rows of both factors.
    ratio : float, default 1/3
        The ratio c in [0, 1].

    Returns
    -------
    float

    References
    ----------
    Derived here: the zero of `imbalance_bound`. Sufficient, in the limit, not necessary.

    Examples
    --------
    >>> max_columns(50)
    12.5
    """
    c = check_real("ratio", ratio, lower=0.0, upper=1.0)
    return float(check_int("n", n, lower=1) * ((1 - c) / (1 + c)) ** 2)


def measurement_slowdown(m: int, n1: int, n2: int, r: int, k: int) -> float:
    """Return the predicted rate with m Gaussian measurements in units of the population's, k > r.

    ``(1 - p / m) (1 - sqrt(q / (m - p)))^2`` with q = n2 - r directions of the slowest column of
    F, and p = d - q others among the d degrees of freedom.

    Parameters
    ----------
    m : int
        Measurements, > d.
    n1, n2, r, k : int
        Shape and rank of the truth, columns of the factors.

    Returns
    -------
    float

    References
    ----------
    Derived here: the others are taken to be infinitely fast; the Schur complement of their block
    is then a Wishart matrix with m - p degrees of freedom, at the Marchenko-Pastur edge.

    Examples
    --------
    >>> [round(measurement_slowdown(m, 20, 20, 2, 4), 2) for m in (400, 800, 1600)]
    [0.44, 0.62, 0.75]
    """
    d = degrees_of_freedom(n1, n2, r, k)
    m = check_int("m", m, lower=d + 1)
    check_int("k", k, lower=r + 1)
    q = check_int("n2", n2, lower=r + 1) - r
    p = d - q
    return (1 - p / m) * (1 - math.sqrt(q / (m - p))) ** 2


def optimal_beta(sigma_r: float) -> float:
    """Return sqrt(sigma_r), the beta that maximises min(beta^2, sigma_r^2 / beta^2).

    Parameters
    ----------
    sigma_r : float
        Least non-zero singular value of the truth.

    Returns
    -------
    float

    References
    ----------
    Derived here, from the asymptotic factor ``one_step_contraction``.

    Examples
    --------
    >>> optimal_beta(0.25)
    0.5
    """
    return math.sqrt(check_real("sigma_r", sigma_r, lower=0.0, lower_open=True))
