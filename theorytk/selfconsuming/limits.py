"""Limits that are known exactly: of many samples, of many generations, of two atoms.

Notation as in :mod:`theorytk.selfconsuming.theory`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from theorytk._validation import check_array, check_int, check_real
from theorytk.selfconsuming._arguments import (
    Array,
    check_distribution,
    check_group_size,
    check_rewards,
)
from theorytk.selfconsuming.theory import uncurated_factor, weight_bounds

__all__ = [
    "losing_ratio",
    "particle_deviations",
    "reward_gap_limit",
    "tilt",
    "tilt_distance_constant",
    "two_atom_curated_mass",
    "two_atom_fixed_mass",
    "uniform_reward_gap",
]


def losing_ratio(gap: float, K: float) -> float:
    """Return the factor per generation by which a worse level decays once the top has won.

    Parameters
    ----------
    gap : float
        Largest reward less that of the level, >= 0.
    K : int or inf
        Samples that a user chooses from, at least 2.

    Returns
    -------
    float
        ``K / (1 + (K-1) e^gap)``; ``e^-gap`` for infinite K.

    References
    ----------
    Derived here: the weight of the level when all other samples are of the top.

    Examples
    --------
    >>> round(losing_ratio(0.7, float("inf")), 5)
    0.49659
    """
    check_group_size(K)
    return weight_bounds(K, gap)[0]


def reward_gap_limit(K: float) -> float:
    """Return the limit of t (r_max - E r) if r has a positive continuous density at r_max.

    Parameters
    ----------
    K : int or inf
        Samples that a user chooses from, at least 2.

    Returns
    -------
    float
        ``K / (K-1)``; 1 for infinite K.

    References
    ----------
    Derived here for curated samples alone, with a relative error of order ``log(t) / t``.

    Examples
    --------
    >>> reward_gap_limit(2)
    2.0
    """
    return 1 / (1 - 1 / check_group_size(K))


def uniform_reward_gap(t: int) -> float:
    """Return 1 - E r after t generations at infinite K, if r is uniform on [0, 1] at first.

    Parameters
    ----------
    t : int
        Generations, >= 1.

    Returns
    -------
    float
        ``1/t - 1/(e^t - 1)``.

    References
    ----------
    Derived here: the mean of the density proportional to ``e^(t r)``.

    Examples
    --------
    >>> round(100 * uniform_reward_gap(100), 6)
    1.0
    """
    t = check_int("t", t, lower=1, upper=700)
    return 1 / t - 1 / math.expm1(t)


def tilt(p: ArrayLike, reward: ArrayLike, t: float) -> Array:
    """Return p exp(t r) / E_p exp(t r): the model after t generations at infinite K.

    Parameters
    ----------
    p : array_like, shape (n,)
        Law of the first model.
    reward : array_like, shape (n,)
        Rewards.
    t : float
        Generations, >= 0.

    Returns
    -------
    ndarray, shape (n,)
        The law that maximises ``E_q r - KL(q | p) / t``, the objective of reinforcement learning
        from human feedback.

    References
    ----------
    Ferbach et al. (2024), the limit of many samples; derived again here.

    Examples
    --------
    >>> tilt([0.5, 0.5], [0.0, 0.0], 3)
    array([0.5, 0.5])
    """
    r = check_rewards("reward", reward)
    p = check_distribution("p", p, r.size)
    t = check_real("t", t, lower=0)
    tilted = p * np.exp(t * np.minimum(r - r[p > 0].max(), 0))
    return np.asarray(tilted / tilted.sum())


def tilt_distance_constant(p: ArrayLike, reward: ArrayLike) -> float:
    """Return C with total variation C / K + O(1/K^2) between K and infinitely many samples.

    Parameters
    ----------
    p : array_like, shape (n,)
        Law of the model.
    reward : array_like, shape (n,)
        Rewards.

    Returns
    -------
    float
        ``1/2 sum_i p_i (w_i/m) |1 - w_i/m + V/m^2|``, m and V the mean and variance of w.

    References
    ----------
    Derived here: second-order expansion of the sum of K - 1 independent weights.

    Examples
    --------
    >>> tilt_distance_constant([0.5, 0.5], [1.0, 1.0])
    0.0
    """
    r = check_rewards("reward", reward)
    p = check_distribution("p", p, r.size)
    w = np.exp(r - r.max())
    ratio = w / (p @ w)
    variance = p @ (ratio - 1) ** 2
    return 0.5 * float(p @ (ratio * np.abs(1 - ratio + variance)))


def two_atom_curated_mass(mass: float, gap: float, K: int) -> float:
    """Return the mass of the better of two atoms after curation by finitely many samples.

    Parameters
    ----------
    mass : float
        Its mass q before, in [0, 1].
    gap : float
        Its reward less that of the other, in [-700, 700].
    K : int
        Samples that a user chooses from, at least 1.

    Returns
    -------
    float
        Mean of ``B e^gap / (B e^gap + K - B)``, B binomial of K trials; for K = 2 it is
        ``q (1 + (1-q) tanh(gap/2))``.

    References
    ----------
    Derived here, by counting how many of the samples are the better atom.

    Examples
    --------
    >>> round(two_atom_curated_mass(0.5, 1.0, 2), 4)
    0.6155
    """
    from scipy.stats import binom

    q = check_real("mass", mass, lower=0, upper=1)
    odds = math.exp(check_real("gap", gap, lower=-700, upper=700))
    K = check_int("K", K, lower=1)
    count = np.arange(1, K + 1)
    return float(binom.pmf(count, K, q) @ (count / (count + (K - count) / odds)))


def two_atom_fixed_mass(reference_mass: float, gap: float, lam: float) -> float:
    """Return the mass of the better of two atoms at the fixed point with real data, K = 2.

    Parameters
    ----------
    reference_mass : float
        Its mass eps under the real data, in (0, 1].
    gap : float
        Its reward less that of the other, >= 0.
    lam : float
        Weight of curated samples, finite and >= 0.

    Returns
    -------
    float
        The root q in (0, 1] of ``a q^2 + (1 - a) q = eps`` with ``a = lam tanh(gap/2)``. For small
        eps it is ``eps / (1 - a)`` if a < 1 and ``1 - 1/a`` if a > 1.

    References
    ----------
    Derived here. The change at a = 1 is `stability_threshold`.

    Examples
    --------
    >>> round(two_atom_fixed_mass(1e-9, 50.0, 2.0), 6)
    0.5
    """
    eps = check_real("reference_mass", reference_mass, lower=0, upper=1, lower_open=True)
    a = check_real("lam", lam, lower=0) * math.tanh(check_real("gap", gap, lower=0) / 2)
    b = 1 - a
    root = math.sqrt(b * b + 4 * a * eps)
    # The form without cancellation: b is positive below the threshold, negative above.
    return 2 * eps / (b + root) if b >= 0 else (root - b) / (2 * a)


def particle_deviations(
    models: ArrayLike, jacobians: ArrayLike, p_ref: ArrayLike, lam: float
) -> Array:
    """Return the standard deviations, times sqrt(n), of atoms' shares in training sets of n.

    Parameters
    ----------
    models : array_like, shape (T + 1, m)
        Exact models of generations 0 to T on m atoms.
    jacobians : array_like, shape (T, m, m)
        `CurationMap.jacobian` at the models of generations 0 to T - 1.
    p_ref : array_like, shape (m,)
        Law of the real data.
    lam : float
        Weight of curated samples, in [0, inf].

    Returns
    -------
    ndarray, shape (T + 1, m)
        Limits for large n. The expected total variation between training set and exact model is
        ``sum(deviations[t]) / sqrt(2 pi n)`` to first order.

    References
    ----------
    Derived here, by the delta method: with ``a = lam / (1 + lam)``, c the curated law and
    ``S(p) = diag(p) - p p'`` the covariance obeys ``a^2 J C J' + a S(c) + (1-a) S(p_ref)``.

    Examples
    --------
    >>> particle_deviations([[0.5, 0.5]], np.empty((0, 2, 2)), [0.5, 0.5], 1.0)
    array([[0.5, 0.5]])
    """
    models = check_array("models", models, ndim=2)
    size = models.shape[1]
    jacobians = check_array("jacobians", jacobians, shape=(len(models) - 1, size, size))
    p_ref = check_distribution("p_ref", p_ref, size)
    a = uncurated_factor(lam)
    covariance = _multinomial(models[0])
    deviations = [np.sqrt(np.diag(covariance))]
    for model, J in zip(models[1:], jacobians, strict=True):
        covariance = a**2 * J @ covariance @ J.T + (1 - a) * _multinomial(p_ref)
        if a > 0:
            covariance += a * _multinomial((model - (1 - a) * p_ref) / a)
        deviations.append(np.sqrt(np.diag(covariance)))
    return np.array(deviations)


def _multinomial(p: Array) -> Array:
    """Return the covariance of one draw, as indicators of atoms."""
    return np.diag(p) - np.outer(p, p)
