"""Imbalance of the factors: what gradient flow conserves, and how to change it."""

from __future__ import annotations

from typing import Any

import numpy as np

from theorytk._validation import check_array, check_real
from theorytk.matrix_sensing.sensing import Array

__all__ = ["balance", "imbalance", "imbalance_step", "one_step_rescale"]


def imbalance(F: Any, G: Any) -> Array:
    """Return the imbalance F^T F - G^T G, which gradient flow conserves for any measurements.

    Parameters
    ----------
    F : array_like, shape (n1, k)
        Left factor.
    G : array_like, shape (n2, k)
        Right factor.

    Returns
    -------
    ndarray, shape (k, k)

    Examples
    --------
    >>> imbalance([[2.0], [0.0]], [[1.0]])
    array([[3.]])
    """
    F, G = _check_factors(F, G)
    return np.asarray(F.T @ F - G.T @ G)


def imbalance_step(F: Any, G: Any, R: Any, step_size: float) -> Array:
    """Return the exact change of the imbalance in one step of gradient descent.

    It is ``step_size**2 (G^T R^T R G - F^T R R^T F)``: the first order cancels, since both
    gradients contract with their factor to F^T R G.

    Parameters
    ----------
    F : array_like, shape (n1, k)
        Left factor before the step.
    G : array_like, shape (n2, k)
        Right factor before the step.
    R : array_like, shape (n1, n2)
        The residual A*A(F G^T - M) before the step, of any operator.
    step_size : float
        The step eta > 0.

    Returns
    -------
    ndarray, shape (k, k)

    References
    ----------
    Derived here, for the simultaneous update.

    Examples
    --------
    >>> imbalance_step([[2.0]], [[1.0]], [[0.5]], 0.1)
    array([[-0.0075]])
    """
    F, G = _check_factors(F, G)
    R = check_array("R", R, shape=(len(F), len(G)))
    step_size = check_real("step_size", step_size, lower=0.0, lower_open=True)
    RG, RF = R @ G, R.T @ F
    return np.asarray(step_size**2 * (RG.T @ RG - RF.T @ RF))


def one_step_rescale(F: Any, G: Any, beta: float) -> tuple[Array, Array]:
    """Return factors of the same product whose left one has all singular values `beta`.

    With the thin SVD F = A B C^T they are ``beta A`` and ``G C B / beta``.

    Parameters
    ----------
    F : array_like, shape (n1, k)
        Left factor, of full column rank.
    G : array_like, shape (n2, k)
        Right factor.
    beta : float
        Singular values of the new left factor, > 0.

    Returns
    -------
    F_new : ndarray, shape (n1, k)
    G_new : ndarray, shape (n2, k)

    Raises
    ------
    ValueError
        If F is numerically rank deficient (always so for k > n1), or `beta` is not positive.

    References
    ----------
    Xiong, Ding, Du (ICLR 2024), Section 5, the modification of one step.

    Examples
    --------
    >>> F, G = one_step_rescale([[4.0], [0.0]], [[3.0]], 2.0)
    >>> F.T @ F, F @ G.T
    (array([[4.]]), array([[12.],
           [ 0.]]))
    """
    F, G = _check_factors(F, G)
    beta = check_real("beta", beta, lower=0.0, lower_open=True)
    A, b, Ct = np.linalg.svd(F, full_matrices=False)
    if F.shape[1] > len(F) or b[-1] <= np.finfo(float).eps * b[0]:
        raise ValueError(
            f"F must have full column rank; got shape {F.shape} with singular values {b}: the "
            "imbalance cannot be created in a null direction"
        )
    return beta * A, (G @ Ct.T) * (b / beta)


def balance(F: Any, G: Any) -> tuple[Array, Array]:
    """Return factors of the same product whose imbalance is zero.

    Parameters
    ----------
    F : array_like, shape (n1, k)
        Left factor.
    G : array_like, shape (n2, k)
        Right factor; k <= min(n1, n2).

    Returns
    -------
    F_new : ndarray, shape (n1, k)
    G_new : ndarray, shape (n2, k)

    Examples
    --------
    >>> balance([[4.0]], [[1.0]])
    (array([[2.]]), array([[2.]]))
    """
    F, G = _check_factors(F, G)
    k = F.shape[1]
    if k > min(len(F), len(G)):
        raise ValueError(f"k must be at most min(n1, n2) = {min(len(F), len(G))}; got {k}")
    Q_F, R_F = np.linalg.qr(F)
    Q_G, R_G = np.linalg.qr(G)
    U, s, Vt = np.linalg.svd(R_F @ R_G.T)
    return Q_F @ U * np.sqrt(s), Q_G @ Vt.T * np.sqrt(s)


def _check_factors(F: Any, G: Any) -> tuple[Array, Array]:
    F = check_array("F", F, shape=(None, None))
    return F, check_array("G", G, shape=(None, F.shape[1]))
