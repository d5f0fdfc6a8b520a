"""Benjamini-Hochberg, Storey and e-BH selections, at all levels from one sort."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import check_array, check_real

__all__ = ["bh", "ebh", "q_values", "storey_bh"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Conformal p-values k / (n + 1) meet thresholds q r / m with equality (n = 99, q = 0.1, m = 10),
# and rounding of either side would decide. Every level is therefore raised by this factor, far
# above rounding and far below what a user means by q: the guarantee is for q (1 + 1e-12).
SLACK = 1e-12


def q_values(p: Any) -> Array:
    """Return the smallest level at which Benjamini-Hochberg selects each point.

    Parameters
    ----------
    p : array_like, shape (..., m)
        The p-values, from 0 to 1. Tests lie along the last axis.

    Returns
    -------
    ndarray, shape (..., m)
        ``min_{k >= l} m p_(k) / k`` for the l-th smallest p-value; applied to conformal p-values,
        the smallest q at which cfBH selects the test point.

    Raises
    ------
    ValueError
        If a p-value is missing or out of range, or there is none.

    References
    ----------
    Benjamini, Hochberg (1995); the "adjusted p-value" of statsmodels and scipy.

    Examples
    --------
    >>> from theorytk.conformal.multiple_testing import q_values
    >>> q_values([0.01, 0.04, 0.03, 0.8])
    array([0.04      , 0.05333333, 0.05333333, 0.8       ])
    """
    return adjusted(_check_p(p))


def bh(p: Any, q: Any) -> Mask:
    """Select by Benjamini-Hochberg: the r smallest p-values, r largest with ``p_(r) <= q r / m``.

    Parameters
    ----------
    p : array_like, shape (..., m)
        The p-values, from 0 to 1. Tests lie along the last axis.
    q : float or array_like, shape (Q,)
        Target level or levels of the false discovery rate, in (0, 1).

    Returns
    -------
    ndarray of bool, shape (..., m) or (Q, ..., m)
        The selection, all False if there is none.

    Raises
    ------
    ValueError
        If `p` or `q` is out of range or empty.

    References
    ----------
    Benjamini, Hochberg (1995), JRSS B 57. Equality counts up to a relative 1e-12.

    Examples
    --------
    >>> from theorytk.conformal.multiple_testing import bh
    >>> bh([0.01, 0.04, 0.03, 0.8], 0.05)
    array([ True, False, False, False])
    """
    return at_levels(q_values(p), check_levels(q))


def storey_bh(p: Any, q: Any, lam: float = 0.5) -> Mask:
    """Select by Benjamini-Hochberg at level q / pi0, pi0 the estimated share of nulls.

    The estimate is ``(1 + #{p > lam}) / (m (1 - lam))``; it is not cut at 1, which the proof for
    independent p-values does not allow.

    Parameters
    ----------
    p : array_like, shape (..., m)
        The p-values, from 0 to 1. Tests lie along the last axis. They must be uniform or larger
        *given* that the null is true: p-values of :func:`theorytk.conformal.scores.sub_score` are,
        those of clipped scores are not, and the estimate is then far too small.
    q : float or array_like, shape (Q,)
        Target level or levels of the false discovery rate, in (0, 1).
    lam : float, default 0.5
        p-values above count as nulls, in (0, 1).

    Returns
    -------
    ndarray of bool, shape (..., m) or (Q, ..., m)
        The selection.

    Raises
    ------
    ValueError
        If an argument is out of range or empty.

    References
    ----------
    Storey (2002), JRSS B 64; with the 1 in the numerator Storey, Taylor, Siegmund (2004).

    Examples
    --------
    >>> from theorytk.conformal.multiple_testing import storey_bh
    >>> storey_bh([0.01, 0.02, 0.03, 0.04, 0.9, 0.02], 0.05)
    array([ True,  True,  True,  True, False,  True])
    """
    p, levels = _check_p(p), check_levels(q)
    lam = check_real("lam", lam, lower=0.0, upper=1.0, lower_open=True, upper_open=True)
    nulls = (1 + np.count_nonzero(p > lam, axis=-1)) / (p.shape[-1] * (1 - lam))
    return at_levels(adjusted(p) * nulls[..., None], levels)


def ebh(e: Any, q: Any) -> Mask:
    """Select by e-BH: the r largest e-values, r largest with ``e_(r) >= m / (q r)``.

    Parameters
    ----------
    e : array_like, shape (..., m)
        The e-values, >= 0, infinity allowed. Tests lie along the last axis.
    q : float or array_like, shape (Q,)
        Target level or levels of the false discovery rate, in (0, 1).

    Returns
    -------
    ndarray of bool, shape (..., m) or (Q, ..., m)
        The selection. Its FDR is at most q if the sum of ``E[e_j; j null]`` is at most m, whatever
        the dependence.

    Raises
    ------
    ValueError
        If an e-value is negative or missing, or `q` is out of range.

    References
    ----------
    Wang, Ramdas (2022), JRSS B 84, "False discovery rate control with e-values".

    Examples
    --------
    >>> from theorytk.conformal.multiple_testing import ebh
    >>> ebh([40.0, 0.0, 19.0, 21.0], 0.1)
    array([ True, False,  True,  True])
    """
    e, levels = _check_tests("e", e), check_levels(q)
    if not (e >= 0).all():
        raise ValueError(f"e must be >= 0 (infinity allowed); got {e[~(e >= 0)][0]}")
    with np.errstate(divide="ignore"):
        return at_levels(adjusted(1 / e), levels)


def adjusted(x: Array) -> Array:
    """Return ``min_{k >= l} m x_(k) / k`` at the l-th smallest entry, along the last axis."""
    m = x.shape[-1]
    order = np.argsort(x, axis=-1)
    ratios = np.take_along_axis(x, order, -1) * (m / np.arange(1, m + 1))
    smallest = np.minimum.accumulate(ratios[..., ::-1], axis=-1)[..., ::-1]
    result = np.empty_like(smallest)
    np.put_along_axis(result, order, smallest, -1)
    return result


def at_levels(values: Array, levels: Array) -> Mask:
    """Return values <= level, for each raised level along a new first axis if there are several."""
    return np.asarray(values <= raised(levels).reshape(levels.shape + (1,) * values.ndim))


def check_levels(q: Any) -> Array:
    """Return q, one level or a vector of levels in (0, 1), as an array of shape () or (Q,)."""
    levels = check_array("q", q, finite=False)
    if levels.ndim > 1 or levels.size == 0:
        raise ValueError(f"q must be a number or have shape (Q,), Q >= 1; got {levels.shape}")
    for level in levels.ravel().tolist():
        if not 0 < level < 1:
            raise ValueError(f"q must be > 0 and < 1; got {level}")
    return levels


def raised(levels: Array) -> Array:
    """Return the levels with which float comparisons decide equality as intended (SLACK)."""
    return np.asarray(levels * (1 + SLACK))


def _check_p(p: Any) -> Array:
    values = _check_tests("p", p)
    if not ((values >= 0) & (values <= 1)).all():
        outside = values[~((values >= 0) & (values <= 1))]
        raise ValueError(f"p must be >= 0 and <= 1; got {outside[0]}")
    return values


def _check_tests(name: str, value: Any) -> Array:
    array = check_array(name, value, finite=False)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{name} must have shape (..., m), m >= 1; got {array.shape}")
    return array
