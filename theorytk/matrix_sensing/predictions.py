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
from theorytk.matrix_sensing.invariants import imbalance
from theorytk.matrix_sensing.sensing import Array
from theorytk.matrix_sensing.theory import degrees_of_freedom

__all__ = [
    "escape_time",
    "imbalance_bound",
    "imbalance_edge",
    "learning_times",
    "max_columns",
    "measurement_slowdown",
    "noise_error",
    "optimal_beta",
    "optimal_scale",
    "small_scale_rate",
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


def learning_times(sigma: Any, U0: Any, step_size: float) -> Array:
    """Return the iterations until each eigenvalue of the truth is half learned, one by one.

    While small the rows of U grow on their own; an earlier row, once learned, wipes out the later
    ones along its own direction. So row i escapes from the part of its start that is orthogonal
    to the rows before it.

    Parameters
    ----------
    sigma : array_like, shape (r,)
        Eigenvalues of the truth, > 0 and decreasing.
    U0 : array_like, shape (r, k)
        Rows of the small initial factor in the eigendirections, k >= r.
    step_size : float
        The step eta.

    Returns
    -------
    ndarray, shape (r,)

    References
    ----------
    Derived here: leading order for a small start and separate eigenvalues, see `escape_time`.

    Examples
    --------
    >>> learning_times([1.0, 0.5], [[1e-6, 0.0], [1.0, 1e-6]], 0.1).round()
    array([145., 276.])
    """
    sigma = check_array("sigma", sigma, shape=(None,))
    U0 = check_array("U0", U0, shape=(len(sigma), None))
    check_int("columns of U0", U0.shape[1], lower=len(sigma))
    if not (np.diff(sigma) < 0).all():
        raise ValueError(f"sigma must be decreasing; got {sigma.tolist()}")
    return escape_time(sigma, np.abs(np.diag(np.linalg.qr(U0.T)[1])), step_size)


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
    """Return n (1 - c)^2 / (1 + c^2): for fewer columns the initial imbalance is definite.

    It is the zero of `imbalance_edge`. There the two equations for the edge give
    1 / (w + y) = 1 / (1 - c) and c^2 / (w - c^2 y) = c / (1 - c), whose squares add up to 1 / y.

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
    Derived here; exact in the limit, for n1 = n2 = n.

    Examples
    --------
    >>> max_columns(50)
    20.0
    """
    c = check_real("ratio", ratio, lower=0.0, upper=1.0)
    return float(check_int("n", n, lower=1) * (1 - c) ** 2 / (1 + c**2))


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


def small_scale_rate(truth: Any, F0: Any, G0: Any) -> float:
    """Return the asymptotic rate lambda of gradient descent from a small start, before running.

    The error shrinks by 1 - eta lambda an iteration, where lambda is the least eigenvalue of the
    initial imbalance compressed to the kernel of U^T F0 + V^T G0 (U, V: singular vectors of the
    truth). The signal grows in the row space of that matrix; the other k - r directions keep
    their imbalance, which at the limit is their part of F^T F.

    Parameters
    ----------
    truth : array_like, shape (n1, n2)
        The matrix M of rank r < k.
    F0 : array_like, shape (n1, k)
        Initial left factor, the larger one.
    G0 : array_like, shape (n2, k)
        Initial right factor.

    Returns
    -------
    float
        Proportional to the squared scale; not positive where no linear rate is predicted.

    References
    ----------
    Derived here: leading order as the scale and the step tend to zero, in the population.

    Examples
    --------
    >>> M = [[1.0, 0.0], [0.0, 0.0]]
    >>> round(small_scale_rate(M, [[0.1, 0.0], [0.0, 0.2]], [[0.1, 0.0], [0.0, 0.1]]), 9)
    0.03
    """
    noise, _, _ = _compressed_imbalance(truth, F0, G0)
    return float(np.linalg.eigvalsh(noise)[0])


def optimal_scale(truth: Any, F0: Any, G0: Any) -> float:
    """Return the factor by which to multiply both initial factors for the fastest rate.

    At scale a the noise columns of F give a^2 rho, rho the `small_scale_rate`, and the signal
    rows of G give (sqrt(a^4 delta^2 + 4 sigma_r^2) - a^2 delta) / 2, delta the mean imbalance of
    the signal directions. The least of the two peaks at a^4 = sigma_r^2 / (rho (rho + delta)).

    Parameters
    ----------
    truth, F0, G0
        See `small_scale_rate`, which must be positive.

    Returns
    -------
    float

    References
    ----------
    Derived here, for the population: the limit at an imbalance delta I, used with the mean.

    Examples
    --------
    >>> M = [[1.0, 0.0], [0.0, 0.0]]
    >>> round(optimal_scale(M, [[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]), 6)
    0.840896
    """
    noise, signal, sigma_r = _compressed_imbalance(truth, F0, G0)
    rho, delta = float(np.linalg.eigvalsh(noise)[0]), float(np.trace(signal)) / len(signal)
    if rho <= 0 or rho + delta <= 0:
        raise ValueError(f"F0, G0 must have a positive small_scale_rate; got {rho:.3g}")
    return math.sqrt(sigma_r / math.sqrt(rho * (rho + delta)))


def _compressed_imbalance(truth: Any, F0: Any, G0: Any) -> tuple[Array, Array, float]:
    """Return the imbalance on the noise and on the signal directions of R^k, and sigma_r."""
    M = check_array("truth", truth, shape=(None, None))
    F0 = check_array("F0", F0, shape=(len(M), None))
    k = F0.shape[1]
    G0 = check_array("G0", G0, shape=(M.shape[1], k))
    U, s, Vt = np.linalg.svd(M)
    r = int(np.count_nonzero(s > max(M.shape) * np.finfo(float).eps * s[0]))
    if not 1 <= r < k:
        raise ValueError(f"truth must have a rank from 1 to k - 1 = {k - 1}; got {r}")
    directions = np.linalg.svd(U[:, :r].T @ F0 + Vt[:r] @ G0)[2].T
    rotated = directions.T @ imbalance(F0, G0) @ directions
    return rotated[r:, r:], rotated[:r, :r], float(s[r - 1])
