"""Leverage scores: exact by blocks of rows, sketched, and of a stream."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_int
from theorytk.sensitivity._linalg import (
    Array,
    RowBlocks,
    as_blocks,
    check_exponent,
    stacked_triangle,
    triangle_whitening,
)

__all__ = [
    "BlockLeverage",
    "SketchedScores",
    "leverage_scores",
    "root_leverage_scores",
    "sketched_leverage_scores",
]


def leverage_scores(A: Any, *, method: str = "auto", block_rows: int | None = None) -> Array:
    """Return the leverage scores of the rows of A.

    ``tau_i = a_i' (A'A)^+ a_i``, the largest ``|a_i'x|^2 / ||Ax||_2^2``. They lie in [0, 1] and sum
    to the rank; zero rows score 0. A is read twice, by blocks of rows, and nothing as large as A is
    allocated.

    Parameters
    ----------
    A : array_like or scipy.sparse matrix or memory map, shape (n, d)
        Any rank; n < d is allowed.
    method : {"auto", "gram", "cholqr2", "qr"}, default "auto"
        Cholesky of the Gram matrix, the same twice, or a pivoted QR. With kappa the condition of A
        after its columns are scaled to unit length and u the rounding unit, the relative error of a
        score is about kappa^2 u for "gram" and kappa u for "cholqr2" (kappa below 1e7) and "qr"
        (any kappa). "auto" takes the first whose error is below 1e-10, or "qr", at the price of a
        further pass. Only "qr", and "auto" with it, handles a rank below d.
    block_rows : int, optional
        Rows of a block; by default about a megabyte of them.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    ValueError
        If A is not finite or not a matrix, or if `method` breaks down on it.
    TypeError
        If A is not real.

    References
    ----------
    Woodruff, Yasuda (ICML 2023), Section 2, for the definition. Cholesky QR twice: Yamamoto,
    Nakatsukasa, Yanagisawa, Fukaya (ETNA 2015).

    Examples
    --------
    >>> leverage_scores([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]).round(6)
    array([0.666667, 0.666667, 0.666667, 0.      ])
    """
    blocks = as_blocks(A, block_rows)
    scores = blocks.squared_norms(blocks.whitening(method=method))
    return np.minimum(scores, 1.0, out=scores)


def root_leverage_scores(A: Any, p: float, *, block_rows: int | None = None) -> Array:
    """Return the root leverage scores tau_i^(p/2), for 1 <= p <= 2 never below the sensitivities.

    Parameters
    ----------
    A : array_like or scipy.sparse matrix or memory map, shape (n, d)
        As for `leverage_scores`.
    p : float
        The exponent, >= 1. Above 2 they are never above the sensitivities.
    block_rows : int, optional
        Rows of a block.

    Returns
    -------
    ndarray, shape (n,)

    References
    ----------
    Woodruff, Yasuda (ICML 2023), root leverage score sampling. The comparison is
    `theorytk.sensitivity.theory.sensitivity_bounds_from_leverage`.

    Examples
    --------
    >>> root_leverage_scores([[3.0], [4.0]], 1.0)
    array([0.6, 0.8])
    """
    p = check_exponent(p)
    return leverage_scores(A, block_rows=block_rows) ** (p / 2)


@dataclass(frozen=True)
class SketchedScores:
    """Estimates of leverage scores, not bounds.

    Attributes
    ----------
    scores : ndarray, shape (n,)
        Unbiased estimates; they can exceed 1.
    relative_sd : float
        Their standard deviation relative to the score, exact and the same for every row. The errors
        of the rows are dependent.
    rank : int
        The rank of A.
    """

    scores: Array
    relative_sd: float
    rank: int


def sketched_leverage_scores(
    A: Any,
    n_directions: int,
    *,
    rng: int | np.random.Generator | None = None,
    block_rows: int | None = None,
) -> SketchedScores:
    """Return estimates of the leverage scores by a random projection of the whitened rows.

    ``||a_i T P||^2`` with T the whitening of A and P an (r, k) Gaussian matrix of variance 1/k: the
    score times a chi-square of k degrees of freedom over k. It saves the larger part of the second
    pass where k is well below d, above all for sparse A.

    Parameters
    ----------
    A : array_like or scipy.sparse matrix or memory map, shape (n, d)
        As for `leverage_scores`.
    n_directions : int
        The number k >= 1 of random directions.
    rng : int, Generator or None
        Random state.
    block_rows : int, optional
        Rows of a block.

    Returns
    -------
    SketchedScores
        With the relative standard deviation sqrt(2/k).

    References
    ----------
    Spielman, Srivastava (2011) and Drineas, Magdon-Ismail, Mahoney, Woodruff (2012) for the idea;
    the exact law is that of a Gaussian vector.

    Examples
    --------
    >>> sketched_leverage_scores([[1.0, 0.0], [0.0, 2.0]], 800, rng=0).relative_sd
    0.05
    """
    k = check_int("n_directions", n_directions, lower=1)
    rng = as_generator(rng)
    blocks = RowBlocks(A, block_rows)
    T = blocks.whitening()
    rank = T.shape[1]
    directions = rng.standard_normal((rank, k)) / math.sqrt(k)
    return SketchedScores(blocks.squared_norms(T @ directions), math.sqrt(2 / k), rank)


class BlockLeverage:
    """Leverage scores of a matrix that comes by blocks of rows.

    The blocks pass once for `partial_fit` and once more for `scores`; what is kept is one (d, d)
    triangle. It is updated by QR, not by Gram matrices: a stream cannot be read again when its
    condition turns out to be bad.

    Attributes
    ----------
    n_rows : int
        Rows seen.

    Examples
    --------
    >>> stream = BlockLeverage()
    >>> for row in ([[1.0, 0.0]], [[0.0, 1.0]], [[1.0, 1.0]]):
    ...     stream = stream.partial_fit(row)
    >>> stream.rank
    2
    >>> stream.scores([[1.0, 1.0]]).round(6)
    array([0.666667])
    """

    def __init__(self) -> None:
        self.n_rows = 0
        self._triangle: Array | None = None
        self._whitening: Array | None = None

    def partial_fit(self, X: Any) -> BlockLeverage:
        """Add a block of rows.

        Parameters
        ----------
        X : array_like or scipy.sparse matrix, shape (any, d)
            Finite, with the same d every time.

        Returns
        -------
        BlockLeverage
            Itself.
        """
        blocks = RowBlocks(X, name="X")
        self._check_columns(blocks)
        R, seen = blocks.triangle(), self._triangle
        self._triangle = R if seen is None else stacked_triangle([seen, R])
        self.n_rows += blocks.shape[0]
        self._whitening = None
        return self

    @property
    def rank(self) -> int:
        """The rank of the rows seen."""
        return int(self._whitened().shape[1])

    def scores(self, X: Any) -> Array:
        """Return x' (A'A)^+ x for rows x, with A all rows seen.

        Parameters
        ----------
        X : array_like or scipy.sparse matrix, shape (any, d)
            Rows in the span of those seen; for the rows of A these are their leverage scores.

        Returns
        -------
        ndarray, shape (any,)

        Raises
        ------
        ValueError
            If no rows were seen, or the number of columns differs from theirs.
        """
        blocks = RowBlocks(X, name="X")
        T = self._whitened()
        self._check_columns(blocks)
        blocks.check_finite()
        return blocks.squared_norms(T)

    def _whitened(self) -> Array:
        """Return the whitening of the rows seen, computed once."""
        if self._triangle is None:
            raise ValueError("partial_fit must be called before; no rows were seen")
        if self._whitening is None:
            self._whitening = triangle_whitening(self._triangle, self.n_rows)
        return self._whitening

    def _check_columns(self, blocks: RowBlocks) -> None:
        """Check that the columns are as many as before."""
        seen = blocks.shape[1] if self._triangle is None else self._triangle.shape[1]
        if blocks.shape[1] != seen:
            raise ValueError(f"X must have {seen} columns as before; got {blocks.shape[1]}")
