"""Schedules with steps of DPM-Solver-v3, against the sampler and against its special cases."""

from dataclasses import replace

import numpy as np
import pytest

from theorytk.diffusion import GaussianTarget, VPLinear, reference_trajectory, sample, time_grid
from theorytk.diffusion.plans import Eval, Lin, Plan
from theorytk.diffusion.samplers.v3 import dpm_v3
from theorytk.diffusion.tuning.decisions import SolverSchedule, StepDecision
from theorytk.diffusion.tuning.search import decision_space
from theorytk.diffusion.tuning.statistics import ModelStatistics, gaussian_statistics
from theorytk.diffusion.tuning.unrolled import PlanBatch, unroll

VP = VPLinear()
TIMES = time_grid(VP, "quadratic", 6, t_min=0.02, t_max=0.95)
X = np.random.default_rng(3).normal(size=(6, 2))
NODES = np.linspace(-5.5, 5, 41)


def noise(x, t):
    return np.sin(x) * (1 - t) + x * t


def run(mine, statistics=None):
    return sample(mine.compile(VP, statistics=statistics), noise, X).x


def constant(linear, scaling):
    return ModelStatistics(NODES, *(np.full(len(NODES), c) for c in (linear, scaling, 0.0)))


def smooth():
    """Return statistics per coordinate without special values."""
    lam = NODES[:, None] + np.array([0.0, 0.7])
    return ModelStatistics(NODES, 1 / (1 + np.exp(lam)), 0.3 * np.sin(lam), 0.2 * np.cos(lam))


def random_decisions(seed, predictions):
    rng = np.random.default_rng(seed)
    relaxations = [0.0, 0.15, "bh1", "bh2"]
    return [
        StepDecision(
            predictions[rng.integers(len(predictions))],
            int(rng.integers(1, min(i + 1, 4) + 1)),
            "none" if i == 5 else ["none", "pseudo", "implicit"][rng.integers(3)],
            relaxations[rng.integers(4)],
            relaxations[rng.integers(4)],
        )
        for i in range(6)
    ]


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_one_order_is_the_predictor_of_the_sampler(order, final):
    orders = [min(order, i + 1, 6 - i if final else order) for i in range(6)]
    mine = SolverSchedule(TIMES, [StepDecision("v3", k) for k in orders])
    options = dict(order=order, corrector=False, lower_order_final=final)
    expected = sample(dpm_v3(VP, TIMES, statistics=smooth(), **options), noise, X).x
    np.testing.assert_allclose(run(mine, smooth()), expected, rtol=1e-12, atol=1e-12)


def test_the_pseudo_corrector_at_order_1_is_that_of_the_sampler():
    mine = SolverSchedule(
        TIMES, [StepDecision("v3", 1, "pseudo")] * 5 + [StepDecision("v3", 1, "none")]
    )
    plan = dpm_v3(VP, TIMES, statistics=smooth(), order=1, pseudo_corrector=True)
    np.testing.assert_allclose(run(mine, smooth()), sample(plan, noise, X).x, rtol=1e-12)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("output", "statistics"), [("data", constant(1.0, 0.0)), ("noise", constant(0.0, -1.0))]
)
def test_special_statistics_are_data_and_noise_prediction_mixed_with_others(
    seed, output, statistics
):
    decisions = random_decisions(seed, ("noise", "data", "v3"))
    plain = [replace(d, prediction=d.prediction.replace("v3", output)) for d in decisions]
    mine = SolverSchedule(TIMES, decisions, bool(seed % 2))
    expected = run(replace(mine, decisions=plain))
    np.testing.assert_allclose(run(mine, statistics), expected, rtol=1e-9, atol=1e-9)
    assert mine.n_evaluations == mine.compile(VP, statistics=statistics).n_evaluations


def test_steps_on_gaussian_data_are_exact_whatever_the_other_decisions():
    target = GaussianTarget([1.0, -2.0], np.array([0.2, 1.5]))
    statistics = gaussian_statistics(target, VP, n_nodes=481)
    steps = [replace(d, relaxation=0.0) for d in random_decisions(0, ("v3",))]
    steps = [replace(d, corrector_relaxation=0.0) for d in steps]
    plan = SolverSchedule(TIMES, steps).compile(VP, statistics=statistics)
    exact = reference_trajectory(target, VP, X, [TIMES[0], TIMES[-1]], rtol=1e-12).states[-1]
    np.testing.assert_allclose(sample(plan, target.model(VP), X).x, exact, atol=1e-7)
    noisy = SolverSchedule(TIMES, [replace(d, prediction="noise") for d in steps]).compile(VP)
    assert np.abs(sample(noisy, target.model(VP), X).x - exact).max() > 1e-3


def test_statistics_do_not_matter_without_such_a_step():
    mine = SolverSchedule(TIMES, random_decisions(1, ("noise", "data")))
    np.testing.assert_array_equal(run(mine, smooth()), run(mine))


def test_json_round_trip_and_space():
    mine = SolverSchedule(TIMES, random_decisions(2, ("v3", "data")))
    assert SolverSchedule.from_json(mine.to_json()) == mine
    space = decision_space(TIMES[:3], predictions=("noise", "data", "v3"))
    assert len(space) == len(set(space)) == (3 * 2) * (3 * 2)
    assert sum(d.prediction == "v3" for one in space for d in one.decisions) == 2 * 12
    assert np.isfinite(run(space[-1], smooth())).all()


def test_bad_statistics():
    mine = SolverSchedule(TIMES, [StepDecision("v3")] * 6)
    with pytest.raises(ValueError, match="statistics must be given for the prediction 'v3'"):
        mine.compile(VP)
    with pytest.raises(TypeError, match="statistics must be a ModelStatistics; got 'none'"):
        mine.compile(VP, statistics="none")
    short = ModelStatistics(np.linspace(-1, 1, 5), *np.zeros((3, 5)))
    with pytest.raises(ValueError, match="statistics must cover lambda"):
        mine.compile(VP, statistics=short)


def test_plans_with_constants_or_by_coordinates_are_not_unrolled():
    mine = SolverSchedule(TIMES, [StepDecision("v3")] * 6)
    with pytest.raises(ValueError, match="must not draw noise or have constants"):
        PlanBatch([mine.compile(VP, statistics=constant(0.5, 0.1))])
    steps = (Eval("m0", "x0", 0.9), Lin("x1", ((np.array([0.5, 2.0]), "x0"), (1.0, "m0"))))
    with pytest.raises(ValueError, match="must not have coefficients per coordinate"):
        unroll(Plan("by coordinate", VP, np.array([0.9, 0.1]), steps, ("x0",), "x1"))
