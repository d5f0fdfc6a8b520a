"""Learners that are symmetric in the rows, with leave-one-out predictions.

All our learners are linear smoothers, and leaving a row out needs no second fit. Let f minimise
``sum_i w_i (y_i - f(x_i))^2 + penalty(f)`` and f_(-i) the same sum without row i. Put f_(-i)(x_i)
in the place of y_i: the term of row i vanishes at f_(-i), so f_(-i) minimises the whole sum too.
With fitted values H y this says ``f_(-i)(x_i) = f(x_i) + h_ii (f_(-i)(x_i) - y_i)``, hence

    y_i - f_(-i)(x_i) = (y_i - f(x_i)) / (1 - h_ii).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from theorytk._validation import check_array, check_int, check_real

__all__ = [
    "ColumnsLearner",
    "KNNLearner",
    "KernelRidgeLearner",
    "Learner",
    "RidgeLearner",
    "ScaledLearner",
    "predict_all",
]

Array = NDArray[np.float64]

# Equal predictions differ by rounding with the place of their rows. To this many bits below the
# largest prediction they tie again.
RESOLUTION_BITS = 33


class Learner(Protocol):
    """What `optcs_full` asks of a learner: its predictions depend on the set of rows, not on order.

    Both methods fit anew. They return predictions of shape (N,) or, for a learner that stands for
    several models such as a path of penalties, (K, N).
    """

    def predict(self, X: Any, y: Any, X_new: Any, sample_weight: Any = None) -> Array:
        """Return the predictions at the rows of `X_new` by the fit to (X, y)."""

    def loo_predict(self, X: Any, y: Any, sample_weight: Any = None) -> Array:
        """Return at each row of X the prediction by the fit to all other rows."""


def predict_all(
    learners: Learner | Sequence[Learner],
    X: Any,
    y: Any,
    X_new: Any = None,
    *,
    sample_weight: Any = None,
) -> Array:
    """Return the predictions of several learners, checked and stacked.

    Parameters
    ----------
    learners : Learner or sequence of Learner
        A learner that stands for several models contributes all of them.
    X : array_like, shape (N, d)
        The features.
    y : array_like, shape (N,)
        The targets.
    X_new : array_like, shape (M, d), optional
        Where to predict. Without it every row of `X` is predicted with that row left out.
    sample_weight : array_like, shape (N,), optional
        Positive weights of the rows; by default all 1.

    Returns
    -------
    ndarray, shape (K, M) or (K, N)
        Rounded at 2^-33 of the largest prediction of a model, so that rows which are equal in exact
        arithmetic tie whatever their order.

    Raises
    ------
    ValueError
        If there is no learner, or if a prediction is NaN or infinite: it names the learner.

    Examples
    --------
    >>> predict_all([RidgeLearner(1.0), KNNLearner(1)], [[0.0], [1.0], [3.0]], [0.0, 1.0, 1.0])
    array([[1.        , 0.36363636, 1.33333333],
           [1.        , 0.        , 1.        ]])
    """
    several = list(learners) if isinstance(learners, Sequence) else [learners]
    if not several:
        raise ValueError("learners must be one or more; got none")
    n_rows = len(X) if X_new is None else len(X_new)
    blocks = []
    for k, learner in enumerate(several):
        if X_new is None:
            values = learner.loo_predict(X, y, sample_weight)
        else:
            values = learner.predict(X, y, X_new, sample_weight)
        name = f"predictions of learners[{k}]"
        blocks.append(check_array(name, np.atleast_2d(values), shape=(None, n_rows)))
    values = np.vstack(blocks)
    exponent = np.frexp(np.abs(values).max(axis=1, keepdims=True))[1] - RESOLUTION_BITS
    return np.asarray(np.ldexp(np.rint(np.ldexp(values, -exponent)), exponent))


@dataclass(frozen=True)
class RidgeLearner:
    """Weighted ridge regression with an intercept that is not penalised.

    It minimises ``sum_i w_i (y_i - b - x_i'beta)^2 + penalty |beta|^2``. The weighted means x~, y~
    take the intercept away; with the singular value decomposition U S V' of the rows
    ``sqrt(w_i) (x_i - x~)``,

        h_ii = w_i / sum(w) + sum_k U_ik^2 s_k^2 / (s_k^2 + penalty),

    so that one decomposition serves every penalty.

    Parameters
    ----------
    penalty : float or sequence of float, default 1
        Positive. A sequence stands for as many models: predictions then are (K, N).
    """

    penalty: float | Sequence[float] = 1.0

    def predict(self, X: Any, y: Any, X_new: Any, sample_weight: Any = None) -> Array:
        """Return the predictions at the rows of `X_new` by the fit to (X, y)."""
        X, y, w = check_rows(X, y, sample_weight)
        X_new = check_new(X_new, X)
        _, s, Vt, Ub, x_mean, y_mean = _centred_svd(X, y, w)
        coef = (Ub * s / (s**2 + _column(self.penalty))) @ Vt
        return _like(self.penalty, y_mean + coef @ (X_new - x_mean).T)

    def loo_predict(self, X: Any, y: Any, sample_weight: Any = None) -> Array:
        """Return at each row of X the prediction by the fit to all other rows."""
        X, y, w = check_rows(X, y, sample_weight, least=2)
        U, s, _, Ub, _, y_mean = _centred_svd(X, y, w)
        shrinkage = s**2 / (s**2 + _column(self.penalty))
        fitted = y_mean + (shrinkage * Ub) @ U.T / np.sqrt(w)
        leverage = w / w.sum() + shrinkage @ (U**2).T
        return _like(self.penalty, y - (y - fitted) / (1 - leverage))


@dataclass(frozen=True)
class KernelRidgeLearner:
    """Weighted kernel ridge regression with the kernel exp(-gamma |x - x'|^2), no intercept.

    It minimises ``sum_i w_i (y_i - f(x_i))^2 + penalty |f|^2``. With D = diag(w) and
    ``G = (K + penalty D^-1)^-1`` the fit is f = sum_i alpha_i k(x_i, .), alpha = G y. Since
    ``y - K alpha = penalty D^-1 alpha`` and ``1 - h_ii = penalty G_ii / w_i``,

        f_(-i)(x_i) = y_i - alpha_i / G_ii:

    one Cholesky factor L and its inverse suffice, as G_ii is the squared norm of column i of L^-1.
    Several penalties share one eigendecomposition, whatever the weights:
    ``G = D^1/2 (D^1/2 K D^1/2 + penalty)^-1 D^1/2``.

    Parameters
    ----------
    gamma : float, optional
        Positive; by default 1 / (d Var), Var the variance of all entries of X, which is taken over
        the whole of X for leave-one-out predictions too.
    penalty : float or sequence of float, default 1
        Positive. A sequence stands for as many models: predictions then are (K, N).
    """

    gamma: float | None = None
    penalty: float | Sequence[float] = 1.0

    def predict(self, X: Any, y: Any, X_new: Any, sample_weight: Any = None) -> Array:
        """Return the predictions at the rows of `X_new` by the fit to (X, y)."""
        X, y, w = check_rows(X, y, sample_weight)
        X_new = check_new(X_new, X)
        alpha = self._dual(X, y, w)[0]
        return _like(self.penalty, alpha @ self._kernel(X, X_new))

    def loo_predict(self, X: Any, y: Any, sample_weight: Any = None) -> Array:
        """Return at each row of X the prediction by the fit to all other rows."""
        X, y, w = check_rows(X, y, sample_weight, least=2)
        alpha, diagonal = self._dual(X, y, w)
        return _like(self.penalty, y - alpha / diagonal)

    def _kernel(self, X: Array, X_new: Array) -> Array:
        """Return the kernel between the rows of X and those of X_new."""
        if self.gamma is None:
            gamma = 1 / (X.shape[1] * (float(X.var()) or 1.0))
        else:
            gamma = check_real("gamma", self.gamma, lower=0.0, lower_open=True)
        return np.asarray(np.exp(-gamma * cdist(X, X_new, "sqeuclidean")))

    def _dual(self, X: Array, y: Array, w: Array) -> tuple[Array, Array]:
        """Return alpha and the diagonal of G, each (K, N), a row per penalty."""
        kernel, penalties = self._kernel(X, X), _column(self.penalty)
        if len(penalties) > 1:
            root = np.sqrt(w)
            eigenvalues, Q = scipy.linalg.eigh(root[:, None] * kernel * root, driver="evd")
            inverse = 1 / (np.maximum(eigenvalues, 0.0) + penalties)
            return root * ((inverse * ((root * y) @ Q)) @ Q.T), w * (inverse @ (Q**2).T)
        kernel[np.diag_indices_from(kernel)] += penalties[0, 0] / w
        factor = scipy.linalg.cholesky(kernel, lower=True, overwrite_a=True)
        inverse, _ = scipy.linalg.lapack.dtrtri(factor, lower=1, overwrite_c=1)
        alpha = inverse.T @ (inverse @ y)
        return alpha[None], np.einsum("ij,ij->j", inverse, inverse)[None]


@dataclass(frozen=True)
class KNNLearner:
    """Weighted mean of the nearest neighbours; leaving a row out leaves out its distance to itself.

    Neighbours at equal distance share the places left for them, which keeps the learner symmetric
    where rows tie.

    Parameters
    ----------
    n_neighbors : int, default 10
        How many neighbours, below the number of rows.
    """

    n_neighbors: int = 10

    def predict(self, X: Any, y: Any, X_new: Any, sample_weight: Any = None) -> Array:
        """Return the predictions at the rows of `X_new` by the fit to (X, y)."""
        X, y, w = check_rows(X, y, sample_weight)
        return self._mean(cdist(check_new(X_new, X), X, "sqeuclidean"), y, w, len(X))

    def loo_predict(self, X: Any, y: Any, sample_weight: Any = None) -> Array:
        """Return at each row of X the prediction by the fit to all other rows."""
        X, y, w = check_rows(X, y, sample_weight, least=2)
        distances = cdist(X, X, "sqeuclidean")
        np.fill_diagonal(distances, np.inf)
        return self._mean(distances, y, w, len(X) - 1)

    def _mean(self, distances: Array, y: Array, w: Array, n_rows: int) -> Array:
        """Return the mean of y over the neighbours, of which there are `n_rows` to choose from."""
        k = check_int("n_neighbors", self.n_neighbors, lower=1, upper=n_rows)
        farthest = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
        share = (distances <= farthest).astype(np.float64)
        crowded = np.flatnonzero(share.sum(axis=1) > k)
        if len(crowded):
            tied = distances[crowded] == farthest[crowded]
            surplus = share[crowded].sum(axis=1, keepdims=True) - k
            share[crowded] -= tied * (surplus / tied.sum(axis=1, keepdims=True))
        return np.asarray(share @ (w * y) / (share @ w))


@dataclass(frozen=True)
class ColumnsLearner:
    """A learner on some of the features.

    Parameters
    ----------
    learner : Learner
        The learner.
    columns : sequence of int
        Which features it sees.
    """

    learner: Learner
    columns: Sequence[int]

    def __post_init__(self) -> None:
        for column in self.columns:
            check_int("columns", column, lower=0)

    def predict(self, X: Any, y: Any, X_new: Any, sample_weight: Any = None) -> Array:
        """Return the predictions at the rows of `X_new` by the fit to (X, y)."""
        return self.learner.predict(self._of(X), y, self._of(X_new), sample_weight)

    def loo_predict(self, X: Any, y: Any, sample_weight: Any = None) -> Array:
        """Return at each row of X the prediction by the fit to all other rows."""
        return self.learner.loo_predict(self._of(X), y, sample_weight)

    def _of(self, X: Any) -> Any:
        X = check_array("X", X, ndim=2)
        check_int("columns", max(self.columns, default=0), lower=0, upper=X.shape[1] - 1)
        return X[:, list(self.columns)]


@dataclass(frozen=True)
class ScaledLearner:
    """A prediction in units of its own error: mean(x) / scale(x).

    The scale is fitted to the absolute leave-one-out residuals of the mean, and is at least
    `floor` times their average. Leave-one-out predictions leave a row out of either fit, but the
    residuals of the others have seen it: symmetric, which is what counts, and two fits instead of N
    times N.

    Parameters
    ----------
    mean : Learner
        Predicts the target, one model.
    scale : Learner
        Predicts the size of the residual.
    floor : float, default 0.1
        The least scale, in units of the average absolute residual.
    """

    mean: Learner
    scale: Learner
    floor: float = 0.1

    def predict(self, X: Any, y: Any, X_new: Any, sample_weight: Any = None) -> Array:
        """Return the predictions at the rows of `X_new` by the fit to (X, y)."""
        errors = np.abs(y - self._means(X, y, sample_weight))
        scale = self.scale.predict(X, errors, X_new, sample_weight)
        return self.mean.predict(X, y, X_new, sample_weight) / self._bounded(scale, errors)

    def loo_predict(self, X: Any, y: Any, sample_weight: Any = None) -> Array:
        """Return at each row of X the prediction by the fit to all other rows."""
        means = self._means(X, y, sample_weight)
        errors = np.abs(y - means)
        return means / self._bounded(self.scale.loo_predict(X, errors, sample_weight), errors)

    def _means(self, X: Any, y: Any, sample_weight: Any) -> Array:
        """Return the leave-one-out means; without their rounding, which depends on the order."""
        means = predict_all(self.mean, X, y, sample_weight=sample_weight)
        if len(means) > 1:
            raise ValueError(f"mean must be one model; got {len(means)}")
        return np.asarray(means[0])

    def _bounded(self, scale: Array, errors: Array) -> Array:
        floor = check_real("floor", self.floor, lower=0.0, lower_open=True)
        return np.asarray(np.maximum(scale, floor * (float(errors.mean()) or 1.0)))


def check_rows(X: Any, y: Any, sample_weight: Any, *, least: int = 1) -> tuple[Array, Array, Array]:
    """Return features, targets and weights as checked arrays of at least so many rows."""
    X = check_array("X", X, ndim=2)
    if len(X) < least or X.shape[1] < 1:
        raise ValueError(f"X must have at least {least} row(s) and 1 column; got shape {X.shape}")
    y = check_array("y", y, shape=(len(X),))
    if sample_weight is None:
        return X, y, np.ones(len(X))
    w = check_array("sample_weight", sample_weight, shape=(len(X),))
    if w.min() <= 0:
        raise ValueError(f"sample_weight must be > 0; got {w.min():g} at index {w.argmin()}")
    return X, y, w


def check_new(X_new: Any, X: Array) -> Array:
    return check_array("X_new", X_new, shape=(None, X.shape[1]))


def _column(penalty: float | Sequence[float]) -> Array:
    """Return the checked penalties as a column."""
    values = penalty if isinstance(penalty, Sequence | np.ndarray) else [penalty]
    if len(values) == 0:
        raise ValueError("penalty must be one or more numbers; got none")
    return np.array([[check_real("penalty", v, lower=0.0, lower_open=True)] for v in values])


def _like(penalty: float | Sequence[float], values: Array) -> Array:
    """Return predictions (K, N) as (N,) where the penalty is a number."""
    return values if isinstance(penalty, Sequence | np.ndarray) else values[0]


def _centred_svd(
    X: Array, y: Array, w: Array
) -> tuple[Array, Array, Array, Array, Array, np.float64]:
    """Return U, s, V' of the weighted centred rows, U' times the targets, and the means."""
    root, total = np.sqrt(w), w.sum()
    x_mean, y_mean = w @ X / total, w @ y / total
    U, s, Vt = scipy.linalg.svd(root[:, None] * (X - x_mean), full_matrices=False)
    return U, s, Vt, (root * (y - y_mean)) @ U, x_mean, y_mean
