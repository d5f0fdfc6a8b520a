"""The detector by the variance of predictions, and how well it separates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from theorytk._validation import check_array, check_int, check_real
from theorytk.diffusion.hallucination.chain import check_window

__all__ = ["DetectorReport", "detector_report", "least_variable", "trajectory_variance"]

Array = np.ndarray


def trajectory_variance(paths: Any, window: tuple[int, int] = (0, 10)) -> Array:
    """Return the variance of each path's predictions over a window.

    Parameters
    ----------
    paths : array_like, shape (T, n, d)
        Predictions of the clean data; entry t is that at label t.
    window : (int, int)
        The labels lo, ..., hi - 1, at least two.

    Returns
    -------
    ndarray, shape (n,)
        The population variance over the window, averaged over coordinates.

    Raises
    ------
    ValueError
        If the window does not lie within the paths.

    References
    ----------
    Aithal et al. (2024), the metric Hal, as in the released code.

    Examples
    --------
    >>> trajectory_variance([[[0.0]], [[2.0]], [[9.0]]], (0, 2))
    array([1.])
    """
    paths = check_array("paths", paths, ndim=3)
    lo, hi = check_window(window, len(paths))
    return np.asarray(paths[lo:hi].var(axis=0).mean(axis=1))


@dataclass(frozen=True)
class DetectorReport:
    """How well a score separates hallucinations from samples in the support.

    Attributes
    ----------
    auroc : float
        The probability that a hallucination scores higher, ties counted half.
    removed : float
        The share of hallucinations above `threshold_retaining`.
    threshold_retaining : float
        The least threshold at or below which the wanted share of the support is.
    retained : float
        The share of the support at or below `threshold_removing`.
    threshold_removing : float
        The largest of the scores of the support, or -inf, above which the wanted share of
        hallucinations is.
    n_hallucinated, n_in_support : int
        The sizes.
    """

    auroc: float
    removed: float
    threshold_retaining: float
    retained: float
    threshold_removing: float
    n_hallucinated: int
    n_in_support: int


def detector_report(
    hallucinated: Any, score: Any, *, retain: float = 0.96, remove: float = 0.95
) -> DetectorReport:
    """Return how well a score tells hallucinations; samples above a threshold are removed.

    Parameters
    ----------
    hallucinated : array_like of bool, shape (n,)
        Which samples are hallucinations; some must be, and some not.
    score : array_like, shape (n,)
        The score, such as the variance of predictions.
    retain : float in (0, 1]
        The share of the support that is to be kept.
    remove : float in (0, 1]
        The share of hallucinations that is to be removed.

    Returns
    -------
    DetectorReport

    Raises
    ------
    ValueError
        If an argument is not as above.

    References
    ----------
    Aithal et al. (2024), whose abstract reports more than 95 % removed at 96 % retained. The area
    is the Mann-Whitney statistic.

    Examples
    --------
    >>> report = detector_report([0, 0, 0, 1, 1], [0.1, 0.2, 0.5, 0.4, 0.9], retain=0.6)
    >>> print(f"{report.auroc:.3f} {report.removed} {report.threshold_retaining}")
    0.833 1.0 0.2
    """
    score = check_array("score", score, shape=(None,))
    label = check_array("hallucinated", hallucinated, shape=score.shape)
    if not np.isin(label, (0.0, 1.0)).all() or len(np.unique(label)) < 2:
        raise ValueError("hallucinated must hold both true and false, and nothing else")
    retain = check_real("retain", retain, lower=0.0, lower_open=True, upper=1.0)
    remove = check_real("remove", remove, lower=0.0, lower_open=True, upper=1.0)
    bad, good = np.sort(score[label == 1]), np.sort(score[label == 0])
    m, n = bad.size, good.size
    area = (rankdata(np.concatenate([bad, good]))[:m].sum() - m * (m + 1) / 2) / (m * n)
    retaining = float(good[_count(retain, n) - 1])
    spared = bad[m - _count(remove, m)]  # hallucinations from here on must lie above
    below = int(np.searchsorted(good, spared, side="left"))
    return DetectorReport(
        auroc=float(area),
        removed=float(np.mean(bad > retaining)),
        threshold_retaining=retaining,
        retained=below / n,
        threshold_removing=float(good[below - 1]) if below else -np.inf,
        n_hallucinated=m,
        n_in_support=n,
    )


def least_variable(score: Any, keep: int) -> Array:
    """Return the indices of the samples with the lowest scores, in their order.

    Parameters
    ----------
    score : array_like, shape (n,)
        The score.
    keep : int
        How many are kept, from 1 to n. Among equal scores the earlier ones are.

    Returns
    -------
    ndarray of int, shape (keep,)

    References
    ----------
    Aithal et al. (2024), the filter of the released code, which keeps a fixed number.

    Examples
    --------
    >>> least_variable([0.3, 0.1, 0.3, 0.2], 3)
    array([0, 1, 3])
    """
    score = check_array("score", score, shape=(None,))
    keep = check_int("keep", keep, lower=1, upper=score.size)
    return np.asarray(np.sort(np.argsort(score, kind="stable")[:keep]))


def _count(share: float, n: int) -> int:
    """Return the least number of n samples that is at least a share of them."""
    return int(np.ceil(round(share * n, 9)))
