"""The audit catches what is not exchangeable, names the pair, and passes what is."""

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.ensemble import RandomForestRegressor

from theorytk.conformal.audit import audit_exchangeability, null_rank_test
from theorytk.conformal.full import class_weights, full_scores, held_out_scores
from theorytk.conformal.learners import (
    KernelRidgeLearner,
    KNNLearner,
    RidgeLearner,
    ScaledLearner,
    predict_all,
)
from theorytk.conformal.sklearn import SklearnLearner

RNG = np.random.default_rng(0)
X, X_TEST = RNG.standard_normal((60, 4)), RNG.standard_normal((20, 4))
Y = X[:, 0] + RNG.standard_normal(60)
N_NULL = int((Y <= 0).sum())
KERNEL = KernelRidgeLearner(0.1, 1.0)
FOREST = RandomForestRegressor(3, max_depth=3, random_state=0)


def full(learners, loo=True):
    return lambda X, y, X_test: full_scores(X, y, X_test, learners, loo=loo)


def labelled_only(X, y, X_test):
    """The mistake: leave-one-out among the labelled rows, their full model for the test rows."""
    labels = (y > 0).astype(float)
    weights = class_weights(labels)
    cal = -predict_all(KERNEL, X, labels, sample_weight=weights)
    test = -predict_all(KERNEL, X, labels, X_test, sample_weight=weights)
    return np.where(labels, np.inf, cal), test


def reused(X, y, X_test):
    """The mistake: calibrating on the rows that were fitted."""
    return held_out_scores(X, y, X, y, X_test, KernelRidgeLearner(0.5, 0.1))


@pytest.mark.parametrize("loo", [True, False])
def test_symmetric_learners_pass(loo):
    learners = [
        RidgeLearner((0.1, 10.0)),
        KernelRidgeLearner(penalty=(0.1, 10.0)),
        KNNLearner(5),
        ScaledLearner(RidgeLearner(), KERNEL),
    ]
    audit = audit_exchangeability(full(learners, loo), X, Y, X_TEST, n_swaps=40, rng=0)
    assert (audit.passed, audit.pair, audit.n_swaps) == (True, None, 40)
    assert audit.max_difference < 1e-9


@pytest.mark.parametrize("loo", [True, False])
def test_a_forest_passes_if_its_rows_are_shuffled(loo):
    rows = X[:15], Y[:15], X_TEST[:4]
    shuffled = full(SklearnLearner(FOREST, rng=0), loo)
    assert audit_exchangeability(shuffled, *rows, n_swaps=3, rng=0).max_difference == 0
    by_position = full(SklearnLearner(FOREST, shuffle=False, rng=0), loo)
    audit = audit_exchangeability(by_position, *rows, n_swaps=3, rng=0)
    assert not audit.passed
    assert audit.max_difference > 1e-2


@pytest.mark.parametrize("mistake", [labelled_only, reused])
def test_mistakes_are_caught_and_the_pair_is_named(mistake):
    audit = audit_exchangeability(mistake, X, Y, X_TEST, rng=0)
    assert not audit.passed
    assert audit.max_difference > 1e-2
    i, j = audit.pair
    assert Y[i] <= 0
    swapped, swapped_test = X.copy(), X_TEST.copy()
    swapped[i], swapped_test[j] = X_TEST[j], X[i]
    before, after = mistake(X, Y, X_TEST), mistake(swapped, Y, swapped_test)
    assert abs(np.ravel(before[1])[j] - np.ravel(after[0])[i]) > 1e-4


LAST = int(np.flatnonzero(Y <= 0)[-1])


def test_all_pairs_are_tried_where_there_are_few():
    def bad_pair(rows, y, rows_test):
        moved = (rows[LAST] == X_TEST[3]).all() and (rows_test[3] == X[LAST]).all()
        return np.where(y > 0, np.inf, rows[:, 0]), rows_test[:, 0] + 1e-6 * moved

    audit = audit_exchangeability(bad_pair, X, Y, X_TEST, n_swaps=10**6, rng=0)
    assert audit.n_swaps == N_NULL * 20
    assert (audit.passed, audit.pair) == (False, (LAST, 3))
    assert audit.max_difference == pytest.approx(1e-6 / np.abs(X_TEST[:, 0]).max())
    forgiving = audit_exchangeability(bad_pair, X, Y, X_TEST, n_swaps=10**6, tolerance=1e-5, rng=0)
    assert (forgiving.passed, forgiving.pair) == (True, None)


def test_labels_of_nulls_must_not_matter():
    def residual(X, y, X_test):
        return y - X[:, 0], -X_test[:, 0]

    assert not audit_exchangeability(residual, X, Y, X_TEST, rng=0).passed


def test_a_finite_score_that_becomes_infinite_is_caught():
    def first_row(rows, y, rows_test):
        moved = (rows != X).any()
        return np.where((y > 0) | moved, np.inf, 0.0), np.zeros(20)

    audit = audit_exchangeability(first_row, X, Y, X_TEST, rng=0)
    assert (audit.passed, audit.max_difference) == (False, np.inf)


def test_the_threshold_says_which_rows_are_null():
    def wrong_threshold(X, y, X_test):
        return full_scores(X, y, X_test, KERNEL, c=0.5)

    assert audit_exchangeability(wrong_threshold, X, Y, X_TEST, c=0.5, rng=0).passed
    assert audit_exchangeability(wrong_threshold, X, Y, X_TEST, c=0.0, n_swaps=10**6).passed
    assert not audit_exchangeability(full(KERNEL), X, Y, X_TEST, c=0.5, n_swaps=10**6).passed


def test_random_score_functions_are_refused():
    learner = SklearnLearner(FOREST, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"score_function must be deterministic"):
        audit_exchangeability(full(learner, loo=False), X, Y, X_TEST)


def test_ranks_are_uniform_for_a_valid_score_function():
    found = null_rank_test(full(KERNEL), X, Y, n_test=15, n_splits=400, rng=0)
    assert found.p_value > 1e-6
    assert found.ranks.shape == (400,)
    # Kolmogorov's distance by its definition, at the jumps of the empirical distribution.
    ordered = np.sort(found.ranks)
    steps = np.arange(401) / 400
    distance = max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max())
    assert found.distance == pytest.approx(distance)


def test_ranks_of_ties_and_of_a_single_null_are_uniform():
    def constant(X, y, X_test):
        return np.where(y > 0, np.inf, 0.0), np.zeros(len(X_test))

    y = np.append(np.ones(9), 0.0)
    for labels in (Y[:10], y):
        found = null_rank_test(constant, X[:10], labels, n_test=2, n_splits=400, rng=0)
        assert found.p_value > 1e-6


def test_ranks_show_the_harm_of_reused_labels():
    found = null_rank_test(reused, X, Y, n_test=15, n_splits=200, rng=0)
    assert found.p_value < 1e-6
    # Small ranks are what selects null points: more than the share that chance would allow.
    assert binom.sf((found.ranks < 0.1).sum() - 1, 200, 0.1) < 1e-6


def test_ranks_work_with_random_score_functions():
    learner = SklearnLearner(FOREST, rng=np.random.default_rng(0))
    found = null_rank_test(full(learner, loo=False), X, Y, n_test=15, n_splits=60, rng=0)
    assert found.p_value > 1e-6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": Y[1:]}, r"X must have shape \(59, any\); got \(60, 4\)"),
        ({"y": np.abs(Y) + 1}, r"y must have a null label, at most c; got none"),
        ({"X_test": X_TEST[:, 1:]}, r"X_test must have shape \(any, 4\)"),
        ({"X_test": X_TEST[:0]}, r"X_test must have at least one row; got none"),
        ({"n_swaps": 0}, r"n_swaps must be an integer >= 1; got 0"),
        ({"tolerance": -1.0}, r"tolerance must be a number >= 0"),
        ({"rng": -1}, r"rng must be an integer >= 0"),
        (
            {"score_function": lambda X, y, X_test: (X[1:, 0], X_test[:, 0])},
            r"score_function must return 60 calibration scores; got 59",
        ),
        (
            {"score_function": lambda X, y, X_test: (X[:, 0], X_test[1:, 0])},
            r"score_function must return 20 test scores; got 19",
        ),
        (
            {"score_function": lambda X, y, X_test: (X[:, 0] * np.nan, X_test[:, 0])},
            r"cal must .*got nan",
        ),
    ],
)
def test_bad_input_to_the_audit(changes, message):
    arguments = {"score_function": full(KERNEL), "X": X, "y": Y, "X_test": X_TEST, **changes}
    with pytest.raises(ValueError, match=message):
        audit_exchangeability(**arguments)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_test": 60}, r"n_test must be an integer >= 1 and <= 59; got 60"),
        ({"n_splits": 0}, r"n_splits must be an integer >= 1; got 0"),
        ({"y": np.abs(Y) + 1}, r"y must have a null label, at most c; got none"),
        (
            {"score_function": full([KERNEL, RidgeLearner()])},
            r"score_function must return one model's scores; got 2",
        ),
    ],
)
def test_bad_input_to_the_rank_test(changes, message):
    arguments = {"score_function": full(KERNEL), "X": X, "y": Y, "n_test": 10, **changes}
    with pytest.raises(ValueError, match=message):
        null_rank_test(**arguments)
