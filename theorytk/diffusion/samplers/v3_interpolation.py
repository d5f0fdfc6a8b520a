"""The weights with which DPM-Solver-v3 integrates a polynomial through its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theorytk._validation import check_array

__all__ = ["v3_weights"]

Array = np.ndarray


def v3_weights(nodes: Sequence[float], moments: Any, *, pseudo: bool = False) -> Array:
    """Return the weights of outputs g at `nodes` in the integral of a polynomial in u.

    Parameters
    ----------
    nodes : sequence of float, length n
        Where the outputs were taken, in units of the step: the first is the step's start, 0.
    moments : array_like, shape (n, *event)
        The integrals of the powers u^k over the step, k < n.
    pseudo : bool
        Whether the coefficient of u^k is the divided difference of the first k + 1 outputs,
        instead of that of the polynomial through all.

    Returns
    -------
    ndarray, shape (n, *event)
        They differ with `pseudo` from three nodes on.

    References
    ----------
    Zheng et al., DPM-Solver-v3 (NeurIPS 2023), and the released code for the pseudo variant.

    Examples
    --------
    >>> v3_weights([0.0, -1.0], [1.0, 0.5])
    array([ 1.5, -0.5])
    """
    u = check_array("nodes", nodes, ndim=1)
    moments = check_array("moments", moments)
    if moments.shape[:1] != u.shape:
        raise ValueError(f"moments must have one row per node, {len(u)}; got {moments.shape}")
    if len(set(u.tolist())) < len(u):
        raise ValueError(f"nodes must be distinct; got {u.tolist()}")
    if pseudo:
        rows = np.zeros((len(u), len(u)))
        for k in range(len(u)):
            gaps = u[: k + 1, None] - u[: k + 1] + np.eye(k + 1)
            rows[k, : k + 1] = 1 / gaps.prod(axis=1)
    else:
        rows = np.linalg.inv(np.vander(u, increasing=True))
    weights: Array = np.einsum("kj,k...->j...", rows, moments)
    return weights
