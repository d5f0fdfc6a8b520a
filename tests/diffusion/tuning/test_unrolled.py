import numpy as np
import pytest

from theorytk.diffusion import Model, VPLinear, compile_plan, sample, three_modes, time_grid
from theorytk.diffusion.plans import Noise, Plan
from theorytk.diffusion.samplers import multistep, unip
from theorytk.diffusion.tuning.decisions import SolverSchedule, StepDecision
from theorytk.diffusion.tuning.unrolled import (
    PlanBatch,
    Trajectories,
    schedule_errors,
    solve_trajectories,
    unroll,
)

VP = VPLinear()
TIMES = time_grid(VP, "logsnr", 5)
X = np.random.default_rng(0).standard_normal((7, 2))
TARGET = three_modes()
SOLVED = solve_trajectories(TARGET, VP, X)


def loop_error(plan):
    return np.sqrt(np.mean((sample(plan, SOLVED.model, X).x - SOLVED.ends) ** 2))


def test_ends_are_those_of_a_fine_plan():
    fine = multistep(VP, time_grid(VP, "logsnr", 300), order=3)
    np.testing.assert_allclose(sample(fine, SOLVED.model, X).x, SOLVED.ends, atol=1e-4)


@pytest.mark.parametrize("name", ["ddim", "dpmpp_3m", "dpm_2s", "heun", "ipndm", "deis_tab3"])
def test_rows_rebuild_every_point_and_the_result(name):
    plan, seen = compile_plan(VP, TIMES, name), []

    def model(x, t):
        seen.append(np.array(x))
        return SOLVED.model(x, t)

    result, unrolled = sample(plan, model, X).x, unroll(plan)
    values = [X]
    for t, row, point in zip(unrolled.times, unrolled.rows[:-1], seen, strict=True):
        rebuilt = sum(c * v for c, v in zip(row, values, strict=False))
        np.testing.assert_allclose(rebuilt, point, rtol=1e-9, atol=1e-10)
        values.append(SOLVED.model(point, t))
    rebuilt = sum(c * v for c, v in zip(unrolled.rows[-1], values, strict=True))
    np.testing.assert_allclose(rebuilt, result, rtol=1e-9, atol=1e-10)
    assert np.count_nonzero(np.triu(unrolled.rows, 2)) == 0


def test_one_sampler_has_one_unrolled_form():
    one = unroll(unip(VP, TIMES, order=3, lower_order_final=False)).rows
    midpoint_start = unroll(multistep(VP, TIMES, order=3)).rows
    np.testing.assert_allclose(one[:2], midpoint_start[:2], rtol=1e-12)
    noise, data = (
        unroll(compile_plan(VP, TIMES, "ddim", output=o)).rows for o in ("noise", "data")
    )
    np.testing.assert_allclose(noise, data, rtol=1e-10, atol=1e-11)


def test_batch_errors_are_those_of_a_loop_and_order_does_not_matter():
    plans = [compile_plan(VP, TIMES, n) for n in ("ddim", "dpm_2m", "heun", "dpmpp_3m", "dpm_3s")]
    expected = [loop_error(plan) for plan in plans]
    np.testing.assert_allclose(PlanBatch(plans).errors(SOLVED), expected, rtol=1e-9)
    np.testing.assert_allclose(PlanBatch(plans[::-1]).errors(SOLVED), expected[::-1], rtol=1e-9)
    assert PlanBatch(plans).n_distinct == 5
    assert PlanBatch([plans[0], plans[1], plans[0]]).n_distinct == 2


def test_blocks_do_not_change_errors(monkeypatch):
    steps = [
        [StepDecision(p), StepDecision(q, 2)] for p in ("noise", "data") for q in ("noise", "data")
    ]
    schedules = [SolverSchedule([1.0, 0.3, 0.001], pair) for pair in steps]
    whole = schedule_errors(schedules, SOLVED)
    monkeypatch.setattr("theorytk.diffusion.tuning.unrolled.BLOCK_ENTRIES", 1)
    np.testing.assert_array_equal(schedule_errors(schedules, SOLVED), whole)
    assert whole[0] == whole[2] != whole[1]


def test_bad_input():
    with pytest.raises(ValueError, match="start from one state; got x0, x1"):
        unroll(multistep(VP, TIMES, order=2, bootstrap=1))
    noisy = Plan("noise", VP, TIMES, (Noise("z"),), ("x0",), "z")
    with pytest.raises(ValueError, match="must not draw noise"):
        unroll(noisy)
    with pytest.raises(ValueError, match="at least one plan"):
        PlanBatch([])
    with pytest.raises(ValueError, match="model must have a schedule"):
        Trajectories(Model(lambda x, t: x), X, X)
    with pytest.raises(ValueError, match="ends must have shape"):
        Trajectories(SOLVED.model, X, X[:3])
    with pytest.raises(ValueError, match="starts must have shape"):
        solve_trajectories(TARGET, VP, [[1.0]])
