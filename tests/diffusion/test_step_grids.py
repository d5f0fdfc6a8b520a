from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.optimize import minimize

from theorytk.diffusion import (
    EDM,
    GaussianTarget,
    VPLinear,
    ddim_factor,
    flow_factor,
    reference_trajectory,
    sample,
    time_grid,
)
from theorytk.diffusion.samplers import ddim, multistep
from theorytk.diffusion.targets import three_modes
from theorytk.diffusion.tuning.step_grid_theory import angle_grid, ddim_contraction, noise_angle
from theorytk.diffusion.tuning.step_grids import StepCosts, optimal_grid, step_costs

VP = VPLinear()
X = np.random.default_rng(5).standard_normal((6, 2))
NARROW = GaussianTarget([0.3, -0.8], [0.02, 0.4])


@pytest.mark.parametrize("order", [1, 2])
def test_dynamic_programming_is_the_minimum_over_all_grids(order):
    candidates = time_grid(VP, "logsnr", 10)
    costs = step_costs(three_modes(), VP, X, candidates, order=order)
    for n_steps in range(1, 11):
        grids = [(0, *inner, 10) for inner in combinations(range(1, 10), n_steps - 1)]
        best = min(grids, key=costs.cost)
        found = optimal_grid(costs, n_steps)
        assert found.nodes == best
        assert found.cost == pytest.approx(costs.cost(best), rel=1e-12)
        np.testing.assert_array_equal(found.times, candidates[list(best)])


def test_costs_of_several_targets_are_averaged():
    candidates = time_grid(VP, "logsnr", 8)
    several = [step_costs(target, VP, X, candidates) for target in (NARROW, three_modes())]
    found = optimal_grid(several, 4)
    assert found.cost == pytest.approx(np.mean([c.cost(found.nodes) for c in several]))


def test_costs_are_the_local_errors_that_the_flow_carries():
    """One step of the plan from exact states, then the closed form of the flow."""
    times = time_grid(VP, "quadratic", 5)
    exact = [NARROW.flow(X, VP, times[0], t) for t in times]
    costs = step_costs(NARROW, VP, X, times, order=2)
    for p, a, b in combinations(range(6), 3):
        one = sample(ddim(VP, times[[a, b]]), NARROW.model(VP), exact[a]).x
        plan = multistep(VP, times[[p, a, b]], order=2, variant="midpoint", bootstrap=1)
        two = sample(plan, NARROW.model(VP), [exact[p], exact[a]]).x
        for x, cost in ((one, costs.first[a, b]), (two, costs.second[p, a, b])):
            error = NARROW.flow(x, VP, times[b], times[-1]) - exact[-1]
            assert cost == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-5)


def test_the_flow_of_a_mixture_carries_small_errors():
    times = time_grid(VP, "logsnr", 40)
    target = three_modes()
    costs = step_costs(target, VP, X, times)
    for a in (5, 20, 35):
        states = reference_trajectory(target, VP, X, times, rtol=1e-11).states
        step = sample(ddim(VP, times[[a, a + 1]]), target.model(VP), states[a]).x
        remaining = times[a + 1 :]
        end = reference_trajectory(target, VP, step, remaining, rtol=1e-11).states[-1]
        size = np.sqrt(np.mean((end - states[-1]) ** 2))
        assert costs.first[a, a + 1] == pytest.approx(size, rel=0.05)


def test_the_cost_bounds_the_error_of_ddim_on_gaussians():
    rng = np.random.default_rng(2)
    candidates = time_grid(VP, "logsnr", 16)
    for _ in range(5):
        target = GaussianTarget(rng.normal(size=3), rng.uniform(0.01, 2, 3))
        x = rng.standard_normal((4, 3))
        costs = step_costs(target, VP, x, candidates)
        for n_steps in (2, 5, 9):
            inner = np.sort(rng.choice(np.arange(1, 16), n_steps - 1, replace=False))
            nodes = [0, *inner, 16]
            times = candidates[nodes]
            end = target.flow(x, VP, times[0], times[-1])
            error = sample(ddim(VP, times), target.model(VP), x).x - end
            size = np.sqrt(np.mean(error**2))
            assert 0.5 * costs.cost(nodes) < size < costs.cost(nodes)


@pytest.mark.parametrize("variance", [0.01, 0.3, 4.0])
def test_contraction_is_the_product_of_the_factors_of_ddim(variance):
    for schedule in (VP, EDM()):
        times = time_grid(schedule, "logsnr", 7)
        factor = 1.0
        for s, t in pairwise(times):
            step = ddim_factor(schedule, s, t, variance)
            factor *= float(step / flow_factor(schedule, s, t, variance))
        assert ddim_contraction(schedule, times, variance) == pytest.approx(factor, rel=1e-12)


def test_equal_angles_are_the_best_grid_for_a_gaussian():
    variance, n = 0.3, 5
    lam = VP.lam(np.array([VP.t_max, VP.t_min]))

    def lost(inner):
        nodes = np.concatenate([lam[:1], np.sort(inner), lam[1:]])
        times = VP.t_of_lam(nodes)
        times[[0, -1]] = VP.t_max, VP.t_min
        return -np.log(ddim_contraction(VP, times, variance))

    best = minimize(lost, np.linspace(-2, 2, n - 1), method="Nelder-Mead", options=dict(xatol=1e-9))
    grid = angle_grid(VP, n, variance)
    assert -np.log(ddim_contraction(VP, grid, variance)) == pytest.approx(best.fun, rel=1e-6)
    assert VP.lam(grid[1:-1]) == pytest.approx(np.sort(best.x), abs=1e-2)
    total = np.ptp(noise_angle(VP, lam * 0 + [VP.t_max, VP.t_min], variance))
    assert ddim_contraction(VP, grid, variance) == pytest.approx(np.cos(total / n) ** n, rel=1e-12)


def test_dynamic_programming_finds_equal_angles():
    candidates = time_grid(VP, "logsnr", 96)
    target = GaussianTarget([0.0], 0.2)
    found = optimal_grid(step_costs(target, VP, X[:, :1], candidates), 6)
    wanted = angle_grid(VP, 6, 0.2)
    assert VP.lam(found.times) == pytest.approx(VP.lam(wanted), abs=0.15)
    best = 1 - ddim_contraction(VP, wanted, 0.2)
    assert best <= 1 - ddim_contraction(VP, found.times, 0.2) < 1.01 * best


def test_bad_input():
    candidates = time_grid(VP, "logsnr", 4)
    with pytest.raises(ValueError, match="order must be an integer >= 1 and <= 2; got 3"):
        step_costs(NARROW, VP, X, candidates, order=3)
    with pytest.raises(ValueError, match=r"x must have shape \(any, 2\); got \(6, 1\)"):
        step_costs(NARROW, VP, X[:, :1], candidates)
    costs = StepCosts(candidates, np.ones((5, 5)))
    with pytest.raises(ValueError, match="n_steps must be an integer >= 1 and <= 4; got 5"):
        optimal_grid(costs, 5)
    with pytest.raises(ValueError, match="costs must hold at least one StepCosts"):
        optimal_grid([], 2)
    other = StepCosts(candidates / 2, np.ones((5, 5)))
    with pytest.raises(ValueError, match="for the same candidates and order"):
        optimal_grid([costs, other], 2)
    with pytest.raises(ValueError, match="variance must be a number > 0; got 0"):
        noise_angle(VP, 0.5, 0)
    with pytest.raises(ValueError, match="n_steps must be an integer >= 1; got 0"):
        angle_grid(VP, 0, 0.3)
