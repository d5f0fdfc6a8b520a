"""Iterating an update rule: the loop under every descent.

Plain gradient descent in the population runs in the reduced core, by a compiled kernel; every other
rule or operator through the callable.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from theorytk._validation import check_choice, check_int, check_real
from theorytk.matrix_sensing import _kernels
from theorytk.matrix_sensing._problem import Problem, make_problem
from theorytk.matrix_sensing.operators import IdentitySensing
from theorytk.matrix_sensing.problems import reduce_core
from theorytk.matrix_sensing.sensing import Array
from theorytk.matrix_sensing.updates import UPDATE_RULES, gradient_step

__all__ = ["iterates", "log_schedule"]

Iterate = tuple[int, Array, Array]


def iterates(
    operator: Any,
    y: Any = None,
    *,
    truth: Any = None,
    F0: Any,
    G0: Any = None,
    step_size: float,
    max_iter: int,
    rule: Any = "gradient",
    record: Any = "log",
) -> Iterator[Iterate]:
    """Return the iterates of a descent, one after another, at the recorded iterations.

    Parameters
    ----------
    operator, y, truth, F0, G0, step_size, max_iter, rule, record
        See `factorized_gd`.

    Returns
    -------
    iterator of (iteration, F, G)
        Ends early, after the first iterate beyond 1e35, if the descent diverges. In the
        symmetric mode G is F.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.matrix_sensing.operators import IdentitySensing
    >>> run = iterates(
    ...     IdentitySensing(1), truth=[[1.0]], F0=[[0.5]], step_size=0.1, max_iter=9, record="all"
    ... )
    >>> [round(float(X[0, 0]), 3) for _, X, _ in run][:4]
    [0.5, 0.537, 0.576, 0.614]
    """
    problem, F, G = make_problem(operator, y, truth, F0, G0)
    step_size = check_real("step_size", step_size, lower=0.0, lower_open=True)
    schedule = make_schedule(record, check_int("max_iter", max_iter, lower=0))
    return iterate(problem, resolve_rule(rule), F, G, step_size, schedule)


def log_schedule(max_iter: int, per_decade: int = 20) -> np.ndarray:
    """Return 0, about `per_decade` iterations a decade, and `max_iter`.

    Parameters
    ----------
    max_iter : int
        The last iteration, >= 0.
    per_decade : int, default 20
        Iterations per factor of ten.

    Returns
    -------
    ndarray of int, increasing

    Examples
    --------
    >>> log_schedule(100, per_decade=4).tolist()
    [0, 1, 2, 3, 6, 10, 18, 32, 56, 100]
    """
    max_iter = check_int("max_iter", max_iter, lower=0)
    per_decade = check_int("per_decade", per_decade, lower=1)
    exponents = np.arange(math.ceil(per_decade * math.log10(max(max_iter, 1))))
    grid = np.round(10 ** (exponents / per_decade)).astype(int)
    return np.unique(np.concatenate([[0], grid[grid < max_iter], [max_iter]]))


def make_schedule(record: Any, max_iter: int) -> list[int]:
    """Return the recorded iterations, `max_iter` included."""
    if isinstance(record, str):
        if check_choice("record", record, ("log", "all")) == "all":
            return list(range(max_iter + 1))
        return [int(t) for t in log_schedule(max_iter)]
    times = [check_int("record", t, lower=0, upper=max_iter) for t in record]
    if any(b <= a for a, b in pairwise(times)):
        raise ValueError(f"record must be increasing; got {times}")
    return times if times and times[-1] == max_iter else [*times, max_iter]


def resolve_rule(rule: Any) -> Any:
    """Return an update rule from its name, a callable or a class."""
    if isinstance(rule, str):
        return UPDATE_RULES[check_choice("rule", rule, UPDATE_RULES)]
    if not callable(rule):
        raise TypeError(f"rule must be a name or a callable; got {type(rule).__name__}")
    return rule() if isinstance(rule, type) else rule


def iterate(
    problem: Problem, rule: Any, F: Array, G: Array, step_size: float, schedule: list[int]
) -> Iterator[Iterate]:
    """Return the iterates; the one place that chooses between the core kernel and the rule."""
    population = isinstance(problem.operator, IdentitySensing) and problem.y is None
    if population and rule is gradient_step:
        return _core_iterates(problem, F, G, step_size, schedule)
    return _rule_iterates(problem, rule, F, G, step_size, schedule)


def _rule_iterates(
    problem: Problem, rule: Any, F: Array, G: Array, step_size: float, schedule: list[int]
) -> Iterator[Iterate]:
    iteration = 0
    for target in schedule:
        while iteration < target:
            # Overflow is divergence: found below, and reported as a result.
            with np.errstate(over="ignore", invalid="ignore"):
                F_next, G_next = rule(F, G, problem.residual, step_size)
                G_next = F_next if problem.symmetric else G_next
                finite = is_bounded(F_next, G_next)
            if F_next.shape != F.shape or G_next.shape != G.shape:
                raise ValueError(
                    f"rule must return factors of shapes {F.shape} and {G.shape}; got "
                    f"{F_next.shape} and {G_next.shape}"
                )
            F, G = F_next, G_next
            iteration += 1
            if not finite:
                yield iteration, F, G
                return
        yield iteration, F, G


def _core_iterates(
    problem: Problem, F: Array, G: Array, step_size: float, schedule: list[int]
) -> Iterator[Iterate]:
    U, s, V = _decompose(problem)
    core = reduce_core(F, G, U, s, V)
    # Rows of zeros stay zero, so both factors and s may have the length of the longer factor.
    p = max(len(core.F), len(core.G))
    F, G, padded = _pad(core.F, p), _pad(core.G, p), _pad(s, p)
    small = F.size <= _kernels.UNROLLED_ENTRIES
    rows, columns = ((0,) * len(F), (0,) * F.shape[1]) if small else ((), ())
    iteration = 0
    for target in schedule:
        n = target - iteration
        if problem.symmetric:
            steps, F = _kernels.descend_symmetric(F, padded, step_size, n, rows, columns)
            G = F
        else:
            steps, F, G = _kernels.descend(F, G, padded, step_size, n, rows, columns)
        iteration += steps
        with np.errstate(over="ignore", invalid="ignore"):
            full = core.left @ F[: len(core.F)], core.right @ G[: len(core.G)]
        yield iteration, full[0], full[0] if problem.symmetric else full[1]
        if steps < n or not is_bounded(F, G):
            return


def _pad(array: Array, rows: int) -> Array:
    return np.concatenate([array, np.zeros((rows - len(array), *array.shape[1:]))])


def _decompose(problem: Problem) -> tuple[Array, Array, Array]:
    """Return U, s, V of the truth with the numerically zero values dropped."""
    if problem.symmetric:
        s, U = np.linalg.eigh(problem.truth)
        V = U
    else:
        U, s, Vt = np.linalg.svd(problem.truth, full_matrices=False)
        V = Vt.T
    kept = np.abs(s) > max(problem.operator.shape) * np.finfo(float).eps * np.abs(s).max()
    return U[:, kept], s[kept], V[:, kept]


def is_bounded(F: Array, G: Array) -> bool:
    """Return whether the factors have not diverged (nor become NaN)."""
    return float(np.vdot(F, F)) + float(np.vdot(G, G)) < _kernels.DIVERGED**2
