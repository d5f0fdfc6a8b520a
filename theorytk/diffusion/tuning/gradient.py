"""Refinement of a solver schedule by gradients: its coefficients are smooth in what they hold.

The times and the relaxations of a schedule move along the exact gradient of its error: reverse
through the unrolled plan, with the exact Jacobians of a mixture's noise prediction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize

from theorytk._validation import check_int
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.targets import MixtureTarget
from theorytk.diffusion.tuning.decisions import RELAXATIONS, SolverSchedule
from theorytk.diffusion.tuning.unrolled import Trajectories, schedule_errors, unroll

__all__ = ["RefinementResult", "noise_jacobian_product", "refine"]

Array = np.ndarray
COEFFICIENT_STEP = 1e-7  # of differences of the coefficients, which are exact to 1e-14
MOST_MOVE = 2.0  # of the logarithm of a step, and of a relaxation
LAM_STEP = 1e-5  # of central differences of the prediction in lambda


@dataclass(frozen=True, eq=False)
class RefinementResult:
    """What a refinement found.

    Attributes
    ----------
    schedule : SolverSchedule
        The given decisions with other times and relaxations.
    train_error, held_out_error : float
        Its root mean square errors, in the unit of the states.
    n_gradients : int
        How many gradients were taken.
    """

    schedule: SolverSchedule
    train_error: float
    held_out_error: float
    n_gradients: int

    @property
    def overfit(self) -> float:
        """The held-out error over the training error."""
        return self.held_out_error / self.train_error


def refine(
    start: SolverSchedule,
    target: MixtureTarget,
    train: Trajectories,
    held_out: Trajectories,
    *,
    max_gradients: int = 100,
) -> RefinementResult:
    """Move the times and relaxations of a schedule down the gradient of the training error.

    Parameters
    ----------
    start : SolverSchedule
        Its decisions and its first and last time stay; relaxations given by name stay too.
    target : MixtureTarget
        The law whose flow the trajectories are.
    train : Trajectories
        Whose error is lowered.
    held_out : Trajectories
        What the result is reported on.
    max_gradients : int
        After how many gradients the optimiser stops, at the end of its line search (of at most 20
        more), >= 1.

    Returns
    -------
    RefinementResult

    References
    ----------
    Derived here; the search of Liu et al. (ICLR 2024) uses no gradients. The optimiser is L-BFGS-B
    (SciPy), on the logarithm of the error, in the relaxations and the logarithms of the steps, none
    of which moves by more than 2.

    Examples
    --------
    >>> from theorytk.diffusion import VPLinear, three_modes
    >>> from theorytk.diffusion.tuning.decisions import StepDecision
    >>> from theorytk.diffusion.tuning.unrolled import solve_trajectories
    >>> x = np.random.default_rng(0).standard_normal((48, 2))
    >>> train, held_out = (
    ...     solve_trajectories(three_modes(), VPLinear(), part) for part in (x[:16], x[16:])
    ... )
    >>> start = SolverSchedule([1.0, 0.5, 0.2, 0.001], [StepDecision()] * 3)
    >>> found = refine(start, three_modes(), train, held_out, max_gradients=10)
    >>> bool(found.train_error < schedule_errors([start], train)[0])
    True
    """
    if not isinstance(target, MixtureTarget):
        raise TypeError(f"target must be a MixtureTarget; got {target!r}")
    max_gradients = check_int("max_gradients", max_gradients, lower=1)
    schedule = train.model.schedule
    assert schedule is not None
    form = _Form(start, schedule)

    def objective(theta: Any) -> tuple[float, Any]:
        return _log_error(form, target, train, theta)

    options: Any = dict(maxfun=max_gradients)
    bounds = [(-MOST_MOVE, MOST_MOVE)] * form.size
    start_at = np.zeros(form.size)
    found = minimize(
        objective, start_at, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    best = form.schedule_at(found.x)
    train_error, held_out_error = (float(schedule_errors([best], t)[0]) for t in (train, held_out))
    return RefinementResult(best, train_error, held_out_error, int(found.nfev))


def noise_jacobian_product(
    target: MixtureTarget, x: Array, v: Array, alpha: float, sigma: float
) -> Array:
    """Return the Jacobian of a mixture's noise prediction at points, times vectors.

    Parameters
    ----------
    target : MixtureTarget
        The law of the data.
    x, v : ndarray, shape (n, d)
        Points and vectors.
    alpha, sigma : float
        The noise level, sigma > 0.

    Returns
    -------
    ndarray, shape (n, d)
        The products. The Jacobian is symmetric, so they are those of its transpose too.

    References
    ----------
    Derived here: with responsibilities r_k and g_k the score of component k, the Hessian of the log
    density is ``sum_k r_k (g_k g_k' - P_k) - s s'``, s the score and P_k the precisions.

    Examples
    --------
    >>> from theorytk.diffusion import GaussianTarget
    >>> one = np.ones((1, 1))
    >>> noise_jacobian_product(GaussianTarget([0.0], 3.0), one, one, 1.0, 1.0)
    array([[0.25]])
    """
    law = target.law
    variances = alpha**2 * law.covariances + sigma**2 * np.eye(target.dimension)
    precisions = np.linalg.inv(variances)
    centred = x[:, None] - alpha * law.means
    scores = -np.einsum("kab,nkb->nka", precisions, centred)
    logits = np.log(law.weights) - np.linalg.slogdet(variances)[1] / 2
    logits = logits + np.sum(scores * centred, axis=2) / 2
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    score = np.einsum("nk,nka->na", shares, scores)
    along = np.einsum("nka,na->nk", scores, v)
    curvature = np.einsum("nk,kab,nb->na", shares, precisions, v)
    second = np.einsum("nk,nka->na", shares * along, scores)
    product: Array = -sigma * (second - curvature - score * np.sum(score * v, axis=1)[:, None])
    return product


class _Form:
    """A schedule as a function of the logarithms of its steps and of its relaxations."""

    def __init__(self, start: SolverSchedule, schedule: NoiseSchedule) -> None:
        self.start, self.schedule = start, schedule
        self.lam = schedule.lam(np.array(start.times))
        self.places = [
            (i, name)
            for i, decision in enumerate(start.decisions)
            for name, works in zip(
                RELAXATIONS, (decision.order > 1, decision.corrector != "none"), strict=True
            )
            if works and not isinstance(getattr(decision, name), str)
        ]
        self.size = start.n_steps + len(self.places)

    def schedule_at(self, theta: Array) -> SolverSchedule:
        """Return the schedule at a parameter; at 0 it is the given one."""
        gaps = np.diff(self.lam) * np.exp(theta[: self.start.n_steps])
        lam = self.lam[0] + np.cumsum(gaps) * (self.lam[-1] - self.lam[0]) / gaps.sum()
        inner = self.schedule.t_of_lam(lam[:-1]).tolist()
        decisions = list(self.start.decisions)
        for (i, name), move in zip(self.places, theta[self.start.n_steps :].tolist(), strict=True):
            decisions[i] = replace(decisions[i], **{name: getattr(decisions[i], name) + move})
        times = (self.start.times[0], *inner, self.start.times[-1])
        return replace(self.start, times=times, decisions=tuple(decisions))

    def coefficients(self, theta: Array) -> tuple[Array, Array]:
        """Return the unrolled plan's rows and the values of lambda at its evaluations."""
        unrolled = unroll(self.schedule_at(theta).compile(self.schedule))
        return unrolled.rows, self.schedule.lam(np.array(unrolled.times))


def _log_error(
    form: _Form, target: MixtureTarget, train: Trajectories, theta: Array
) -> tuple[float, Any]:
    """Return the logarithm of the root mean square error and its gradient."""
    rows, lam = form.coefficients(theta)
    square, row_slopes, lam_slopes = _adjoint(form.schedule, target, train, rows, lam)
    gradient = np.empty(form.size)
    for k, e in enumerate(COEFFICIENT_STEP * np.eye(form.size)):
        moved, moved_lam = form.coefficients(theta + e)
        change = np.sum(row_slopes * (moved - rows)) + np.sum(lam_slopes * (moved_lam - lam))
        gradient[k] = change / COEFFICIENT_STEP
    return np.log(square) / 2, gradient / (2 * square)


def _adjoint(
    schedule: NoiseSchedule, target: MixtureTarget, train: Trajectories, rows: Array, lam: Array
) -> tuple[float, Array, Array]:
    """Return the mean squared error and its derivatives by the rows and by the lambdas."""
    times = schedule.t_of_lam(lam)
    levels = list(zip(schedule.alpha(times).tolist(), schedule.sigma(times).tolist(), strict=True))
    values, points = [train.starts], []
    for row, level in zip(rows[:-1], levels, strict=True):
        points.append(np.tensordot(row[: len(values)], values, axes=1))
        values.append(target.noise(points[-1], *level))
    residual = np.tensordot(rows[-1], values, axes=1) - train.ends
    slopes = [2 * residual / residual.size]
    row_slopes, lam_slopes = np.zeros_like(rows), np.zeros_like(lam)
    row_slopes[-1] = [np.sum(slopes[0] * value) for value in values]
    for k in reversed(range(len(lam))):
        by_noise = np.tensordot(rows[k + 1 :, k + 1], slopes, axes=1)
        lam_slopes[k] = np.sum(by_noise * _lam_derivative(schedule, target, points[k], lam[k]))
        slopes.insert(0, noise_jacobian_product(target, points[k], by_noise, *levels[k]))
        row_slopes[k, : k + 1] = [np.sum(slopes[0] * value) for value in values[: k + 1]]
    return float(np.mean(residual**2)), row_slopes, lam_slopes


def _lam_derivative(schedule: NoiseSchedule, target: MixtureTarget, x: Array, lam: float) -> Array:
    """Return the derivative of the noise prediction by lambda at fixed points."""
    noises = []
    for shifted in (lam + LAM_STEP, lam - LAM_STEP):
        t = schedule.t_of_lam(shifted)
        noises.append(target.noise(x, float(schedule.alpha(t)), float(schedule.sigma(t))))
    derivative: Array = (noises[0] - noises[1]) / (2 * LAM_STEP)
    return derivative
