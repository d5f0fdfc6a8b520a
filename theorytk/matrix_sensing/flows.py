"""Gradient flows of the population loss in closed form: the limit of small steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from theorytk._validation import check_array, check_real
from theorytk.matrix_sensing.invariants import imbalance
from theorytk.matrix_sensing.sensing import Array

__all__ = ["flow_balanced", "flow_scalar", "flow_symmetric"]


def flow_scalar(f0: float, g0: float, s: float, t: Any) -> tuple[Array, Array]:
    """Return f(t), g(t) of the flow f' = -(f g - s) g, g' = -(f g - s) f.

    The squares P = (f + g)^2 and N = (f - g)^2 obey P' = 2 s P + (delta^2 - P^2) / 2 and the same
    with -s, where delta = f0^2 - g0^2 is conserved: two Riccati equations with constant
    coefficients, solved by tanh without cancellation.

    Parameters
    ----------
    f0, g0 : float
        Initial values.
    s : float
        The target of f g, of any sign.
    t : array_like of float
        Times >= 0.

    Returns
    -------
    f, g : ndarray, shape of `t`

    References
    ----------
    Derived here.

    Examples
    --------
    >>> f, g = flow_scalar(1.0, 0.5, 0.0, [0.0, 10.0])
    >>> (g / f).round(8)
    array([5.0000e-01, 2.7654e-04])
    """
    f0, g0, s = check_real("f0", f0), check_real("g0", g0), check_real("s", s)
    t = _check_times(t)
    if s < 0:
        f, g = flow_scalar(f0, -g0, -s, t)
        return f, -g
    delta = (f0 - g0) * (f0 + g0)
    rate = math.hypot(delta, 2 * s)
    # T = tanh(rate t / 2) / rate, and decay = 1 - 2 s T without cancellation.
    T = t / 2 if rate == 0 else np.tanh(rate * t / 2) / rate
    tail = delta**2 / (rate + 2 * s) if rate > 0 else 0.0
    decay = 2 * np.exp(-rate * t) / (1 + np.exp(-rate * t)) + tail * T
    P0, N0 = (f0 + g0) ** 2, (f0 - g0) ** 2
    p = math.copysign(1.0, f0 + g0) * np.sqrt(
        (P0 * (1 + 2 * s * T) + delta**2 * T) / (decay + P0 * T)
    )
    n = math.copysign(1.0, f0 - g0) * np.sqrt((N0 * decay + delta**2 * T) / (1 + (N0 + 2 * s) * T))
    if s > 0:
        return (p + n) / 2, (p - n) / 2
    # Without a target the smaller one dies exponentially: keep its relative accuracy.
    if abs(f0) >= abs(g0):
        f = (p + n) / 2
        return f, f * (g0 / f0 if f0 else 0.0) * np.exp(-delta * t)
    g = (p - n) / 2
    return g * (f0 / g0) * np.exp(delta * t), g


def flow_symmetric(M: Any, X0: Any, t: Any) -> Array:
    """Return X_t X_t^T of the flow X' = -(X X^T - M) X.

    With K = I + 2 X0^T [integral of e^(2 M s) over (0, t)] X0 it is e^(Mt) X0 K^-1 X0^T e^(Mt),
    for any k and any symmetric M. The formula is applied in steps of ||M|| h <= 1, each of them
    exact, since as a whole it overflows.

    Parameters
    ----------
    M : array_like, shape (n, n)
        The truth, symmetric.
    X0 : array_like, shape (n, k)
        Initial factor.
    t : array_like of float, shape (T,) or scalar
        Times >= 0, increasing. The cost is that of t ||M|| steps.

    Returns
    -------
    ndarray, shape (T, n, n) or (n, n)
        The factor X_t itself would be determined up to a rotation only.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> flow_symmetric([[0.0]], [[1.0]], [0.0, 1.0]).ravel().round(6)
    array([1.      , 0.333333])
    """
    M = check_array("M", M, shape=(None, None))
    if len(M) != M.shape[1] or np.abs(M - M.T).max() > 1e-10 * np.abs(M).max():
        raise ValueError("M must be symmetric; got one that is not")
    X0 = check_array("X0", X0, shape=(len(M), None))
    times = _check_times(t)
    w, Q = np.linalg.eigh(M)
    X, now, products = Q.T @ X0, 0.0, []
    for time in times.ravel():
        X = _advance(w, X, time - now)
        now = time
        products.append(Q @ X)
    stacked = np.array([Y @ Y.T for Y in products])
    return stacked.reshape(*times.shape, *M.shape)


def flow_balanced(M: Any, F0: Any, G0: Any, t: Any) -> Array:
    """Return F_t G_t^T of the flow F' = -(F G^T - M) G, G' = -(F G^T - M)^T F.

    It has a closed form if the imbalance F0^T F0 - G0^T G0 is lambda I: then Z = [F; G] / sqrt(2)
    follows the symmetric flow with [[lambda I / 2, M], [M^T, -lambda I / 2]] in the place of M.

    Parameters
    ----------
    M : array_like, shape (n1, n2)
        The truth.
    F0 : array_like, shape (n1, k)
        Initial left factor.
    G0 : array_like, shape (n2, k)
        Initial right factor.
    t : array_like of float, shape (T,) or scalar
        Times >= 0, increasing.

    Returns
    -------
    ndarray, shape (T, n1, n2) or (n1, n2)

    Raises
    ------
    ValueError
        If the imbalance is not a multiple of the identity (to 1e-10).

    References
    ----------
    Derived here.

    Examples
    --------
    >>> flow_balanced([[1.0]], [[0.5]], [[0.1]], 50.0).round(6)
    array([[1.]])
    """
    M = check_array("M", M, shape=(None, None))
    n1, n2 = M.shape
    F0 = check_array("F0", F0, shape=(n1, None))
    G0 = check_array("G0", G0, shape=(n2, F0.shape[1]))
    delta = imbalance(F0, G0)
    lam = float(np.trace(delta)) / len(delta)
    scale = np.linalg.norm(F0) ** 2 + np.linalg.norm(G0) ** 2
    if np.abs(delta - lam * np.eye(len(delta))).max() > 1e-10 * scale:
        raise ValueError("F0, G0 must have an imbalance lambda I; got one that is not")
    B = np.block([[lam / 2 * np.eye(n1), M], [M.T, -lam / 2 * np.eye(n2)]])
    Z = np.vstack([F0, G0]) / math.sqrt(2)
    return 2 * flow_symmetric(B, Z, t)[..., :n1, n1:]


def _advance(w: Array, X: Array, duration: float) -> Array:
    """Return the factor after `duration`, in the eigenbasis with eigenvalues w."""
    n_steps = max(1, math.ceil(duration * float(np.abs(w).max())))
    h = duration / n_steps
    growth = np.exp(w * h)[:, None]
    # The integral of e^(2 w s); at small w the quotient would lose its digits.
    small = np.abs(w * h) < 1e-8
    phi = np.where(small, h, np.expm1(2 * w * h) / np.where(small, 1.0, 2 * w))[:, None]
    for _ in range(n_steps):
        L = cholesky(np.eye(X.shape[1]) + 2 * X.T @ (phi * X), lower=True)
        X = solve_triangular(L, (growth * X).T, lower=True).T
    return X


def _check_times(t: Any) -> Array:
    times: Array = check_array("t", t)
    if times.ndim > 1 or not (np.diff(times.ravel(), prepend=0.0) >= 0).all():
        raise ValueError("t must be >= 0 and increasing; got times that are not")
    return times
