import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge

from theorytk.diffusion import VPLinear, random_mixture, sample, time_grid
from theorytk.diffusion.tuning.decisions import SolverSchedule, StepDecision
from theorytk.diffusion.tuning.evolution import Mutation, evolve
from theorytk.diffusion.tuning.gradient import _Form, _log_error, noise_jacobian_product, refine
from theorytk.diffusion.tuning.predictor import (
    RidgeRegression,
    SchedulePredictor,
    predictor_search,
    schedule_features,
)
from theorytk.diffusion.tuning.search import (
    SearchResult,
    baselines,
    decision_space,
    exhaustive_search,
    n_distinct_solvers,
    n_schedules,
)
from theorytk.diffusion.tuning.unrolled import (
    PlanBatch,
    Trajectories,
    schedule_errors,
    solve_trajectories,
)

VP = VPLinear()
TIMES = time_grid(VP, "logsnr", 4)
TARGET = random_mixture(2, 4, 0)
RNG = np.random.default_rng(1)
TRAIN = solve_trajectories(TARGET, VP, RNG.standard_normal((24, 2)))
HELD_OUT = solve_trajectories(TARGET, VP, RNG.standard_normal((96, 2)))
SPACE = decision_space(TIMES)
DDIM = SolverSchedule(TIMES, [StepDecision()] * 4)


@pytest.fixture(scope="module")
def plans():
    return PlanBatch([one.compile(VP) for one in SPACE])


@pytest.fixture(scope="module")
def found(plans):
    return exhaustive_search(plans, TRAIN, HELD_OUT, baselines(VP, TIMES))


def loop_error(plan, trajectories):
    ends = sample(plan, trajectories.model, trajectories.starts).x
    return np.sqrt(np.mean((ends - trajectories.ends) ** 2))


def test_the_space_is_counted_and_holds_each_schedule_once(plans):
    assert len(SPACE) == len(set(SPACE)) == n_schedules(4) == 2304
    assert n_distinct_solvers(4) == 1463
    assert plans.n_distinct == 1197  # equal steps in lambda; the next test has unequal ones


def test_with_equal_steps_a_corrected_step_and_one_of_the_other_prediction_are_of_order_2():
    memory = [StepDecision("noise", 1, "pseudo"), StepDecision("data", 1), *[StepDecision()] * 2]
    order2 = [StepDecision(), StepDecision("noise", 2), *[StepDecision()] * 2]
    for times, same in ((TIMES, True), (time_grid(VP, "quadratic", 4), False)):
        errors = schedule_errors([SolverSchedule(times, s) for s in (memory, order2)], TRAIN)
        assert bool(abs(errors[0] / errors[1] - 1) < 1e-10) == same


@pytest.mark.parametrize(("n_steps", "max_order"), [(1, 1), (2, 2), (3, 2), (3, 3)])
def test_counts_by_brute_force(n_steps, max_order):
    times = time_grid(VP, "uniform", n_steps, t_min=0.05)
    space = decision_space(times, max_order=max_order)
    ends = [sample(s.compile(VP), TRAIN.model, TRAIN.starts).x.round(9).tobytes() for s in space]
    assert len(space) == n_schedules(n_steps, max_order)
    assert len(set(ends)) == n_distinct_solvers(n_steps, max_order)


def test_relaxations_widen_the_space():
    space = decision_space(TIMES[2:], correctors=["none"], relaxations=(0.0, "bh2"))
    assert len(space) == 2 * (2 + 2 * 2)


def test_errors_are_those_of_single_runs(found):
    for i in (0, 700, found.best):
        plan = SPACE[i].compile(VP)
        np.testing.assert_allclose(found.train_errors[i], loop_error(plan, TRAIN), rtol=1e-9)
        np.testing.assert_allclose(found.held_out_errors[i], loop_error(plan, HELD_OUT), rtol=1e-9)
    for name, plan in baselines(VP, TIMES).items():
        expected = loop_error(plan, HELD_OUT)
        np.testing.assert_allclose(found.baseline_held_out_errors[name], expected, rtol=1e-9)
    assert found.train_errors[found.best] == found.train_errors.min()
    assert np.all(np.diff(found.train_errors[found.ranking]) >= 0)
    held_out = found.held_out_errors[found.best]
    assert found.overfit == held_out / found.train_errors.min()
    assert found.gain == held_out / min(found.baseline_held_out_errors.values())


def test_search_refuses_weaker_baselines_and_gain_without_any(plans):
    short = baselines(VP, time_grid(VP, "logsnr", 5))["DDIM"]
    assert exhaustive_search(plans, TRAIN, TRAIN, {"five": short}).gain > 0
    with pytest.raises(ValueError, match="'DDIM' has 4 evaluations, a candidate 5"):
        exhaustive_search(PlanBatch([short]), TRAIN, TRAIN, baselines(VP, TIMES))
    with pytest.raises(ValueError, match="gain needs baselines"):
        _ = SearchResult(np.ones(2), np.ones(2)).gain
    with pytest.raises(ValueError, match="max_order must be an integer"):
        decision_space(TIMES, max_order=5)


def test_evolution_is_determined_by_its_seed_and_stays_in_its_budget():
    one, again, other = (evolve([DDIM], TRAIN, HELD_OUT, n_children=60, rng=s) for s in (0, 0, 1))
    assert one.best == again.best
    np.testing.assert_array_equal(one.train_errors, again.train_errors)
    assert not np.array_equal(one.train_errors, other.train_errors)
    assert len(one.train_errors) == 61
    assert one.best.n_evaluations <= 4
    assert (one.best.times[0], one.best.times[-1]) == (TIMES[0], TIMES[-1])
    assert one.train_error == one.train_errors.min()
    np.testing.assert_allclose(one.train_error, loop_error(one.best.compile(VP), TRAIN), rtol=1e-9)
    expected = loop_error(one.best.compile(VP), HELD_OUT)
    np.testing.assert_allclose(one.held_out_error, expected, rtol=1e-9)


def test_evolution_without_changes_only_repeats_its_parents():
    still = Mutation(crossover=0.0, change=0.0, insert_or_delete=0.0)
    result = evolve([DDIM], TRAIN, HELD_OUT, n_children=5, mutation=still, rng=0)
    assert result.best == DDIM
    assert len(set(result.train_errors)) == 1


def test_evolution_refuses_bad_input():
    with pytest.raises(ValueError, match="start must hold at least one"):
        evolve([], TRAIN, HELD_OUT)
    shifted = SolverSchedule([0.9, *TIMES[1:]], [StepDecision()] * 4)
    with pytest.raises(ValueError, match="common first and last times"):
        evolve([DDIM, shifted], TRAIN, HELD_OUT)
    grows = Mutation(insert_or_delete=1.0)
    single = SolverSchedule(TIMES[[0, -1]], [StepDecision()])
    with pytest.raises(RuntimeError, match="no child of at most 1 evaluations"):
        evolve([single], TRAIN, HELD_OUT, mutation=grows, rng=0)


def test_ridge_is_scikit_learn_s():
    A, y = RNG.standard_normal((30, 50)), RNG.standard_normal(30)
    peer = Ridge(alpha=0.7).fit(A, y)
    mine = RidgeRegression(0.7).fit(A, y)
    np.testing.assert_allclose(mine.coefficients, peer.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(mine.predict(A), peer.predict(A), rtol=1e-8)
    with pytest.raises(ValueError, match="penalty must be a number > 0"):
        RidgeRegression(0.0)


def test_features_are_indicators_and_their_pairs():
    space = decision_space(TIMES[1:], max_order=2)
    features = schedule_features(space)
    singles = 2 * 7  # of seven decisions that vary, each between two
    assert features.shape == (len(space), singles + 4 * 21)
    assert set(features.ravel()) == {0.0, 1.0}
    np.testing.assert_array_equal(features[:, :singles].sum(axis=1), 7.0)
    np.testing.assert_array_equal(features[:, singles:].sum(axis=1), 21.0)
    assert schedule_features([DDIM]).shape == (1, 0)
    with pytest.raises(ValueError, match="one time grid"):
        schedule_features([DDIM, SolverSchedule(TIMES[1:], [StepDecision()] * 3)])
    with pytest.raises(ValueError, match="at least one schedule"):
        schedule_features([])


def test_predictor_ranks_and_takes_any_regressor(found):
    labelled = RNG.choice(len(SPACE), 150, replace=False)
    errors = found.train_errors[labelled]
    mine = SchedulePredictor(SPACE).fit(labelled, errors).predict()
    peer = SchedulePredictor(SPACE, Ridge(alpha=1.0)).fit(labelled, errors).predict()
    np.testing.assert_allclose(mine, peer, rtol=1e-7, atol=1e-9)
    forest = RandomForestRegressor(20, random_state=0)
    other = SchedulePredictor(SPACE, forest).fit(labelled, errors).predict()
    rest = np.setdiff1d(np.arange(len(SPACE)), labelled)
    for predicted in (mine, other):
        assert kendalltau(predicted[rest], found.train_errors[rest]).statistic > 0.25
    with pytest.raises(ValueError, match="errors must be positive"):
        SchedulePredictor(SPACE).fit([0, 1], [0.0, 1.0])


def test_search_in_stages_evaluates_what_it_says(found):
    result = predictor_search(SPACE, TRAIN, HELD_OUT, stages=(60, 20, 20), rng=3)
    assert len(set(result.positions)) == 100
    np.testing.assert_allclose(result.train_errors, found.train_errors[result.positions], rtol=1e-9)
    assert result.train_error == result.train_errors.min()
    assert np.median(result.train_errors[60:]) < np.median(result.train_errors[:60])
    k = SPACE.index(result.best)
    np.testing.assert_allclose(result.held_out_error, found.held_out_errors[k], rtol=1e-9)
    for stages in ((), (2000, 400)):
        with pytest.raises(ValueError, match="between 1 and 2304 schedules"):
            predictor_search(SPACE, TRAIN, HELD_OUT, stages=stages)


@pytest.mark.parametrize("full", [False, True])
def test_jacobian_products_against_differences(full):
    target = random_mixture(3, 4, 5)
    if full:
        law, B = target.law, RNG.standard_normal((3, 3))
        target = type(target)(law.weights, law.means, law.covariances + B @ B.T / 10)
    x, v = RNG.standard_normal((2, 5, 3))
    ahead, behind = (target.noise(x + 1e-5 * s * v, 0.6, 0.8) for s in (1, -1))
    mine = noise_jacobian_product(target, x, v, 0.6, 0.8)
    np.testing.assert_allclose(mine, (ahead - behind) / 2e-5, rtol=1e-7, atol=1e-9)


def test_gradient_is_that_of_the_error_of_the_compiled_schedule():
    steps = [
        StepDecision("noise", 1, "pseudo"),
        StepDecision("data", 2, "implicit", 0.1),
        StepDecision("noise", 3, "pseudo", "bh2", -0.1),
        StepDecision("data", 2),
    ]
    form = _Form(SolverSchedule(TIMES, steps, analytic_first_step=True), VP)
    theta = 0.2 * RNG.standard_normal(form.size)

    def value(at):
        return np.log(loop_error(form.schedule_at(at).compile(VP), TRAIN))

    error, gradient = _log_error(form, TARGET, TRAIN, theta)
    expected = [(value(theta + e) - value(theta - e)) / 2e-4 for e in 1e-4 * np.eye(form.size)]
    assert form.size == 4 + 5
    np.testing.assert_allclose(error, value(theta), rtol=1e-10)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)


def test_refinement_lowers_the_error_within_its_budget(found):
    start = SPACE[found.best]
    result = refine(start, TARGET, TRAIN, HELD_OUT, max_gradients=30)
    assert result.train_error < 0.7 * found.train_errors.min()
    assert result.held_out_error < 0.8 * found.held_out_errors[found.best]
    assert result.n_gradients <= 50
    kept = [(d.prediction, d.order, d.corrector) for d in result.schedule.decisions]
    assert kept == [(d.prediction, d.order, d.corrector) for d in start.decisions]
    np.testing.assert_allclose(
        [result.train_error, result.held_out_error],
        schedule_errors([result.schedule], TRAIN).tolist()
        + schedule_errors([result.schedule], HELD_OUT).tolist(),
    )
    one = Trajectories(TRAIN.model, TRAIN.starts[:1], TRAIN.ends[:1])
    overfitted = refine(start, TARGET, one, HELD_OUT)  # its steps run into their bounds
    assert overfitted.train_error < 0.1 * found.train_errors.min() < overfitted.held_out_error
    assert overfitted.overfit == overfitted.held_out_error / overfitted.train_error
    with pytest.raises(TypeError, match="target must be a MixtureTarget"):
        refine(start, TRAIN.model, TRAIN, HELD_OUT)
