"""Sensing operators that keep dense arrays, and the identity (the population).

Operators with structured matrices are in :mod:`theorytk.matrix_sensing.structured`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy.linalg.blas import dsymv, ssymv

from theorytk._validation import as_generator, check_array, check_choice, check_int
from theorytk.matrix_sensing._sensing_kernels import (
    from_half_coordinates,
    half_coordinates,
    normal_pass,
)
from theorytk.matrix_sensing.sensing import Array, SensingOperator

__all__ = ["DenseSensing", "GaussianSensing", "IdentitySensing", "SensingOperator"]

STORAGES = ("dense", "svec", "gram")


class IdentitySensing(SensingOperator):
    """The population: every entry is measured, so that A*A is the identity.

    Parameters
    ----------
    n1 : int
        Number of rows.
    n2 : int, optional
        Number of columns; `n1` if not given.

    Examples
    --------
    >>> from theorytk.matrix_sensing.operators import IdentitySensing
    >>> IdentitySensing(2).apply([[1.0, 2.0], [3.0, 4.0]])
    array([1., 2., 3., 4.])
    """

    def __init__(self, n1: int, n2: int | None = None) -> None:
        n1 = check_int("n1", n1, lower=1)
        n2 = n1 if n2 is None else check_int("n2", n2, lower=1)
        super().__init__(n1 * n2, (n1, n2))

    def apply(self, M: ArrayLike) -> Array:
        """Return vec(M), by rows; see `SensingOperator.apply`."""
        M = self._check_matrices("M", M)
        return M.reshape(*M.shape[:-2], self.m).copy()

    def adjoint(self, z: ArrayLike) -> Array:
        """Return z as a matrix; see `SensingOperator.adjoint`."""
        z = self._check_vectors("z", z)
        return z.reshape(*z.shape[:-1], *self.shape).copy()

    def normal(self, E: ArrayLike) -> Array:
        """Return a copy of E; see `SensingOperator.normal`."""
        return self._check_matrices("E", E).copy()


class DenseSensing(SensingOperator):
    """Sensing by any matrices, kept as one array with a row per measurement.

    Parameters
    ----------
    matrices : array_like, shape (m, n1, n2)
        The sensing matrices A_i, without the factor 1 / sqrt(m).
    storage : {"dense", "svec", "gram"}, optional
        What is kept, which decides the speed, not the result:

        - ``"dense"``: all n1 n2 entries of each A_i;
        - ``"svec"``: the n (n + 1) / 2 orthonormal coordinates of a symmetric A_i (entries off
          the diagonal weighted by sqrt(2)), half the memory and the time;
        - ``"gram"``: as ``"svec"`` for symmetric matrices and as ``"dense"`` for others, and
          besides the square matrix of A*A in those d coordinates, by which `normal` then goes
          without the A_i. It costs m d^2 operations once, and pays over many iterations when
          m > d / 2.

        Without it ``"svec"`` where every A_i is symmetric, else ``"dense"``.
    dtype : {"float64", "float32"}, default "float64"
        Precision of storage and products. Arguments and results are float64 either way.

    Raises
    ------
    ValueError
        If `storage` is ``"svec"`` and some A_i is not (exactly) symmetric.

    Notes
    -----
    `normal` of one matrix reads the stored array once instead of twice; a batch goes through one
    matrix product per side, which reads it twice for the whole batch.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.matrix_sensing.operators import DenseSensing
    >>> A = DenseSensing([[[1.0, 2.0], [2.0, 0.0]], [[0.0, 0.0], [0.0, 3.0]]])
    >>> A
    <DenseSensing: 2 measurements of 2 x 2 matrices, symmetric>
    >>> A.apply(np.eye(2)) * np.sqrt(2)
    array([1., 3.])
    """

    def __init__(
        self, matrices: ArrayLike, *, storage: str | None = None, dtype: DTypeLike = np.float64
    ) -> None:
        matrices = check_array("matrices", matrices, shape=(None, None, None))
        m, n1, n2 = matrices.shape
        symmetric = n1 == n2 and np.array_equal(matrices, matrices.transpose(0, 2, 1))
        super().__init__(m, (n1, n2), symmetric=symmetric)
        self._half = self._choose(storage)
        coordinates = self._coordinates(matrices)
        self._keep(coordinates, storage, dtype)

    def apply(self, M: ArrayLike) -> Array:
        """Return A(M); see `SensingOperator.apply`."""
        M = self._check_matrices("M", M)
        e = self._coordinates(M.astype(self._rows.dtype, copy=False))
        z: Array = np.asarray(e @ self._rows.T if len(e) > 1 else self._rows @ e[0], np.float64)
        return z.reshape(*M.shape[:-2], self.m)

    def adjoint(self, z: ArrayLike) -> Array:
        """Return A*(z); see `SensingOperator.adjoint`."""
        z = self._check_vectors("z", z)
        c = z.reshape(-1, self.m).astype(self._rows.dtype, copy=False) @ self._rows
        return self._matrices(c).reshape(*z.shape[:-1], *self.shape)

    def normal(self, E: ArrayLike) -> Array:
        """Return A*A(E); see `SensingOperator.normal`."""
        E = self._check_matrices("E", E)
        e = self._coordinates(E.astype(self._rows.dtype, copy=False))
        return self._matrices(self._normal(e)).reshape(E.shape)

    def matrix(self) -> Array:
        """Return the matrix of A on row-major vec(M); see `SensingOperator.matrix`."""
        return self._matrices(self._rows).reshape(self.m, -1).copy()

    def _normal(self, e: NDArray[Any]) -> NDArray[Any]:
        """Return A*A in coordinates, (b, d) to (b, d) or (d,)."""
        if len(e) > 1:
            c = e @ self._rows.T @ self._rows if self._gram is None else e @ self._gram
        elif self._gram is None:
            c = normal_pass(self._rows, e[0])
        else:
            symv = dsymv if self._gram.dtype == np.float64 else ssymv
            c = symv(1.0, self._gram, e[0])
        return np.asarray(c)

    def _choose(self, storage: str | None) -> bool:
        """Return whether to keep half coordinates."""
        if storage is None:
            return self.symmetric
        check_choice("storage", storage, STORAGES)
        if storage == "svec" and not self.symmetric:
            raise ValueError(
                "storage='svec' needs symmetric sensing matrices; got some that are not: "
                "accepted are 'dense' and 'gram'"
            )
        return self.symmetric and storage != "dense"

    def _keep(self, coordinates: NDArray[Any], storage: str | None, dtype: DTypeLike) -> None:
        """Store the rows (m, d), and their Gram matrix if asked."""
        name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
        kept = check_choice("dtype", name, ("float64", "float32"))
        self._rows = (coordinates / math.sqrt(self.m)).astype(kept, copy=False)
        self._gram: NDArray[Any] | None = None
        if storage == "gram":
            # BLAS reads columns; the transpose of the symmetric product is it without a copy.
            self._gram = (self._rows.T @ self._rows).T

    def _coordinates(self, M: NDArray[Any]) -> NDArray[Any]:
        """Return the coordinates (b, d) of matrices (..., n1, n2)."""
        n1, n2 = self.shape
        if self._half:
            half: NDArray[Any] = half_coordinates(np.ascontiguousarray(M.reshape(-1, n1, n2)))
            return half
        return np.ascontiguousarray(M.reshape(-1, n1 * n2))

    def _matrices(self, c: NDArray[Any]) -> Array:
        """Return the float64 matrices (b, n1, n2) with coordinates c, (b, d) or (d,)."""
        n1, n2 = self.shape
        if self._half:
            c = from_half_coordinates(np.ascontiguousarray(c.reshape(-1, self._rows.shape[1])), n1)
        return c.reshape(-1, n1, n2).astype(np.float64, copy=False)


class GaussianSensing(DenseSensing):
    """Random Gaussian sensing matrices, isotropic: ``E A*A = I``.

    The entries of the A_i are independent N(0, 1). With ``symmetric=True`` the A_i are of the
    Gaussian orthogonal ensemble with N(0, 1) on the diagonal and N(0, 1/2) off it, independent in
    the upper triangle; then ``E A*A(M)`` is the symmetric part of M, the identity on symmetric
    matrices.

    Parameters
    ----------
    m : int
        Number of measurements.
    n1 : int
        Number of rows.
    n2 : int, optional
        Number of columns; `n1` if not given.
    symmetric : bool, default False
        Whether the A_i are symmetric; `n2` must then equal `n1`.
    storage : {"dense", "svec", "gram"}, optional
        As in `DenseSensing`; the draws do not depend on it.
    dtype : {"float64", "float32"}, default "float64"
        As in `DenseSensing`; the draws do not depend on it.
    rng : int, Generator or None
        Random state.

    References
    ----------
    Recht, Fazel, Parrilo (2010), "Guaranteed minimum-rank solutions of linear matrix equations
    via nuclear norm minimization", SIAM Review 52, section 4: nearly isometric families. The
    normalisation of the symmetric ensemble is derived here: its coordinates in an orthonormal
    basis of the symmetric matrices are independent N(0, 1).

    Examples
    --------
    >>> from theorytk.matrix_sensing.operators import GaussianSensing
    >>> GaussianSensing(30, 5, symmetric=True, rng=0)
    <GaussianSensing: 30 measurements of 5 x 5 matrices, symmetric>
    """

    def __init__(
        self,
        m: int,
        n1: int,
        n2: int | None = None,
        *,
        symmetric: bool = False,
        storage: str | None = None,
        dtype: DTypeLike = np.float64,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        n1 = check_int("n1", n1, lower=1)
        n2 = n1 if n2 is None else check_int("n2", n2, lower=1)
        if symmetric and n1 != n2:
            raise ValueError(f"n2 must equal n1={n1} for symmetric sensing matrices; got {n2}")
        SensingOperator.__init__(self, m, (n1, n2), symmetric=symmetric)
        self._half = self._choose(storage)
        d = n1 * (n1 + 1) // 2 if symmetric else n1 * n2
        coordinates = as_generator(rng).standard_normal((self.m, d))
        if symmetric and not self._half:
            coordinates = from_half_coordinates(coordinates, n1).reshape(self.m, -1)
        self._keep(coordinates, storage, dtype)
