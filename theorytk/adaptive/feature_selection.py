"""The feature selection of the reusable holdout: simulated in full, or reduced to what matters.

Every set has n points with n x d Gaussian variables and fair labels y = +-1; a variable's mean is
`bias` y if it has signal and 0 else. A variable's correlation with y on a set is the mean of x y.

The reduced simulation is exact. The columns z_j = x_j y, times the labels, are independent normals
N(mu_j, I_n). Their means t_j over the points are N(mu_j, 1 / n), and given t_j, z_j = t_j 1 + P g_j
with g_j ~ N(0, I_n) and P the projection that removes the mean. The selection knows the t_j only,
and a classifier's margins sum s_j z_j over a set of m columns are (sum s_j t_j) 1 + sqrt(m) P g in
law, jointly over disjoint sets. So the sets between two sizes take one vector g each, instead of
n x d numbers; on fresh points, which nothing selects, the margins are N(sum s_j mu_j, m).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_array, check_choice, check_int, check_real

__all__ = ["HOLDOUTS", "METHODS", "SIZES", "FeatureSelectionResult", "feature_selection"]

Array = np.ndarray

HOLDOUTS = ("standard", "thresholdout", "unused")
METHODS = ("reduced", "full")

# The sizes of the published figures.
SIZES = (0, 10, 20, 30, 45, 70, 100, 150, 200, 250, 300, 400, 500)


@dataclass(frozen=True)
class FeatureSelectionResult:
    """Accuracies of the classifiers by their number of variables.

    Parameters
    ----------
    sizes : ndarray of int, shape (K,)
        Numbers of variables asked for; fewer are kept where fewer pass.
    train, holdout, fresh : ndarray, shape (K,)
        Accuracies on the three sets; 1/2 for no variable.
    reported : ndarray, shape (K,)
        What the analyst is told: Thresholdout's answer, else the accuracy on the holdout.
    n_selected : int
        Variables that passed.
    """

    sizes: Array
    train: Array
    holdout: Array
    fresh: Array
    reported: Array
    n_selected: int


def feature_selection(
    n: int = 10_000,
    d: int = 10_000,
    *,
    sizes: Any = SIZES,
    n_signal: int = 0,
    bias: float | None = None,
    holdout: str = "standard",
    threshold: float = 4.0,
    tolerance: float = 1.0,
    method: str = "reduced",
    rng: Any = None,
) -> FeatureSelectionResult:
    """Select variables with a holdout's help, and classify by the signs of their correlations.

    A variable passes if its correlations on the training set and on the holdout have the same sign
    and both exceed 1 / sqrt(n). Of those, the k with the largest correlations on the training set
    vote, each with the sign of that correlation.

    Parameters
    ----------
    n, d : int
        Points of each of the three sets, >= 2, and variables, >= 1.
    sizes : array_like of int
        Numbers k of variables, >= 0, strictly increasing.
    n_signal : int
        Variables with signal, from 0 to d; the published study has 0 and 20.
    bias : float, optional
        Mean of a signal variable times the label; 6 / sqrt(n) if not given.
    holdout : {"standard", "thresholdout", "unused"}
        How the holdout is used: as it is, through Thresholdout, or for the reported accuracy only.
    threshold, tolerance : float
        Thresholdout's threshold and the standard deviation of its noises, >= 0, in units of
        1 / sqrt(n), for correlations and accuracies alike.
    method : {"reduced", "full"}
        Simulate what the accuracies depend on, or all 3 n d numbers (in single precision).
    rng : int, Generator or None
        Randomness of the data and of Thresholdout. With "full", a seed means the same data
        whatever the holdout's use.

    Returns
    -------
    FeatureSelectionResult
        The accuracies, with the same law for both methods.

    References
    ----------
    Dwork et al. (Science 349, 2015), Figure 1 and supplementary code, whose Thresholdout has
    Gaussian noise and no budget. The paper writes a correlation as a sum; its code takes the mean.
    The reduction is derived here.

    Examples
    --------
    >>> result = feature_selection(sizes=[500], rng=0)
    >>> result.holdout.round(2), result.fresh.round(2)
    (array([0.63]), array([0.5]))
    """
    n, d = check_int("n", n, lower=2), check_int("d", d, lower=1)
    sizes = _check_sizes(sizes)
    n_signal = check_int("n_signal", n_signal, lower=0, upper=d)
    mean = 6 / math.sqrt(n) if bias is None else check_real("bias", bias)
    check_choice("holdout", holdout, HOLDOUTS)
    threshold = check_real("threshold", threshold, lower=0.0) / math.sqrt(n)
    tolerance = check_real("tolerance", tolerance, lower=0.0) / math.sqrt(n)
    check_choice("method", method, METHODS)
    rng = as_generator(rng)
    # Thresholdout's noise has its own stream, so that a seed means the same data for every holdout.
    noise_rng = rng.spawn(1)[0]
    means = np.zeros(d)
    means[:n_signal] = mean

    draw = _ReducedSet if method == "reduced" else _FullSet
    train, held = draw(n, means, rng), draw(n, means, rng)
    answers = held.correlations
    if holdout == "thresholdout":
        answers = _thresholdout(train.correlations, answers, threshold, tolerance, noise_rng)
    order = _selected(train.correlations, answers if holdout != "unused" else None, n)
    signs = np.sign(train.correlations[order])
    n_kept = np.minimum(sizes, len(order))

    on_train, on_holdout = (s.accuracies(order, signs, n_kept, rng) for s in (train, held))
    reported = on_holdout
    if holdout == "thresholdout":
        reported = _thresholdout(on_train, on_holdout, threshold, tolerance, noise_rng)
        reported[n_kept == 0] = 0.5
    # The training set and the holdout make room before the fresh points are drawn.
    del train, held
    on_fresh = draw(n, means, rng, fresh=True).accuracies(order, signs, n_kept, rng)
    return FeatureSelectionResult(sizes, on_train, on_holdout, on_fresh, reported, len(order))


class _ReducedSet:
    """Correlations, and margins drawn given them."""

    def __init__(
        self, n: int, means: Array, rng: np.random.Generator, *, fresh: bool = False
    ) -> None:
        self.n, self.fresh = n, fresh
        self.correlations = means
        if not fresh:
            self.correlations = means + rng.standard_normal(len(means)) / math.sqrt(n)

    def accuracies(
        self, order: Array, signs: Array, n_kept: Array, rng: np.random.Generator
    ) -> Array:
        sums = np.append(0.0, np.cumsum(signs * self.correlations[order]))
        out = np.full(len(n_kept), 0.5)
        # Single precision is enough to count the margins above 0, and takes half the time.
        noise, kept = np.zeros(self.n, np.float32), 0
        for i, k in enumerate(n_kept):
            if k > kept:
                noise += np.float32(math.sqrt(k - kept)) * rng.standard_normal(
                    self.n, dtype=np.float32
                )
                kept = k
            if k:
                # Of margins of mean sums[k], those above 0.
                centre = 0.0 if self.fresh else noise.mean()
                out[i] = np.count_nonzero(noise > centre - sums[k]) / self.n
        return out


class _FullSet:
    """All variables and labels of a set."""

    def __init__(
        self, n: int, means: Array, rng: np.random.Generator, *, fresh: bool = False
    ) -> None:
        self.y = np.where(rng.random(n) < 0.5, -1.0, 1.0).astype(np.float32)
        self.X = rng.standard_normal((n, len(means)), dtype=np.float32)
        signal = np.flatnonzero(means)
        self.X[:, signal] += self.y[:, None] * means[signal].astype(np.float32)
        self.correlations = (self.y @ self.X / n).astype(np.float64)

    def accuracies(
        self, order: Array, signs: Array, n_kept: Array, rng: np.random.Generator
    ) -> Array:
        out = np.full(len(n_kept), 0.5)
        for i, k in enumerate(n_kept):
            if k:
                margins = self.X[:, order[:k]] @ signs[:k].astype(np.float32)
                out[i] = np.mean(np.sign(margins) == self.y)
        return out


def _selected(train: Array, holdout: Array | None, n: int) -> Array:
    """Return the variables that pass, the largest correlation on the training set first."""
    least = 1 / math.sqrt(n)
    passed = np.abs(train) > least
    if holdout is not None:
        passed &= (np.abs(holdout) > least) & (np.sign(holdout) == np.sign(train))
    order = np.flatnonzero(passed)
    return order[np.argsort(-np.abs(train[order]), kind="stable")]


def _thresholdout(
    train: Array, holdout: Array, threshold: float, tolerance: float, rng: np.random.Generator
) -> Array:
    """Return the experiment's answers to queries with these means, all at once."""
    compared = threshold + tolerance * rng.standard_normal(len(train))
    released = holdout + tolerance * rng.standard_normal(len(train))
    return np.where(np.abs(train - holdout) > compared, released, train)


def _check_sizes(sizes: Any) -> Array:
    array = check_array("sizes", sizes, ndim=1)
    rises = (np.diff(array) > 0).all()
    if not len(array) or (array < 0).any() or (array != np.floor(array)).any() or not rises:
        raise ValueError(f"sizes must be integers >= 0 that strictly increase; got {sizes!r}")
    return array.astype(np.int64)
