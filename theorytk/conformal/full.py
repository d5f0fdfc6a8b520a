"""OptCS-Full and OptCS-Full-MSel: fit to labelled and test points together, without splitting.

Why it is valid. Stack the n labelled and the m test points, with labels 1{y > c} and 0 for the
test points. Where test point j is null its label 0 is right, so exchanging it with a null labelled
point leaves the stack as it is. A learner that is symmetric in the rows then exchanges their two
predictions and touches no other. Hence, given everything else, the rank of score j among the null
labelled points is uniform, and the selection sizes do not change: this is all that control of the
false discovery rate asks for. Leaving out a row's own label matters for power only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_choice
from theorytk.conformal.learners import Array, Learner, predict_all
from theorytk.conformal.scores import clip_score
from theorytk.conformal.selection import Selection, cfbh, optcs_msel

__all__ = [
    "class_weights",
    "full_scores",
    "held_out_scores",
    "optcs_full",
    "optcs_full_msel",
]


def class_weights(labels: Any, class_weight: str | None = "balanced") -> Array:
    """Return weights under which the rows of each label weigh the same in total.

    Parameters
    ----------
    labels : array_like, shape (N,)
        The labels.
    class_weight : {"balanced"} or None
        None gives weights 1.

    Returns
    -------
    ndarray, shape (N,)
        Of mean 1: N over the number of labels times the number of rows with this label.

    Examples
    --------
    >>> class_weights([1, 0, 0, 0])
    array([2.        , 0.66666667, 0.66666667, 0.66666667])
    """
    labels = check_array("labels", labels, ndim=1)
    if class_weight is None:
        return np.ones(len(labels))
    check_choice("class_weight", class_weight, ["balanced"])
    _, group, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return np.asarray(len(labels) / (len(counts) * counts[group]))


def full_scores(
    X: Any,
    y: Any,
    X_test: Any,
    learners: Learner | Sequence[Learner],
    *,
    c: Any = 0.0,
    loo: bool = True,
    class_weight: str | None = "balanced",
) -> tuple[Array, Array]:
    """Return the clipped scores of learners that are fitted to labelled and test points together.

    Parameters
    ----------
    X : array_like, shape (n, d)
        The labelled rows.
    y : array_like, shape (n,)
        Their labels.
    X_test : array_like, shape (m, d)
        The test rows.
    learners : Learner or sequence of Learner
        Symmetric in the rows; `audit_exchangeability` finds out.
    c : float or array_like, shape (n,), default 0
        A label above c is of interest.
    loo : bool, default True
        Leave-one-out predictions, or in-sample ones: as valid, and usually with less power.
    class_weight : {"balanced"} or None
        Whether labels 1 and 0 weigh the same in total; counted over the whole stack.

    Returns
    -------
    cal : ndarray, shape (K, n)
        Minus the prediction, or inf where y > c.
    test : ndarray, shape (K, m)
        Minus the prediction.

    Raises
    ------
    ValueError
        If the arguments do not fit together, c does not separate binary labels, or a prediction is
        not finite.

    References
    ----------
    Bai, Jin (arXiv 2411.17983), OptCS-Full. Its code uses 1000 in the place of inf.

    Examples
    --------
    >>> from theorytk.conformal.learners import KNNLearner
    >>> full_scores([[0.0], [1.0], [2.0]], [-1.0, 0.5, 1.0], [[1.5]], KNNLearner(2))
    (array([[-0.5,  inf,  inf]]), array([[-1.]]))
    """
    labels = check_labels(y, c)
    X = check_array("X", X, shape=(len(labels), None))
    X_test = check_array("X_test", X_test, shape=(None, X.shape[1]))
    if len(X_test) == 0:
        raise ValueError("X_test must have at least one row; got none")
    stack = np.vstack([X, X_test])
    targets = np.concatenate([labels, np.zeros(len(X_test))])
    values = predict_all(
        learners,
        stack,
        targets,
        None if loo else stack,
        sample_weight=class_weights(targets, class_weight),
    )
    n = len(labels)
    return clip_score(values[:, :n], labels), clip_score(values[:, n:])


def held_out_scores(
    X: Any,
    y: Any,
    X_cal: Any,
    y_cal: Any,
    X_test: Any,
    learners: Learner | Sequence[Learner],
    *,
    c: float = 0.0,
    class_weight: str | None = "balanced",
) -> tuple[Array, Array]:
    """Return the clipped scores of learners that are fitted to other data than they calibrate on.

    With (X, y) and (X_cal, y_cal) two parts of the labelled data this is data splitting; with both
    fresh and as large as the labelled data the oracle that the paper compares to.

    Parameters
    ----------
    X, y : array_like, shapes (k, d) and (k,)
        The rows and labels to fit.
    X_cal, y_cal : array_like, shapes (n, d) and (n,)
        The rows and labels to calibrate on.
    X_test : array_like, shape (m, d)
        The test rows.
    learners : Learner or sequence of Learner
        They need not be symmetric.
    c : float, default 0
        A label above c is of interest.
    class_weight : {"balanced"} or None
        Whether labels 1 and 0 weigh the same in total.

    Returns
    -------
    cal : ndarray, shape (K, n)
        Minus the prediction, or inf where y_cal > c.
    test : ndarray, shape (K, m)
        Minus the prediction.

    References
    ----------
    Jin, Candes (JMLR 2023). Bai, Jin (arXiv 2411.17983), the baselines of OptCS-Full.
    """
    labels, cal_labels = check_labels(y, c), check_labels(y_cal, c)
    X_cal = check_array("X_cal", X_cal, shape=(len(cal_labels), None))
    X_test = check_array("X_test", X_test, shape=(None, X_cal.shape[1]))
    values = predict_all(
        learners,
        X,
        labels,
        np.vstack([X_cal, X_test]),
        sample_weight=class_weights(labels, class_weight),
    )
    n = len(cal_labels)
    return clip_score(values[:, :n], cal_labels), clip_score(values[:, n:])


def optcs_full(
    X: Any,
    y: Any,
    X_test: Any,
    q: Any,
    learner: Learner,
    *,
    c: Any = 0.0,
    loo: bool = True,
    class_weight: str | None = "balanced",
) -> Selection:
    """Select test points by one learner that is fitted to all data, without splitting.

    All test points share one score function; then Benjamini-Hochberg on the conservative p-values
    is the selection of OptCS under every pruning, and nothing has to be pruned.

    Parameters
    ----------
    X : array_like, shape (n, d)
        The labelled rows.
    y : array_like, shape (n,)
        Their labels.
    X_test : array_like, shape (m, d)
        The test rows.
    q : float or array_like, shape (Q,)
        Target level or levels of the false discovery rate, in (0, 1).
    learner : Learner
        Symmetric in the rows; one model.
    c : float or array_like, shape (n,), default 0
        A label above c is of interest.
    loo : bool, default True
        Leave-one-out predictions, or in-sample ones.
    class_weight : {"balanced"} or None
        Whether labels 1 and 0 weigh the same in total.

    Returns
    -------
    Selection
        With the mask `selected`.

    Raises
    ------
    ValueError
        As `full_scores`, or if the learner stands for several models.

    References
    ----------
    Bai, Jin (arXiv 2411.17983), OptCS-Full. That nothing is pruned is T3, derived here.

    Examples
    --------
    >>> from theorytk.conformal.learners import KernelRidgeLearner
    >>> rng = np.random.default_rng(0)
    >>> X, X_test = rng.standard_normal((200, 2)), rng.standard_normal((100, 2))
    >>> selection = optcs_full(X, X[:, 0], X_test, 0.1, KernelRidgeLearner())
    >>> print(selection.selected.sum(), selection.fdp(X_test[:, 0] > 0).round(3))
    48 0.083
    """
    cal, test = full_scores(X, y, X_test, learner, c=c, loo=loo, class_weight=class_weight)
    if len(cal) > 1:
        raise ValueError(
            f"learner must be one model; got {len(cal)}, among which optcs_full_msel can choose"
        )
    return cfbh(cal[0], test[0], q, tie="conservative")


def optcs_full_msel(
    X: Any,
    y: Any,
    X_test: Any,
    q: Any,
    learners: Learner | Sequence[Learner],
    *,
    c: Any = 0.0,
    loo: bool = True,
    class_weight: str | None = "balanced",
    pruning: str = "homogeneous",
    rng: int | np.random.Generator | None = None,
) -> Selection:
    """Select test points by the best of several learners, each fitted to all data.

    For each test point the learner with the largest leave-one-out selection is chosen on the same
    data.

    Parameters
    ----------
    X : array_like, shape (n, d)
        The labelled rows.
    y : array_like, shape (n,)
        Their labels.
    X_test : array_like, shape (m, d)
        The test rows.
    q : float or array_like, shape (Q,)
        Target level or levels of the false discovery rate, in (0, 1).
    learners : Learner or sequence of Learner
        Symmetric in the rows.
    c : float or array_like, shape (n,), default 0
        A label above c is of interest.
    loo : bool, default True
        Leave-one-out predictions, or in-sample ones.
    class_weight : {"balanced"} or None
        Whether labels 1 and 0 weigh the same in total.
    pruning : {"deterministic", "homogeneous", "heterogeneous"}, default "homogeneous"
        As in `optcs_msel`.
    rng : int, Generator or None
        Random state of the pruning.

    Returns
    -------
    Selection
        With the mask `selected` and the `model` of each test point.

    Raises
    ------
    ValueError
        As `full_scores`.

    References
    ----------
    Bai, Jin (arXiv 2411.17983), OptCS-Full-MSel.
    """
    cal, test = full_scores(X, y, X_test, learners, c=c, loo=loo, class_weight=class_weight)
    return optcs_msel(cal, test, q, pruning=pruning, rng=rng)


def check_labels(y: Any, c: Any) -> Array:
    """Return 1{y > c} as floats."""
    y = check_array("y", y, ndim=1)
    if len(y) == 0:
        raise ValueError("y must have at least one label; got none")
    return np.asarray(np.isinf(clip_score(np.zeros(len(y)), y, c)).astype(np.float64))
