"""Conformity scores V(x, y), nondecreasing in y: small values are evidence that y exceeds c."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from theorytk._validation import check_array
from theorytk.conformal.multiple_testing import Array

__all__ = ["checked_score", "clip_score", "quantile_score", "residual_score", "sub_score"]

# Labels at which a user's score is evaluated, for each row.
LADDER = 9


def clip_score(prediction: Any, y: Any = None, c: Any = 0.0, scale: Any = None) -> Array:
    """Return the clipped score ``(c - prediction) / scale``, infinity where ``y > c``.

    Parameters
    ----------
    prediction : array_like, shape (n,) or (K, n)
        Predictions of the label, or anything that grows with the evidence for ``y > c``; of K
        models if there are two axes.
    y : array_like, shape (n,), optional
        The labels; without them (test points) every point is taken to have label c.
    c : float or array_like, shape (n,), default 0.0
        The threshold, in the unit of y.
    scale : array_like, shape (n,) or (K, n), optional
        Predicted scale, > 0; 1 by default.

    Returns
    -------
    ndarray, shape (n,) or (K, n)
        The scores. They do not depend on y where ``y <= c``, as OptCS requires.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is missing, a scale is not positive, or c does not separate
        binary labels.

    References
    ----------
    Jin, Candes (2023), JMLR 24(244), with a large constant M in the place of infinity; every
    M makes the selection valid, and infinity keeps it from depending on the spread of predictions.

    Examples
    --------
    >>> from theorytk.conformal.scores import clip_score
    >>> clip_score([0.5, 2.0, -1.0], y=[-0.1, 3.0, 0.0])
    array([-0.5,  inf,  1. ])
    >>> clip_score([0.5, 2.0])
    array([-0.5, -2. ])
    """
    prediction, y, c, scale = _check(prediction, y, c, scale)
    scores = (c - prediction) / scale
    return scores if y is None else np.where(y > c, np.inf, scores)


def residual_score(prediction: Any, y: Any = None, c: Any = 0.0, scale: Any = None) -> Array:
    """Return the residual ``(y - prediction) / scale``.

    Parameters
    ----------
    prediction : array_like, shape (n,) or (K, n)
        Predictions of the label, such as its mean or a quantile; of K models if there are two axes.
    y : array_like, shape (n,), optional
        The labels; without them (test points) every point is taken to have label c.
    c : float or array_like, shape (n,), default 0.0
        The threshold, in the unit of y.
    scale : array_like, shape (n,) or (K, n), optional
        Predicted scale, > 0; 1 by default.

    Returns
    -------
    ndarray, shape (n,) or (K, n)
        The scores. They depend on y below c: valid for cfBH and WCS, not for OptCS.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is missing, a scale is not positive, or c does not separate
        binary labels.

    References
    ----------
    Jin, Candes (2023), JMLR 24(244).

    Examples
    --------
    >>> from theorytk.conformal.scores import residual_score
    >>> residual_score([0.5, 2.0], y=[1.0, 1.0], scale=[1.0, 2.0])
    array([ 0.5, -0.5])
    """
    prediction, y, c, scale = _check(prediction, y, c, scale)
    return np.asarray(((c if y is None else y) - prediction) / scale)


def sub_score(prediction: Any, y: Any = None, c: Any = 0.0, scale: Any = None) -> Array:
    """Return the score ``(c - prediction) / scale`` of the null points only, those with y <= c.

    Parameters
    ----------
    prediction : array_like, shape (n,) or (K, n)
        Predictions of the label, or anything that grows with the evidence for ``y > c``; of K
        models if there are two axes.
    y : array_like, shape (n,), optional
        The labels; without them (test points) all scores are returned.
    c : float or array_like, shape (n,), default 0.0
        The threshold, in the unit of y.
    scale : array_like, shape (n,) or (K, n), optional
        Predicted scale, > 0; 1 by default.

    Returns
    -------
    ndarray, shape (n0,) or (K, n0)
        The scores of the n0 null points. The FDR of cfBH is then at most the share of nulls times
        q, and p-values are valid given that a test point is null.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is missing, a scale is not positive, or c does not separate
        binary labels.

    References
    ----------
    Jin, Candes (2023), JMLR 24(244); "null only".

    Examples
    --------
    >>> from theorytk.conformal.scores import sub_score
    >>> sub_score([0.5, 2.0, -1.0], y=[-0.1, 3.0, 0.0])
    array([-0.5,  1. ])
    """
    prediction, y, c, scale = _check(prediction, y, c, scale)
    scores = np.asarray((c - prediction) / scale)
    return scores if y is None else scores[..., y <= c]


def quantile_score(quantiles: Any, levels: Any, y: Any = None, c: Any = 0.0) -> Array:
    """Return the predicted distribution function at y, from predicted quantiles.

    Between quantiles it is linear, beyond the outer ones it goes on with slope 1, so that scores
    there do not tie. Quantiles that cross are sorted.

    Parameters
    ----------
    quantiles : array_like, shape (n, L) or (K, n, L)
        Predicted conditional quantiles, of K models if there are three axes.
    levels : array_like, shape (L,)
        Their levels, ascending, in (0, 1). With one, the score is a residual plus the level.
    y : array_like, shape (n,), optional
        The labels; without them (test points) every point is taken to have label c.
    c : float or array_like, shape (n,), default 0.0
        The threshold, in the unit of y.

    Returns
    -------
    ndarray, shape (n,) or (K, n)
        The scores, nondecreasing in y. They depend on y below c: valid for cfBH and WCS, not for
        OptCS.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is missing, or levels do not ascend within (0, 1).

    References
    ----------
    Jin, Candes (2023), JMLR 24(244), who score by an estimated conditional distribution function;
    the interpolation is derived here.

    Examples
    --------
    >>> from theorytk.conformal.scores import quantile_score
    >>> quantile_score([[-1.0, 1.0], [2.0, 4.0]], [0.25, 0.75], y=[0.0, 1.0])
    array([ 0.5 , -0.75])
    """
    levels = check_array("levels", levels, ndim=1)
    if not (np.diff(np.concatenate([[0.0], levels, [1.0]])) > 0).all():
        raise ValueError(f"levels must ascend within (0, 1); got {levels.tolist()}")
    quantiles = check_array("quantiles", quantiles)
    fits = quantiles.ndim in (2, 3) and quantiles.shape[-1] == len(levels)
    if not fits or quantiles.size == 0:
        wanted = f"(n, {len(levels)}) or (K, n, {len(levels)})"
        raise ValueError(f"quantiles must have shape {wanted}, n >= 1; got {quantiles.shape}")
    _, y, c, _ = _check(quantiles[..., 0], y, c, None)
    at = np.broadcast_to(c if y is None else y, quantiles.shape[:-1])[..., None]
    quantiles = np.sort(quantiles, axis=-1)
    # A sum of clipped segments: flat outside its own stretch, from 0 to the step of the level.
    low, high = quantiles[..., :-1], quantiles[..., 1:]
    width = np.where(high > low, high - low, 1.0)
    share = np.where(high > low, np.clip((at - low) / width, 0, 1), at >= high)
    inside = levels[0] + (share * np.diff(levels)).sum(axis=-1)
    beyond = np.minimum(at - quantiles[..., :1], 0) + np.maximum(at - quantiles[..., -1:], 0)
    return np.asarray(inside + beyond[..., 0])


def checked_score(
    score: Callable[[Any, Array], Any],
    X: Any,
    y: Any = None,
    c: Any = 0.0,
    *,
    optimised: bool = False,
) -> Array:
    """Return a score of your own at the labels, after a check of what the theorems ask of it.

    Each row is scored at several labels between the smallest and the largest, c among them.

    Parameters
    ----------
    score : callable
        ``score(X, y)`` returns the scores, shape (n,), ``+inf`` allowed.
    X : array_like, shape (n, ...)
        The rows, passed on as an array.
    y : array_like, shape (n,), optional
        The labels; without them (test points) every point is taken to have label c, and nothing
        is checked but the scores' shape.
    c : float or array_like, shape (n,), default 0.0
        The threshold, in the unit of y.
    optimised : bool, default False
        Whether the score is for OptCS, which needs it to be constant in y up to c.

    Returns
    -------
    ndarray, shape (n,)
        The scores.

    Raises
    ------
    ValueError
        If the score decreases in y, or, for OptCS, varies below c: the message names the first row
        and the labels. Also if the scores have the wrong shape or are missing.

    References
    ----------
    Jin, Candes (2023), JMLR 24(244), for monotonicity; that OptCS needs scores that do not tell
    apart the labels below c is derived in :mod:`theorytk.conformal.selection`.

    Examples
    --------
    >>> from theorytk.conformal.scores import checked_score
    >>> checked_score(lambda X, y: y - X[:, 0], [[1.0], [2.0]], [0.5, 3.0])
    array([-0.5,  1. ])
    """
    X = check_array("X", X)
    if X.ndim == 0 or len(X) == 0:
        raise ValueError(f"X must have shape (n, ...), n >= 1; got shape {X.shape}")
    _, y, c, _ = _check(np.zeros(len(X)), y, c, None)
    c = np.broadcast_to(c, len(X)).astype(float)
    if y is None:
        return _evaluate(score, X, c)
    rungs = np.quantile(np.concatenate([y, c]), np.linspace(0, 1, LADDER))
    ladder = np.sort(np.column_stack([np.tile(rungs, (len(X), 1)), c, y]), axis=1)
    values = np.column_stack([_evaluate(score, X, at) for at in ladder.T])
    _refuse(values[:, 1:] < values[:, :-1], ladder, "be nondecreasing in y")
    if optimised:
        below = ladder[:, 1:] <= c[:, None]
        varies = below & (values[:, 1:] != values[:, :-1])
        _refuse(varies, ladder, "be constant in y up to c (optimised=True)")
    return _evaluate(score, X, y)


def _evaluate(score: Callable[[Any, Array], Any], X: Any, y: Array) -> Array:
    values = check_array("score(X, y)", score(X, y.copy()), shape=y.shape, finite=False)
    if not (values > -np.inf).all():
        bad = np.flatnonzero(~(values > -np.inf))[0]
        raise ValueError(f"score(X, y) must be finite or +inf; got {values[bad]} at row {bad}")
    return values


def _refuse(wrong: np.ndarray, ladder: Array, wanted: str) -> None:
    if wrong.any():
        row, rung = np.argwhere(wrong)[0]
        low, high = ladder[row, rung : rung + 2]
        raise ValueError(f"score must {wanted}; it is not at row {row} from y = {low} to {high}")


def _check(prediction: Any, y: Any, c: Any, scale: Any) -> tuple[Array, Array | None, Array, Array]:
    """Return predictions, labels, thresholds and scales that broadcast; 1 for no scale."""
    prediction = check_array("prediction", prediction)
    if prediction.ndim not in (1, 2) or prediction.size == 0:
        raise ValueError(
            f"prediction must have shape (n,) or (K, n), n >= 1; got shape {prediction.shape}"
        )
    n = prediction.shape[-1]
    c = check_array("c", c)
    if c.shape not in ((), (n,)):
        raise ValueError(f"c must be a number or have shape ({n},); got shape {c.shape}")
    if y is not None:
        y = check_array("y", y, shape=(n,))
        _check_binary(y, c)
    if scale is None:
        return prediction, y, c, np.ones(())
    scale = check_array("scale", scale)
    if scale.shape not in ((n,), prediction.shape):
        raise ValueError(
            f"scale must have shape ({n},) or that of prediction; got shape {scale.shape}"
        )
    if not (scale > 0).all():
        raise ValueError(f"scale must be > 0; got {scale.min():g}")
    return prediction, y, c, scale


def _check_binary(y: Array, c: Array) -> None:
    """Refuse thresholds that cannot tell the two values of a binary label apart."""
    for low in (0.0, -1.0):
        binary = ((y == low) | (y == 1)).all() and y.min() < y.max()
        if binary and not ((c >= low) & (c < 1)).all():
            raise ValueError(
                f"c must separate the labels {low:g} and 1, {low:g} <= c < 1; got "
                f"{c[~((c >= low) & (c < 1))][0]:g}"
            )
