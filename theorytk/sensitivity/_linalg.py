"""Tall matrices read by blocks of rows: Gram matrices, triangles and whitening.

No temporary is as long as A and as wide: a memory map or a sparse matrix passes as it is. The
whitening T of A is a (d, r) matrix such that A T has orthonormal columns, r the rank of A. Then
||a_i T||^2 is the leverage score of row i, to a relative accuracy: A T is formed from the rows,
where the squared rows of a computed Q have an absolute one, which drowns small scores.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator
from numbers import Real
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse
from numpy.typing import NDArray

from theorytk._validation import check_array, check_choice, check_int, check_real

__all__ = [
    "Array",
    "RowBlocks",
    "as_blocks",
    "check_exponent",
    "check_matrix",
    "check_size",
    "spanned",
    "stacked_triangle",
    "triangle_whitening",
]

Array = NDArray[np.float64]

METHODS = ("auto", "gram", "cholqr2", "qr")

EPS = float(np.finfo(float).eps)

# The relative error of scores by a Gram matrix of condition kappa^2 is about kappa^2 EPS. "auto"
# accepts this much, and trusts a first Cholesky factor as preconditioner of a second up to here.
GRAM_ERROR = 1e-10
CHOLQR2_CONDITION = 1e7
WELL_CONDITIONED = 30

# A row belongs to a row space if it is spanned to this relative accuracy.
SPAN_TOLERANCE = 1e-9

# Squares of a column outside this range may have lost digits by overflow or underflow.
SQUARES = (1e-200, 1e200)


def check_exponent(p: Any, *, lower: float = 1.0) -> float:
    """Return the exponent p as a float >= `lower`, or say why p < 1 has no place here."""
    if isinstance(p, Real) and p < 1:
        raise ValueError(f"p must be >= 1, for below the unit ball is not convex; got {p!r}")
    return check_real("p", p, lower=lower)


def check_matrix(A: Any, name: str = "A") -> Array:
    """Return A as a finite dense matrix (n, d) with rows and columns."""
    matrix: Array = check_array(name, A, shape=(None, None))
    check_size(name, matrix.shape)
    return matrix


def check_size(name: str, shape: Any) -> Any:
    """Return the shape, which must not be empty."""
    if 0 in shape:
        raise ValueError(f"{name} must have rows and columns; got shape {shape}")
    return shape


class RowBlocks:
    """A validated matrix (n, d), dense or CSR, that is read by blocks of rows in float64."""

    def __init__(self, A: Any, block_rows: int | None = None, name: str = "A") -> None:
        self.name = name
        if _is_sparse(A):
            self.A = A.tocsr()
            _check_kind(name, self.A.data, ndim=1)
        else:
            self.A = _check_kind(name, np.asarray(A), ndim=2)
        self.shape: tuple[int, int] = check_size(name, self.A.shape)
        self.basis: Array | None = None
        d = self.shape[1]
        # About a megabyte, which stays in cache, but rows enough for BLAS and for stacked QR.
        self.block_rows = max(2**17 // d, 4 * d) if block_rows is None else block_rows
        check_int("block_rows", self.block_rows, lower=1)

    def __iter__(self) -> Iterator[tuple[slice, Any]]:
        n = self.shape[0]
        for start in range(0, n, self.block_rows):
            rows = slice(start, min(start + self.block_rows, n))
            X = self.A[rows].astype(np.float64, copy=False)
            yield rows, X if self.basis is None else X @ self.basis

    def conditioned(self) -> RowBlocks:
        """Return the blocks of A, or of A T if A is ill-conditioned or its rank r is below d.

        Its columns are as many as the rank. For iterations that reweight the rows: the rounding of
        A T is the same every time, and none of them need be more than a Gram matrix.
        """
        T = self.whitening()
        size = np.abs(T).max(axis=1, keepdims=True, initial=0.0)
        if T.shape[1] == self.shape[1] and bool(np.all(size > 0)):
            U = T / size
            if np.linalg.cond(U / np.linalg.norm(U, axis=1, keepdims=True)) <= WELL_CONDITIONED:
                return self
        return self.in_basis(T)

    def in_basis(self, T: Array) -> RowBlocks:
        """Return the blocks of A T."""
        other = copy.copy(self)
        other.basis, other.shape = T, (self.shape[0], T.shape[1])
        return other

    def zeros(self) -> Array:
        """Return a vector of zeros, one a row."""
        return np.zeros(self.shape[0])

    def kept(self, vector: Array) -> Array:
        """Return a vector with one entry a row, computed: here it is so already."""
        return vector

    def scaled(self, scale: Array | None) -> Iterator[tuple[slice, Any]]:
        """Yield the blocks of diag(scale) A."""
        for rows, X in self:
            if scale is None:
                yield rows, X
            elif _is_sparse(X):
                yield rows, scipy.sparse.diags_array(scale[rows]) @ X
            else:
                yield rows, X * scale[rows, None]

    def check_finite(self) -> None:
        """Raise if an entry is not finite."""
        for rows, X in self:
            self._check_finite(rows, X.data if _is_sparse(X) else X)

    def squared_norms(self, T: Array) -> Array:
        """Return ||a_i T||^2, shape (n,)."""
        out = np.empty(self.shape[0])
        for rows, X in self:
            Y = X @ T
            np.einsum("ij,ij->i", Y, Y, out=out[rows])
        return out

    def whitening(self, scale: Array | None = None, method: str = "auto") -> Array:
        """Return T (d, r) such that diag(scale) A T has orthonormal columns.

        "gram" is Cholesky of the Gram matrix, "cholqr2" a second one after the first, "qr" stacked
        Householder triangles with a pivoted one at the end, which finds the rank. "auto" takes the
        first of them that the condition of A allows.
        """
        check_choice("method", method, METHODS)
        T, condition = None, math.inf
        if method != "qr" and self.shape[0] >= self.shape[1]:
            T, condition = _cholesky_whitening(self.gram(scale))
        if method == "gram" or (method == "auto" and condition**2 * EPS <= GRAM_ERROR):
            return _require(T, method)
        if method == "cholqr2" or (method == "auto" and condition <= CHOLQR2_CONDITION):
            first = _require(T, method)
            T, _ = _cholesky_whitening(self.gram(scale, first))
            # Of independent columns the first left almost orthonormal ones, of others noise.
            if T is not None and np.abs(T - np.eye(len(T))).max() > 0.5:
                T = None
            if method == "cholqr2" or T is not None:
                return first @ _require(T, method)
        return triangle_whitening(self.triangle(scale), self.shape[0])

    def triangle(self, scale: Array | None = None) -> Array:
        """Return the triangle of the QR factorisation of diag(scale) A."""
        R = np.empty((0, self.shape[1]))
        for rows, X in self.scaled(scale):
            dense = _dense(X)
            self._check_finite(rows, dense)
            R = stacked_triangle([R, dense])
        return R

    def _check_finite(self, rows: slice, block: Array) -> None:
        """Raise if an entry of the block is not finite."""
        check_array(f"{self.name}[{rows.start}:]", block)

    def gram(self, scale: Array | None, T: Array | None = None) -> Array:
        """Return the Gram matrix of diag(scale) A T."""
        d = self.shape[1]
        G = np.zeros((d, d))
        with np.errstate(over="ignore", invalid="ignore"):
            for _, X in self.scaled(scale):
                Y = X if T is None else X @ T
                G += _dense(Y.T @ Y)
        return G


def as_blocks(A: Any, block_rows: int | None = None) -> RowBlocks:
    """Return A as blocks of rows; those of a subclass pass as they are."""
    return A if isinstance(A, RowBlocks) else RowBlocks(A, block_rows)


def stacked_triangle(parts: Iterable[Array]) -> Array:
    """Return the triangle of the QR factorisation of matrices stacked in rows."""
    return np.asarray(np.linalg.qr(np.vstack(list(parts)), mode="r"))


def triangle_whitening(R: Array, n: int) -> Array:
    """Return the whitening (d, r) of a matrix of n rows with the triangle R."""
    P, chosen, _, size = _pivoted(R, n)
    T = np.zeros((R.shape[1], len(chosen)))
    T[chosen] = _inverse(P[:, : len(chosen)]) / size[chosen, None]
    return T


def spanned(rows: Array, A: Array) -> NDArray[np.bool_]:
    """Return which rows (m, d) lie in the row space of A."""
    P, chosen, others, size = _pivoted(RowBlocks(A).triangle(), len(A))
    # The other columns of A by the chosen ones, which must also give those of the rows.
    D = scipy.linalg.solve_triangular(P[:, : len(chosen)], P[:, len(chosen) :])
    D *= size[others] / size[chosen, None]
    rest = np.abs(rows[:, others] - rows[:, chosen] @ D)
    terms = np.abs(rows[:, others]) + np.abs(rows[:, chosen]) @ np.abs(D)
    return np.asarray((rest <= SPAN_TOLERANCE * terms).all(axis=1))


def _pivoted(R: Array, n: int) -> tuple[Array, NDArray[np.intp], NDArray[np.intp], Array]:
    """Return the first r rows of the pivoted triangle of R, its columns, chosen and others, and
    the sizes that divide them.

    The rank r counts the pivots of the equilibrated R above 10 max(d, sqrt(n)) EPS of the first.
    """
    d = R.shape[1]
    size = np.abs(R).max(axis=0, initial=0.0)
    size[size == 0] = 1
    P, pivots = scipy.linalg.qr(R / size, mode="r", pivoting=True)
    diagonal = np.abs(np.diag(P))
    threshold = 10 * max(d, math.sqrt(n)) * EPS * diagonal.max(initial=0.0)
    rank = int(np.count_nonzero(diagonal > threshold))
    return P[:rank], pivots[:rank], pivots[rank:], size


def _cholesky_whitening(G: Array) -> tuple[Array | None, float]:
    """Return the whitening by the Gram matrix G and the condition of its root, or None and inf.

    None means that the columns are not independent to half the digits.
    """
    if len(G) == 0:
        return G, 1.0
    squares = np.diag(G)
    if not (np.all(squares > SQUARES[0]) and np.all(squares < SQUARES[1])):
        return None, math.inf
    size = np.sqrt(squares)
    try:
        R = np.linalg.cholesky(G / np.outer(size, size)).T
    except np.linalg.LinAlgError:
        return None, math.inf
    condition = float(np.linalg.cond(R))
    if condition**2 * EPS > 1:
        return None, math.inf
    return _inverse(R) / size[:, None], condition


def _inverse(R: Array) -> Array:
    """Return the inverse of a triangle by columns, whose right residual R T - I is small.

    That is what makes a T accurate to cond(R) EPS relative to its length for every row a.
    """
    return np.asarray(scipy.linalg.solve_triangular(R, np.eye(len(R))))


def _require(T: Array | None, method: str) -> Array:
    """Return T, or raise if the Cholesky factorisation broke down."""
    if T is None:
        raise ValueError(
            f"method={method!r} needs columns that are finite and independent to half the digits; "
            "got a matrix whose Gram matrix is not positive definite: take 'auto' or 'qr'"
        )
    return T


def _is_sparse(X: Any) -> bool:
    """Return whether X is a matrix of scipy.sparse."""
    return bool(scipy.sparse.issparse(X))


def _dense(X: Any) -> Array:
    """Return a block as an array."""
    return np.asarray(X.toarray() if _is_sparse(X) else X)


def _check_kind(name: str, array: Any, ndim: int) -> Any:
    """Check the dimensions and that the entries are real, without a copy."""
    return check_array(name, array, ndim=ndim, finite=False, dtype=array.dtype.type)
