"""Pruning by e-BH: from p-values and the sizes behind their thresholds to a selection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_choice
from theorytk.conformal.multiple_testing import Array, Mask, adjusted, raised
from theorytk.conformal.sizes import Counts

__all__ = ["PRUNINGS", "Selection"]

PRUNINGS = ("deterministic", "homogeneous", "heterogeneous")


@dataclass(frozen=True)
class Selection:
    """Selected test points, and what decided about each.

    A vector of Q levels gives every array but `xi` a leading axis of length Q where it depends on
    the level.

    Parameters
    ----------
    selected : ndarray of bool, shape (m,) or (Q, m)
        The selection; all False if it is empty.
    p : ndarray, shape (m,) or (Q, m)
        The conformal p-values, in OptCS of the model chosen for the point.
    sizes : ndarray of int, shape (m,) or (Q, m)
        The size r_j on which the threshold ``beta q r_j / m`` of p_j is built: the leave-one-out
        size, in cfBH the number of points selected, at least 1.
    evalues : ndarray, shape (m,) or (Q, m)
        1 / threshold where the p-value does not exceed it, else 0.
    model : ndarray of int, shape (m,) or (Q, m), or None
        The model chosen for each point.
    xi : ndarray, shape (m,)
        By what the e-values were divided before e-BH.
    q : float or ndarray, shape (Q,)
        The target level or levels.
    pruning : {"deterministic", "homogeneous", "heterogeneous"}
        Whether xi is 1, one uniform number, or one for each point.
    """

    selected: Mask
    p: Array
    sizes: Counts
    evalues: Array
    model: Counts | None
    xi: Array
    q: Any
    pruning: str

    @property
    def indices(self) -> Any:
        """The indices of the selected points, in a list with one array a level if there are Q."""
        if self.selected.ndim == 1:
            return np.flatnonzero(self.selected)
        return [np.flatnonzero(row) for row in self.selected]

    def fdp(self, positive: Any) -> Any:
        """Return the share of selected points that are not positive, 0 if none is selected.

        Parameters
        ----------
        positive : array_like of bool, shape (m,)
            Which test points are of interest, that is ``y > c``.

        Returns
        -------
        float or ndarray, shape (Q,)
            The false discovery proportion; its mean is the FDR.
        """
        wrong = self.selected & ~self._check_positive(positive)
        return wrong.sum(axis=-1) / np.maximum(1, self.selected.sum(axis=-1))

    def power(self, positive: Any) -> Any:
        """Return the share of positive points that are selected, 0 if there is none.

        Parameters
        ----------
        positive : array_like of bool, shape (m,)
            Which test points are of interest, that is ``y > c``.

        Returns
        -------
        float or ndarray, shape (Q,)
            The power.
        """
        mask = self._check_positive(positive)
        return (self.selected & mask).sum(axis=-1) / max(1, int(mask.sum()))

    def _check_positive(self, positive: Any) -> Mask:
        mask = check_array("positive", positive, shape=self.selected.shape[-1:])
        if not np.isin(mask, (0, 1)).all():
            raise ValueError("positive must be a mask of True and False; got other values")
        return mask.astype(bool)


def draw_xi(pruning: str, m: int, generator: np.random.Generator) -> Array:
    """Return what e-values are divided by, shape (m,), in (0, 1]."""
    check_choice("pruning", pruning, PRUNINGS)
    if pruning == "deterministic":
        return np.ones(m)
    return 1 - generator.random(m if pruning == "heterogeneous" else 1) * np.ones(m)


def prune(
    p: Array,
    found: Counts,
    levels: Array,
    pruning: str,
    xi: Array,
    beta: float = 1.0,
    model: Counts | None = None,
) -> Selection:
    """Return the selection by e-BH on the e-values 1{p <= s} / (xi s), s = beta q size / m."""
    share = beta * found / p.shape[-1]
    passed = p <= raised(levels)[..., None] * share
    thresholds = levels[..., None] * share
    # e-BH at level q on 1 / (xi s) is Benjamini-Hochberg at level 1 on xi s / q.
    selected = adjusted(np.where(passed, xi * share, np.inf)) <= raised(np.ones(()))
    evalues = np.where(passed, 1 / thresholds, 0.0)
    p = np.broadcast_to(p, selected.shape)
    q = float(levels) if levels.ndim == 0 else levels
    return Selection(selected, p, found, evalues, model, xi, q, pruning)
