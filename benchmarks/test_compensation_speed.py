"""The search of compensation ratios against a loop of public calls, and of step grids.

CPU times in one thread are printed, and the targets are asserted on the median over the rounds of
their ratio. Run with ``pytest benchmarks/test_compensation_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from threadpoolctl import threadpool_limits

from theorytk.diffusion import (
    GuidedTarget,
    VPLinear,
    random_mixture,
    reference_trajectory,
    sample,
    time_grid,
)
from theorytk.diffusion.samplers import unipc
from theorytk.diffusion.tuning.compensation import search_compensation
from theorytk.diffusion.tuning.step_grids import optimal_grid, step_costs

VP = VPLinear()


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def seconds(function):
    """Return the CPU seconds of a call."""
    started = time.process_time()
    function()
    return time.process_time() - started


def greedy_loop(model, times, exact):
    """The same search, each trial a run of the whole plan up to the step's end."""
    n = len(times) - 1
    ratios = np.ones(n)

    def error(ratio, i):
        ratios[i] = ratio
        plan = unipc(VP, times, order=2, ratios=ratios)
        states = sample(plan, model, exact[0], record=True).states
        return np.mean((states[i + 1] - exact[i + 1]) ** 2)

    for i in range(2, n):
        scan = np.linspace(0.2, 1.8, 17)
        k = int(np.argmin([error(ratio, i) for ratio in scan]))
        bounds = scan[max(k - 1, 0)], scan[min(k + 1, 16)]
        options = {"xatol": 1e-3}
        best = minimize_scalar(error, args=(i,), bounds=bounds, method="bounded", options=options)
        ratios[i] = best.x if best.fun < error(1.0, i) else 1.0
    return ratios


def test_search_against_running_the_plan_for_each_trial():
    """Ten trajectories of a guided mixture in 4 dimensions, 10 evaluations."""
    mixture = random_mixture(4, 6, rng=0)
    target = GuidedTarget(mixture, mixture.component(0), 3.0)
    x, times = np.random.default_rng(0).standard_normal((10, 4)), time_grid(VP, "uniform", 10)
    exact = reference_trajectory(target, VP, x, times, rtol=1e-9).states
    model, found = target.model(VP), []

    def ours():
        found.append(search_compensation(model, VP, times, x, order=2, references=exact).ratios)

    def loop():
        found.append(greedy_loop(model, times, exact))

    ours(), loop()
    np.testing.assert_allclose(found[0], found[1], atol=1e-3)
    fast, slow = np.array([(seconds(ours), seconds(loop)) for _ in range(3)]).T
    ratio = float(np.median(slow / fast))
    print(f"\nsearch {np.median(fast):.3f} s, loop {np.median(slow):.3f} s, ratio {ratio:.1f}")
    assert ratio > 4


def test_dynamic_programming_is_quick_beside_its_costs():
    """Costs for 65 candidates and 8 trajectories in 8 dimensions, then the grid of 8 steps."""
    target, x = random_mixture(8, 10, rng=0), np.random.default_rng(0).standard_normal((8, 8))
    candidates, costs = time_grid(VP, "logsnr", 64), []

    def prepare():
        costs.append(step_costs(target, VP, x, candidates, order=2))

    prepare()
    before = seconds(prepare)
    after = min(seconds(lambda: optimal_grid(costs[0], 8)) for _ in range(3))
    print(f"\ncosts {before:.3f} s, dynamic programming {after * 1e3:.1f} ms")
    assert after < 0.1 * before
