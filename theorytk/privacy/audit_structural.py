"""Audits that know the noise: the exact privacy loss over pairs of neighbours, and its score."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from theorytk._validation import as_generator, check_array, check_choice, check_int
from theorytk.privacy._arguments import Array
from theorytk.privacy.audit_result import AuditResult, check_claim
from theorytk.privacy.guarantees import NEIGHBOURS
from theorytk.privacy.linear_mechanism import LinearMechanism
from theorytk.privacy.noise import release

__all__ = [
    "ReleasedPair",
    "WorstPair",
    "canary_scores",
    "release_pair",
    "structural_audit",
    "worst_pair",
]

# Noisy numbers drawn at a time.
CHUNK = 2**22


class WorstPair(NamedTuple):
    """Neighbours of largest loss: `point` against nothing, or against `other`.

    `loss` is an epsilon for Laplace noise and a rho for Gaussian noise. Points are arrays of length
    1, or of shape (1, d).
    """

    loss: float
    point: Array
    other: Array | None


class ReleasedPair(NamedTuple):
    """Log-likelihood ratios of independent releases on two data sets, each of shape (n,)."""

    scores: Array
    scores_other: Array


def worst_pair(
    mechanism: LinearMechanism, points: Any, neighbours: str = "add_remove"
) -> WorstPair:
    """Return the neighbours among these points that noise protects least.

    Parameters
    ----------
    mechanism : LinearMechanism
        What is audited.
    points : array_like, shape (n,) or (n, d)
        Candidates; at least one, or two to replace.
    neighbours : {"add_remove", "replace"}
        Each point against nothing, or all pairs.

    Returns
    -------
    WorstPair
        The loss is exact for this pair: sum of |change| / scale, or half the sum of
        (change / scale)^2; infinite where a number changes that has no noise.

    References
    ----------
    For discrete noise both are attained: the likelihood ratio by an outcome, and the Renyi
    divergence over its order at integer orders (derived here; Canonne, Kamath, Steinke (NeurIPS
    2020), Proposition 5 bound it).

    Examples
    --------
    >>> from theorytk.privacy.hat import hierarchical_hat
    >>> pair = worst_pair(hierarchical_hat(8, epsilon=1.0), np.linspace(0, 1, 257))
    >>> round(pair.loss, 9), pair.point
    (1.0, array([0.33203125]))
    """
    replace = check_choice("neighbours", neighbours, NEIGHBOURS) == "replace"
    points = check_array("points", points)
    if points.ndim not in (1, 2) or len(points) < 1 + replace:
        raise ValueError(
            f"points must hold at least {1 + replace} points in 1 or 2 dimensions; got shape "
            f"{points.shape}"
        )
    change = mechanism.contributions(points)
    scale = np.repeat(mechanism.scales, mechanism.sizes)
    bare = change[:, scale == 0]
    moving = (bare != bare[:1]) if replace else (bare != 0)
    if moving.any():
        i = int(moving.any(axis=1).argmax())
        return WorstPair(math.inf, points[i : i + 1], points[:1] if replace else None)
    share = change[:, scale > 0] / scale[scale > 0]
    rows = share if replace else np.zeros((1, share.shape[1]))
    gaussian = mechanism.kind == "gaussian"
    loss = cdist(share, rows, "sqeuclidean") / 2 if gaussian else cdist(share, rows, "cityblock")
    i, j = divmod(int(loss.argmax()), loss.shape[1])
    return WorstPair(float(loss[i, j]), points[i : i + 1], points[j : j + 1] if replace else None)


def structural_audit(
    mechanism: LinearMechanism,
    points: Any,
    *,
    claimed: float,
    neighbours: str = "add_remove",
) -> AuditResult:
    """Compute the largest privacy loss over pairs of neighbours, without sampling.

    Parameters
    ----------
    mechanism, points, neighbours
        As in `worst_pair`.
    claimed : float
        Claimed epsilon >= 0 for Laplace noise, or rho for Gaussian noise.

    Returns
    -------
    AuditResult

    Examples
    --------
    >>> from theorytk.privacy.dyadic_tree import dyadic_tree
    >>> tree = dyadic_tree(6, epsilon=1.0)
    >>> structural_audit(tree, [0.0, 0.3, 1.0], claimed=1.0)
    <structural audit passed: epsilon >= 1, claimed 1, 3 trials, adding 0>
    >>> structural_audit(tree, [0.0, 0.3, 1.0], claimed=1.0, neighbours="replace")
    <structural audit VIOLATED: epsilon >= 1.714, claimed 1, 3 trials, replacing 0 by 1>
    """
    claimed, _, _ = check_claim(claimed, 0.0, 0.5)
    pair = worst_pair(mechanism, points, neighbours)
    point = _shown(pair.point)
    return AuditResult(
        "structural",
        pair.loss,
        claimed,
        parameter="rho" if mechanism.kind == "gaussian" else "epsilon",
        n_trials=len(points),
        event=f"adding {point}"
        if pair.other is None
        else f"replacing {point} by {_shown(pair.other)}",
    )


def release_pair(
    mechanism: LinearMechanism,
    pair: WorstPair,
    n_trials: int,
    rng: Any = None,
) -> ReleasedPair:
    """Draw the log-likelihood ratios of releases on two neighbouring data sets.

    Only the numbers that differ between the two are drawn, with the scales, the grid and the
    sampler of the mechanism: the ratio depends on nothing else, nor does it on other points.

    Parameters
    ----------
    mechanism : LinearMechanism
        What is audited.
    pair : WorstPair
        The neighbours; the first data is `point`, the second `other` or nothing.
    n_trials : int
        Releases of each, >= 1.
    rng : int, numpy.random.Generator or None
        Random state.

    Returns
    -------
    ReleasedPair
        Scores for `two_sample_audit`: logarithm of the likelihood on the first data over that on
        the second.

    Raises
    ------
    ValueError
        If a number that differs has no noise: the loss is infinite and nothing need be sampled.

    Examples
    --------
    >>> from theorytk.privacy.flat_histogram import flat_histogram
    >>> pair = WorstPair(1.0, np.array([0.5]), None)
    >>> scores, _ = release_pair(flat_histogram(4, epsilon=1.0), pair, 5, rng=0)
    >>> scores.round(6).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    n_trials, rng = check_int("n_trials", n_trials, lower=1), as_generator(rng)
    mean = mechanism.contributions(pair.point)[0]
    mean_other = (
        np.zeros_like(mean) if pair.other is None else mechanism.contributions(pair.other)[0]
    )
    group = np.repeat(np.arange(len(mechanism.sizes)), mechanism.sizes)
    scores = np.zeros((2, n_trials))
    for g in np.unique(group[mean != mean_other]):
        scale = float(mechanism.scales[g])
        if scale == 0:
            raise ValueError(f"mechanism has no noise on {mechanism.groups[g]!r}, which differ")
        differ = (group == g) & (mean != mean_other)
        means = np.array([mean[differ], mean_other[differ]])
        rows = max(1, CHUNK // means.shape[1])
        steps = np.rint(np.ldexp(means, int(mechanism.bits[g]))).astype(np.int64)
        for data in range(2):
            for start in range(0, n_trials, rows):
                stop = min(start + rows, n_trials)
                values = release(
                    np.tile(steps[data], (stop - start, 1)),
                    scale,
                    bits=int(mechanism.bits[g]),
                    rng=rng,
                    kind=mechanism.kind,
                    noise=mechanism.noise,
                )
                scores[data, start:stop] += _log_ratio(values, means / scale, scale, mechanism.kind)
    return ReleasedPair(scores[0], scores[1])


def canary_scores(mechanism: LinearMechanism, released: Any, canaries: Any) -> Array:
    """Return for each canary the log-likelihood ratio of its inclusion in a release.

    Parameters
    ----------
    mechanism : LinearMechanism
        What is audited.
    released : array_like, shape (released numbers,)
        One release on some of the canaries and no other points.
    canaries : array_like, shape (m,) or (m, d)
        All canaries; only numbers that no other canary changes enter the score of one.

    Returns
    -------
    ndarray, shape (m,)
        Scores for `one_run_audit`, at most the loss in these numbers, which is its threshold.

    Examples
    --------
    >>> from theorytk.privacy.flat_histogram import flat_histogram
    >>> mechanism = flat_histogram(2, epsilon=1.0)
    >>> canaries = np.array([0.1, 0.3, 0.6])
    >>> canary_scores(mechanism, [2.0, -1.0, 0.5, 0.0], canaries).round(6).tolist()
    [1.0, -1.0, 0.0]
    """
    change = mechanism.contributions(canaries)
    scale = np.repeat(mechanism.scales, mechanism.sizes)
    released = check_array("released", released, shape=scale.shape)
    own = ((change != 0).sum(axis=0) == 1) & (scale > 0)
    owner = (change[:, own] != 0).argmax(axis=0)
    values, scale = released[own] / scale[own], scale[own]
    distances = np.abs([values, values - change[owner, own] / scale])
    if mechanism.kind == "gaussian":
        distances = distances**2 / 2
    scores = np.bincount(owner, distances[0] - distances[1], minlength=len(change))
    return scores.astype(np.float64)


def _log_ratio(values: Array, means: Array, scale: float, kind: str) -> Array:
    """Return the log-likelihood of releases, shape (n, k), at the first means over the others."""
    distances = np.abs(values / scale - means[:, None, :])
    if kind == "gaussian":
        distances = distances**2 / 2
    total: Array = (distances[1] - distances[0]).sum(axis=1)
    return total


def _shown(point: Array) -> str:
    """Return a point as text; of a long one only the dimension."""
    coordinates = np.ravel(point).tolist()
    if len(coordinates) > 4:
        return f"a point in {len(coordinates)} dimensions"
    listed = ", ".join(f"{c:.6g}" for c in coordinates)
    return listed if len(coordinates) == 1 else f"({listed})"
