"""Metric privacy: what a replacement costs when the point moves only a little."""

from __future__ import annotations

from typing import Any

import numpy as np

from theorytk._validation import check_array, check_real
from theorytk.privacy._arguments import Array, check_nonnegative
from theorytk.privacy.kernels import kernel_profile

__all__ = ["hat_metric_loss", "kernel_metric_loss"]


def hat_metric_loss(x: Any, other: Any, rho: float) -> Array:
    """Return the zCDP of replacing a point of the Gaussian hat mechanism by another.

    Parameters
    ----------
    x, other : array_like
        Points of the unit interval, the range of the mechanism.
    rho : float
        zCDP > 0 of adding or removing a point.

    Returns
    -------
    ndarray
        2 rho |x - other|: attained at points of the mechanism's grid, an upper bound elsewhere.
        Points closer than half the range are protected better than an added point is.

    References
    ----------
    Derived here: adding x is a step of length sqrt(2 rho) from 0, and the scalar product of
    two such steps is 2 rho (1 - |x - other|).

    Examples
    --------
    >>> hat_metric_loss([0.0, 0.25], 0.5, rho=0.5)
    array([0.5 , 0.25])
    """
    x, other = check_array("x", x), check_array("other", other)
    return np.asarray(2 * _rho(rho) * np.abs(x - other))


def kernel_metric_loss(kernel: str, z: Any, rho: float) -> Array:
    """Return the zCDP of replacing a point of a Gaussian process mechanism by another.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "laplacian", "cauchy", "inverse"}
        As in `kernel_profile`.
    z : array_like
        Distances >= 0 of the two points over the bandwidth.
    rho : float
        zCDP > 0 of adding or removing a point.

    Returns
    -------
    ndarray
        2 rho (1 - k(z)): attained by queries at both points, an upper bound for other queries.

    References
    ----------
    Derived here: the squared distance of the two kernels in their own norm is 2 - 2 k(z).

    Examples
    --------
    >>> kernel_metric_loss("cauchy", [0.0, 1.0], rho=0.5)
    array([0. , 0.5])
    """
    z = check_nonnegative("z", z)
    return np.asarray(2 * _rho(rho) * (1 - kernel_profile(kernel, z)))


def _rho(rho: Any) -> float:
    return check_real("rho", rho, lower=0.0, lower_open=True)
