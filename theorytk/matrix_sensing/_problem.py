"""A validated sensing problem, and the warnings that its theory calls for."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from theorytk._validation import check_array
from theorytk.matrix_sensing.operators import DenseSensing
from theorytk.matrix_sensing.sensing import Array, SensingOperator
from theorytk.matrix_sensing.theory import degrees_of_freedom

# A user's call, three frames up: here, warn_about, factorized_gd.
STACKLEVEL = 4


@dataclass(frozen=True)
class Problem:
    """Measurements of an unknown matrix, with the training data y or the truth in their place."""

    operator: SensingOperator
    y: Any  # an array, or None
    truth: Any  # an array, or None
    symmetric: bool

    def measured_error(self, F: Array, G: Array) -> Array:
        """Return A(F G^T) - y, from the error itself where no y was given: no cancellation."""
        if self.y is None:
            return self.operator.apply(F @ G.T - self.truth)
        return np.asarray(self.operator.apply_factors(F, G) - self.y)

    def residual(self, F: Array, G: Array) -> Array:
        """Return R = A*A(F G^T - M), its symmetric part in the symmetric mode."""
        if self.y is None:
            R = self.operator.normal(F @ G.T - self.truth)
        elif isinstance(self.operator, DenseSensing):
            # One pass over a dense array instead of two; structured operators use the factors.
            R = self.operator.normal(F @ G.T) - self.adjoint_of_y
        else:
            R = self.operator.adjoint(self.measured_error(F, G))
        return (R + R.T) / 2 if self.symmetric else R

    @cached_property
    def adjoint_of_y(self) -> Array:
        """A*(y), which stays the same during a descent."""
        return self.operator.adjoint(self.y)

    def spectral_norm(self) -> float:
        """Return the spectral norm of the truth, or its estimate from A*(y)."""
        matrix = self.adjoint_of_y if self.truth is None else self.truth
        return float(np.linalg.norm(matrix, 2))

    def rank(self) -> int:
        """Return the numerical rank of the truth; 1, the least possible, where it is unknown."""
        return 1 if self.truth is None else max(1, int(np.linalg.matrix_rank(self.truth)))


def make_problem(
    operator: Any, y: Any, truth: Any, F0: Any, G0: Any
) -> tuple[Problem, Array, Array]:
    """Check the arguments of a descent; return the problem and both factors (G0 or F0)."""
    if not isinstance(operator, SensingOperator):
        raise TypeError(f"operator must be a SensingOperator; got {type(operator).__name__}")
    if y is None and truth is None:
        raise ValueError("y and truth are both missing; accepted are either or both")
    n1, n2 = operator.shape
    if G0 is None and n1 != n2:
        raise ValueError(f"G0 may be left out for square matrices only; got shape {(n1, n2)}")
    F = check_array("F0", F0, shape=(n1, None))
    if F.shape[1] < 1:
        raise ValueError("F0 must have at least one column; got none")
    G = F if G0 is None else check_array("G0", G0, shape=(n2, F.shape[1]))
    if y is not None:
        y = check_array("y", y, shape=(operator.m,))
    if truth is not None:
        truth = check_array("truth", truth, shape=(n1, n2))
        if G0 is None and not _is_symmetric(truth):
            raise ValueError("truth must be symmetric where G0 is left out; got one that is not")
    return Problem(operator, y, truth, G0 is None), F, G


def warn_about(problem: Problem, F: Array, G: Array, step_size: float | None) -> None:
    """Warn where theory says that the run cannot do what it seems to; `step_size` of gradients."""
    if step_size is not None:
        _warn_about_step(problem, F, G, step_size)
    _warn_about_sampling(problem, F.shape[1])
    if problem.symmetric:
        _warn_about_sign(problem)
        return
    if problem.operator.symmetric:
        _warn(
            "every sensing matrix is symmetric: asymmetric factors then bring no linear rate, and "
            "the skew part of the error never decays",
            UserWarning,
        )
    if F.shape == G.shape and np.array_equal(F, G):
        _warn(
            "F0 equals G0: on a symmetric problem descent then stays symmetric and sublinear",
            UserWarning,
        )


def _warn_about_step(problem: Problem, F: Array, G: Array, step_size: float) -> None:
    sizes = np.linalg.norm(F, 2) ** 2 + np.linalg.norm(G, 2) ** 2
    curvature = float(sizes) + 2 * problem.spectral_norm()
    if step_size * curvature >= 2:
        _warn(
            f"step above the stability limit: step_size = {step_size:g}, while 2 / (||F0||^2 + "
            f"||G0||^2 + 2 sigma_1) = {2 / curvature:.3g}",
            RuntimeWarning,
        )


def _warn_about_sampling(problem: Problem, k: int) -> None:
    n1, n2 = problem.operator.shape
    r = min(problem.rank(), k)
    d = degrees_of_freedom(n1, n2, r, k)
    if problem.symmetric:
        d = n1 * r - r * (r - 1) // 2
    if problem.operator.m < d:
        _warn(
            f"interpolation regime: m = {problem.operator.m} measurements for at least {d} "
            "degrees of freedom; zero loss does not imply recovery",
            UserWarning,
        )


def _warn_about_sign(problem: Problem) -> None:
    if problem.truth is None:
        return
    w = np.linalg.eigvalsh(problem.truth)
    if w[0] < -1e-10 * max(abs(w[0]), abs(w[-1])):
        _warn(
            f"truth has the negative eigenvalue {w[0]:.3g}: symmetric descent tends to its "
            "positive part",
            UserWarning,
        )


def _warn(message: str, category: type[Warning]) -> None:
    warnings.warn(message, category, stacklevel=STACKLEVEL + 1)


def _is_symmetric(M: Array) -> bool:
    return bool(np.abs(M - M.T).max() <= 1e-10 * np.abs(M).max())
