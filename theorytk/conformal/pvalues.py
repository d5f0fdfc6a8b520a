"""Conformal p-values: conservative or randomised at ties, plain or under covariate shift."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from theorytk._validation import as_generator, check_array, check_choice
from theorytk.conformal import _kernels
from theorytk.conformal.multiple_testing import Array

__all__ = ["conformal_pvalues"]

TIES = ("conservative", "randomised")


def conformal_pvalues(
    cal: Any,
    test: Any,
    *,
    tie: str = "conservative",
    cal_weight: Any = None,
    test_weight: Any = None,
    rng: int | np.random.Generator | None = None,
) -> Array:
    """Return the conformal p-value of each test point: the rank of its score among calibration.

    With L calibration scores below the test score and T equal to it the p-value is
    ``(1 + L + T) / (n + 1)``, or ``(L + U (1 + T)) / (n + 1)`` with a uniform U drawn for each
    point. (One U shared by all points is not valid in a selection.) With weights, L and T are sums
    of weights, 1 is the weight of the test point, and n the sum of the calibration weights.

    Parameters
    ----------
    cal : array_like, shape (n,) or (K, n)
        Calibration scores, of K models if it has two axes; small is evidence of interest.
        ``+inf`` is allowed.
    test : array_like, shape (m,) or (K, m)
        Test scores with the threshold in place of the unknown label, finite.
    tie : {"conservative", "randomised"}
        What a tie counts.
    cal_weight : array_like, shape (n,), optional
        Density ratio of test to calibration covariates at the calibration points, up to a factor.
    test_weight : array_like, shape (m,), optional
        The same at the test points, given together with `cal_weight`.
    rng : int, Generator or None
        Random state, used if `tie` is "randomised".

    Returns
    -------
    ndarray, shape (m,) or (K, m)
        ``P(p_j <= t and Y_j <= c_j) <= t`` for every t: jointly, not given that ``Y_j <= c_j``.

    Raises
    ------
    ValueError
        If an array is empty or of the wrong shape, if a score is missing or a test score infinite,
        if weights are negative or all zero, or only one of the two is given.

    References
    ----------
    Jin, Candes (2023), "Selection by prediction with conformal p-values", JMLR 24(244);
    with weights Jin, Candes (2023), arXiv 2307.09291.

    Examples
    --------
    >>> from theorytk.conformal.pvalues import conformal_pvalues
    >>> conformal_pvalues([1.0, 2.0, 2.0, np.inf], [0.0, 2.0, 3.0])
    array([0.2, 0.8, 0.8])
    """
    cal, test = check_scores(cal, test)
    weights = check_weights(cal_weight, test_weight, cal.shape[-1], test.shape[-1])
    check_choice("tie", tie, TIES)
    return pvalues(rank(cal, test, weights), tie, rng).reshape(test.shape)


class Weights(NamedTuple):
    """Density ratios at the calibration points (n,) and at the test points (m,)."""

    cal: Array
    test: Array


class Ranks(NamedTuple):
    """The scores of each model, sorted once."""

    cal: Array  # (K, n), ascending
    test: Array  # (K, m), ascending
    order: np.ndarray  # (K, m), where these stand in the row as given
    cumulated: Array | None  # (K, n + 1), weight of the first 0..n calibration scores
    weight: Array | None  # (K, m), of the test scores in ascending order

    def upto(self) -> np.ndarray:
        """Return the number, or weight, of the calibration scores <= each test score (K, m)."""
        return self._count(self.test)

    def below(self) -> np.ndarray:
        """Return the number, or weight, of the calibration scores < each test score (K, m)."""
        return self._count(np.nextafter(self.test, -np.inf))

    def _count(self, scores: Array) -> np.ndarray:
        counts = np.empty_like(self.order)
        _kernels.count(self.cal, scores, counts)
        if self.cumulated is None:
            return counts
        return take(self.cumulated, counts)


def rank(cal: Array, test: Array, weights: Weights | None = None) -> Ranks:
    """Return the sorted scores, from which p-values and sizes follow without another sort."""
    if test.ndim == 1:
        cal, test = cal[None], test[None]
    order = test.argsort(axis=-1)
    test = take(test, order)
    if weights is None:
        cal = cal.copy()
        cal.sort(axis=-1)
        return Ranks(cal, test, order, None, None)
    cal_order = cal.argsort(axis=-1)
    cumulated = np.zeros((len(cal), cal.shape[-1] + 1))
    np.cumsum(weights.cal[cal_order], axis=-1, out=cumulated[:, 1:])
    cal = take(cal, cal_order)
    return Ranks(cal, test, order, cumulated, weights.test[order])


def take(values: Array, places: np.ndarray) -> Array:
    """Return values[k, places[k, i]], as np.take_along_axis but with less of an overhead."""
    out = np.empty(places.shape)
    _kernels.take(values, places, out)
    return out


def pvalues(ranks: Ranks, tie: str, rng: Any) -> Array:
    """Return the p-values (K, m) in the order given."""
    total: Any = ranks.cal.shape[-1]
    own: Any = 1
    if ranks.cumulated is not None:
        total, own = ranks.cumulated[:, -1:], ranks.weight
    counts = ranks.upto() + own
    if tie == "randomised":
        # Uniform on (0, 1]: a p-value of exactly 0 has no meaning.
        u = 1 - as_generator(rng).random(counts.shape)
        below = ranks.below()
        counts = below + take(u, ranks.order) * (counts - below)
    p = np.empty(counts.shape)
    np.put_along_axis(p, ranks.order, counts / (total + own), -1)
    return p


def check_scores(cal: Any, test: Any) -> tuple[Array, Array]:
    """Return calibration and test scores of one model, (n,) and (m,), or of K models."""
    scores = {}
    for name, value in (("cal", cal), ("test", test)):
        array = np.ascontiguousarray(check_array(name, value, finite=False))
        if np.ndim(value) not in (1, 2) or array.size == 0:
            raise ValueError(
                f"{name} must have shape (n,) or (K, n) and at least one score; "
                f"got shape {np.shape(value)}"
            )
        good = array > -np.inf if name == "cal" else np.isfinite(array)
        if not good.all():
            _refuse(name, array, np.argwhere(~good)[0])
        scores[name] = array
    if scores["cal"].shape[:-1] != scores["test"].shape[:-1]:
        raise ValueError(
            "cal and test must be scores of the same models, (n,) and (m,) or (K, n) and (K, m); "
            f"got {scores['cal'].shape} and {scores['test'].shape}"
        )
    return scores["cal"], scores["test"]


def check_weights(cal_weight: Any, test_weight: Any, n: int, m: int) -> Weights | None:
    """Return the weights of the n calibration and m test points, or None if there are none."""
    if cal_weight is None and test_weight is None:
        return None
    checked = []
    for name, value, length in (("cal_weight", cal_weight, n), ("test_weight", test_weight, m)):
        if value is None:
            raise ValueError(f"{name} must be given with the other weights; got None")
        weight = check_array(name, value, shape=(length,))
        if (weight < 0).any() or not weight.any():
            found = f"{weight.min():g}" if (weight < 0).any() else "only zeros"
            raise ValueError(f"{name} must be >= 0 and not all zero; got {found}")
        checked.append(weight)
    return Weights(*checked)


def _refuse(name: str, array: Array, where: Any) -> None:
    accepted = "finite or +inf" if name == "cal" else "finite"
    model = f" of model {where[0]}" if array.ndim == 2 else ""
    raise ValueError(
        f"{name} must be {accepted}; got {array[tuple(where)]} at point {where[-1]}{model}"
    )
