"""Learners against refits, normal equations and scikit-learn; symmetry and ties."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor

from theorytk.conformal.learners import (
    ColumnsLearner,
    KernelRidgeLearner,
    KNNLearner,
    RidgeLearner,
    ScaledLearner,
    predict_all,
)

N, D = 40, 3
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, D))
Y = (X[:, 0] + RNG.standard_normal(N) > 0).astype(float)
W = RNG.uniform(0.3, 3.0, N)
X_NEW = RNG.standard_normal((7, D))
PENALTIES = (0.01, 0.5, 20.0)
LEARNERS = [
    RidgeLearner(0.5),
    RidgeLearner(PENALTIES),
    KernelRidgeLearner(0.2, 0.5),
    KernelRidgeLearner(0.2, PENALTIES),
    KNNLearner(4),
    ColumnsLearner(RidgeLearner(0.5), [2, 0]),
]


def refits(learner, X, y, w):
    """The definition of leave-one-out predictions: a fit without each row."""
    others = ~np.eye(len(X), dtype=bool)
    return np.concatenate(
        [np.atleast_2d(learner.predict(X[o], y[o], X[~o], w[o])) for o in others], axis=1
    )


@pytest.mark.parametrize("learner", LEARNERS, ids=str)
@pytest.mark.parametrize("w", [None, W], ids=["equal", "weighted"])
def test_leave_one_out_is_refitting(learner, w):
    expected = refits(learner, X, Y, np.ones(N) if w is None else w)
    values = learner.loo_predict(X, Y, w)
    np.testing.assert_allclose(np.atleast_2d(values), expected, atol=1e-12)
    assert values.shape == ((3, N) if getattr(learner, "penalty", 0) is PENALTIES else (N,))


@pytest.mark.parametrize("n", [2, 3, 10])
def test_more_features_than_rows(n):
    rng = np.random.default_rng(n)
    X, y, w = rng.standard_normal((n, 12)), rng.standard_normal(n), rng.uniform(0.5, 2.0, n)
    for learner in (RidgeLearner(PENALTIES), KernelRidgeLearner(0.1, PENALTIES), KNNLearner(1)):
        values = np.atleast_2d(learner.loo_predict(X, y, w))
        np.testing.assert_allclose(values, refits(learner, X, y, w), atol=1e-10)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_against_scikit_learn(penalty):
    peer = Ridge(alpha=penalty).fit(X, Y, sample_weight=W)
    np.testing.assert_allclose(
        RidgeLearner(penalty).predict(X, Y, X_NEW, W), peer.predict(X_NEW), atol=1e-12
    )
    peer = KernelRidge(alpha=penalty, kernel="rbf", gamma=0.2).fit(X, Y, sample_weight=W)
    np.testing.assert_allclose(
        KernelRidgeLearner(0.2, penalty).predict(X, Y, X_NEW, W), peer.predict(X_NEW), atol=1e-12
    )
    peer = KNeighborsRegressor(4).fit(X, Y)
    np.testing.assert_allclose(KNNLearner(4).predict(X, Y, X_NEW), peer.predict(X_NEW), atol=1e-15)


def test_weights_are_repeated_rows():
    counts = RNG.integers(1, 4, N)
    X_long, y_long = np.repeat(X, counts, axis=0), np.repeat(Y, counts)
    for learner in (RidgeLearner(PENALTIES), KernelRidgeLearner(0.2, PENALTIES)):
        np.testing.assert_allclose(
            learner.predict(X, Y, X_NEW, counts), learner.predict(X_long, y_long, X_NEW), atol=1e-10
        )


def test_a_path_is_its_penalties_one_by_one():
    for kind in (RidgeLearner, lambda penalty: KernelRidgeLearner(0.2, penalty)):
        path = kind(PENALTIES)
        singles = [kind(penalty) for penalty in PENALTIES]
        for w in (None, W):
            expected = [single.loo_predict(X, Y, w) for single in singles]
            np.testing.assert_allclose(path.loo_predict(X, Y, w), expected, atol=1e-12)
            expected = [single.predict(X, Y, X_NEW, w) for single in singles]
            np.testing.assert_allclose(path.predict(X, Y, X_NEW, w), expected, atol=1e-12)


def test_the_default_bandwidth_is_that_of_all_rows():
    gamma = 1 / (D * np.var(X))
    expected = KernelRidgeLearner(gamma).loo_predict(X, Y)
    np.testing.assert_allclose(KernelRidgeLearner().loo_predict(X, Y), expected, atol=1e-14)
    kernel = RBF(np.sqrt(1 / (2 * gamma)))(X)
    alpha = np.linalg.solve(kernel + np.eye(N), Y)
    np.testing.assert_allclose(KernelRidgeLearner().predict(X, Y, X), kernel @ alpha, atol=1e-13)
    constant = KernelRidgeLearner().predict(np.ones((3, 2)), np.ones(3), np.ones((1, 2)))
    assert constant == pytest.approx(3 / 4)


def exact_neighbour_mean(X, y, w, x, k):
    """The mean over every way to break the ties at the last place, in rational arithmetic."""
    distances = [sum((a - b) ** 2 for a, b in zip(row, x, strict=True)) for row in X]
    farthest = sorted(distances)[k - 1]
    closer = sum(d < farthest for d in distances)
    share = Fraction(k - closer, sum(d == farthest for d in distances))
    parts = [Fraction(d < farthest) + share * (d == farthest) for d in distances]
    mass = sum(p * v for p, v in zip(parts, w, strict=True))
    return sum(p * v * t for p, v, t in zip(parts, w, y, strict=True)) / mass


def test_neighbours_that_tie_share_the_places():
    rng = np.random.default_rng(1)
    X, y, w = rng.integers(0, 3, (15, 2)), rng.integers(0, 2, 15), rng.integers(1, 4, 15)
    X_list, y_list, w_list = X.tolist(), y.tolist(), w.tolist()
    for k in (1, 4, 9):
        expected = [exact_neighbour_mean(X_list, y_list, w_list, x, k) for x in X_list]
        np.testing.assert_allclose(
            KNNLearner(k).predict(X, y, X, w), np.array(expected, dtype=float), atol=1e-15
        )
        np.testing.assert_allclose(
            KNNLearner(k).loo_predict(X, y, w), refits(KNNLearner(k), X, y, w)[0], atol=1e-15
        )


@pytest.mark.parametrize("learner", [*LEARNERS, ScaledLearner(RidgeLearner(), KNNLearner())])
def test_symmetric_in_the_rows_and_equal_rows_tie(learner):
    rng = np.random.default_rng(2)
    X, y = rng.integers(0, 2, (60, D)) / 3, rng.integers(0, 2, 60).astype(float)
    w = np.where(y > 0, 1.3, 0.7)
    order = rng.permutation(60)
    groups = np.unique(np.column_stack([X, y]), axis=0, return_inverse=True)[1]
    for new in (None, X):
        values = predict_all(learner, X, y, new, sample_weight=w)
        moved = None if new is None else X[order]
        permuted = predict_all(learner, X[order], y[order], moved, sample_weight=w[order])
        np.testing.assert_allclose(permuted, values[:, order], atol=1e-9)
        for group in np.unique(groups):
            assert np.ptp(values[:, groups == group], axis=1).max() == 0


def test_scaled_predictions_by_hand():
    mean, scale = RidgeLearner(1.0), KernelRidgeLearner(0.1)
    residuals = np.abs(Y - mean.loo_predict(X, Y))
    learner = ScaledLearner(mean, scale, floor=0.5)
    sizes = np.maximum(scale.predict(X, residuals, X_NEW), 0.5 * residuals.mean())
    np.testing.assert_allclose(
        learner.predict(X, Y, X_NEW), mean.predict(X, Y, X_NEW) / sizes, rtol=1e-8
    )
    sizes = np.maximum(scale.loo_predict(X, residuals), 0.5 * residuals.mean())
    np.testing.assert_allclose(
        learner.loo_predict(X, Y), mean.loo_predict(X, Y) / sizes, rtol=1e-8, atol=1e-9
    )
    assert (sizes == 0.5 * residuals.mean()).any()
    assert (learner.loo_predict(X, np.zeros(N)) == 0).all()


def test_predictions_are_stacked_and_barely_rounded():
    learners = [KNNLearner(3), KernelRidgeLearner(0.2, PENALTIES)]
    values = predict_all(learners, X, Y, sample_weight=W)
    expected = np.vstack([learner.loo_predict(X, Y, W) for learner in learners])
    assert values.shape == (4, N)
    np.testing.assert_allclose(values, expected, rtol=0, atol=2.0**-33)
    np.testing.assert_allclose(
        predict_all(learners, 1e6 * X, 1e6 * Y, 1e6 * X_NEW)[0],
        KNNLearner(3).predict(X, 1e6 * Y, X_NEW),
        rtol=1e-9,
    )
    assert (predict_all(RidgeLearner(), X, 0 * Y) == 0).all()


class Broken:
    def __init__(self, values):
        self.values = values

    def loo_predict(self, X, y, sample_weight=None):
        return np.array(self.values)


def test_bad_predictions_name_the_learner():
    learners = [RidgeLearner(), Broken([0.0] * (N - 1) + [np.nan])]
    with pytest.raises(ValueError, match=r"predictions of learners\[1\] must be finite; got nan"):
        predict_all(learners, X, Y)
    with pytest.raises(ValueError, match=r"predictions of learners\[0\] must have shape"):
        predict_all(Broken([1.0]), X, Y)
    with pytest.raises(ValueError, match=r"learners must be one or more; got none"):
        predict_all([], X, Y)


@pytest.mark.parametrize(
    ("learner", "message"),
    [
        (RidgeLearner(0.0), r"penalty must be a number > 0; got 0.0"),
        (RidgeLearner([]), r"penalty must be one or more numbers; got none"),
        (KernelRidgeLearner(penalty=(1.0, -1.0)), r"penalty must be a number > 0; got -1.0"),
        (KernelRidgeLearner(gamma=0.0), r"gamma must be a number > 0; got 0.0"),
        (KNNLearner(0), r"n_neighbors must be an integer >= 1 and <= 39; got 0"),
        (KNNLearner(40), r"n_neighbors must be an integer >= 1 and <= 39; got 40"),
        (ColumnsLearner(RidgeLearner(), [3]), r"columns must be an integer >= 0 and <= 2; got 3"),
        (ScaledLearner(RidgeLearner(), RidgeLearner(), 0.0), r"floor must be a number > 0; got 0"),
        (ScaledLearner(RidgeLearner(PENALTIES), RidgeLearner()), r"mean must be one model; got 3"),
    ],
)
def test_bad_parameters(learner, message):
    with pytest.raises(ValueError, match=message):
        learner.loo_predict(X, Y)


def test_bad_columns_are_refused_before_a_fit():
    with pytest.raises(ValueError, match="columns must be an integer >= 0; got -1"):
        ColumnsLearner(RidgeLearner(), [2, -1])
    with pytest.raises(TypeError, match=r"columns must be an integer >= 0; got 1\.0"):
        ColumnsLearner(RidgeLearner(), [1.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X[0], Y), r"X must have 2 dimension"),
        ((X[:1], Y[:1]), r"X must have at least 2 row\(s\) and 1 column; got shape \(1, 3\)"),
        ((X[:, :0], Y), r"X must have at least 2 row\(s\) and 1 column; got shape \(40, 0\)"),
        ((X, Y[1:]), r"y must have shape \(40\); got \(39,\)"),
        ((X, Y, W[1:]), r"sample_weight must have shape \(40\)"),
        ((X, Y, W - W[3]), r"sample_weight must be > 0"),
        ((np.where(X > 2, np.nan, X), Y), r"X must be finite; got nan"),
    ],
)
def test_bad_rows(arguments, message):
    for learner in (RidgeLearner(), KernelRidgeLearner(), KNNLearner()):
        with pytest.raises(ValueError, match=message):
            learner.loo_predict(*arguments)
    with pytest.raises(ValueError, match=r"X_new must have shape \(any, 3\); got \(7, 2\)"):
        KNNLearner().predict(X, Y, X_NEW[:, :2])
