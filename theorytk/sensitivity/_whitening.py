"""Coordinates in which a matrix is well conditioned in the l_p norm.

Sensitivities and distortions depend on the column space alone, so every solver works with the
rows of A T instead of those of A, where T orthonormalises the columns after rows have been
reweighted by approximate Lewis weights. Only accuracy hangs on T, no result does.
"""

from __future__ import annotations

import numpy as np

from theorytk.sensitivity._linalg import Array, RowBlocks

__all__ = ["Array", "whiten"]

# Lewis weights within a factor of two are as good as exact ones here; this many rounds give that.
LEWIS_ROUNDS = 4


def whiten(A: Array, p: float) -> tuple[Array, Array]:
    """Return T (d, r), r the rank of A, and A T, well conditioned in the l_p norm."""
    T = RowBlocks(A).whitening()
    if p != 2:
        T = T @ _lewis_whitening(RowBlocks(A @ T), p)
    return T, A @ T


def _lewis_whitening(blocks: RowBlocks, p: float) -> Array:
    """Return the whitening of the blocks reweighted by approximate Lewis weights."""
    step = 4 / (p + 2) if p < np.inf else 0.0
    weights = blocks.squared_norms(np.eye(blocks.shape[1]))
    for _ in range(LEWIS_ROUNDS - 1):
        weights = np.maximum(weights, np.finfo(float).tiny)
        norms = blocks.squared_norms(blocks.whitening(weights ** (0.5 - 1 / p)))
        # The damped fixed point of the Lewis weights; at p = infinity its limit w <- w |b|^2.
        weights = weights ** (1 - step) * norms ** (step * p / 2) if step else weights * norms
    return blocks.whitening(np.maximum(weights, np.finfo(float).tiny) ** (0.5 - 1 / p))
