"""What is proven about the separation of normalised laws: bounds of delta, and a limit.

A law on R^d is normalised if E|x|^2 = d. delta is int (1 - lambda(s)) ds, see
:class:`theorytk.paths.separation.Separation`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int, check_real
from theorytk.paths.datasets import Array

__all__ = [
    "entropy_bound",
    "gamma_limit",
    "paper_separation_bound",
    "spectral_bound",
]


def paper_separation_bound(n: int, d: int) -> float:
    """Return 3 n / sqrt(d), a bound of delta for n points in R^d.

    Parameters
    ----------
    n, d : int
        Number of points and dimension.

    Returns
    -------
    float
        It says something only below pi/2, for n < 0.52 sqrt(d).

    References
    ----------
    Shaul et al. (ICML 2023), Theorem 4.1; the constant 3 is the paper's.

    Examples
    --------
    >>> paper_separation_bound(2, 100)
    0.6
    """
    return 3 * check_int("n", n, lower=1) / math.sqrt(check_int("d", d, lower=1))


def entropy_bound(entropy: float, d: int) -> float:
    """Return arccos(exp(-H/d)), a bound of delta for a discrete law of entropy H.

    It is at most sqrt(2 H / d), hence sqrt(2 ln(n) / d) for n points: Cond-OT becomes optimal as
    soon as ln(n)/d tends to 0. It is also the angle up to which n points of a good code look like
    a Gaussian.

    Parameters
    ----------
    entropy : float
        H >= 0 in nats; ln n for n equal weights.
    d : int
        The dimension.

    Returns
    -------
    float

    References
    ----------
    Derived here: among functions f of [0, 1/(1 + s^2)] with int s f ds = H/d, which holds for
    1 - lambda by the I-MMSE relation of Guo, Shamai, Verdu (2005), the integral is largest for
    f = 1/(1 + s^2) up to s = sqrt(exp(2H/d) - 1) and 0 beyond. Sharper than Theorem 4.1 of Shaul et
    al. (ICML 2023), `paper_separation_bound`.

    Examples
    --------
    >>> round(entropy_bound(np.log(50_000), 3072), 4)
    0.0839
    """
    rate = check_real("entropy", entropy, lower=0.0) / check_int("d", d, lower=1)
    # arctan keeps the digits that arccos loses near 1.
    return math.atan(math.sqrt(math.expm1(2 * rate))) if rate < 300 else math.pi / 2


def spectral_bound(eigenvalues: Any) -> float:
    """Return pi/2 mean(sqrt(e)), a bound of delta by the eigenvalues of the covariance.

    Parameters
    ----------
    eigenvalues : array_like, shape (d,)
        Eigenvalues >= 0 of the covariance of a normalised law.

    Returns
    -------
    float
        The delta of the Gaussian law with this covariance.

    References
    ----------
    Derived here: 1 - lambda is at most the error of linear regression, mean(e / (1 + s^2 e)).

    Examples
    --------
    >>> round(spectral_bound([4.0, 0.0, 0.0, 0.0]) / np.pi, 12)
    0.25
    """
    return math.pi / 2 * float(np.sqrt(checked_eigenvalues(eigenvalues)).mean())


def gamma_limit(information_dimension: float, d: int) -> float:
    """Return the limit 1 - dim/d of gamma at theta = pi/2.

    Parameters
    ----------
    information_dimension : float
        0 for a discrete law, k for a density on a k-dimensional subspace, up to d.
    d : int
        The dimension.

    Returns
    -------
    float

    References
    ----------
    Wu, Verdu (2011): s^2 times the posterior variance tends to the information dimension, for laws
    without a singular part.

    Examples
    --------
    >>> gamma_limit(1.0, 4)
    0.75
    """
    d = check_int("d", d, lower=1)
    return 1 - check_real("information_dimension", information_dimension, lower=0.0, upper=d) / d


def checked_eigenvalues(values: Any) -> Array:
    """Return eigenvalues of a covariance that is not zero, with rounding below 0 removed."""
    e = check_array("eigenvalues", values, ndim=1)
    if not len(e) or not e.max() > 0 or e.min() < -1e-12 * e.max():
        raise ValueError(f"eigenvalues must be >= 0 and not all 0; got {e}")
    return np.asarray(np.maximum(e, 0.0))
