"""Coresets of a stream by merge and reduce, with an account of their distortion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import as_generator, check_array, check_choice, check_int
from theorytk.sensitivity._linalg import Array, check_exponent, check_matrix
from theorytk.sensitivity._scores import SCORES, row_scores
from theorytk.sensitivity.distortion import distortion
from theorytk.sensitivity.sampling import sample_rows

__all__ = ["Coreset", "StreamedCoreset", "StreamingCoreset", "merged_ratio_bounds"]

# Rows of a leaf, in units of the rows that are left of it.
LEAF_FACTOR = 16

# Scores are raised to this: larger ones do no harm, and the weights 1/q stay finite.
LEAST_SCORE = 1e-100

STATUSES = ("exact", "certified", "estimate")


@dataclass(frozen=True)
class Coreset:
    """Rows with weights, whose weighted p-th powers stand for those of all rows.

    Parameters
    ----------
    p : float
        The exponent.
    idx : ndarray of int, shape (m,)
        Indices of the rows in the whole, in increasing order.
    rows : ndarray, shape (m, d)
        The rows as they are in the whole.
    weights : ndarray, shape (m,)
        Their weights omega on p-th powers.
    """

    p: float
    idx: NDArray[np.intp] = field(repr=False)
    rows: Array = field(repr=False)
    weights: Array = field(repr=False)

    def scaled(self) -> Array:
        """Return the rows times their weights to the power 1/p, shape (m, d)."""
        return np.asarray(self.rows * self.weights[:, None] ** (1 / self.p))


@dataclass(frozen=True)
class StreamedCoreset(Coreset):
    """A coreset of a stream and how far it can be from the whole.

    Parameters
    ----------
    p, idx, rows, weights
        As in `Coreset`; the indices count the rows of the stream.
    ratio_lower, ratio_upper : float
        Bounds of ``sum_i omega_i |a_i.x|^p`` over the same sum of the whole stream, for every x.
    status : str
        ``"exact"`` if the bounds are attained, ``"certified"`` if they hold for certain, up to
        rounding, ``"estimate"`` if the distortion of a reduction had no certified bound, for which
        the largest that was found stands, or was not measured.
    depth : int
        The most reductions that a row has passed.
    """

    ratio_lower: float = 1.0
    ratio_upper: float = 1.0
    status: str = "exact"
    depth: int = 0

    @property
    def distortion(self) -> float:
        """The bound of the distortion, max(ratio_upper - 1, 1 - ratio_lower)."""
        return max(self.ratio_upper - 1, 1 - self.ratio_lower)


class StreamingCoreset:
    """A coreset of rows that come in blocks, in one pass and little memory.

    Every `leaf_rows` rows are a leaf, which is reduced to a sample of about `size` of them. Two
    samples of one level are merged and reduced to one of the next level, so that there is at most
    one of each. Every reduction is an independent sample of the weighted rows by their own scores
    (`sample_rows`); weights are multiplied, and the weighted sums stay unbiased.

    Parameters
    ----------
    p : float
        The exponent, finite and >= 1.
    size : int
        The expected number of rows of a sample.
    leaf_rows : int, optional
        Rows of a leaf, at least `size`; 16 times that by default.
    scores : str, default "lewis"
        ``"lewis"``, ``"sensitivity"``, ``"augmented"``, ``"leverage"``, ``"root-leverage"`` or
        ``"uniform"``.
    measure : bool, default True
        Measure the distortion of every reduction. Where `theorytk.sensitivity.distortion` has no
        certified bound, above all for p other than 2 in many dimensions, this takes longer than all
        the rest and ends in an estimate.
    rng : int, Generator or None
        Random state. Every node of the tree has a stream of its own, spawned by its level and
        index.

    Attributes
    ----------
    n_rows : int
        Rows seen.

    Notes
    -----
    The coreset depends on the rows and their order, not on the blocks in which they come. About
    ``size (1 + log2(n / leaf_rows))`` rows and a leaf are kept.

    If a reduction has a distortion epsilon, the ratio to what it was made from lies in [1 -
    epsilon, 1 + epsilon]. Ratios of a merged sample lie between the least and the largest of its
    parts, and those of a reduction of a reduction are products: see `merged_ratio_bounds`. A row
    passes at most ``2 + ceil(log2(n / leaf_rows))`` reductions.

    References
    ----------
    Bentley, Saxe (1980) for the tree and Har-Peled, Mazumdar (STOC 2004) for coresets on it; the
    account of measured distortions is derived here.

    Examples
    --------
    >>> A = np.random.default_rng(0).standard_normal((20_000, 3))
    >>> stream = StreamingCoreset(2, 400, rng=0)
    >>> for block in np.array_split(A, 7):
    ...     stream = stream.partial_fit(block)
    >>> found = stream.coreset()
    >>> len(found.rows) < 500, found.status, found.distortion < 1, found.depth
    (True, 'certified', True, 3)
    """

    def __init__(
        self,
        p: float,
        size: int,
        *,
        leaf_rows: int | None = None,
        scores: str = "lewis",
        measure: bool = True,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.p = check_exponent(p)
        self.size = check_int("size", size, lower=1)
        default = LEAF_FACTOR * self.size
        self.leaf_rows = check_int(
            "leaf_rows", default if leaf_rows is None else leaf_rows, lower=self.size
        )
        self.scores = check_choice("scores", scores, SCORES)
        self.measure = measure
        self.n_rows = 0
        self._entropy = [int(word) for word in as_generator(rng).integers(2**32, size=4)]
        self._blocks: list[StreamedCoreset] = []
        self._waiting = 0
        self._levels: list[StreamedCoreset | None] = []
        self._n_leaves = 0
        self._n_columns: int | None = None

    def partial_fit(self, X: Any, weights: Any = None) -> StreamingCoreset:
        """Add rows.

        Parameters
        ----------
        X : array_like, shape (any, d)
            At least one row, finite, with the same d every time.
        weights : array_like, shape (any,), optional
            Their weights >= 0 on p-th powers, one by default.

        Returns
        -------
        StreamingCoreset
            Itself.
        """
        X = check_matrix(X, "X")
        if self._n_columns not in (None, X.shape[1]):
            raise ValueError(f"X must have {self._n_columns} columns as before; got {X.shape[1]}")
        omega = np.ones(len(X)) if weights is None else weights
        omega = check_array("weights", omega, shape=(len(X),))
        if (omega < 0).any():
            raise ValueError(f"weights must be >= 0; got {omega.min():g}")
        self._n_columns = X.shape[1]
        start = 0
        while start < len(X):
            stop = min(len(X), start + self.leaf_rows - self._waiting)
            # Rows that count for nothing fill a leaf, but are not kept.
            idx = start + np.flatnonzero(X[start:stop].any(axis=1) & (omega[start:stop] > 0))
            self._blocks.append(StreamedCoreset(self.p, self.n_rows + idx, X[idx], omega[idx]))
            self._waiting += stop - start
            start = stop
            if self._waiting == self.leaf_rows:
                self._add_leaf()
        self.n_rows += len(X)
        return self

    def coreset(self) -> StreamedCoreset:
        """Return a coreset of the rows seen so far, to which more can be added.

        What the tree holds is merged and reduced once more, to about `size` rows.

        Raises
        ------
        ValueError
            If no rows were seen.
        """
        parts = [part for part in reversed(self._levels) if part is not None] + self._blocks
        if not parts:
            raise ValueError("partial_fit must be called before; no rows were seen")
        if len(parts) == 1 and parts[0].depth > 0:
            return parts[0]
        return self._reduced(_merged(parts), (self.n_rows,))

    def _add_leaf(self) -> None:
        """Reduce the rows that wait, and merge samples while there are two of a level."""
        part, level, index = _merged(self._blocks), 0, self._n_leaves
        self._blocks, self._waiting, self._n_leaves = [], 0, self._n_leaves + 1
        while True:
            part = self._reduced(part, (level, index))
            if level == len(self._levels):
                self._levels.append(None)
            other = self._levels[level]
            if other is None:
                self._levels[level] = part
                return
            part, self._levels[level] = _merged([other, part]), None
            level, index = level + 1, index // 2

    def _reduced(self, whole: StreamedCoreset, key: tuple[int, ...]) -> StreamedCoreset:
        """Return a sample of weighted rows, with the random stream of its place in the tree."""
        if len(whole.rows) <= self.size:
            return whole
        rng = np.random.default_rng(np.random.SeedSequence(self._entropy, spawn_key=key))
        A = whole.scaled()
        scores = np.maximum(row_scores(A, self.p, self.scores), LEAST_SCORE)
        sample = sample_rows(scores, self.p, size=self.size, rng=rng)
        low, high, status = 0.0, math.inf, "estimate"
        if self.measure:
            found = distortion(A, sample.omega(), self.p, rng=rng)
            low, high, status = 1 - found.upper, 1 + found.upper, found.status
            if status != "certified":
                low, high = found.ratio_min, found.ratio_max
        with np.errstate(over="ignore"):
            weights = check_array("weights", whole.weights[sample.idx] * sample.weights)
        return StreamedCoreset(
            self.p,
            whole.idx[sample.idx],
            whole.rows[sample.idx],
            weights,
            whole.ratio_lower * max(low, 0.0),
            whole.ratio_upper * high,
            _status([whole.status, status], one=whole.depth == 0),
            whole.depth + 1,
        )


def merged_ratio_bounds(epsilons: Sequence[float]) -> tuple[float, float]:
    """Return bounds on the ratio of a coreset of coresets to the whole.

    Parameters
    ----------
    epsilons : sequence of float
        The largest distortion of each level's reductions, >= 0.

    Returns
    -------
    tuple of float
        ``prod(1 - epsilon)``, with factors of at least 0, and ``prod(1 + epsilon)``; the distortion
        is at most the latter minus 1.

    References
    ----------
    Derived here: the ratio of a merged sample is a mean of those of its parts, whose weights are
    their shares of the whole, and of a sample of a sample the ratios are multiplied.

    Examples
    --------
    >>> merged_ratio_bounds([0.5, 0.5])
    (0.25, 2.25)
    """
    eps = check_array("epsilons", epsilons, ndim=1)
    if (eps < 0).any():
        raise ValueError(f"epsilons must be >= 0; got {eps.min():g}")
    return float(np.prod(np.maximum(1 - eps, 0.0))), float(np.prod(1 + eps))


def _merged(parts: list[StreamedCoreset]) -> StreamedCoreset:
    """Return the union of coresets of disjoint rows."""
    return replace(
        parts[0],
        idx=np.concatenate([part.idx for part in parts]),
        rows=np.concatenate([part.rows for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
        ratio_lower=min(part.ratio_lower for part in parts),
        ratio_upper=max(part.ratio_upper for part in parts),
        status=_status([part.status for part in parts], one=all(p.depth == 0 for p in parts)),
        depth=max(part.depth for part in parts),
    )


def _status(statuses: list[str], *, one: bool) -> str:
    """Return the weakest status; bounds made from several are not attained."""
    return STATUSES[max(int(not one), *(STATUSES.index(status) for status in statuses))]
