"""Factorised descent: F and G with F G^T near a matrix known by its measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import svdvals

from theorytk._validation import check_int, check_real
from theorytk.matrix_sensing._problem import Problem, make_problem, warn_about
from theorytk.matrix_sensing.invariants import one_step_rescale
from theorytk.matrix_sensing.iteration import (
    Iterate,
    is_bounded,
    iterate,
    log_schedule,
    make_schedule,
    resolve_rule,
)
from theorytk.matrix_sensing.sensing import Array
from theorytk.matrix_sensing.updates import gradient_step, sequential_step

__all__ = ["DescentResult", "OneStep", "factorized_gd"]


@dataclass(frozen=True)
class OneStep:
    """When to rescale the factors once by ``one_step_rescale``, and to which beta.

    The automatic choices use training data only: singular values s_1 >= ... >= s_k of F G^T and
    the training residual rho = ||A(F G^T) - y||. The rank is read off the largest ratio of
    neighbours in (s_1, ..., s_k, rho), each raised to rho at least, since by Weyl's inequality
    nothing below the error is resolved; sigma_r is estimated by the last s before that gap.

    Parameters
    ----------
    beta : float or "auto"
        Singular values of F afterwards, > 0; "auto" is the square root of the estimated sigma_r,
        the optimum of the local rate.
    at : int or "auto"
        The iteration; "auto" is the first of about 20 a decade at which
        rho <= `threshold` * sigma_r.
    threshold : float, default 0.1
        Relative training residual at which "auto" switches.

    References
    ----------
    Xiong, Ding, Du (ICLR 2024), the method of Section 5; the automatic rules are ours.

    Examples
    --------
    >>> OneStep(beta=0.7, at=200)
    OneStep(beta=0.7, at=200, threshold=0.1)
    """

    beta: float | str = "auto"
    at: int | str = "auto"
    threshold: float = 0.1

    def __post_init__(self) -> None:
        """Check the three numbers."""
        if self.beta != "auto":
            check_real("beta", self.beta, lower=0.0, lower_open=True)
        if self.at != "auto":
            check_int("at", self.at, lower=0)
        check_real("threshold", self.threshold, lower=0.0, lower_open=True)

    def beta_if_due(self, problem: Problem, F: Array, G: Array) -> float | None:
        """Return the beta to rescale with at this iterate, or None to wait."""
        if self.at != "auto" and self.beta != "auto":
            return float(self.beta)
        rho = float(np.linalg.norm(problem.measured_error(F, G)))
        sigma = _estimated_sigma_r(F, G, rho)
        if self.at == "auto" and rho > self.threshold * sigma:
            return None
        return math.sqrt(sigma) if self.beta == "auto" else float(self.beta)


@dataclass(frozen=True)
class DescentResult:
    """What a descent returns.

    Attributes
    ----------
    F, G : ndarray, shapes (n1, k) and (n2, k)
        The last factors; in the symmetric mode G is F. Beyond 1e35 or NaN after divergence.
    n_iter : int
        The last iteration; after divergence the one at which it was found.
    stop_reason : str
        ``"max_iter"``, ``"converged"``, ``"diverged"`` or ``"callback"``.
    switched_at : int or None
        The iteration of the one-step rescaling, where there was one.
    history : dict of ndarray
        At the recorded iterations (without the divergent one): ``iteration``; ``error``, the
        Frobenius norm of F G^T - M, if the truth was given; ``loss``; ``imbalance``, the
        Frobenius norm of F^T F - G^T G; ``min_eigenvalue``, the smallest of F^T F.
    """

    F: Array
    G: Array
    n_iter: int
    stop_reason: str
    switched_at: int | None
    history: dict[str, np.ndarray] = field(repr=False)

    def __repr__(self) -> str:
        """Return one line: why and where it stopped, and the last figures."""
        last = {k: v[-1] for k, v in self.history.items() if k != "iteration" and len(v)}
        figures = ", ".join(f"{name} {value:.3g}" for name, value in last.items())
        return f"<DescentResult: {self.stop_reason} at iteration {self.n_iter}; {figures}>"


def factorized_gd(
    operator: Any,
    y: Any = None,
    *,
    truth: Any = None,
    F0: Any,
    G0: Any = None,
    step_size: float,
    max_iter: int,
    rule: Any = "gradient",
    tol: float = 0.0,
    record: Any = "log",
    one_step: OneStep | None = None,
    callback: Callable[[int, Array, Array], object] | None = None,
) -> DescentResult:
    """Recover a low-rank matrix M from y = A(M) by descent on the factors of F G^T.

    The loss is ``||A(F G^T) - y||^2 / 2`` or, without G0, ``||A(X X^T) - y||^2 / 4``.

    Parameters
    ----------
    operator : SensingOperator
        The measurements A; ``IdentitySensing`` is the population.
    y : array_like, shape (m,), optional
        Measured values, noise included. Without it ``A(truth)`` is meant, and the residual is
        formed from the error itself, which reaches machine precision.
    truth : array_like, shape (n1, n2), optional
        The matrix M: for the recorded error, and in the place of `y`.
    F0 : array_like, shape (n1, k)
        Initial left factor.
    G0 : array_like, shape (n2, k), optional
        Initial right factor. Without it the factorisation is symmetric, X X^T with X0 = F0.
    step_size : float
        The step eta > 0.
    max_iter : int
        Number of iterations.
    rule : str or callable
        A name in ``UPDATE_RULES`` or your own update rule (see
        :mod:`theorytk.matrix_sensing.updates`); a class is instantiated.
    tol : float, default 0.0
        Stop at a recorded iteration whose error (without truth: training residual) is <= `tol`.
    record : {"log", "all"} or sequence of int
        Iterations to record: 0 and about 20 a decade, every one, or an increasing sequence.
        The last, `max_iter`, is always recorded.
    one_step : OneStep, optional
        Rescale the factors once (asymmetric only).
    callback : callable, optional
        Called as ``callback(iteration, F, G)`` at recorded iterations; True stops the run.

    Returns
    -------
    DescentResult

    Warns
    -----
    RuntimeWarning
        If the step is above the stability limit of gradient descent.
    UserWarning
        If every sensing matrix is symmetric but the factors are not, if F0 equals G0, if there
        are fewer measurements than degrees of freedom, or if a symmetric truth has a negative
        eigenvalue.

    References
    ----------
    Xiong, Ding, Du (ICLR 2024). Plain gradient descent in the population runs in a reduced core,
    see ``reduce_core``.

    Examples
    --------
    >>> from theorytk.matrix_sensing.operators import IdentitySensing
    >>> from theorytk.matrix_sensing.problems import init_factors, low_rank_matrix
    >>> M = low_rank_matrix(20, singular_values=[1.0, 0.5], rng=0)
    >>> F0, G0 = init_factors(20, 20, 4, scale=0.3, rng=1)
    >>> result = factorized_gd(
    ...     IdentitySensing(20), truth=M, F0=F0, G0=G0, step_size=0.1, max_iter=3000, tol=1e-6
    ... )
    >>> result.stop_reason, bool(result.history["error"][-1] <= 1e-6)
    ('converged', True)
    """
    problem, F0, G0 = make_problem(operator, y, truth, F0, G0)
    rule = resolve_rule(rule)
    step_size = check_real("step_size", step_size, lower=0.0, lower_open=True)
    tol = check_real("tol", tol, lower=0.0)
    if one_step is not None and (problem.symmetric or F0.shape[1] > len(F0)):
        got = "G0=None" if problem.symmetric else f"F0 of shape {F0.shape}"
        raise ValueError(f"one_step needs asymmetric factors with k <= n1; got {got}")
    warn_about(problem, F0, G0, step_size if rule in (gradient_step, sequential_step) else None)
    switch = _Switch(one_step)
    records: list[dict[str, float]] = []
    stop_reason = "max_iter"
    schedule = make_schedule(record, check_int("max_iter", max_iter, lower=0))
    for iteration, F, G in _with_switch(problem, rule, F0, G0, step_size, schedule, switch):
        if not is_bounded(F, G):
            stop_reason = "diverged"
            break
        records.append(_measure(problem, iteration, F, G))
        if callback is not None and callback(iteration, F, G) is True:
            stop_reason = "callback"
            break
        if _distance(problem, records[-1]) <= tol:
            stop_reason = "converged"
            break
    names = records[0] if records else ()
    history = {name: np.array([row[name] for row in records]) for name in names}
    return DescentResult(F, G, iteration, stop_reason, switch.iteration, history)


@dataclass
class _Switch:
    """The one-step rescaling: its rule, and the iteration once it is done."""

    one_step: OneStep | None
    iteration: int | None = None

    def checks(self, max_iter: int) -> set[int]:
        """Return the iterations at which to ask whether it is due."""
        if self.one_step is None:
            return set()
        if self.one_step.at == "auto":
            return {int(t) for t in log_schedule(max_iter)}
        return {int(self.one_step.at)}

    def rescale(self, problem: Problem, F: Array, G: Array) -> tuple[Array, Array] | None:
        """Return the rescaled factors if it is due."""
        assert self.one_step is not None
        beta = self.one_step.beta_if_due(problem, F, G) if is_bounded(F, G) else None
        return None if beta is None else one_step_rescale(F, G, beta)


def _with_switch(
    problem: Problem,
    rule: Any,
    F0: Array,
    G0: Array,
    step_size: float,
    schedule: list[int],
    switch: _Switch,
) -> Iterator[Iterate]:
    """Yield the iterates, with the one-step rescaling where it is due."""
    checks = switch.checks(schedule[-1])
    recorded = set(schedule)
    for t, F, G in iterate(problem, rule, F0, G0, step_size, sorted(recorded | checks)):
        rescaled = switch.rescale(problem, F, G) if t in checks else None
        if rescaled is not None:
            switch.iteration = t
            later = [s - t for s in schedule if s >= t]
            for s, F, G in iterate(problem, rule, *rescaled, step_size, later):
                yield t + s, F, G
            return
        if t in recorded or not is_bounded(F, G):
            yield t, F, G


def _measure(problem: Problem, iteration: int, F: Array, G: Array) -> dict[str, float]:
    """Return one row of the history."""
    row: dict[str, float] = {"iteration": iteration}
    if problem.truth is not None:
        row["error"] = float(np.linalg.norm(F @ G.T - problem.truth))
    half = 0.25 if problem.symmetric else 0.5
    row["loss"] = half * float(np.sum(problem.measured_error(F, G) ** 2))
    gram = F.T @ F
    row["imbalance"] = float(np.linalg.norm(gram - G.T @ G))
    row["min_eigenvalue"] = float(np.linalg.eigvalsh(gram)[0])
    return row


def _distance(problem: Problem, row: dict[str, float]) -> float:
    """Return what `tol` bounds: the error, or the training residual where M is unknown."""
    return (
        row["error"] if "error" in row else math.sqrt(row["loss"] * (4 if problem.symmetric else 2))
    )


def _estimated_sigma_r(F: Array, G: Array, rho: float) -> float:
    """Return the singular value of F G^T before the largest relative gap above rho."""
    R_F, R_G = np.linalg.qr(F)[1], np.linalg.qr(G)[1]
    s = svdvals(R_F @ R_G.T)
    floor = max(rho, np.finfo(float).eps * s[0])
    raised = np.maximum(np.append(s, 0.0), floor)
    return float(s[np.argmax(raised[:-1] / raised[1:])])
