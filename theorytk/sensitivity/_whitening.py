"""Coordinates in which a matrix is well conditioned in the l_p norm.

Sensitivities and distortions depend on the column space alone, so every solver works with the
rows of A T instead of those of A, where T orthonormalises the columns after rows have been
reweighted by approximate Lewis weights. Only accuracy hangs on T, no result does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular

Array = NDArray[np.float64]

# Lewis weights within a factor of two are as good as exact ones here; this many rounds give that.
LEWIS_ROUNDS = 4

# A row belongs to a row space if it is spanned to this relative accuracy.
SPAN_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Whitening:
    """The map from rows of the original matrix to rows in well conditioned coordinates.

    `columns` are independent and span the column space, `scale` divides them, `factors` are the
    upper triangular matrices to divide by, in order, and `dependence` gives the other columns.
    """

    columns: NDArray[np.intp]
    others: NDArray[np.intp]
    dependence: Array
    scale: Array
    factors: tuple[Array, ...]

    @property
    def rank(self) -> int:
        """The rank of the matrix that was whitened."""
        return len(self.columns)

    def rows(self, A: Array) -> Array:
        """Return the rows of A in the new coordinates, shape (n, rank)."""
        B = A[:, self.columns] / self.scale
        for R in self.factors:
            B = solve_triangular(R, B.T, trans="T").T
        return np.ascontiguousarray(B)

    def spans(self, A: Array) -> NDArray[np.bool_]:
        """Return which rows of A lie in the row space of the matrix that was whitened."""
        rest = A[:, self.others] - A[:, self.columns] @ self.dependence
        size = np.abs(A[:, self.others]) + np.abs(A[:, self.columns]) @ np.abs(self.dependence)
        return np.asarray((np.abs(rest) <= SPAN_TOLERANCE * size).all(axis=1))

    def direction(self, x: Array) -> Array:
        """Return the direction in the original coordinates, shape (d,)."""
        for R in reversed(self.factors):
            x = solve_triangular(R, x)
        full = np.zeros(len(self.columns) + len(self.others))
        full[self.columns] = x / self.scale
        return full


def whiten(A: Array, p: float) -> tuple[Whitening, Array]:
    """Return the whitening of A for the l_p norm and the rows of A in its coordinates."""
    scale = np.abs(A).max(axis=0)
    scale[scale == 0] = 1.0
    R, pivots = qr(A / scale, mode="r", pivoting=True, check_finite=False)
    size = np.abs(np.diag(R))
    rank = int(np.count_nonzero(size > max(A.shape) * np.finfo(float).eps * size[0]))
    columns, others, R1 = pivots[:rank], pivots[rank:], np.ascontiguousarray(R[:rank, :rank])
    dependence = solve_triangular(R1, R[:rank, rank:])
    dependence *= scale[others] / scale[columns, None]
    plain = Whitening(columns, others, dependence, scale[columns], (R1,))
    B = plain.rows(A)
    factors = [R1]
    if p != 2:
        for R in _lewis_factors(B, p):
            B = np.ascontiguousarray(solve_triangular(R, B.T, trans="T").T)
            factors.append(R)
    return Whitening(columns, others, dependence, scale[columns], tuple(factors)), B


def _lewis_factors(B: Array, p: float) -> Any:
    """Yield the triangular factor of B reweighted by approximate Lewis weights."""
    nonzero = B[np.abs(B).max(axis=1, initial=0.0) > 0]
    weights = np.maximum(np.sum(nonzero**2, axis=1), np.finfo(float).tiny)
    step = 4 / (p + 2) if p < np.inf else 0.0
    for round_ in range(LEWIS_ROUNDS):
        power = weights ** (0.5 - 1 / p)
        R = qr(nonzero * power[:, None], mode="r", check_finite=False)[0][: B.shape[1]]
        if round_ == LEWIS_ROUNDS - 1:
            yield R
            return
        norms = np.sum(solve_triangular(R, nonzero.T, trans="T") ** 2, axis=0)
        # The damped fixed point of the Lewis weights; at p = infinity its limit w <- w |b|^2.
        weights = weights ** (1 - step) * norms ** (step * p / 2) if step else weights * norms
