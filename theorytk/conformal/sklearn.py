"""Conformal selection with scikit-learn; needs the extra ``theorytk[sklearn]``.

The candidates of Bai and Jin (arXiv 2411.17983), for instance, are
``SklearnLearner(QuantileForest(RandomForestRegressor(max_depth=5), quantile=(0.25, 0.75)))``,
``SklearnLearner(GradientBoostingRegressor(loss="quantile", alpha=0.7, max_depth=5))`` and
``ScaledLearner(SklearnLearner(SVR(gamma=0.1)), SklearnLearner(LinearRegression()))``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.conformal.full import check_labels, optcs_full, optcs_full_msel
from theorytk.conformal.learners import Array, KernelRidgeLearner, Learner, check_new, check_rows
from theorytk.conformal.selection import Selection

try:
    from sklearn.base import BaseEstimator, RegressorMixin, clone, is_classifier
    from sklearn.utils.validation import check_is_fitted, has_fit_parameter, validate_data
except ImportError as error:
    raise ImportError(
        "theorytk.conformal.sklearn needs scikit-learn; install it with: "
        "pip install 'theorytk[sklearn]'"
    ) from error

__all__ = ["ConformalSelector", "QuantileForest", "SklearnLearner"]


@dataclass(frozen=True)
class SklearnLearner:
    """Any scikit-learn estimator as a learner; leaving rows out refits it for each, or by folds.

    An estimator that bootstraps or subsamples by the position of rows, such as a forest with
    a fixed seed, is not symmetric. Therefore the rows are put in a canonical (lexicographic) order
    and then permuted by a permutation that depends on their number and `rng` alone: what is fitted
    is a function of the set of rows, exactly. With an int `rng` the learner is deterministic.

    So are folds, if the place of a row in the canonical order, and not in the stack, assigns it to
    one: equal rows share a fold, and what is predicted at a row depends on it and on the set of
    rows alone. Out-of-fold predictions are then as symmetric as leaving each row out (derived
    here), for `folds` fits in the place of N.

    Parameters
    ----------
    estimator : estimator
        With ``fit`` and `method`; it is cloned, and those of its random states that are None are
        set. Weights that differ are an error if its ``fit`` has no ``sample_weight``. One that
        predicts several targets, or quantiles, stands for as many models.
    method : {"predict", "predict_proba", "decision_function"} or callable
        What to predict; of probabilities that of the largest label. A callable takes the fitted
        estimator and the rows.
    shuffle : bool, default True
        Whether to reorder the rows; without it the learner is as symmetric as the estimator.
    folds : int or None
        Into how many folds `loo_predict` divides the rows, from 2 to the number of distinct ones;
        by default it leaves out each row alone.
    rng : int, Generator or None
        Random state of the permutations and of the estimator.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> learner = SklearnLearner(LogisticRegression(), "predict_proba", rng=0)
    >>> learner.loo_predict([[0.0], [1.0], [2.0], [3.0]], [0.0, 0.0, 1.0, 1.0]).round(2)
    array([0.34, 0.57, 0.43, 0.66])
    """

    estimator: Any
    method: str | Callable[[Any, Array], Any] = "predict"
    shuffle: bool = True
    folds: int | None = None
    rng: int | np.random.Generator | None = None

    def predict(self, X: Any, y: Any, X_new: Any, sample_weight: Any = None) -> Array:
        """Return the predictions at the rows of `X_new` by the fit to (X, y)."""
        X, y, w = check_rows(X, y, sample_weight)
        return self._fit_predict(X, y, w, check_new(X_new, X), self._seed())

    def loo_predict(self, X: Any, y: Any, sample_weight: Any = None) -> Array:
        """Return at each row of X the prediction by the fit to all other rows, or other folds."""
        X, y, w = check_rows(X, y, sample_weight, least=2)
        seed = self._seed()
        fold = self._fold_of(X, y, w, seed)
        values = []
        for k in range(fold.max() + 1):
            rest, held = fold != k, fold == k
            values.append(self._fit_predict(X[rest], y[rest], w[rest], X[held], seed))
        place = np.argsort(np.argsort(fold, kind="stable"))
        return np.concatenate(values, axis=-1)[..., place]

    def _fold_of(self, X: Array, y: Array, w: Array, seed: int) -> np.ndarray:
        """Return the fold of each row, a function of the row and of the set of rows."""
        if self.folds is None:
            return np.arange(len(X))
        distinct, rank = np.unique(np.column_stack([X, y, w]), axis=0, return_inverse=True)
        folds = check_int("folds", self.folds, lower=2, upper=len(distinct))
        order = np.random.default_rng([seed, 1]).permutation(len(distinct))
        return np.asarray(order[rank.ravel()] % folds)

    def _seed(self) -> int:
        return int(as_generator(self.rng).integers(2**31))

    def _fit_predict(self, X: Array, y: Array, w: Array, X_new: Array, seed: int) -> Array:
        """Fit a clone to the rows in their order and predict."""
        if is_classifier(self.estimator) and (y == y[0]).all():  # They refuse it.
            return np.full(len(X_new), y[0])
        if self.shuffle:
            order = np.lexsort((w, y, *X.T[::-1]))[np.random.default_rng(seed).permutation(len(X))]
            X, y, w = X[order], y[order], w[order]
        estimator = clone(self.estimator)
        unset = [name for name, value in estimator.get_params().items() if value is None]
        seeds = {name: seed for name in unset if name.split("__")[-1] == "random_state"}
        estimator.set_params(**seeds)
        weights = {} if (w == w[0]).all() else {"sample_weight": w}
        if weights and not has_fit_parameter(estimator, "sample_weight"):
            raise ValueError(
                f"sample_weight must be constant, since {type(estimator).__name__}.fit takes none"
            )
        estimator.fit(X, y, **weights)
        if callable(self.method):
            return np.asarray(self.method(estimator, X_new), dtype=np.float64)
        values = np.asarray(getattr(estimator, self.method)(X_new), dtype=np.float64)
        if self.method == "predict":
            return values.T
        return values[:, -1] if self.method == "predict_proba" else values


class QuantileForest(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Quantile regression forest.

    A training row has, for a new row x, the weight that it has in the forest's mean: over the trees
    the average of its share in the leaf of x. The prediction is the quantile of the targets under
    these weights.

    Parameters
    ----------
    forest : estimator
        A forest of regression trees with ``apply``, such as ``RandomForestRegressor``.
    quantile : float or sequence of float, default 0.5
        The level or levels, in (0, 1). With several a prediction has a column for each.

    References
    ----------
    Meinshausen (JMLR 2006). All training rows count in a leaf, those left out by the bootstrap too.
    """

    def __init__(self, forest: Any, *, quantile: float | Sequence[float] = 0.5) -> None:
        self.forest = forest
        self.quantile = quantile

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> QuantileForest:
        """Fit the forest and keep the targets in the leaves."""
        for level in self._levels():
            check_real("quantile", level, lower=0.0, upper=1.0, lower_open=True, upper_open=True)
        X, y = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        w = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
        order = np.argsort(y, kind="stable")
        self.forest_ = clone(self.forest).fit(X, y, sample_weight=sample_weight)
        self.leaves_ = self.forest_.apply(X[order])
        self.targets_, self.weights_ = y[order], w[order]
        return self

    def predict(self, X: Any) -> Array:
        """Return the quantile of the targets at each row, or a column for each level."""
        check_is_fitted(self)
        leaves = self.forest_.apply(validate_data(self, X, reset=False, dtype=np.float64))
        share = np.zeros((len(leaves), len(self.targets_)))
        for new, old in zip(leaves.T, self.leaves_.T, strict=True):
            together = (new[:, None] == old) * self.weights_
            share += together / together.sum(axis=1, keepdims=True)
        below = np.cumsum(share, axis=1)
        reached = [below >= (level - 1e-12) * below[:, -1:] for level in self._levels()]
        found = np.asarray(self.targets_[np.argmax(reached, axis=2)].T)
        return found if isinstance(self.quantile, Sequence) else found[:, 0]

    def _levels(self) -> list[Any]:
        return list(self.quantile) if isinstance(self.quantile, Sequence) else [self.quantile]


class ConformalSelector(BaseEstimator):  # type: ignore[misc]
    """Select test points whose unknown label exceeds c, with the false discovery rate below q.

    It fits to labelled and test points together, without splitting (`optcs_full`), or
    chooses among several learners besides (`optcs_full_msel`). A selection is that of a whole set
    of test points; therefore there is no ``predict``.

    Parameters
    ----------
    learner : Learner, estimator or list of these, optional
        By default `KernelRidgeLearner`. A scikit-learn estimator is taken as a `SklearnLearner`,
        by its probability if it has one; a list is chosen from.
    q : float or array_like, shape (Q,), default 0.1
        Target level or levels of the false discovery rate, in (0, 1).
    c : float, default 0
        A label above c is of interest.
    loo : bool, default True
        Whether to score by leave-one-out predictions. In-sample predictions are as valid and
        usually select less; a scikit-learn estimator is then fitted once instead of for each row.
    class_weight : {"balanced"} or None
        Whether interesting and other rows weigh the same in total.
    pruning : {"deterministic", "homogeneous", "heterogeneous"}, default "homogeneous"
        Of the selection among several learners.
    rng : int, Generator or None
        Random state of the pruning and of scikit-learn estimators.

    Attributes
    ----------
    X_ : ndarray, shape (n, d)
        The labelled rows.
    y_ : ndarray, shape (n,)
        Their labels.
    n_features_in_ : int
        The number d of features.

    References
    ----------
    Bai, Jin (arXiv 2411.17983), OptCS-Full and OptCS-Full-MSel.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, X_test = rng.standard_normal((200, 2)), rng.standard_normal((100, 2))
    >>> selection = ConformalSelector(q=0.1).fit(X, X[:, 0]).select(X_test)
    >>> print(selection.selected.sum(), selection.fdp(X_test[:, 0] > 0).round(3))
    48 0.083
    """

    def __init__(
        self,
        learner: Any = None,
        *,
        q: Any = 0.1,
        c: float = 0.0,
        loo: bool = True,
        class_weight: str | None = "balanced",
        pruning: str = "homogeneous",
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.learner = learner
        self.q = q
        self.c = c
        self.loo = loo
        self.class_weight = class_weight
        self.pruning = pruning
        self.rng = rng

    def fit(self, X: Any, y: Any) -> ConformalSelector:
        """Keep the labelled rows; the learners are fitted once the test points are known.

        Parameters
        ----------
        X : array_like, shape (n, d)
            The features.
        y : array_like, shape (n,)
            The labels.

        Returns
        -------
        ConformalSelector
            The selector itself.
        """
        self.X_, y = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        check_labels(y, self.c)
        self.y_ = check_array("y", y)
        return self

    def select(self, X: Any) -> Selection:
        """Return the selection among the test points.

        Parameters
        ----------
        X : array_like, shape (m, d)
            The features of all test points.

        Returns
        -------
        Selection
            With the mask `selected`.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        rng = as_generator(self.rng)
        options: dict[str, Any] = {"c": self.c, "loo": self.loo, "class_weight": self.class_weight}
        if not isinstance(self.learner, list | tuple):
            learner = _as_learner(self.learner, rng)
            return optcs_full(self.X_, self.y_, X, self.q, learner, **options)
        learners = [_as_learner(learner, rng) for learner in self.learner]
        options |= {"pruning": self.pruning, "rng": rng}
        return optcs_full_msel(self.X_, self.y_, X, self.q, learners, **options)


def _as_learner(learner: Any, rng: np.random.Generator) -> Learner:
    """Return a learner as it is, and an estimator as a learner."""
    if learner is None:
        return KernelRidgeLearner()
    if hasattr(learner, "loo_predict"):
        return learner  # type: ignore[no-any-return]
    if not hasattr(learner, "fit"):
        raise TypeError(f"learner must be a learner or an estimator; got {learner!r}")
    method = "predict_proba" if hasattr(learner, "predict_proba") else "predict"
    return SklearnLearner(learner, method, rng=rng)
