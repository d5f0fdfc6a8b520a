"""Scores and coresets of Dask arrays, by chunks of rows; needs the extra ``theorytk[dask]``.

The workers reduce their chunks to (d, d) matrices, on which the client decides, and then score
their rows. The client never holds a chunk.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_choice
from theorytk.sensitivity import leverage, lewis
from theorytk.sensitivity._linalg import Array, RowBlocks, check_size, stacked_triangle
from theorytk.sensitivity._scores import row_scores
from theorytk.sensitivity.lewis import LewisWeights
from theorytk.sensitivity.sampling import sample_rows
from theorytk.sensitivity.streaming import Coreset

try:
    import dask.array
    from dask.delayed import delayed
except ImportError as error:
    raise ImportError(
        "theorytk.sensitivity.dask needs Dask; install it with: pip install 'theorytk[dask]'"
    ) from error

__all__ = ["coreset", "leverage_scores", "lewis_weights"]

# Its functions have no types.
array: Any = dask.array

# The scores that need no more than (d, d) matrices of the chunks.
SCORES = ("leverage", "lewis", "root-leverage")

# Matrices of chunks that are reduced to one at a time.
FAN_IN = 8


def leverage_scores(A: Any, *, method: str = "auto") -> Any:
    """Return the leverage scores of the rows of a Dask array.

    Parameters
    ----------
    A : dask.array.Array, shape (n, d)
        Any rank. Chunks of rows: a chunk has all columns. It is computed once, or more often if it
        is ill-conditioned, and once more for the scores: call ``A.persist()`` before if the memory
        of the workers suffices.
    method : {"auto", "gram", "cholqr2", "qr"}, default "auto"
        As in `theorytk.sensitivity.leverage_scores`.

    Returns
    -------
    dask.array.Array, shape (n,)
        Lazy, with the chunks of A.

    Raises
    ------
    TypeError
        If A is not a Dask array of real numbers.
    ValueError
        If A is not finite, not a matrix, in chunks of columns or of unknown lengths, or if
        `method` breaks down on it.
    ImportError
        If Dask is missing, when the module is imported.

    Examples
    --------
    >>> import dask.array
    >>> A = dask.array.from_array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], chunks=(2, 2))
    >>> leverage_scores(A).compute().round(6)
    array([0.666667, 0.666667, 0.666667])
    """
    return leverage.leverage_scores(DaskBlocks(A), method=method)


def lewis_weights(A: Any, p: float, *, tol: float = 1e-10, max_iter: int = 1000) -> LewisWeights:
    """Return the Lewis weights of the rows of a Dask array.

    Parameters
    ----------
    A : dask.array.Array, shape (n, d)
        As in `leverage_scores`. An iteration computes it twice.
    p : float
        The exponent, finite and >= 1.
    tol : float, default 1e-10
        As in `theorytk.sensitivity.lewis_weights`.
    max_iter : int, default 1000
        Most iterations.

    Returns
    -------
    LewisWeights
        With `weights` a Dask array (n,), whose chunks are in the memory of the workers.

    Warns
    -----
    RuntimeWarning
        If the residual is above `tol` after `max_iter` iterations.

    Examples
    --------
    >>> import dask.array
    >>> A = dask.array.from_array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], chunks=(2, 2))
    >>> lewis_weights(A, 1.0).weights.compute().round(6)
    array([1. , 0.5, 0.5])
    """
    return lewis.lewis_weights(DaskBlocks(A), p, tol=tol, max_iter=max_iter)


def coreset(
    A: Any,
    p: float,
    *,
    alpha: float | None = None,
    size: int | None = None,
    scores: str = "lewis",
    rng: int | np.random.Generator | None = None,
) -> Coreset:
    """Sample rows of a Dask array by their scores.

    The scores come to the client, n numbers, where rows are drawn as by
    `theorytk.sensitivity.sample_rows`; only these rows follow.

    Parameters
    ----------
    A : dask.array.Array, shape (n, d)
        As in `leverage_scores`, and not zero.
    p : float
        The exponent, finite and >= 1.
    alpha : float, optional
        The oversampling, > 0. Either this or `size` is needed.
    size : int, optional
        The expected number of rows.
    scores : {"lewis", "leverage", "root-leverage"}, default "lewis"
        How rows are scored.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    Coreset

    References
    ----------
    Woodruff, Yasuda (ICML 2023), whose sampling this is.

    Examples
    --------
    >>> import dask.array
    >>> A = dask.array.ones((1000, 1), chunks=(100, 1))
    >>> found = coreset(A, 1, size=20, rng=0)
    >>> found.rows.shape, found.weights[0].round(6)
    ((24, 1), np.float64(50.0))
    """
    blocks = DaskBlocks(A)
    found = row_scores(blocks, p, check_choice("scores", scores, SCORES))
    sample = sample_rows(np.asarray(found), p, alpha=alpha, size=size, rng=rng)
    rows = check_array("A", A[sample.idx].compute())
    return Coreset(sample.p, sample.idx, rows, sample.weights)


class DaskBlocks(RowBlocks):
    """A validated Dask array, of which every pass is one of `RowBlocks` over each chunk."""

    def __init__(self, A: Any) -> None:
        if not _is_dask(A):
            raise TypeError(f"A must be a Dask array; got {type(A).__name__}")
        check_array("A", np.empty(0, A.dtype))
        if A.ndim != 2 or len(A.chunks[1]) != 1:
            raise ValueError(
                "A must have 2 dimensions and chunks of rows, with all columns: A.rechunk({1: -1});"
                f" got chunks {A.chunks}"
            )
        if math.isnan(A.shape[0]):
            raise ValueError("A must have chunks of known lengths: call A.compute_chunk_sizes()")
        check_size("A", A.shape)
        lengths = tuple(n for n in A.chunks[0] if n > 0)
        self.shape, self.basis = A.shape, None
        self.lengths, self.chunks = lengths, A.rechunk((lengths, A.shape[1])).to_delayed().ravel()

    def zeros(self) -> Any:
        """Return a vector of zeros, one a row, in the chunks of A."""
        return array.zeros(self.shape[0], chunks=(self.lengths,))

    def kept(self, vector: Any) -> Any:
        """Return a vector with one entry a row, in the memory of the workers."""
        return vector.persist()

    def squared_norms(self, T: Array) -> Any:
        """Return ||a_i T||^2, a lazy Dask array (n,)."""
        parts = zip(self._map("squared_norms", T), self.lengths, strict=True)
        return array.concatenate(
            [array.from_delayed(part, (n,), dtype=np.float64) for part, n in parts]
        )

    def gram(self, scale: Any, T: Array | None = None) -> Array:
        """Return the Gram matrix of diag(scale) A T."""
        return _reduced(self._map("gram", scale, T), _sum)

    def triangle(self, scale: Any = None) -> Array:
        """Return the triangle of the QR factorisation of diag(scale) A."""
        return _reduced(self._map("triangle", scale), stacked_triangle)

    def _map(self, method: str, *arguments: Any) -> list[Any]:
        """Return delayed calls of a method of `RowBlocks` on the chunks.

        Of arguments that are Dask vectors every call gets its chunk.
        """
        parts = [
            argument.to_delayed() if _is_dask(argument) else [delayed(argument)] * len(self.chunks)
            for argument in (self.basis, *arguments)
        ]
        call = delayed(_on_chunk)
        each = zip(self.chunks, *parts, strict=True)
        return [call(method, number, *part) for number, part in enumerate(each)]


def _is_dask(A: Any) -> bool:
    return isinstance(A, dask.array.Array)


def _on_chunk(method: str, number: int, chunk: Any, T: Array | None, *arguments: Any) -> Array:
    """Return what a method of `RowBlocks` returns for one chunk, or for the chunk times T."""
    blocks = RowBlocks(chunk, name=f"chunk {number} of A")
    return np.asarray(getattr(blocks if T is None else blocks.in_basis(T), method)(*arguments))


def _sum(matrices: list[Array]) -> Array:
    """Return the sum, whose entries may overflow: then it is not used."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(sum(matrices))


def _reduced(parts: list[Any], combine: Callable[[list[Array]], Array]) -> Array:
    """Return what delayed matrices are combined to, some at a time and always in one order."""
    while len(parts) > 1:
        groups = [parts[start : start + FAN_IN] for start in range(0, len(parts), FAN_IN)]
        parts = [delayed(combine)(group) for group in groups]
    return np.asarray(parts[0].compute())
