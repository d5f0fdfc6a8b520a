"""Step grids by dynamic programming on exact local errors.

A step between two candidate times, taken from the exact states, errs by a vector; the exact flow
carries it to the end. The sum over the steps of the root mean squares of these vectors is the cost
of a grid, and its least value over all grids of the candidates is found exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int
from theorytk.diffusion.plans import check_times
from theorytk.diffusion.reference import reference_trajectory
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.targets import Target

__all__ = ["OptimalGrid", "StepCosts", "optimal_grid", "step_costs"]

Array = np.ndarray
REFERENCE_RTOL = 1e-8
DISPLACEMENT = 1e-3  # Of central differences of the flow, whose error is its square.


@dataclass(frozen=True, eq=False)
class StepCosts:
    """The costs of all steps between candidate times.

    Attributes
    ----------
    times : ndarray, shape (n_candidates,)
        The candidates, decreasing.
    first : ndarray, shape (n_candidates, n_candidates)
        ``first[a, b]`` is the cost of the first-order step from candidate a to candidate b;
        infinite unless a < b.
    second : ndarray, shape (n_candidates, n_candidates, n_candidates), or None
        ``second[p, a, b]`` is that of the two-step method whose previous node was p.
    """

    times: Array
    first: Array
    second: Array | None = None

    def cost(self, nodes: Sequence[int]) -> float:
        """Return the cost of the grid through candidates, given by their indices.

        Parameters
        ----------
        nodes : sequence of int
            Increasing, at least two.

        Returns
        -------
        float
            The sum of the costs of its steps; the first one is of first order.
        """
        nodes = [int(i) for i in nodes]
        if self.second is None:
            return float(sum(self.first[a, b] for a, b in pairwise(nodes)))
        rest = zip(nodes, nodes[1:], nodes[2:], strict=False)
        return float(self.first[nodes[0], nodes[1]] + sum(self.second[step] for step in rest))


@dataclass(frozen=True, eq=False)
class OptimalGrid:
    """The grid of least cost.

    Attributes
    ----------
    times : ndarray, shape (n_steps + 1,)
        The times.
    nodes : tuple of int
        Their indices among the candidates.
    cost : float
        Its cost: the mean over the targets of the sum of amplified local errors.
    """

    times: Array
    nodes: tuple[int, ...]
    cost: float


def step_costs(
    target: Target, schedule: NoiseSchedule, x: Any, times: Any, *, order: int = 1
) -> StepCosts:
    """Return the costs of all steps between candidate times, for one target.

    The local error of a step is that from exact states with exact earlier outputs. The derivative
    of the flow, by central differences, carries it to the last candidate; its root mean square
    over the trajectories and the coordinates is the step's cost.

    Parameters
    ----------
    target : Target
        The law of the data, or a guided pair.
    schedule : NoiseSchedule
        The schedule.
    x : array_like, shape (n, d)
        Starts of the trajectories, at the first candidate.
    times : array_like, shape (n_candidates,)
        The candidates, decreasing, for instance the times of a fine grid of equal steps in lambda.
    order : {1, 2}
        DDIM, or DPM-Solver++(2M) as published, whose first step is DDIM's.

    Returns
    -------
    StepCosts

    Raises
    ------
    ValueError
        If an argument is out of range.

    References
    ----------
    Derived here. For DDIM on Gaussian data, per coordinate, the cost of a grid bounds its error
    from above; in general it does so up to terms quadratic in the local errors.

    Examples
    --------
    >>> from theorytk.diffusion import GaussianTarget, VPLinear, time_grid
    >>> schedule = VPLinear()
    >>> candidates = time_grid(schedule, "logsnr", 24)
    >>> costs = step_costs(GaussianTarget([0.0], 0.2), schedule, [[1.0], [-0.4]], candidates)
    >>> found = optimal_grid(costs, 6)
    >>> len(found.times), found.cost < costs.cost(range(0, 25, 4))
    (7, True)
    """
    times = check_times(schedule, times)
    x = check_array("x", x, shape=(None, target.dimension))
    order = check_int("order", order, lower=1, upper=2)
    states, carries = _flow(target, schedule, x, times)
    alpha, sigma = schedule.alpha(times), schedule.sigma(times)
    outputs = np.stack([target.data(*at) for at in zip(states, alpha, sigma, strict=True)])
    # Index [a, b]: the vectors of node a, carried from node b to the end.
    moved = np.einsum("bnij,anj->abni", carries, states)
    models = np.einsum("bnij,anj->abni", carries, outputs)
    decay, gain = _ddim_coefficients(schedule, times)
    here = np.einsum("bbni->bni", moved)
    errors = decay[..., None, None] * moved + gain[..., None, None] * models - here
    ahead = np.arange(len(times))[:, None] < np.arange(len(times))
    first = np.where(ahead, np.sqrt(np.mean(errors**2, axis=(2, 3))), np.inf)
    second = _second(schedule.lam(times), gain, errors, models) if order == 2 else None
    return StepCosts(times, first, second)


def optimal_grid(costs: StepCosts | Sequence[StepCosts], n_steps: int) -> OptimalGrid:
    """Return the grid of n_steps steps whose cost is least among all grids of the candidates.

    The first and the last candidate are its ends. With several targets their costs are averaged.

    Parameters
    ----------
    costs : StepCosts or sequence of StepCosts
        The costs of the steps, all for the same candidates and order.
    n_steps : int
        The number of steps, from 1 to n_candidates - 1.

    Returns
    -------
    OptimalGrid

    Raises
    ------
    ValueError
        If `n_steps` is out of range, or the costs are for other candidates or orders.

    References
    ----------
    Bellman's principle: the cost is a sum over steps, each of which depends on its ends, and for
    two-step methods on the node before. That the minimum is exact is derived here.

    Examples
    --------
    >>> costs = StepCosts(np.array([3.0, 2.0, 1.0]), np.array([[9, 1, 5], [9, 9, 1], [9, 9, 9.0]]))
    >>> optimal_grid(costs, 2).nodes, optimal_grid(costs, 1).cost
    ((0, 1, 2), 5.0)
    """
    several = [costs] if isinstance(costs, StepCosts) else list(costs)
    if not several:
        raise ValueError("costs must hold at least one StepCosts; got none")
    mean = _mean(several)
    n_steps = check_int("n_steps", n_steps, lower=1, upper=len(mean.times) - 1)
    nodes = _one_step(mean.first, n_steps) if mean.second is None else _two_step(mean, n_steps)
    return OptimalGrid(mean.times[list(nodes)], nodes, mean.cost(nodes))


def _one_step(first: Array, n_steps: int) -> tuple[int, ...]:
    """Return the cheapest path of n_steps steps from the first to the last node."""
    value, choices = np.full(len(first), np.inf), []
    value[0] = 0.0
    for _ in range(n_steps):
        totals = value[:, None] + first
        choices.append(totals.argmin(axis=0))
        value = totals.min(axis=0)
    nodes = [len(first) - 1]
    for choice in reversed(choices):
        nodes.append(int(choice[nodes[-1]]))
    return tuple(reversed(nodes))


def _two_step(costs: StepCosts, n_steps: int) -> tuple[int, ...]:
    """Return the cheapest path where a step's cost depends on the node before it too."""
    second: Array = np.asarray(costs.second)
    value, choices = np.full(costs.first.shape, np.inf), []
    value[0] = costs.first[0]
    for _ in range(n_steps - 1):
        totals = value[:, :, None] + second
        choices.append(totals.argmin(axis=0))
        value = totals.min(axis=0)
    nodes = [len(value) - 1, int(value[:, -1].argmin())]
    for choice in reversed(choices):
        nodes.append(int(choice[nodes[-1], nodes[-2]]))
    return tuple(reversed(nodes))


def _flow(target: Target, schedule: NoiseSchedule, x: Array, times: Array) -> tuple[Array, Array]:
    """Return exact states (M, n, d) and the derivatives (M, n, d, d) of the end by each of them."""
    n, d = x.shape
    shifts = DISPLACEMENT * np.concatenate([np.zeros((1, d)), np.eye(d), -np.eye(d)])
    starts = (x + shifts[:, None]).reshape(-1, d)
    solved = reference_trajectory(target, schedule, starts, times, rtol=REFERENCE_RTOL)
    states = solved.states.reshape(len(times), 2 * d + 1, n, d)
    forward, backward = states[:, 1 : d + 1], states[:, d + 1 :]
    by_start = np.moveaxis(forward - backward, 1, -1) / (2 * DISPLACEMENT)
    return states[:, 0], by_start[-1] @ np.linalg.inv(by_start)


def _ddim_coefficients(schedule: NoiseSchedule, times: Array) -> tuple[Array, Array]:
    """Return the coefficients, at [a, b], of state and data prediction in the step from a to b."""
    lam, alpha, sigma = schedule.lam(times), schedule.alpha(times), schedule.sigma(times)
    h = lam - lam[:, None]
    return sigma / sigma[:, None], -alpha * np.expm1(-np.maximum(h, 0.0))


def _second(lam: Array, gain: Array, errors: Array, models: Array) -> Array:
    """Return the costs of 2M: the first-order error plus a multiple of the outputs' difference.

    With the difference D of the outputs at a and p the step adds ``gain h_ab / (2 h_pa) D``, so
    the mean square is a quadratic in that multiple, and only inner products are needed.
    """
    M, scale = len(lam), np.sqrt(errors[0, 0].size)
    h = np.abs(lam - lam[:, None]) + np.eye(M)
    second = np.full((M, M, M), np.inf)
    for b in range(2, M):
        before = np.arange(b)
        error, model = (z[:b, b].reshape(b, -1) / scale for z in (errors, models))
        cross, gram = error @ model.T, model @ model.T
        # Index [p, a].
        factor = gain[:b, b] * h[:b, b] / (2 * h[:b, :b])
        linear = np.diag(cross) - cross.T
        quadratic = np.diag(gram) - 2 * gram + np.diag(gram)[:, None]
        squares = np.sum(error**2, axis=1) + 2 * factor * linear + factor**2 * quadratic
        costs = np.sqrt(np.maximum(squares, 0.0))
        second[:b, :b, b] = np.where(before[:, None] < before, costs, np.inf)
    return second


def _mean(several: Sequence[StepCosts]) -> StepCosts:
    """Return the mean of costs for the same candidates."""
    times, two = several[0].times, several[0].second is None
    for costs in several:
        if (costs.second is None) != two or not np.array_equal(costs.times, times):
            raise ValueError("costs must all be for the same candidates and order")
    first = np.mean([costs.first for costs in several], axis=0)
    second = None if two else np.mean([np.asarray(c.second) for c in several], axis=0)
    return StepCosts(times, first, second)
