"""Models and learners: ours in NumPy, and the paper's own in scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np

from theorytk.conformal import (
    ColumnsLearner,
    KernelRidgeLearner,
    KNNLearner,
    RidgeLearner,
    ScaledLearner,
    predict_all,
)

LEVELS = tuple(round(0.1 * k, 1) for k in range(1, 10))
QUARTILES = (0.25, 0.5, 0.75)
LEAST_SCALE = 1e-3
KERNEL_RIDGE = KernelRidgeLearner(0.1, 0.3)


def some_columns(d, size, rng):
    """Return sorted random features."""
    return tuple(int(c) for c in np.sort(rng.choice(d, size, replace=False)))


def few(d, rng):
    """Eight models: four kernel ridges, neighbours, and three ridges on half of the features."""
    halves = [ColumnsLearner(RidgeLearner(), some_columns(d, d // 2, rng)) for _ in range(3)]
    kernels = [KernelRidgeLearner(gamma, (0.1, 1.0)) for gamma in (0.05, 0.3)]
    return [*kernels, KNNLearner(10), *halves]


def zoo(d, rng):
    """Twenty-four models: eight kernel ridges, eight neighbours, eight ridges."""
    kernels = [KernelRidgeLearner(gamma, (0.1, 1.0)) for gamma in (0.02, 0.05, 0.1, 0.3)]
    neighbours = [KNNLearner(k) for k in (5, 10, 20, 40)]
    partly = [ColumnsLearner(one, some_columns(d, d // 2, rng)) for one in neighbours]
    ridges = [ColumnsLearner(RidgeLearner(), some_columns(d, d // 2, rng)) for _ in range(8)]
    return [*kernels, *neighbours, *partly, *ridges]


def in_numpy(models):
    """Return predictions (K, M) by our models, fitted to the first rows."""

    def fit_predict(first, second, X_new, rng):
        return predict_all(models(X_new.shape[1], rng), *first, X_new)

    return fit_predict


def trees(first, second, X_new, rng):
    """The paper's 24 for Jin's settings; None without scikit-learn.

    Quantiles by a forest and by boosting, and a forest's mean over six scales, which are fitted to
    its residuals at the second rows.
    """
    try:
        from sklearn import ensemble, linear_model, svm

        from theorytk.conformal.sklearn import QuantileForest
    except ImportError:
        return None
    seed = int(rng.integers(2**31))
    forest = ensemble.RandomForestRegressor(100, max_depth=5, random_state=seed)
    boosting = ensemble.GradientBoostingRegressor(max_depth=5, random_state=seed)
    quantiles = list(QuantileForest(forest, quantile=LEVELS).fit(*first).predict(X_new).T)
    for level in LEVELS:
        boosting.set_params(loss="quantile", alpha=level)
        quantiles.append(boosting.fit(*first).predict(X_new))
    boosting.set_params(loss="squared_error")
    scales = [boosting, forest, svm.SVR(gamma=0.1), linear_model.Lasso(), linear_model.Ridge()]
    return np.array([*quantiles, *scaled(forest.fit(*first), scales, second, X_new)])


def quantile_regressions(first, second, X_new, rng):
    """The paper's 11 for Liang's settings, on random features; None without scikit-learn.

    Nine quantile regressions with penalty 1, which are constant; and least squares without and
    with a linear scale, fitted to its residuals at the second rows.
    """
    try:
        from sklearn.linear_model import LinearRegression, QuantileRegressor
    except ImportError:
        return None
    (X, y), d, predictions = first, X_new.shape[1], []
    for level in LEVELS:
        columns = list(some_columns(d, d // 10, rng))
        model = QuantileRegressor(quantile=level).fit(X[:, columns], y)
        predictions.append(model.predict(X_new[:, columns]))
    columns = list(some_columns(d, d // 5, rng))
    mean = LinearRegression().fit(X[:, columns], y)
    rest = second[0][:, columns], second[1]
    return np.array([*predictions, *scaled(mean, [LinearRegression()], rest, X_new[:, columns])])


def scaled(mean, scales, rows, X_new):
    """Return a fitted model's predictions, then these over scales fitted to its residuals."""
    X, y = rows
    values, errors = mean.predict(X_new), np.abs(y - mean.predict(X))
    fitted = [scale.fit(X, errors).predict(X_new) for scale in scales]
    return [values, *(values / np.maximum(LEAST_SCALE, scale) for scale in fitted)]


def learner_named(name, folds, rng):
    """Return ours, or one of the paper's three for OptCS-Full; None without scikit-learn."""
    if name == "kernel-ridge":
        return KERNEL_RIDGE
    try:
        from sklearn import ensemble, svm

        from theorytk.conformal.sklearn import SklearnLearner
    except ImportError:
        return None
    estimators = {
        "boosting": ensemble.GradientBoostingRegressor(max_depth=5),
        "forest": ensemble.RandomForestRegressor(100, max_depth=5),
        "svr": svm.SVR(gamma=0.1),
    }
    return SklearnLearner(estimators[name], folds=folds, rng=int(rng.integers(2**31)))


def halves(d, models, folds, rng):
    """Return as many learners: neighbours and ridges in turn on random halves of the features."""
    kinds = KNNLearner(8), RidgeLearner()
    return [ColumnsLearner(kinds[k % 2], some_columns(d, d // 2, rng)) for k in range(models)]


def paper_nine(d, models, folds, rng):
    """The paper's 9 for Jin's settings; None without scikit-learn.

    Three quantiles by a forest; support vectors, lasso and ridge over linear and support vector
    scales.
    """
    try:
        from sklearn import ensemble, linear_model, svm

        from theorytk.conformal.sklearn import QuantileForest, SklearnLearner
    except ImportError:
        return None
    seed = int(rng.integers(2**31))
    forest = ensemble.RandomForestRegressor(100, max_depth=5)
    kinds = svm.SVR(gamma=0.1), linear_model.Lasso(), linear_model.Ridge()
    scales = linear_model.LinearRegression(), svm.SVR(gamma=0.1)
    quantiles, *means, linear, vectors = (
        SklearnLearner(one, folds=folds, rng=seed)
        for one in (QuantileForest(forest, quantile=QUARTILES), *kinds, *scales)
    )
    return [quantiles, *(ScaledLearner(mean, s) for mean in means for s in (linear, vectors))]


def paper_seven(d, models, folds, rng):
    """The paper's 7 for Liang's settings; None without scikit-learn.

    Quantile regressions with penalty 1, which are constant, and least squares without and with a
    linear scale, on a tenth and on a fifth of the features.
    """
    try:
        from sklearn.linear_model import LinearRegression, QuantileRegressor

        from theorytk.conformal.sklearn import SklearnLearner
    except ImportError:
        return None
    seed = int(rng.integers(2**31))
    quantiles = [
        SklearnLearner(QuantileRegressor(quantile=v), folds=folds, rng=seed) for v in QUARTILES
    ]
    mean = SklearnLearner(LinearRegression(), folds=folds, rng=seed)
    found = [ColumnsLearner(one, some_columns(d, d // 10, rng)) for one in quantiles]
    for size in (d // 10, d // 5):
        columns = some_columns(d, size, rng)
        found += [ColumnsLearner(one, columns) for one in (mean, ScaledLearner(mean, mean))]
    return found


def quietly(procedure, *arguments):
    """Call a procedure without its warning of constant models, of which the paper has some."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the predictions are constant", RuntimeWarning)
        return procedure(*arguments)


CANDIDATES = {
    "few": in_numpy(few),
    "zoo": in_numpy(zoo),
    "trees": trees,
    "quantile-regressions": quantile_regressions,
}
LEARNERS = {"halves": halves, "paper-nine": paper_nine, "paper-seven": paper_seven}
