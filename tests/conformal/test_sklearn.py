"""The adapter against refits, the quantile forest against its definition, and the selector."""

import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
from scipy.stats import chisquare
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Lasso, LogisticRegression, QuantileRegressor, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import check_estimator

from theorytk.conformal.audit import audit_exchangeability
from theorytk.conformal.full import full_scores, optcs_full, optcs_full_msel
from theorytk.conformal.learners import (
    KernelRidgeLearner,
    KNNLearner,
    RidgeLearner,
    ScaledLearner,
    predict_all,
)
from theorytk.conformal.sklearn import ConformalSelector, QuantileForest, SklearnLearner

N = 30
RNG = np.random.default_rng(0)
X, X_NEW = RNG.standard_normal((N, 3)), RNG.standard_normal((12, 3))
Y = (X[:, 0] + 0.5 * RNG.standard_normal(N) > 0).astype(float)
W = np.where(Y > 0, 1.4, 0.8)
FOREST = RandomForestRegressor(8, max_depth=3)
PAPER = [
    QuantileForest(FOREST, quantile=0.7),
    GradientBoostingRegressor(loss="quantile", alpha=0.7, n_estimators=3, max_depth=3),
    FOREST,
    SVR(kernel="rbf", gamma=0.1),
    Lasso(alpha=0.01),
    Ridge(),
    QuantileRegressor(quantile=0.7, alpha=0.0),
]


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_leave_one_out_is_refitting():
    for peer, method in ((Ridge(), "predict"), (LogisticRegression(), "predict_proba")):
        expected = []
        for i in range(N):
            o = np.arange(N) != i
            fitted = clone(peer).fit(X[o], Y[o], W[o])
            value = getattr(fitted, method)(X[i : i + 1])
            expected.append(value[0, 1] if method == "predict_proba" else value[0])
        learner = SklearnLearner(peer, method)
        np.testing.assert_allclose(learner.loo_predict(X, Y, W), expected, atol=1e-6)
    np.testing.assert_allclose(
        SklearnLearner(Ridge(alpha=2.0)).loo_predict(X, Y, W),
        RidgeLearner(2.0).loo_predict(X, Y, W),
        atol=1e-10,
    )


@pytest.mark.parametrize("estimator", PAPER, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("seed", [0, 1])
def test_predictions_depend_on_the_set_of_rows_exactly(estimator, seed):
    rng = np.random.default_rng(seed)
    order, learner = rng.permutation(N), SklearnLearner(estimator, rng=seed)
    for w in (None, W):
        moved = None if w is None else w[order]
        values = learner.predict(X, Y, X_NEW, w)
        assert np.array_equal(learner.predict(X[order], Y[order], X_NEW, moved), values)
    loo = learner.loo_predict(X, Y)
    assert np.array_equal(learner.loo_predict(X[order], Y[order]), loo[order])


def fold_refits(fold, estimator):
    """Return out-of-fold predictions by scikit-learn alone."""
    values = np.empty(N)
    for k in np.unique(fold):
        rest = fold != k
        values[~rest] = clone(estimator).fit(X[rest], Y[rest], W[rest]).predict(X[~rest])
    return values


def test_folds_are_refits_without_a_fold():
    class Recorder(Ridge):
        """Remembers which rows it did not see."""

        held: ClassVar[list] = []

        def predict(self, X_new):
            self.held.append(X_new)
            return super().predict(X_new)

    values = SklearnLearner(Recorder(), folds=4, rng=3).loo_predict(X, Y, W)
    fold = [next(k for k, h in enumerate(Recorder.held) if (h == row).all(1).any()) for row in X]
    assert sorted(np.bincount(fold)) == [7, 7, 8, 8]
    np.testing.assert_allclose(values, fold_refits(np.array(fold), Ridge()), atol=1e-10)
    by_row = SklearnLearner(Ridge(), folds=N).loo_predict(X, Y, W)
    np.testing.assert_allclose(by_row, SklearnLearner(Ridge()).loo_predict(X, Y, W), atol=1e-12)


def test_folds_of_rows_in_canonical_order_pass_the_audit():
    rows = X, Y - 0.5, X_NEW[:6].copy()
    rows[2][0] = X[Y == 0][0]  # A row that is in the stack twice.

    def audited(learner):
        return audit_exchangeability(lambda *r: full_scores(*r, learner), *rows, n_swaps=60, rng=0)

    assert audited(SklearnLearner(SVR(gamma=0.1), folds=4, rng=0)).passed
    assert audited(SklearnLearner(FOREST, folds=3, rng=0)).passed

    class ByPosition(RidgeLearner):
        """The mistake: folds of neighbours in the stack."""

        def loo_predict(self, X, y, sample_weight=None):
            fold = np.arange(len(X)) * 4 // len(X)
            parts = [
                self.predict(X[fold != k], y[fold != k], X[fold == k], sample_weight[fold != k])
                for k in range(4)
            ]
            return np.concatenate(parts)

    assert not audited(ByPosition()).passed


@pytest.mark.parametrize(("folds", "got"), [(1, "1"), (31, "31")])
def test_folds_are_two_or_more_and_not_more_than_rows(folds, got):
    with pytest.raises(ValueError, match=rf"folds must be .*>= 2 and <= 30; got {got}"):
        SklearnLearner(Ridge(), folds=folds).loo_predict(X, Y)


def test_several_quantiles_are_several_models():
    forest, levels = RandomForestRegressor(5, max_depth=2, random_state=0), (0.2, 0.5, 0.9)
    several = SklearnLearner(QuantileForest(forest, quantile=levels), folds=3, rng=0)
    single = [SklearnLearner(QuantileForest(forest, quantile=v), folds=3, rng=0) for v in levels]
    values = Y + 0.1 * X[:, 1]
    np.testing.assert_array_equal(predict_all(several, X, values), predict_all(single, X, values))
    np.testing.assert_array_equal(
        predict_all(several, X, values, X_NEW), predict_all(single, X, values, X_NEW)
    )


def test_without_the_shuffle_a_seeded_forest_depends_on_the_order():
    learner = SklearnLearner(FOREST, shuffle=False, rng=0)
    order = RNG.permutation(N)
    values = learner.predict(X, Y, X_NEW)
    assert np.array_equal(learner.predict(X, Y, X_NEW), values)
    assert np.abs(learner.predict(X[order], Y[order], X_NEW) - values).max() > 0.01


def test_random_states():
    def values(estimator, rng):
        return SklearnLearner(estimator, rng=rng).predict(X, Y, X_NEW)

    assert np.array_equal(values(FOREST, 0), values(FOREST, 0))
    assert not np.array_equal(values(FOREST, 0), values(FOREST, 1))
    pipeline = make_pipeline(StandardScaler(), FOREST)
    assert np.array_equal(values(pipeline, 0), values(pipeline, 0))
    state = np.random.get_state()[1].copy()
    values(pipeline, None)
    assert np.array_equal(np.random.get_state()[1], state)
    # A random state that is set stays; what still varies is the order of the rows.
    tree = DecisionTreeRegressor(random_state=3)
    assert np.array_equal(values(tree, 0), tree.fit(X, Y).predict(X_NEW))
    generator = np.random.default_rng(0)
    assert not np.array_equal(values(FOREST, generator), values(FOREST, generator))


class FirstRow(RegressorMixin, BaseEstimator):
    """Predicts the target of the row that comes first."""

    def fit(self, X, y):
        self.first_ = y[0]
        return self

    def predict(self, X):
        return np.full(len(X), self.first_)


def test_the_place_of_a_row_is_random():
    targets = np.arange(N) + 0.0
    found = [SklearnLearner(FirstRow(), rng=s).predict(X, targets, X[:1])[0] for s in range(300)]
    counts = np.bincount(np.array(found, dtype=int), minlength=N)
    assert chisquare(counts).pvalue > 1e-6


def test_methods():
    model = LogisticRegression().fit(X, Y)
    for method, expected in (
        ("predict_proba", model.predict_proba(X_NEW)[:, 1]),
        ("decision_function", model.decision_function(X_NEW)),
        ("predict", model.predict(X_NEW)),
    ):
        learner = SklearnLearner(LogisticRegression(), method)
        np.testing.assert_allclose(learner.predict(X, Y, X_NEW), expected, atol=1e-5)

    def middle_tree(forest, X):
        return np.median([tree.predict(X) for tree in forest.estimators_], axis=0)

    learner = SklearnLearner(RandomForestRegressor(8, bootstrap=False), middle_tree, rng=0)
    np.testing.assert_allclose(learner.predict(X, Y, X), Y)


def test_a_constant_target_is_predicted_without_a_fit():
    learner = SklearnLearner(LogisticRegression(), "predict_proba")
    assert learner.predict(X, np.zeros(N), X_NEW).tolist() == [0.0] * 12
    single = np.zeros(N)
    single[4] = 1.0
    assert learner.loo_predict(X, single)[4] == 0.0


def test_weights_that_an_estimator_does_not_take():
    learner = SklearnLearner(KNeighborsRegressor(3))
    np.testing.assert_allclose(learner.loo_predict(X, Y), KNNLearner(3).loo_predict(X, Y))
    assert np.array_equal(learner.loo_predict(X, Y, np.full(N, 2.0)), learner.loo_predict(X, Y))
    message = r"sample_weight must be constant, since KNeighborsRegressor.fit takes none"
    with pytest.raises(ValueError, match=message):
        learner.predict(X, Y, X_NEW, W)


@pytest.mark.parametrize("quantile", [0.2, 0.5, 0.9])
def test_quantile_forest_by_its_definition(quantile):
    rng = np.random.default_rng(1)
    y, w = rng.standard_normal(N), rng.uniform(0.5, 2.0, N)
    model = QuantileForest(RandomForestRegressor(5, max_depth=2, random_state=0), quantile=quantile)
    values = model.fit(X, y, w).predict(X_NEW)
    leaves = model.forest_.apply(X)
    for x, value in zip(X_NEW, values, strict=True):
        mass = np.zeros(N)
        for tree, leaf in enumerate(model.forest_.apply([x])[0]):
            same = np.flatnonzero(leaves[:, tree] == leaf)
            for i in same:
                mass[i] += w[i] / w[same].sum() / 5
        at_most = [(v, mass[y <= v].sum()) for v in np.sort(y)]
        assert value == next(v for v, share in at_most if share >= quantile - 1e-9)


def test_quantile_forest_refuses_a_bad_level():
    with pytest.raises(ValueError, match=r"quantile must be a number > 0 and < 1; got 1.0"):
        QuantileForest(FOREST, quantile=1.0).fit(X, Y)
    with pytest.raises(ValueError, match=r"quantile must be a number > 0 and < 1; got 0"):
        QuantileForest(FOREST, quantile=(0.5, 0.0)).fit(X, Y)


def test_scaled_estimators_are_symmetric():
    mean = SklearnLearner(SVR(gamma=0.1), rng=0)
    learner = ScaledLearner(mean, SklearnLearner(FOREST, rng=0))
    order = RNG.permutation(N)
    values = predict_all(learner, X, Y)
    np.testing.assert_allclose(predict_all(learner, X[order], Y[order]), values[:, order])


@pytest.mark.filterwarnings("ignore::RuntimeWarning:theorytk", "ignore::UserWarning:theorytk")
def test_scikit_learns_checks():
    results = check_estimator(ConformalSelector(), on_fail=None, on_skip=None)
    assert [r for r in results if r["status"] in ("failed", "xfail")] == []
    assert sum(r["status"] == "passed" for r in results) >= 40


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(2)
    X, X_test = rng.standard_normal((100, 3)), rng.standard_normal((40, 3))
    return X, X[:, 0] + 0.3 * rng.standard_normal(100), X_test


def test_selector_is_optcs_full(data):
    X, y, X_test = data
    options = {"c": 0.1, "loo": False, "class_weight": None}
    for learner in (KernelRidgeLearner(), KNNLearner(7)):
        expected = optcs_full(X, y, X_test, 0.3, learner, **options)
        found = ConformalSelector(learner, q=0.3, **options).fit(X, y).select(X_test)
        assert np.array_equal(found.selected, expected.selected)
        assert np.array_equal(found.p, expected.p)
    default = ConformalSelector(q=0.3).fit(X, y).select(X_test)
    assert np.array_equal(
        default.selected, optcs_full(X, y, X_test, 0.3, KernelRidgeLearner()).selected
    )
    assert default.selected.any()


@pytest.mark.parametrize("pruning", ["deterministic", "homogeneous", "heterogeneous"])
def test_selector_chooses_among_a_list(data, pruning):
    X, y, X_test = data
    learners = [KernelRidgeLearner(), RidgeLearner((0.1, 10.0))]
    selector = ConformalSelector(learners, q=0.3, pruning=pruning, rng=5).fit(X, y)
    expected = optcs_full_msel(X, y, X_test, 0.3, learners, pruning=pruning, rng=5)
    assert np.array_equal(selector.select(X_test).selected, expected.selected)
    assert np.array_equal(selector.select(X_test).model, expected.model)


def test_selector_takes_estimators(data):
    X, y, X_test = data
    ridge = ConformalSelector(Ridge(), q=0.3).fit(X, y).select(X_test)
    assert np.array_equal(ridge.selected, optcs_full(X, y, X_test, 0.3, RidgeLearner()).selected)
    logistic = ConformalSelector(LogisticRegression(), q=0.3, loo=False).fit(X, y).select(X_test)
    learner = SklearnLearner(LogisticRegression(), "predict_proba")
    expected = optcs_full(X, y, X_test, 0.3, learner, loo=False)
    assert np.array_equal(logistic.selected, expected.selected)
    mixed = ConformalSelector([FOREST, KNNLearner()], q=0.3, loo=False, rng=0).fit(X, y)
    assert np.array_equal(mixed.select(X_test).p, mixed.select(X_test).p)


def test_selector_keeps_to_the_conventions(data):
    X, y, X_test = data
    selector = ConformalSelector(KNNLearner(4), q=0.2)
    copy = clone(selector)
    assert copy.get_params() == selector.get_params()
    before = vars(selector.fit(X, y)).copy()
    selector.select(X_test)
    assert vars(selector).keys() == before.keys()
    assert selector.set_params(q=0.4).select(X_test).q == 0.4


@pytest.mark.parametrize(
    ("parameters", "kind", "message"),
    [
        ({"c": np.inf}, ValueError, r"c must be finite; got inf"),
        ({"q": 1.5}, ValueError, r"q must be .*got 1.5"),
        ({"class_weight": "equal"}, ValueError, r"class_weight must be one of 'balanced'"),
        ({"pruning": "homo"}, ValueError, r"pruning must be one of .*did you mean 'homogeneous'"),
        ({"learner": []}, ValueError, r"learners must be one or more; got none"),
        (
            {"learner": "ridge"},
            TypeError,
            r"learner must be a learner or an estimator; got 'ridge'",
        ),
    ],
)
def test_bad_parameters(data, parameters, kind, message):
    X, y, X_test = data
    parameters = {"learner": [KernelRidgeLearner(), RidgeLearner()], **parameters}
    with pytest.raises(kind, match=message):
        ConformalSelector(**parameters).fit(X, y).select(X_test)


def test_bad_data(data):
    X, y, X_test = data
    with pytest.raises(ValueError, match=r"c must separate the labels 0 and 1, 0 <= c < 1; got 1"):
        ConformalSelector(c=1.0).fit(X, y > 0)
    with pytest.raises(ValueError, match=r"2 features, but ConformalSelector is expecting 3"):
        ConformalSelector().fit(X, y).select(X_test[:, :2])


def test_missing_scikit_learn_names_the_extra():
    code = "import sys; sys.modules['sklearn'] = None; import theorytk.conformal"
    assert run(code).returncode == 0
    done = run(code + ".sklearn")
    assert done.returncode == 1
    assert "theorytk[sklearn]" in done.stderr
