"""Linear measurements of a matrix: what every sensing operator can do.

A sensing operator holds m matrices A_i of shape (n1, n2) and measures
``A(M)_i = <A_i, M> / sqrt(m)``, so that for standard Gaussian matrices ``E A*A = I``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorytk._validation import check_array, check_int

__all__ = ["Array", "SensingOperator"]

Array = NDArray[np.float64]


class SensingOperator(ABC):
    """A linear map ``A(M)_i = <A_i, M> / sqrt(m)`` from matrices (n1, n2) to measurements (m,).

    A subclass gives `apply` and `adjoint`; everything else follows from them, and is overridden
    where the structure of the A_i allows something faster. The methods are called once per
    iteration of an algorithm, so they check shapes and types only: a NaN passes through.

    Parameters
    ----------
    m : int
        Number of measurements.
    shape : tuple of int
        (n1, n2), the shape of the matrices measured.
    symmetric : bool, default False
        Whether every A_i is symmetric. Then A(M) sees only the symmetric part (M + M.T) / 2.
    """

    def __init__(self, m: int, shape: tuple[int, int], *, symmetric: bool = False) -> None:
        self.m = check_int("m", m, lower=1)
        self.shape = (
            check_int("n1", shape[0], lower=1),
            check_int("n2", shape[1], lower=1),
        )
        self.symmetric = symmetric

    @abstractmethod
    def apply(self, M: ArrayLike) -> Array:
        """Return the measurements A(M).

        Parameters
        ----------
        M : array_like, shape (..., n1, n2)
            One matrix, or a batch of them.

        Returns
        -------
        ndarray, shape (..., m)
        """

    @abstractmethod
    def adjoint(self, z: ArrayLike) -> Array:
        """Return A*(z) = sum_i z_i A_i / sqrt(m).

        Parameters
        ----------
        z : array_like, shape (..., m)
            One vector, or a batch of them.

        Returns
        -------
        ndarray, shape (..., n1, n2)
        """

    def normal(self, E: ArrayLike) -> Array:
        """Return A*A(E), the residual of gradient descent when E is the error.

        Parameters
        ----------
        E : array_like, shape (..., n1, n2)
            One matrix, or a batch of them.

        Returns
        -------
        ndarray, shape (..., n1, n2)
        """
        return self.adjoint(self.apply(self._check_matrices("E", E)))

    def apply_factors(self, F: ArrayLike, G: ArrayLike) -> Array:
        """Return A(F G^T).

        Parameters
        ----------
        F : array_like, shape (n1, k)
            Left factor.
        G : array_like, shape (n2, k)
            Right factor.

        Returns
        -------
        ndarray, shape (m,)
        """
        F, G = self._check_factors(F, G)
        return self.apply(F @ G.T)

    def adjoint_times(self, z: ArrayLike, G: ArrayLike) -> Array:
        """Return A*(z) G.

        Parameters
        ----------
        z : array_like, shape (m,)
            One vector of measurements.
        G : array_like, shape (n2, k)
            Right factor.

        Returns
        -------
        ndarray, shape (n1, k)
        """
        return self.adjoint(self._check_vector("z", z)) @ self._check_factor("G", G)

    def gradients(self, F: ArrayLike, G: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Return the gradients of ``||A(F G^T) - y||^2 / 2`` in F and in G.

        Parameters
        ----------
        F : array_like, shape (n1, k)
            Left factor.
        G : array_like, shape (n2, k)
            Right factor.
        y : array_like, shape (m,)
            Measurements.

        Returns
        -------
        grad_F : ndarray, shape (n1, k)
            A*(z) G with z = A(F G^T) - y.
        grad_G : ndarray, shape (n2, k)
            A*(z)^T F.
        """
        F, G = self._check_factors(F, G)
        residual = self.adjoint(self.apply(F @ G.T) - self._check_vector("y", y))
        return residual @ G, residual.T @ F

    def matrix(self) -> Array:
        """Return the matrix of A on row-major vec(M), shape (m, n1 * n2), with its 1 / sqrt(m)."""
        basis = np.eye(self.shape[0] * self.shape[1]).reshape(-1, *self.shape)
        return np.ascontiguousarray(self.apply(basis).T)

    def __repr__(self) -> str:
        n1, n2 = self.shape
        kind = ", symmetric" if self.symmetric else ""
        return f"<{type(self).__name__}: {self.m} measurements of {n1} x {n2} matrices{kind}>"

    def _check_matrices(self, name: str, M: ArrayLike) -> Array:
        """Return `M` as floats of shape (..., n1, n2)."""
        return _checked(name, M, self.shape, np.ndim(M) - 2)

    def _check_vectors(self, name: str, z: ArrayLike) -> Array:
        """Return `z` as floats of shape (..., m)."""
        return _checked(name, z, (self.m,), np.ndim(z) - 1)

    def _check_vector(self, name: str, z: ArrayLike) -> Array:
        """Return `z` as floats of shape (m,)."""
        return _checked(name, z, (self.m,))

    def _check_factor(self, name: str, F: ArrayLike, k: int | None = None) -> Array:
        """Return the factor "F", (n1, k), or "G", (n2, k), as floats; any `k` if not given."""
        if k is None and np.ndim(F) == 2:
            k = np.shape(F)[1]
        return _checked(name, F, (self.shape[0 if name == "F" else 1], k))

    def _check_factors(self, F: ArrayLike, G: ArrayLike) -> tuple[Array, Array]:
        """Return both factors as floats, with equally many columns."""
        F = self._check_factor("F", F)
        return F, self._check_factor("G", G, F.shape[1])


def _checked(name: str, value: Any, shape: tuple[int | None, ...], n_batch: int = 0) -> Array:
    """Return `value` as contiguous floats of this shape after `n_batch` leading dimensions.

    What is already so is passed at once: an iteration of a small problem lasts microseconds.
    """
    if isinstance(value, np.ndarray) and value.dtype == np.float64 and value.shape == shape:
        return np.ascontiguousarray(value)
    full = (None,) * n_batch + shape
    array: Array = np.ascontiguousarray(check_array(name, value, shape=full, finite=False))
    return array
