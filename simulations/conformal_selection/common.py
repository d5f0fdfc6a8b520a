"""What the experiments on conformal selection share: data sets, scores, procedures on many sets."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption
from theorytk.conformal import (
    KernelRidgeLearner,
    clip_score,
    regression_data,
    residual_score,
    sub_score,
)

from .mistakes import PROCEDURES

PAPER = "bai2024"
CFBH = "jin2023selection"
WCS = "jin2023weighted"

EXCHANGEABLE = Assumption("calibration and test points independent, of one law")
CONTINUOUS = Assumption("no ties among the scores")
TRAINED_APART = Assumption("the prediction does not depend on calibration and test points")

LOWEST = np.array([np.finfo(np.float64).min])
SCORES = {"clip": clip_score, "residual": residual_score, "sub": sub_score}


def trained_prediction(setting, n, d, sigma, rng):
    """Return a prediction for a published regression: kernel ridge on n points of its own."""
    X, y = regression_data(setting, n, sigma=sigma, d=d, rng=rng)
    return lambda X_new: KernelRidgeLearner().predict(X, y, X_new)


def scored_sets(prediction, y, n, m, score="clip", constant=None):
    """Return calibration scores, test scores (sets, m) and positives (sets, m) of many data sets.

    Predictions and labels of points in a row are cut into sets of n + m. Calibration scores are an
    array (sets, n), for "sub" a list of arrays. A finite `constant` takes the place of infinity in
    clipped scores. Without a null among the labelled points "sub" has no score, and a lowest one
    stands in: p-values of at least one half, as from no evidence.
    """
    rule = SCORES[score]
    prediction, y = (values.reshape(-1, n + m) for values in (prediction, y))
    test, positive = rule(prediction[:, n:]), y[:, n:] > 0
    points = prediction[:, :n], y[:, :n]
    if score == "sub":
        nulls = [rule(*one) for one in zip(*points, strict=True)]
        return [scores if len(scores) else LOWEST for scores in nulls], test, positive
    cal = rule(*(values.ravel() for values in points)).reshape(-1, n)
    if constant is not None:
        cal = np.where(points[1] > 0, constant - points[0], cal)
    return cal, test, positive


def select(procedure, cal, test, q, rng):
    """Return the selections (sets, m) of a named procedure, or of the user's own, set by set."""
    if isinstance(procedure, str):
        return PROCEDURES[procedure](cal, test, q, rng)
    return np.stack([procedure(c, t, q, rng) for c, t in zip(cal, test, strict=True)])


def select_at(procedure, cal, test, levels, rng):
    """Return the selections (levels, sets, m); those of named procedures share their p-values."""
    if isinstance(procedure, str):
        return PROCEDURES[procedure](cal, test, np.array(levels), rng)
    return np.stack([select(procedure, cal, test, q, rng) for q in levels])


def proportions(selected, positive):
    """Return the false discovery proportion and the power of each data set."""
    fdp = (selected & ~positive).sum(axis=1) / np.maximum(1, selected.sum(axis=1))
    power = (selected & positive).sum(axis=1) / np.maximum(1, positive.sum(axis=1))
    return fdp, power
