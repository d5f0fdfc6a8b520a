"""Conformal selection: cfBH, weighted selection and the choice among models by OptCS-MSel.

Why the choice among models is valid. Fix a test point j and let B be the unordered calibration
scores of all models together with those of j, each with the threshold c in place of j's label, and
all that is independent of which is which. The model and the size r that j is given depend on B
only. So under the null, where the score at c is that of the true label, the p-value of j in that
model satisfies ``P(p_j <= s_j, null | B) <= s_j`` with ``s_j = beta q r / m``. Hence ``e_j =
1{p_j <= s_j} / s_j`` has ``E[e_j; null] <= 1``, and e-BH on these e-values has FDR <= q. Dividing
e_j by a random xi_j, uniform on (0, 1] and independent of the data, keeps that: with R(xi_j) the
number selected, which does not increase in xi_j, and r = r_j, ``E[1{xi_j <= R / (beta r)} / R] <=
1 / (beta r)``, so that j contributes at most ``E[s_j / (beta r_j)] = q / m``; and the same xi for
all does as well.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_choice, check_real
from theorytk.conformal.multiple_testing import Array, adjusted, at_levels, check_levels, raised
from theorytk.conformal.pruning import Selection, draw_xi, prune
from theorytk.conformal.pvalues import TIES, check_scores, check_weights, pvalues, rank
from theorytk.conformal.sizes import Counts, sizes

__all__ = ["Selection", "cfbh", "optcs_msel", "wcs"]


def cfbh(
    cal: Any,
    test: Any,
    q: Any,
    *,
    tie: str = "randomised",
    rng: int | np.random.Generator | None = None,
) -> Selection:
    """Select by Benjamini-Hochberg on conformal p-values (cfBH).

    Parameters
    ----------
    cal : array_like, shape (n,)
        Calibration scores; ``+inf`` is allowed.
    test : array_like, shape (m,)
        Test scores with the threshold in place of the unknown label, finite.
    q : float or array_like, shape (Q,)
        Target level or levels of the false discovery rate, in (0, 1).
    tie : {"conservative", "randomised"}
        What a tie counts in the p-values.
    rng : int, Generator or None
        Random state, used if `tie` is "randomised".

    Returns
    -------
    Selection

    Raises
    ------
    ValueError
        If an argument is out of range.

    Warns
    -----
    RuntimeWarning
        If conservative p-values, at least 1 / (n + 1), all exceed q: nothing can be selected.

    References
    ----------
    Jin, Candes (2023), "Selection by prediction with conformal p-values", JMLR 24(244): FDR <= q.
    The smallest level that selects a point is
    :func:`~theorytk.conformal.multiple_testing.q_values` of its p-value.

    Examples
    --------
    >>> from theorytk.conformal.selection import cfbh
    >>> cal = np.append(np.arange(10.0), np.full(9, np.inf))
    >>> cfbh(cal, [-1.0, -0.5, 4.5, 8.5], 0.2, tie="conservative").selected
    array([ True,  True, False, False])
    """
    cal, test = check_scores(cal, test)
    _check_one_model(cal)
    levels = check_levels(q)
    check_choice("tie", tie, TIES)
    _warn_if_hopeless(cal.shape[-1], levels, tie)
    p = pvalues(rank(cal, test), tie, rng)[0]
    selected = at_levels(adjusted(p), levels)
    found = np.maximum(1, selected.sum(axis=-1, keepdims=True)) * np.ones(len(p), dtype=np.int64)
    return prune(p, found, levels, "deterministic", np.ones(len(p)))


def wcs(
    cal: Any,
    test: Any,
    q: Any,
    cal_weight: Any,
    test_weight: Any,
    *,
    pruning: str = "homogeneous",
    tie: str = "randomised",
    rng: int | np.random.Generator | None = None,
) -> Selection:
    """Select under covariate shift by weighted conformal selection (WCS).

    Parameters
    ----------
    cal : array_like, shape (n,)
        Calibration scores; ``+inf`` is allowed.
    test : array_like, shape (m,)
        Test scores with the threshold in place of the unknown label, finite.
    q : float or array_like, shape (Q,)
        Target level or levels of the false discovery rate, in (0, 1).
    cal_weight : array_like, shape (n,)
        Density ratio of test to calibration covariates at the calibration points, up to a factor.
    test_weight : array_like, shape (m,)
        The same at the test points.
    pruning : {"deterministic", "homogeneous", "heterogeneous"}
        Whether the e-values are divided by 1, one uniform number, or one for each point.
    tie : {"conservative", "randomised"}
        What a tie counts in the p-values.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    Selection

    Raises
    ------
    ValueError
        If an argument is out of range, or weights are negative or all zero.

    References
    ----------
    Jin, Candes (2023), "Model-free selective inference under covariate shift via weighted
    conformal p-values", arXiv 2307.09291: FDR <= q for all three prunings.

    Examples
    --------
    >>> from theorytk.conformal.selection import wcs
    >>> cal = np.append(np.arange(10.0), np.full(9, np.inf))
    >>> test = [-1.0, -0.5, 4.5, 8.5]
    >>> wcs(cal, test, 0.2, np.ones(19), np.ones(4), pruning="deterministic", rng=0).selected
    array([ True,  True, False, False])
    """
    cal, test = check_scores(cal, test)
    _check_one_model(cal)
    levels = check_levels(q)
    for name, value in (("cal_weight", cal_weight), ("test_weight", test_weight)):
        if value is None:
            raise ValueError(f"{name} must be an array of weights; got None (without: cfbh)")
    weights = check_weights(cal_weight, test_weight, len(cal), len(test))
    check_choice("tie", tie, TIES)
    generator = as_generator(rng)
    ranks = rank(cal, test, weights)
    p = pvalues(ranks, tie, generator)[0]
    found = sizes(ranks, levels)[:, 0].reshape(levels.shape + p.shape)
    return prune(p, found, levels, pruning, draw_xi(pruning, len(p), generator))


def optcs_msel(
    cal: Any,
    test: Any,
    q: Any,
    *,
    pruning: str = "homogeneous",
    beta: float = 1.0,
    tie: str = "conservative",
    rng: int | np.random.Generator | None = None,
) -> Selection:
    """Select with the best of K models, chosen on the same data (OptCS-MSel).

    For each test point the model with the largest leave-one-out size is taken, at random among the
    largest, and its p-value held against ``beta q size / m``; e-BH prunes what passes.

    Parameters
    ----------
    cal : array_like, shape (K, n)
        Calibration scores of the models, ``+inf`` allowed; constant in the label below the
        threshold, as clipped scores are.
    test : array_like, shape (K, m)
        Test scores with the threshold in place of the unknown label, finite.
    q : float or array_like, shape (Q,)
        Target level or levels of the false discovery rate, in (0, 1).
    pruning : {"deterministic", "homogeneous", "heterogeneous"}
        Whether the e-values are divided by 1, one uniform number, or one for each point.
    beta : float, default 1.0
        Factor of the thresholds, in (0, 1].
    tie : {"conservative", "randomised"}
        What a tie counts in the p-values; the sizes stay as they are.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    Selection

    Raises
    ------
    ValueError
        If an argument is out of range; scores that are missing are named with their model.

    Warns
    -----
    RuntimeWarning
        If the finite scores of a model are all equal, or if conservative p-values, at least
        1 / (n + 1), all exceed beta q, so that nothing can be selected.

    References
    ----------
    Bai, Jin (2024), "Optimized conformal selection", arXiv 2411.17983: FDR <= q; proved in this
    module's docstring. Randomised p-values with conservative sizes are ours.

    Examples
    --------
    >>> from theorytk.conformal.selection import optcs_msel
    >>> rng = np.random.default_rng(0)
    >>> x, noise = rng.standard_normal(80), rng.standard_normal(80)
    >>> scores = -np.array([x, noise])
    >>> cal = np.where(x[:40] > 0, np.inf, scores[:, :40])
    >>> chosen = optcs_msel(cal, scores[:, 40:], 0.2, rng=0)
    >>> chosen.selected.sum(), chosen.model.max()
    (np.int64(26), np.int64(0))
    """
    cal, test = check_scores(cal, test)
    cal, test = np.atleast_2d(cal, test)
    levels = check_levels(q)
    beta = check_real("beta", beta, lower=0.0, upper=1.0, lower_open=True)
    check_choice("tie", tie, TIES)
    _warn_if_hopeless(cal.shape[-1], beta * levels, tie)
    _warn_if_constant(cal, test)
    generator = as_generator(rng)
    ranks = rank(cal, test)
    model, found = choose_models(sizes(ranks, levels), generator)
    p = np.take_along_axis(pvalues(ranks, tie, generator), model, axis=0)
    xi = draw_xi(pruning, test.shape[-1], generator)
    shape = levels.shape + xi.shape
    return prune(
        p.reshape(shape), found.reshape(shape), levels, pruning, xi, beta, model.reshape(shape)
    )


def choose_models(found: Counts, generator: np.random.Generator) -> tuple[Counts, Counts]:
    """Return the model (Q, m) of the largest size (Q, K, m), ties at random, and that size."""
    model = (found + generator.random(found.shape[1:]) / 2).argmax(axis=1)
    return model, np.take_along_axis(found, model[:, None], axis=1)[:, 0]


def _check_one_model(cal: Array) -> None:
    if cal.ndim != 1:
        raise ValueError(f"cal must be the scores of one model, shape (n,); got {cal.shape}")


def _warn_if_hopeless(n: int, levels: Array, tie: str) -> None:
    least = float(np.min(raised(levels)))
    if tie == "conservative" and least * (n + 1) < 1:
        warnings.warn(
            f"the smallest p-value, 1 / (n + 1) = {1 / (n + 1):g}, exceeds the level {least:g}: "
            "nothing can be selected",
            RuntimeWarning,
            stacklevel=3,
        )


def _warn_if_constant(cal: Array, test: Array) -> None:
    first = test[:, :1]
    same = (test == first).all(axis=1) & ((cal == first) | (cal == np.inf)).all(axis=1)
    constant = np.flatnonzero(same)
    if len(constant) and test.shape[1] > 1:
        warnings.warn(
            f"the predictions are constant in model {', '.join(map(str, constant))}: "
            "all its finite scores are equal",
            RuntimeWarning,
            stacklevel=3,
        )
