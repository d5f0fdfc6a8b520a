"""Cascade polynomial regression: compensation ratios of cells that were not searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int, check_real

__all__ = ["CascadePolynomialRegression"]

# The paper's: the powers of the step, the guidance scale and the budget, and their units.
SHAPE = (4, 3, 3)
GUIDANCE_UNIT, EVALUATIONS_UNIT = 12.0, 50.0
FIXED_STEPS = 2


class CascadePolynomialRegression:
    """Compensation ratios as polynomials in the step, the guidance scale and the budget.

    The ratio of step i of N (from 1) is ``sum_k p_k (i / N)^k``, k = 0..3; each ``p_k`` is a
    quadratic in the guidance scale over 12, whose coefficients are quadratics in N over 50. All 36
    numbers are fitted at once by least squares. The first two steps keep the ratio 1.

    Parameters
    ----------
    coefficients : array_like, shape (4, 3, 3) or (36,), optional
        Coefficients that others fitted, as the authors release them: the power k of the step, then
        the powers 2, 1, 0 of the guidance scale and of the budget.

    Attributes
    ----------
    coefficients_ : ndarray, shape (4, 3, 3)
        The coefficients, given or fitted.

    References
    ----------
    Zhao, Wang, Zhou, Lu, DC-Solver (ECCV 2024), cascade polynomial regression; powers, units and
    layout are those of its released code.

    Examples
    --------
    >>> coefficients = np.zeros((4, 3, 3))
    >>> coefficients[1, 2, 2] = 1.2
    >>> CascadePolynomialRegression(coefficients).predict(7.5, 4)
    array([1. , 1. , 0.9, 1.2])
    """

    def __init__(self, coefficients: Any = None) -> None:
        if coefficients is not None:
            values = check_array("coefficients", coefficients)
            if values.size != np.prod(SHAPE):
                raise ValueError(f"coefficients must have shape {SHAPE}; got {values.shape}")
            self.coefficients_ = values.reshape(SHAPE)

    def fit(
        self, guidance: Any, n_evaluations: Sequence[int], ratios: Sequence[Any]
    ) -> CascadePolynomialRegression:
        """Fit the coefficients to searched ratios.

        Parameters
        ----------
        guidance : array_like, shape (n_cells,)
            The guidance scale of each cell.
        n_evaluations : sequence of int, length n_cells
            The number of steps of each cell, >= 3.
        ratios : sequence of array_like, length n_cells
            The ratios of each cell, one per step.

        Returns
        -------
        CascadePolynomialRegression
            Itself.

        Raises
        ------
        ValueError
            If lengths do not agree, or the cells do not determine the 36 coefficients: they need
            three guidance scales and three budgets, and enough steps.
        """
        scales = check_array("guidance", guidance, ndim=1)
        if not len(scales) == len(n_evaluations) == len(ratios):
            raise ValueError(
                "guidance, n_evaluations and ratios must have one entry per cell; got "
                f"{len(scales)}, {len(n_evaluations)}, {len(ratios)}"
            )
        rows, values = [np.empty((0, int(np.prod(SHAPE))))], [np.empty(0)]
        for scale, budget, cell in zip(scales, n_evaluations, ratios, strict=True):
            n = check_int("n_evaluations", budget, lower=FIXED_STEPS + 1)
            rows.append(_features(float(scale), n))
            values.append(check_array("ratios", cell, shape=(n,))[FIXED_STEPS:])
        design = np.concatenate(rows)
        fitted, _, rank, _ = np.linalg.lstsq(design, np.concatenate(values), rcond=None)
        if rank < len(fitted):
            raise ValueError(
                f"the cells must determine {len(fitted)} coefficients; they determine {rank}"
            )
        self.coefficients_ = fitted.reshape(SHAPE)
        return self

    def predict(self, guidance: float, n_evaluations: int) -> np.ndarray:
        """Return the ratios of a cell.

        Parameters
        ----------
        guidance : float
            The guidance scale.
        n_evaluations : int
            The number of steps N, >= 1.

        Returns
        -------
        ndarray, shape (N,)
            The ratios.

        Raises
        ------
        AttributeError
            If there are no coefficients yet.
        """
        if not hasattr(self, "coefficients_"):
            raise AttributeError("there are no coefficients: call fit first or give them")
        scale, n = (
            check_real("guidance", guidance),
            check_int("n_evaluations", n_evaluations, lower=1),
        )
        fitted = _features(scale, n) @ self.coefficients_.ravel()
        return np.concatenate([np.ones(min(n, FIXED_STEPS)), fitted])


def _features(guidance: float, n: int) -> np.ndarray:
    """Return the monomials of the steps 3..n, shape (n - 2, 36)."""
    steps = np.arange(FIXED_STEPS + 1, n + 1) / n
    of_step = np.vander(steps, SHAPE[0], increasing=True)
    of_guidance = np.vander([guidance / GUIDANCE_UNIT], SHAPE[1])[0]
    of_budget = np.vander([n / EVALUATIONS_UNIT], SHAPE[2])[0]
    monomials: np.ndarray = np.einsum("ik,a,b->ikab", of_step, of_guidance, of_budget)
    return monomials.reshape(len(steps), int(np.prod(SHAPE)))
