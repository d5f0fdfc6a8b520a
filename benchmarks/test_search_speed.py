"""Searched schedules: all 2304 of four evaluations against a loop of plans, and the predictor.

The baseline is the best public call without the batch: compile each schedule, run it with the
executor. CPU times of one thread are printed; each turn takes both, and the medians are compared.
Run with ``pytest benchmarks/test_search_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from theorytk.diffusion import VPLinear, random_mixture, sample, time_grid
from theorytk.diffusion.tuning.predictor import SchedulePredictor
from theorytk.diffusion.tuning.search import decision_space
from theorytk.diffusion.tuning.unrolled import PlanBatch, solve_trajectories

SCHEDULE = VPLinear()
TIMES = time_grid(SCHEDULE, "logsnr", 4)
N_TRAJECTORIES = 48


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def trajectories():
    starts = np.random.default_rng(0).standard_normal((N_TRAJECTORIES, 2))
    return solve_trajectories(random_mixture(2, 4, 0), SCHEDULE, starts)


def seconds(function):
    """Return (the CPU seconds of a call, its result)."""
    started = time.process_time()
    result = function()
    return time.process_time() - started, result


def by_loop(trajectories):
    """Return the errors of all schedules, one plan after the other."""
    errors = []
    for schedule in decision_space(TIMES):
        plan = schedule.compile(SCHEDULE)
        ends = sample(plan, trajectories.model, trajectories.starts).x
        errors.append(np.sqrt(np.mean((ends - trajectories.ends) ** 2)))
    return np.array(errors)


def batched():
    return PlanBatch([one.compile(SCHEDULE) for one in decision_space(TIMES)])


def test_all_schedules_against_a_loop(benchmark, trajectories):
    by_loop(trajectories)
    times = []
    for _ in range(3):
        building, plans = seconds(batched)
        scoring, errors = seconds(lambda: plans.errors(trajectories))  # noqa: B023
        looping, expected = seconds(lambda: by_loop(trajectories))
        np.testing.assert_allclose(errors, expected, rtol=1e-9)
        times.append((building, scoring, looping))
    benchmark.pedantic(lambda: plans.errors(trajectories), rounds=3)
    building, scoring, looping = np.median(times, axis=0)
    print(
        f"\n  2304 schedules, {N_TRAJECTORIES} trajectories: plans and their tree {building:.2f} s "
        f"once, errors {1e3 * scoring:.1f} ms per target; a loop {looping:.2f} s"
    )
    assert building + scoring < 2.0
    assert looping / (building + scoring) > 2
    assert looping / scoring > 50


def test_predictor_against_scikit_learn(benchmark, trajectories):
    space, errors = decision_space(TIMES), batched().errors(trajectories)
    labelled = np.random.default_rng(1).choice(len(space), 150, replace=False)
    mine, peer = SchedulePredictor(space), SchedulePredictor(space, Ridge(alpha=1.0))
    times = []
    for _ in range(7):
        row = [
            seconds(lambda p=p: p.fit(labelled, errors[labelled]).predict()) for p in (mine, peer)
        ]
        np.testing.assert_allclose(row[0][1], row[1][1], rtol=1e-7, atol=1e-9)
        times.append([t for t, _ in row])
    benchmark.pedantic(lambda: mine.fit(labelled, errors[labelled]).predict(), rounds=3)
    ours, theirs = 1e3 * np.median(times, axis=0)
    print(f"\n  fit 150 labels, predict 2304: ours {ours:.1f} ms, scikit-learn's {theirs:.1f} ms")
    assert ours < 50
