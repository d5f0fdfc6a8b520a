"""Lewis weights: two-sided for every finite p >= 1, one-sided for 2 <= p <= infinity."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import check_int, check_real
from theorytk.sensitivity._linalg import Array, RowBlocks, as_blocks, check_exponent
from theorytk.sensitivity.theory import lewis_best_step, onesided_lewis_bound

__all__ = ["LewisWeights", "OneSidedWeights", "lewis_weights", "lewis_weights_onesided"]

# The residual must fall by this factor over a window of iterations, or the step is changed.
WINDOW, PROGRESS = 10, 0.999


@dataclass(frozen=True)
class LewisWeights:
    """Lewis weights and how well they solve their equation.

    Attributes
    ----------
    weights : ndarray, shape (n,)
        The weights w; their sum is the rank, and zero rows have weight 0.
    p : float
        The exponent.
    rank : int
        The rank of A.
    n_iter : int
        Leverage score computations done.
    residual : float
        Largest ``|log(F_i(w) / w_i)|``, with F the map whose fixed point the weights are.
    converged : bool
        Whether the residual is within the tolerance.
    """

    weights: Array
    p: float
    rank: int
    n_iter: int
    residual: float
    converged: bool

    @property
    def error_bound(self) -> float:
        """A proven bound of max ``|log(w_i / w_i*)|``, w* the exact weights; inf for p >= 4.

        Derived here: F contracts this distance by ``|1 - p/2|``, so it is at most
        residual / (1 - |1 - p/2|), up to the rounding of the residual.
        """
        contraction = abs(1 - self.p / 2)
        return self.residual / (1 - contraction) if contraction < 1 else math.inf

    @property
    def overestimates(self) -> Array:
        """The weights times exp(2 residual / p), which are one-sided for certain.

        Every score of W^(1/2 - 1/p) A is at most its entry here (derived here), converged or not.
        """
        return np.asarray(self.weights * math.exp(2 * self.residual / self.p))


def lewis_weights(
    A: Any,
    p: float,
    *,
    tol: float = 1e-10,
    max_iter: int = 1000,
    block_rows: int | None = None,
) -> LewisWeights:
    """Return the Lewis weights of the rows of A.

    The fixed point of ``F_i(w) = (a_i' (A' W^(1 - 2/p) A)^-1 a_i)^(p/2)`` or, the same,
    ``w_i = tau_i(W^(1/2 - 1/p) A)``, by ``w <- w^(1 - eta) F(w)^eta`` from w = 1 with the best
    step eta = 4 / (p + 2). An iteration reads A twice, as `leverage_scores` does. If the residual
    stalls, eta becomes 1 for p < 4, for which convergence is proven, and 2/p for p >= 4.

    Parameters
    ----------
    A : array_like or scipy.sparse matrix or memory map, shape (n, d)
        Any rank; n < d is allowed.
    p : float
        The exponent, >= 1; for infinity see `lewis_weights_onesided`. Below 1 sensitivities are
        maxima of a non-convex problem, which this topic leaves out.
    tol : float, default 1e-10
        Largest residual |log(F_i / w_i)|. For sampling 0.5 is as good.
    max_iter : int, default 1000
        Most iterations; past them a warning is given and the last weights with their residual.
    block_rows : int, optional
        Rows of a block.

    Returns
    -------
    LewisWeights

    Warns
    -----
    RuntimeWarning
        If the residual is above `tol` after `max_iter` iterations.

    References
    ----------
    Cohen, Peng (STOC 2015) for eta = 1 and p < 4; the step 4 / (p + 2) and its local rate
    |p - 2| / (p + 2) are derived here, see `theorytk.sensitivity.theory.lewis_local_rate`.

    Examples
    --------
    >>> result = lewis_weights([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], 1.0)
    >>> result.weights.round(6)
    array([1. , 0.5, 0.5])
    """
    if p == math.inf:
        raise ValueError("p must be finite; got inf: lewis_weights_onesided takes it")
    p = check_exponent(p)
    tol = check_real("tol", tol, lower=0.0, lower_open=True)
    max_iter = check_int("max_iter", max_iter, lower=1)
    blocks = as_blocks(A, block_rows).conditioned()
    log_w = blocks.zeros()
    step, checkpoint = lewis_best_step(p), math.inf
    for n_iter in range(1, max_iter + 1):
        T = blocks.whitening(np.exp((0.5 - 1 / p) * log_w))
        squares = blocks.kept(blocks.squared_norms(T))
        present = squares > 0
        change = present * (p / 2 * np.log(np.where(present, squares, 1.0)) - log_w)
        residual = float(np.abs(change).max())
        if residual <= tol or n_iter == max_iter:
            break
        if n_iter % WINDOW == 0:
            if residual > PROGRESS * checkpoint:
                step = 1.0 if p < 4 else 2 / p
            checkpoint = residual
        log_w = blocks.kept(log_w + step * change)
    if residual > tol:
        warnings.warn(
            f"lewis_weights: residual {residual:.3g} > tol = {tol:g} after {max_iter} iterations",
            RuntimeWarning,
            stacklevel=2,
        )
    weights = np.where(present, np.exp(log_w), 0.0)
    return LewisWeights(weights, p, blocks.shape[1], n_iter, residual, residual <= tol)


@dataclass(frozen=True)
class OneSidedWeights:
    """One-sided Lewis weights: tau_i(W^(1/2 - 1/p) A) <= ratio w_i.

    Attributes
    ----------
    weights : ndarray, shape (n,)
        The weights w; their sum is the rank, and zero rows have weight 0.
    p : float
        The exponent, 2 to infinity.
    rank : int
        The rank of A.
    ratio : float
        The measured maximum of tau_i(W^(1/2 - 1/p) A) / w_i.
    bound : float
        The proven bound (n / rank)^(1 / n_rounds) of the ratio of the average, n the rows that are
        not zero.
    """

    weights: Array
    p: float
    rank: int
    ratio: float
    bound: float

    @property
    def overestimates(self) -> Array:
        """The weights times `ratio`: none is below its score, and they sum to ratio times rank."""
        return np.asarray(self.weights * self.ratio)


def lewis_weights_onesided(
    A: Any, p: float, n_rounds: int, *, block_rows: int | None = None
) -> OneSidedWeights:
    """Return one-sided Lewis weights, for p from 2 to infinity.

    ``w <- tau(W^(1/2 - 1/p) A)`` from w = rank/n; the average of the first `n_rounds` of these
    weights obeys the bound. The last of them, which has no proof, is returned if its measured ratio
    is smaller.

    Parameters
    ----------
    A : array_like or scipy.sparse matrix or memory map, shape (n, d)
        Any rank; n < d is allowed.
    p : float
        The exponent, from 2 to ``math.inf`` (John ellipsoid, D-optimal design).
    n_rounds : int
        Weights averaged, >= 1; one more leverage score computation measures the ratio.
    block_rows : int, optional
        Rows of a block.

    Returns
    -------
    OneSidedWeights

    References
    ----------
    The averaging is that of Cohen, Cousins, Lee, Yang (COLT 2019) for p = infinity; the inequality
    is derived here, from the convexity of log(tau_i / w_i) in w: the logarithms telescope.

    Examples
    --------
    >>> result = lewis_weights_onesided([[1.0, 0.0], [0.0, 1.0], [0.0, 0.1]], float("inf"), 20)
    >>> result.ratio <= result.bound
    True
    """
    if p != math.inf:
        p = check_exponent(p, lower=2.0)
    n_rounds = check_int("n_rounds", n_rounds, lower=1)
    power = 0.5 - 1 / p
    blocks = as_blocks(A, block_rows).conditioned()
    scores = blocks.squared_norms(blocks.whitening())
    present, rank = scores > 0, blocks.shape[1]
    n = max(int(np.count_nonzero(present)), 1)
    bound = onesided_lewis_bound(n, max(rank, 1), n_rounds)
    w = np.where(present, rank / n, 0.0)
    average = w / n_rounds
    for _ in range(n_rounds - 1):
        w = scores
        average += w / n_rounds
        scores = _reweighted_scores(blocks, w, power)
    candidates = [
        (_ratio(_reweighted_scores(blocks, average, power), average), average),
        (_ratio(scores, w), w),
    ]
    ratio, weights = min(candidates, key=lambda pair: pair[0])
    return OneSidedWeights(weights, p, rank, ratio, bound)


def _reweighted_scores(blocks: RowBlocks, w: Array, power: float) -> Array:
    """Return the leverage scores of diag(w^power) A."""
    scale = w**power
    return scale**2 * blocks.squared_norms(blocks.whitening(scale))


def _ratio(scores: Array, w: Array) -> float:
    """Return the largest score relative to its weight; infinite where a weight vanished."""
    with np.errstate(divide="ignore"):
        ratios = np.divide(scores, w, out=np.zeros_like(w), where=scores > 0)
    return float(ratios.max(initial=1.0))
