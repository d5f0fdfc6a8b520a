"""What the choice among models by OptCS is compared with: valid and wasteful, or not valid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_array, check_choice, check_real
from theorytk.conformal.multiple_testing import Array, adjusted, at_levels, check_levels
from theorytk.conformal.pruning import prune
from theorytk.conformal.pvalues import TIES, check_scores, pvalues, rank
from theorytk.conformal.selection import Selection, cfbh, optcs_msel

__all__ = ["naive_selection", "random_selection", "split_selection", "unpruned_selection"]


def random_selection(
    cal: Any,
    test: Any,
    q: Any,
    *,
    tie: str = "conservative",
    rng: int | np.random.Generator | None = None,
) -> Selection:
    """Select by cfBH with a model drawn at random: valid, without a choice.

    Parameters
    ----------
    cal : array_like, shape (K, n)
        Calibration scores of the models; ``+inf`` is allowed.
    test : array_like, shape (K, m)
        Test scores, finite.
    q : float or array_like, shape (Q,)
        Target level or levels of the false discovery rate, in (0, 1).
    tie : {"conservative", "randomised"}
        What a tie counts in the p-values.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    Selection

    References
    ----------
    A baseline of Bai, Jin (2024), arXiv 2411.17983.

    Examples
    --------
    >>> from theorytk.conformal.baselines import random_selection
    >>> random_selection([[1.0, 2.0, 3.0]], [[0.0, 2.5]], 0.5, rng=0).selected
    array([ True, False])
    """
    cal, test = _check_models(cal, test)
    generator = as_generator(rng)
    best = int(generator.integers(len(cal)))
    chosen = cfbh(cal[best], test[best], q, tie=tie, rng=generator)
    return replace(chosen, model=np.full(chosen.selected.shape, best))


def naive_selection(
    cal: Any,
    test: Any,
    q: Any,
    *,
    tie: str = "conservative",
    rng: int | np.random.Generator | None = None,
) -> Selection:
    """Select by cfBH with the model that selects most on the same data: not valid.

    Parameters
    ----------
    cal : array_like, shape (K, n)
        Calibration scores of the models; ``+inf`` is allowed.
    test : array_like, shape (K, m)
        Test scores, finite.
    q : float or array_like, shape (Q,)
        Nominal level or levels of the false discovery rate, in (0, 1).
    tie : {"conservative", "randomised"}
        What a tie counts in the p-values.
    rng : int, Generator or None
        Random state; it also decides among models that select equally many.

    Returns
    -------
    Selection

    References
    ----------
    A baseline of Bai, Jin (2024), arXiv 2411.17983: its FDR exceeds q.

    Examples
    --------
    >>> from theorytk.conformal.baselines import naive_selection
    >>> naive_selection([[1.0, 2.0, 3.0]] * 2, [[0.0, 2.5], [0.0, 0.5]], 0.5, rng=0).model
    array([1, 1])
    """
    cal, test = _check_models(cal, test)
    levels, generator = check_levels(q), as_generator(rng)
    p = pvalues(rank(cal, test), check_choice("tie", tie, TIES), generator)
    return _with_model(p, _largest(p, levels, generator), levels)


def split_selection(
    cal: Any,
    imputed: Any,
    test: Any,
    q: Any,
    *,
    share: float = 0.5,
    tie: str = "conservative",
    rng: int | np.random.Generator | None = None,
) -> Selection:
    """Select by cfBH with a model chosen on a part of the calibration data: valid, wasteful.

    Of a random part of the calibration points one half plays the test set for the other; the model
    that selects most of it is calibrated on the other points.

    Parameters
    ----------
    cal : array_like, shape (K, n)
        Calibration scores of the models; ``+inf`` is allowed. ``share * n`` is at least 2.
    imputed : array_like, shape (K, n)
        Their scores with the threshold in the place of the label, which points need when they play
        the test set; finite.
    test : array_like, shape (K, m)
        Test scores, finite.
    q : float or array_like, shape (Q,)
        Target level or levels of the false discovery rate, in (0, 1).
    share : float, default 0.5
        The part of the calibration points that chooses the model, in (0, 1).
    tie : {"conservative", "randomised"}
        What a tie counts in the p-values.
    rng : int, Generator or None
        Random state of the split, the ties and the choice among equals.

    Returns
    -------
    Selection

    References
    ----------
    A baseline of Bai, Jin (2024), arXiv 2411.17983.

    Examples
    --------
    >>> from theorytk.conformal.baselines import split_selection
    >>> cal = np.arange(8.0)[None]
    >>> split_selection(cal, cal, [[-1.0, 6.5]], 0.5, rng=0).selected
    array([ True, False])
    """
    cal, test = _check_models(cal, test)
    imputed = check_array("imputed", imputed, shape=cal.shape)
    n = cal.shape[-1]
    share = check_real("share", share, lower=0.0, upper=1.0, lower_open=True, upper_open=True)
    if (chosen := int(share * n)) < 2:
        raise ValueError(
            f"cal must have shape (K, n), share * n >= 2, to be split; got {cal.shape} and "
            f"share {share:g}"
        )
    levels, generator = check_levels(q), as_generator(rng)
    check_choice("tie", tie, TIES)
    first, second, rest = np.split(generator.permutation(n), [chosen // 2, chosen])
    pilot = pvalues(rank(cal[:, first], imputed[:, second]), tie, generator)
    p = pvalues(rank(cal[:, rest], test), tie, generator)
    return _with_model(p, _largest(pilot, levels, generator), levels)


def unpruned_selection(
    cal: Any,
    test: Any,
    q: Any,
    *,
    beta: float = 1.0,
    tie: str = "conservative",
    rng: int | np.random.Generator | None = None,
) -> Selection:
    """Select what OptCS-MSel has before it prunes: all p-values within their thresholds; not valid.

    Parameters
    ----------
    cal : array_like, shape (K, n)
        Calibration scores of the models; ``+inf`` is allowed.
    test : array_like, shape (K, m)
        Test scores, finite.
    q : float or array_like, shape (Q,)
        Nominal level or levels of the false discovery rate, in (0, 1).
    beta : float, default 1.0
        Factor of the thresholds, in (0, 1].
    tie : {"conservative", "randomised"}
        What a tie counts in the p-values.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    Selection

    References
    ----------
    A baseline of Bai, Jin (2024), arXiv 2411.17983.

    Examples
    --------
    >>> from theorytk.conformal.baselines import unpruned_selection
    >>> unpruned_selection([[1.0, 2.0, 3.0]], [[0.0, 2.5]], 0.5, rng=0).selected
    array([ True, False])
    """
    chosen = optcs_msel(cal, test, q, pruning="deterministic", beta=beta, tie=tie, rng=rng)
    return replace(chosen, selected=chosen.evalues > 0)


def _check_models(cal: Any, test: Any) -> tuple[Array, Array]:
    cal, test = check_scores(cal, test)
    return np.atleast_2d(cal), np.atleast_2d(test)


def _largest(p: Array, levels: Array, generator: np.random.Generator) -> np.ndarray:
    """Return the model, for each level, of the largest selection from p (K, m), ties at random."""
    counts = at_levels(adjusted(p), levels).sum(axis=-1)
    return np.asarray((counts + generator.random(len(p)) / 2).argmax(axis=-1))


def _with_model(p: Array, best: np.ndarray, levels: Array) -> Selection:
    """Return the selection from p (K, m) by the best model of each level."""
    ones = np.ones(p.shape[-1])
    every = ones.astype(np.int64)
    counts = at_levels(adjusted(p), levels).sum(axis=-1)
    found = np.maximum(1, np.take_along_axis(counts, best[..., None], axis=-1))
    return prune(
        p[best], found * every, levels, "deterministic", ones, model=best[..., None] * every
    )
