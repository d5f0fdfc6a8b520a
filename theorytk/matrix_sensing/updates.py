"""Update rules: one iteration of an algorithm on the factors F and G of F G^T.

An update rule is any callable ``rule(F, G, residual, step_size) -> (F_next, G_next)``, where
``residual(F, G)`` returns R = A*A(F G^T - M), shape (n1, n2). In the symmetric mode it is called
with F = G = X and only its first output is kept. A rule with memory is a class whose instances are
such callables; it is instantiated once per run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "UPDATE_RULES",
    "AlternatingLeastSquares",
    "UpdateRule",
    "agn_step",
    "damped_step",
    "gradient_step",
    "precgd_step",
    "scaled_step",
    "sequential_step",
]

# Singular values below this part of the largest are rounding; their directions are left alone.
RCOND = 1e-12

Array = NDArray[np.float64]
Residual = Callable[[Array, Array], Array]
UpdateRule = Callable[[Array, Array, Residual, float], tuple[Array, Array]]


def gradient_step(F: Array, G: Array, residual: Residual, step_size: float) -> tuple[Array, Array]:
    """Gradient descent: both factors move from their old values.

    Parameters
    ----------
    F, G : ndarray, shapes (n1, k) and (n2, k)
        Factors.
    residual : callable
        ``residual(F, G)`` returns A*A(F G^T - M), shape (n1, n2).
    step_size : float
        The step eta.

    Returns
    -------
    F_next, G_next : ndarray

    References
    ----------
    Xiong, Ding, Du (ICLR 2024), gradient descent on the asymmetric (F = G: symmetric) loss.

    Examples
    --------
    >>> import numpy as np
    >>> one = np.ones((1, 1))
    >>> gradient_step(one, one, lambda F, G: F @ G.T - 2.0, 0.1)
    (array([[1.1]]), array([[1.1]]))
    """
    R = residual(F, G)
    return F - step_size * R @ G, G - step_size * R.T @ F


def sequential_step(
    F: Array, G: Array, residual: Residual, step_size: float
) -> tuple[Array, Array]:
    """Gradient descent in turns (Gauss-Seidel): G moves with the new F and the new residual.

    A different algorithm, which breaks the identity of
    :func:`theorytk.matrix_sensing.invariants.imbalance_step`; kept as a comparator.

    Parameters
    ----------
    F, G, residual, step_size
        See `gradient_step`.

    Returns
    -------
    F_next, G_next : ndarray
    """
    F = F - step_size * residual(F, G) @ G
    return F, G - step_size * residual(F, G).T @ F


def scaled_step(F: Array, G: Array, residual: Residual, step_size: float) -> tuple[Array, Array]:
    """ScaledGD: gradients preconditioned by the inverse Gram of the other factor.

    Made for k = r; for k > r the Grams become singular and rounding takes over.

    Parameters
    ----------
    F, G, residual, step_size
        See `gradient_step`.

    Returns
    -------
    F_next, G_next : ndarray

    Raises
    ------
    numpy.linalg.LinAlgError
        If a Gram is exactly singular.

    References
    ----------
    Tong, Ma, Chi (JMLR 2021).
    """
    return damped_step(F, G, residual, step_size, damping=0.0)


def damped_step(
    F: Array, G: Array, residual: Residual, step_size: float, damping: float = 0.01
) -> tuple[Array, Array]:
    """ScaledGD(lambda): preconditioned by the inverse of Gram plus a fixed damping.

    Parameters
    ----------
    F, G, residual, step_size
        See `gradient_step`.
    damping : float, default 0.01
        Lambda, in the units of a singular value of the truth. Set another by
        ``functools.partial(damped_step, damping=...)``.

    Returns
    -------
    F_next, G_next : ndarray

    References
    ----------
    Xu, Shen, Chi, Ma (ICML 2023); there symmetric, the asymmetric form is ScaledGD's.
    """
    R = residual(F, G)
    return _preconditioned(F, G, R, step_size, damping)


def precgd_step(
    F: Array, G: Array, residual: Residual, step_size: float, c: float = 1.0
) -> tuple[Array, Array]:
    """PrecGD: ScaledGD(lambda) whose damping follows the error, lambda_t = c ||R_t||_F.

    In the population R is the error itself; under restricted isometry it is a multiple of it,
    which is all that the method needs.

    Parameters
    ----------
    F, G, residual, step_size
        See `gradient_step`.
    c : float, default 1.0
        Damping per unit of residual.

    Returns
    -------
    F_next, G_next : ndarray

    References
    ----------
    Zhang, Fattahi, Zhang (NeurIPS 2021), with ||R_t||_F in the place of the square root of the
    loss.
    """
    R = residual(F, G)
    return _preconditioned(F, G, R, step_size, c * float(np.linalg.norm(R)))


def agn_step(F: Array, G: Array, residual: Residual, step_size: float) -> tuple[Array, Array]:
    """Alternating Gauss-Newton: pseudo-inverse Grams, G with the new F and the new residual.

    In the population, ``step_size=1`` is alternating least squares.

    Parameters
    ----------
    F, G, residual, step_size
        See `gradient_step`.

    Returns
    -------
    F_next, G_next : ndarray

    References
    ----------
    Jia, Feng, Meng, Sun (NeurIPS 2024).
    """
    F = F - step_size * residual(F, G) @ np.linalg.pinv(G, rcond=RCOND).T
    return F, G - step_size * residual(F, G).T @ np.linalg.pinv(F, rcond=RCOND).T


class AlternatingLeastSquares:
    """Alternating least squares: F, then G, minimises the loss exactly (for ``step_size=1``).

    Any other step moves that fraction of the way. The minimiser nearest to the present factor is
    taken, so rank-deficient factors are legal.

    Parameters
    ----------
    operator : SensingOperator
        The measurements; its matrix is kept, m * n1 * n2 numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.matrix_sensing.operators import IdentitySensing
    >>> als = AlternatingLeastSquares(IdentitySensing(1))
    >>> one = np.ones((1, 1))
    >>> als(one, one, lambda F, G: F @ G.T - 2.0, 1.0)
    (array([[2.]]), array([[1.]]))
    """

    def __init__(self, operator: Any) -> None:
        self._design = operator.matrix().reshape(-1, *operator.shape)

    def __call__(
        self, F: Array, G: Array, residual: Residual, step_size: float
    ) -> tuple[Array, Array]:
        """Return the next factors; see `gradient_step` for the parameters."""
        F = F - step_size * self._solve(self._design @ G, residual(F, G) @ G)
        design = self._design.transpose(0, 2, 1) @ F
        return F, G - step_size * self._solve(design, residual(F, G).T @ F)

    def _solve(self, design: Array, gradient: Array) -> Array:
        """Return the least-norm D with A'A vec(D) = vec(gradient), A the rows of `design`."""
        A = design.reshape(len(design), -1)
        solution = np.linalg.lstsq(A.T @ A, gradient.ravel(), rcond=RCOND)[0]
        return np.asarray(solution.reshape(gradient.shape))


def _preconditioned(
    F: Array, G: Array, R: Array, step_size: float, damping: float
) -> tuple[Array, Array]:
    """Return F - step R G (G'G + damping I)^-1 and its mirror image."""
    ridge = damping * np.eye(F.shape[1])  # pinv: a Gram may become singular at convergence
    return (
        F - step_size * R @ G @ np.linalg.pinv(G.T @ G + ridge, hermitian=True),
        G - step_size * R.T @ F @ np.linalg.pinv(F.T @ F + ridge, hermitian=True),
    )


UPDATE_RULES: dict[str, UpdateRule] = {
    "gradient": gradient_step,
    "scaled": scaled_step,
    "damped": damped_step,
    "precgd": precgd_step,
    "agn": agn_step,
    "sequential": sequential_step,
}
