"""Descents from several starts on one sensing operator, by one matrix product per pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int, check_real
from theorytk.matrix_sensing._kernels import DIVERGED
from theorytk.matrix_sensing._problem import Problem, make_problem, warn_about
from theorytk.matrix_sensing.iteration import make_schedule
from theorytk.matrix_sensing.sensing import Array

__all__ = ["BatchResult", "batched_gd"]


@dataclass(frozen=True)
class BatchResult:
    """What a batch of b descents returns.

    Attributes
    ----------
    F, G : ndarray, shapes (b, n1, k) and (b, n2, k)
        The last factors; in the symmetric mode G is F. Beyond 1e35 or NaN after divergence.
    diverged : ndarray of bool, shape (b,)
        Which descents diverged.
    history : dict of ndarray
        ``iteration``, shape (t,), the recorded iterations; and, of shape (t, b), what
        `DescentResult` names so: ``error`` (if the truth was given), ``loss``, ``imbalance`` and
        ``min_eigenvalue``, all inf from divergence on.
    """

    F: Array
    G: Array
    diverged: np.ndarray
    history: dict[str, np.ndarray] = field(repr=False)


def batched_gd(
    operator: Any,
    y: Any = None,
    *,
    truth: Any = None,
    F0: Any,
    G0: Any = None,
    step_size: Any,
    max_iter: int,
    record: Any = "log",
) -> BatchResult:
    """Run gradient descent from b starts on one operator.

    Every descent is that of `factorized_gd` from its own start and with its own step. A dense
    operator is read once per iteration and side for all of them, instead of for each.

    Parameters
    ----------
    operator, y, truth, max_iter, record
        See `factorized_gd`.
    F0 : array_like, shape (b, n1, k)
        Initial left factors.
    G0 : array_like, shape (b, n2, k), optional
        Initial right factors. Without them the factorisation is symmetric.
    step_size : float or array_like, shape (b,)
        The steps, > 0.

    Returns
    -------
    BatchResult

    Raises
    ------
    ValueError
        If a step is not positive, or shapes disagree.

    References
    ----------
    Xiong, Ding, Du (ICLR 2024), gradient descent from random starts of several scales. The batch
    is ours.

    Examples
    --------
    Two scales of one start; the rate of the tail grows with the squared scale.

    >>> import numpy as np
    >>> from theorytk.matrix_sensing.operators import GaussianSensing
    >>> from theorytk.matrix_sensing.problems import init_factors, low_rank_matrix
    >>> F0, G0 = init_factors(10, 10, 3, scale=1.0, rng=0)
    >>> scales = np.array([0.3, 0.6])[:, None, None]
    >>> result = batched_gd(
    ...     GaussianSensing(400, 10, rng=1),
    ...     truth=low_rank_matrix(10, singular_values=[1.0, 0.5], rng=2),
    ...     F0=scales * F0,
    ...     G0=scales * G0,
    ...     step_size=0.1,
    ...     max_iter=1000,
    ... )
    >>> small, large = result.history["error"][-1]
    >>> bool(large < small / 100)
    True
    """
    F = check_array("F0", F0, ndim=3)
    if len(F) < 1:
        raise ValueError(f"F0 must hold at least one start; got shape {F.shape}")
    G = F if G0 is None else check_array("G0", G0, shape=(len(F), None, F.shape[2]))
    problem, _, _ = make_problem(operator, y, truth, F[0], None if G0 is None else G[0])
    if np.ndim(step_size) == 0:
        step_size = np.full(len(F), check_real("step_size", step_size, lower=0.0, lower_open=True))
    steps = check_array("step_size", step_size, shape=(len(F),))
    if steps.min() <= 0:
        raise ValueError(f"step_size must be > 0; got {steps.min():g}")
    for i, step in enumerate(steps):
        warn_about(problem, F[i], G[i], float(step))
    schedule = make_schedule(record, check_int("max_iter", max_iter, lower=0))
    rows: list[dict[str, Array]] = []
    iteration = 0
    # Overflow is divergence: found at the records, and reported as a result.
    with np.errstate(over="ignore", invalid="ignore"):
        for target in schedule:
            for _ in range(iteration, target):
                F, G = _step(problem, F, G, steps[:, None, None])
            iteration = target
            rows.append(_measure(problem, F, G))
        diverged = ~_are_bounded(F, G)
    history = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return BatchResult(F, G, diverged, {"iteration": np.array(schedule), **history})


def _step(problem: Problem, F: Array, G: Array, steps: Array) -> tuple[Array, Array]:
    """Return the factors after one step of each descent, both moved from their old values."""
    if problem.y is None:
        R = problem.operator.normal(F @ G.mT - problem.truth)
    else:
        R = problem.operator.normal(F @ G.mT) - problem.adjoint_of_y
    if problem.symmetric:
        F = F - steps * (R + R.mT) / 2 @ F
        return F, F
    return F - steps * R @ G, G - steps * R.mT @ F


def _measure(problem: Problem, F: Array, G: Array) -> dict[str, Array]:
    """Return one row of the history; inf where a descent has diverged."""
    bounded = _are_bounded(F, G)
    # Zeros in the place of what diverged: an eigenvalue of NaN is an exception.
    F, G = (np.where(bounded[:, None, None], X, 0.0) for X in (F, G))
    product, gram = F @ G.mT, F.mT @ F
    row = {}
    if problem.truth is not None:
        row["error"] = np.linalg.norm(product - problem.truth, axis=(1, 2))
    if problem.y is None:
        z = problem.operator.apply(product - problem.truth)
    else:
        z = problem.operator.apply(product) - problem.y
    row["loss"] = (0.25 if problem.symmetric else 0.5) * np.sum(z**2, axis=1)
    row["imbalance"] = np.linalg.norm(gram - G.mT @ G, axis=(1, 2))
    row["min_eigenvalue"] = np.linalg.eigvalsh(gram)[:, 0]
    return {name: np.where(bounded, values, np.inf) for name, values in row.items()}


def _are_bounded(F: Array, G: Array) -> np.ndarray:
    """Return, for each descent, whether its factors have not diverged (nor become NaN)."""
    squares = np.sum(F**2, axis=(1, 2)) + np.sum(G**2, axis=(1, 2))
    return np.asarray(squares < DIVERGED**2)
