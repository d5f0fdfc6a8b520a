"""Sensing operators whose matrices are never formed: rank one, and single entries."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorytk._validation import check_array, check_int
from theorytk.matrix_sensing._sensing_kernels import (
    entry_gradients,
    entry_products,
    entry_sums,
    entry_times,
)
from theorytk.matrix_sensing.sensing import Array, SensingOperator

__all__ = ["EntrySensing", "RankOneSensing"]


class RankOneSensing(SensingOperator):
    """Sensing by rank-one matrices ``A_i = a_i b_i^T``: ``A(M)_i = a_i^T M b_i / sqrt(m)``.

    Parameters
    ----------
    A : array_like, shape (m, n1)
        The vectors a_i, one a row.
    B : array_like, shape (m, n2), optional
        The vectors b_i; `A` if not given, which measures quadratic forms ``a_i^T M a_i``.

    Notes
    -----
    For independent standard Gaussian a_i and b_i, ``E A*A(M) = M``, but the measurements have
    heavy tails, so that m of the order of n r does not give a restricted isometry.
    For Gaussian ``b_i = a_i`` the operator is not isotropic:
    ``E A*A(M) = M + M^T + tr(M) I``. Nothing is centred here.

    References
    ----------
    Cai, Zhang (2015), "ROP: Matrix recovery via rank-one projections", Annals of Statistics 43.
    The two expectations are derived here (Wick's formula).

    Examples
    --------
    >>> from theorytk.matrix_sensing.structured import RankOneSensing
    >>> RankOneSensing([[1.0, 2.0]], [[3.0, 0.0, 1.0]]).apply([[1.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
    array([13.])
    """

    def __init__(self, A: ArrayLike, B: ArrayLike | None = None) -> None:
        A = check_array("A", A, shape=(None, None))
        B = A if B is None else check_array("B", B, shape=(len(A), None))
        super().__init__(len(A), (A.shape[1], B.shape[1]), symmetric=np.array_equal(A, B))
        self._A = A / math.sqrt(self.m)
        self._B = np.array(B)

    def apply(self, M: ArrayLike) -> Array:
        """Return A(M), one matrix product per matrix; see `SensingOperator.apply`."""
        z: Array = np.einsum("...ij,ij->...i", self._A @ self._check_matrices("M", M), self._B)
        return z

    def adjoint(self, z: ArrayLike) -> Array:
        """Return A*(z), one matrix product per vector; see `SensingOperator.adjoint`."""
        z = self._check_vectors("z", z)
        M: Array = self._A.T @ (z[..., None] * self._B)
        return M

    def apply_factors(self, F: ArrayLike, G: ArrayLike) -> Array:
        """Return A(F G^T) in O(m (n1 + n2) k); see `SensingOperator.apply_factors`."""
        F, G = self._check_factors(F, G)
        z: Array = np.einsum("ij,ij->i", self._A @ F, self._B @ G)
        return z

    def adjoint_times(self, z: ArrayLike, G: ArrayLike) -> Array:
        """Return A*(z) G in O(m (n1 + n2) k); see `SensingOperator.adjoint_times`."""
        z = self._check_vector("z", z)
        return self._A.T @ (z[:, None] * (self._B @ self._check_factor("G", G)))

    def gradients(self, F: ArrayLike, G: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Return both gradients in O(m (n1 + n2) k); see `SensingOperator.gradients`."""
        F, G = self._check_factors(F, G)
        AF, BG = self._A @ F, self._B @ G
        z = np.einsum("ij,ij->i", AF, BG) - self._check_vector("y", y)
        return self._A.T @ (z[:, None] * BG), self._B.T @ (z[:, None] * AF)


class EntrySensing(SensingOperator):
    """Matrix completion: ``A(M)_i = sqrt(n1 n2 / m) M[rows[i], cols[i]]``.

    Every A_i has one entry, sqrt(n1 n2). With positions drawn uniformly and with replacement
    that makes the operator isotropic, ``E A*A = I``. A position may occur several times.

    Parameters
    ----------
    rows, cols : array_like of int, shape (m,)
        Positions of the entries observed, counted from 0.
    shape : tuple of int
        (n1, n2).

    References
    ----------
    Recht (2011), "A simpler approach to matrix completion", Journal of Machine Learning
    Research 12: sampling with replacement. The scaling is derived here.

    Examples
    --------
    >>> from theorytk.matrix_sensing.structured import EntrySensing
    >>> EntrySensing([0, 1], [0, 1], (2, 2)).apply([[1.0, 2.0], [3.0, 4.0]])
    array([1.41421356, 5.65685425])
    """

    def __init__(self, rows: ArrayLike, cols: ArrayLike, shape: tuple[int, int]) -> None:
        check_array("shape", shape, shape=(2,))
        n1, n2 = (check_int(f"shape[{i}]", n, lower=1) for i, n in enumerate(shape))
        rows = _positions("rows", rows, n1)
        cols = check_array("cols", _positions("cols", cols, n2), shape=rows.shape, dtype=np.intp)
        super().__init__(len(rows), (n1, n2), symmetric=n1 == n2 and np.array_equal(rows, cols))
        self.rows, self.cols = rows, cols
        self._flat = rows * n2 + cols
        self._scale = math.sqrt(n1 * n2 / self.m)

    def apply(self, M: ArrayLike) -> Array:
        """Return A(M); see `SensingOperator.apply`."""
        M = self._check_matrices("M", M)
        entries = M.reshape(*M.shape[:-2], -1)[..., self._flat]
        return self._scale * entries

    def adjoint(self, z: ArrayLike) -> Array:
        """Return A*(z); see `SensingOperator.adjoint`."""
        z = self._check_vectors("z", z)
        size = self.shape[0] * self.shape[1]
        M: Array = entry_sums(self._flat, self._scale * z.reshape(-1, self.m), size)
        return M.reshape(*z.shape[:-1], *self.shape)

    def normal(self, E: ArrayLike) -> Array:
        """Return A*A(E), every entry times a weight; see `SensingOperator.normal`."""
        return self._weights * self._check_matrices("E", E)

    def apply_factors(self, F: ArrayLike, G: ArrayLike) -> Array:
        """Return A(F G^T) in O(m k); see `SensingOperator.apply_factors`."""
        F, G = self._check_factors(F, G)
        z: Array = self._scale * entry_products(self.rows, self.cols, F, G)
        return z

    def adjoint_times(self, z: ArrayLike, G: ArrayLike) -> Array:
        """Return A*(z) G in O(m k); see `SensingOperator.adjoint_times`."""
        z, G = self._scale * self._check_vector("z", z), self._check_factor("G", G)
        product: Array = entry_times(self.rows, self.cols, z, G, self.shape[0])
        return product

    def gradients(self, F: ArrayLike, G: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Return both gradients in O(m k), in one pass; see `SensingOperator.gradients`."""
        F, G = self._check_factors(F, G)
        y = self._check_vector("y", y)
        grad_F, grad_G = entry_gradients(self.rows, self.cols, y, self._scale, F, G)
        return grad_F, grad_G

    @cached_property
    def _weights(self) -> Array:
        """How often each position is observed, times n1 n2 / m."""
        return self.adjoint(np.full(self.m, self._scale))


def _positions(name: str, value: Any, n: int) -> NDArray[np.intp]:
    """Return a copy of `value` as integers in 0..n-1."""
    if np.asarray(value).dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers; got dtype {np.asarray(value).dtype}")
    positions = np.array(check_array(name, value, ndim=1, dtype=np.intp))
    if positions.size:
        check_int(f"the smallest of {name}", int(positions.min()), lower=0)
        check_int(f"the largest of {name}", int(positions.max()), upper=n - 1)
    return positions
