"""What is proven of retraining on curated samples; proofs are on the topic's theory page.

Notation: K samples are shown, r is the reward, R its range, ``w = exp(r - max r)``, lam the weight
of curated samples against real data of law p_ref. Rewards enter every law through their
differences only.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from theorytk._validation import check_real
from theorytk.selfconsuming._arguments import (
    check_distribution,
    check_group_size,
    check_mixing,
    check_rewards,
)

__all__ = [
    "contraction_factor",
    "density_ratio_bound",
    "gain_bound",
    "kl_bound",
    "mixed_gain_bound",
    "paper_kl_bound",
    "paper_mixed_gain_bound",
    "stability_threshold",
    "uncurated_factor",
    "weight_bounds",
]


def weight_bounds(K: float, reward_range: float) -> tuple[float, float]:
    """Return the least and the largest value that a curation weight can have.

    Parameters
    ----------
    K : int or inf
        Samples that a user chooses from, at least 1.
    reward_range : float
        R, largest less smallest reward, >= 0.

    Returns
    -------
    tuple of float
        ``K / (1 + (K-1) e^R)`` and ``K / (1 + (K-1) e^-R)``; for infinite K ``e^-R`` and ``e^R``.
        The second is at most ``min(K, e^R)``.

    References
    ----------
    Derived here: the other K - 1 samples have rewards within R of the one that is kept.

    Examples
    --------
    >>> weight_bounds(4, 0.0)
    (1.0, 1.0)
    """
    K = check_group_size(K, lower=1)
    R = check_real("reward_range", reward_range, lower=0)
    if math.inf == K:
        return math.exp(-R), math.exp(min(R, 709.0))
    # Multiplied by e^-R where e^R could overflow.
    return K * math.exp(-R) / (math.exp(-R) + K - 1), K / (1 + (K - 1) * math.exp(-R))


def stability_threshold(K: float, reward_range: float) -> float:
    """Return the weight of curated samples below which real data keep the model near.

    Parameters
    ----------
    K, reward_range
        As in `weight_bounds`.

    Returns
    -------
    float
        ``1 / (H_max - 1)``, infinite if nothing is curated. The paper's ``1 / (K-1)`` is what it
        becomes for a large range; ours is larger, and positive for infinite K.

    References
    ----------
    Derived here; see `density_ratio_bound` and `contraction_factor`.

    Examples
    --------
    >>> round(stability_threshold(1000, 3.0), 3), round(1 / 999, 3)
    (0.053, 0.001)
    """
    excess = weight_bounds(K, reward_range)[1] - 1
    return math.inf if excess <= 0 else 1 / excess


def density_ratio_bound(K: float, reward_range: float, lam: float) -> float:
    """Return the bound on p_t / p_ref at all times, for a model that starts at p_ref.

    Parameters
    ----------
    K, reward_range
        As in `weight_bounds`.
    lam : float
        Weight of curated samples, in [0, inf].

    Returns
    -------
    float
        ``1 / (1 - lam (H_max - 1))``, infinite from `stability_threshold` on.

    References
    ----------
    Derived here, by induction over generations; approached by a rare atom of the largest reward.

    Examples
    --------
    >>> density_ratio_bound(2, 0.0, 5.0)
    1.0
    """
    lam = check_mixing(lam)
    excess = weight_bounds(K, reward_range)[1] - 1
    if excess <= 0:
        return 1.0
    return 1 / (1 - lam * excess) if lam * excess < 1 else math.inf


def kl_bound(K: float, reward_range: float, lam: float) -> float:
    """Return the bound on KL(p_t | p_ref) in nats at all times, for a start at p_ref.

    Parameters
    ----------
    K, reward_range, lam
        As in `density_ratio_bound`.

    Returns
    -------
    float
        The logarithm of `density_ratio_bound`; infinite from `stability_threshold` on.

    References
    ----------
    Derived here; at most `paper_kl_bound`.

    Examples
    --------
    >>> kl_bound(4, 1.0, 0.1) < paper_kl_bound(4, 0.1)
    True
    """
    return math.log(density_ratio_bound(K, reward_range, lam))


def paper_kl_bound(K: float, lam: float) -> float:
    """Return the paper's bound on KL(p_t | p_ref) in nats, as remembered.

    Parameters
    ----------
    K : int
        Samples that a user chooses from, at least 2.
    lam : float
        Weight of curated samples, in [0, inf].

    Returns
    -------
    float
        ``-log(1 - lam (K-1))``; infinite from ``lam = 1 / (K-1)`` on.

    References
    ----------
    Ferbach et al. (2024); the text of the theorem was not at hand. It follows from `kl_bound`.

    Examples
    --------
    >>> round(paper_kl_bound(2, 0.5), 4)
    0.6931
    """
    rest = 1 - check_mixing(lam) * (check_group_size(K) - 1)
    return -math.log(rest) if rest > 0 else math.inf


def contraction_factor(K: float, reward_range: float, lam: float) -> float:
    """Return a Lipschitz constant of retraining in total variation.

    Parameters
    ----------
    K, reward_range, lam
        As in `density_ratio_bound`.

    Returns
    -------
    float
        ``lam H_max / (1 + lam)``, below 1 if and only if lam is below `stability_threshold`.

    References
    ----------
    Derived here: exchange one of the K samples at a time; what is kept among the others does not
    depend on it (Luce's independence of irrelevant alternatives).

    Examples
    --------
    >>> round(contraction_factor(2, 50.0, 1.0), 12)
    1.0
    """
    lam = check_mixing(lam)
    return uncurated_factor(lam) * weight_bounds(K, reward_range)[1]


def uncurated_factor(lam: float) -> float:
    """Return the factor by which uncurated retraining shrinks p_t - p_ref, exactly.

    Parameters
    ----------
    lam : float
        Weight of synthetic samples, in [0, inf].

    Returns
    -------
    float
        ``lam / (1 + lam)``; 1 if lam is infinite.

    References
    ----------
    Ferbach et al. (2024), after Bertrand et al. (2024); derived again here.

    Examples
    --------
    >>> uncurated_factor(1.0)
    0.5
    """
    lam = check_mixing(lam)
    return 1.0 if lam == math.inf else lam / (1 + lam)


def gain_bound(p: ArrayLike, reward: ArrayLike, K: float) -> float:
    """Return a lower bound on what one curated generation adds to E exp(r - max r).

    Parameters
    ----------
    p : array_like, shape (n,)
        Law of the model.
    reward : array_like, shape (n,)
        Rewards.
    K : int or inf
        Samples that a user chooses from, at least 2.

    Returns
    -------
    float
        ``(K-1)/K Var_p(exp(r - r_max))``, r_max the largest reward of positive probability and
        the unit of all exponentials.

    References
    ----------
    Ferbach et al. (2024), lemma on the increase of the reward (as remembered); derived again here
    with equality for small reward ranges.

    Examples
    --------
    >>> gain_bound([0.5, 0.5], [0.0, 1.0], 2) > 0
    True
    """
    K = check_group_size(K)
    r = check_rewards("reward", reward)
    p = check_distribution("p", p, r.size)
    w = np.exp(r - r[p > 0].max())
    return (1 - 1 / K) * float(p @ (w - p @ w) ** 2)


def mixed_gain_bound(p_ref: ArrayLike, reward: ArrayLike, K: float, lam: float) -> float:
    """Return a lower bound on E exp(r) - E_ref exp(r) at every time t >= 1 with real data.

    Parameters
    ----------
    p_ref : array_like, shape (n,)
        Law of the real data, at which retraining starts.
    reward, K
        As in `gain_bound`.
    lam : float
        Weight of curated samples, in [0, inf].

    Returns
    -------
    float
        ``lam / (1 + lam)`` times `gain_bound` at p_ref, in the same unit.

    References
    ----------
    Derived here, with a larger factor than `paper_mixed_gain_bound`.

    Examples
    --------
    >>> mixed_gain_bound([0.5, 0.5], [0.0, 1.0], 2, 0.0)
    0.0
    """
    return uncurated_factor(lam) * gain_bound(p_ref, reward, K)


def paper_mixed_gain_bound(p_ref: ArrayLike, reward: ArrayLike, K: float, lam: float) -> float:
    """Return the paper's form of `mixed_gain_bound`, as remembered.

    Parameters
    ----------
    p_ref, reward, K
        As in `mixed_gain_bound`.
    lam : float
        Weight of curated samples, finite and >= 0.

    Returns
    -------
    float
        ``lam / (1 + lam)^3`` times `gain_bound` at p_ref.

    References
    ----------
    Ferbach et al. (2024); the text of the theorem was not at hand.

    Examples
    --------
    >>> paper_mixed_gain_bound([0.5, 0.5], [0.0, 1.0], 2, 0.0)
    0.0
    """
    lam = check_real("lam", lam, lower=0)
    return lam / (1 + lam) ** 3 * gain_bound(p_ref, reward, K)
