"""The retraining map of a generative model whose samples users curate, exactly.

A user sees K independent samples of the model p and keeps sample k with probability
``exp(r_k) / sum_j exp(r_j)`` (Luce's rule). The law of what is kept is ``p H`` with the curation
weights H, and the next model is ``(p_ref + lam p H) / (1 + lam)``, real data included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theorytk._validation import check_int, check_real
from theorytk.selfconsuming import theory
from theorytk.selfconsuming._arguments import (
    Array,
    check_distribution,
    check_group_size,
    check_mixing,
    check_rewards,
)
from theorytk.selfconsuming.history import RetrainingHistory

__all__ = ["CurationMap", "FixedPoint", "curation_weights"]

# Distance of the quadrature's nodes. Its error falls like exp(-2 pi d / STEP), d about 1.2.
STEP = 0.2
# Ends: s = exp(v - exp(-v)) is below 1e-17 left of -LEFT, exp(-TAIL) is below 1e-17.
LEFT, TAIL = 3.6, 40.0


@dataclass(frozen=True)
class FixedPoint:
    """A law that retraining leaves as it is.

    Parameters
    ----------
    probabilities : ndarray, shape (n,)
        The law.
    iterations : int
        Retrainings done.
    residual : float
        Total variation by which the last one changed it.
    converged : bool
        Whether `residual` is at most the tolerance.
    """

    probabilities: Array
    iterations: int
    residual: float
    converged: bool


class CurationMap:
    """Retraining with curated samples, and real data if `lam` is finite.

    Parameters
    ----------
    reward : array_like, shape (n,)
        Reward of every atom; finite, of a range of at most 700.
    K : int or inf
        Samples that a user chooses from, at least 1; 1 is no curation, infinity the limit in
        which p becomes ``p exp(r) / E exp(r)``.
    lam : float, default inf
        Weight of curated samples against real data, in [0, inf].
    p_ref : array_like, shape (n,), optional
        Law of the real data; needed if `lam` is finite, and else of no effect.

    Raises
    ------
    ValueError
        If an argument is out of range, or if `p_ref` is missing.

    References
    ----------
    Ferbach, Bertrand, Bose, Gidel, Self-Consuming Generative Models with Curated Data Provably
    Optimize Human Preferences, NeurIPS 2024. The quadrature is derived here: with
    ``1 / S = int_0^inf exp(-u S) du`` the weights are
    ``H_i = K int w_i exp(-u w_i) phi(u)^(K-1) du``, ``phi(u) = sum_j p_j exp(-u w_j)``, which is
    exact for every K and costs O(n) per node. In ``u = exp(v - exp(-v)) / K`` the integrand falls
    doubly exponentially at both ends, where the trapezoidal rule converges exponentially. The
    relative error is about K times that of rounding.

    Examples
    --------
    >>> curation = CurationMap([0.0, 1.0], 2)
    >>> curation.step([0.5, 0.5]).round(4)
    array([0.3845, 0.6155])
    """

    def __init__(
        self, reward: ArrayLike, K: float, *, lam: float = math.inf, p_ref: ArrayLike | None = None
    ) -> None:
        self.reward = check_rewards("reward", reward)
        self.K = check_group_size(K, lower=1)
        self.lam = check_mixing(lam)
        if p_ref is None and self.lam < math.inf:
            raise ValueError(f"p_ref must be given when lam is finite; got None with lam={lam!r}")
        n = self.reward.size
        self.p_ref = None if p_ref is None else check_distribution("p_ref", p_ref, n)
        levels, self._level = np.unique(self.reward - self.reward.max(), return_inverse=True)
        self._w = np.exp(levels)
        if 1 < self.K < math.inf:
            self._decay, self._node_weights = _quadrature(self._w, -levels[0], self.K)

    def weights(self, p: ArrayLike) -> Array:
        """Return the curation weights H at the model `p`, shape (n,); their mean under p is 1."""
        return self._weights(check_distribution("p", p, self.reward.size))

    def step(self, p: ArrayLike) -> Array:
        """Return the next model after `p`, shape (n,)."""
        return self._step(check_distribution("p", p, self.reward.size))

    def iterate(self, n_steps: int, p0: ArrayLike | None = None) -> RetrainingHistory:
        """Return the models of `n_steps` retrainings from `p0`, by default from `p_ref`."""
        n_steps = check_int("n_steps", n_steps, lower=0)
        models = [self._start(p0)]
        for _ in range(n_steps):
            models.append(self._step(models[-1]))
        return RetrainingHistory(np.array(models), self.reward)

    def fixed_point(
        self, p0: ArrayLike | None = None, *, tol: float = 1e-13, max_iter: int = 10_000
    ) -> FixedPoint:
        """Retrain from `p0` (by default `p_ref`) until the total variation changes by `tol`.

        If `lam` is below `stability_threshold`, the fixed point is unique and every start leads
        to it; beyond, that is only observed. Convergence is not certain: see `converged`.
        """
        tol = check_real("tol", tol, lower=0)
        max_iter = check_int("max_iter", max_iter, lower=1)
        p, residual, iterations = self._start(p0), math.inf, 0
        while residual > tol and iterations < max_iter:
            new = self._step(p)
            residual = 0.5 * float(np.abs(new - p).sum())
            p, iterations = new, iterations + 1
        return FixedPoint(p, iterations, residual, residual <= tol)

    def jacobian(self, p: ArrayLike) -> Array:
        """Return d (p H)_i / d p_j at the model `p`, shape (n, n): curation to first order.

        Times ``lam / (1 + lam)`` it is that of a retraining step, and its largest eigenvalue on
        vectors of sum 0 is the rate at which retraining approaches a fixed point.
        """
        p = check_distribution("p", p, self.reward.size)
        if self.K == 1:
            return np.eye(p.size)
        w = self._w
        mass = np.bincount(self._level, weights=p, minlength=w.size)
        if math.inf == self.K:
            slopes = -np.outer(w, w) / (mass @ w) ** 2
        else:
            inner = self._node_weights * (self._decay @ mass) ** (self.K - 2)
            slopes = self._decay.T @ (inner[:, None] * self._decay)
            slopes *= self.K * (self.K - 1) * w[:, None]
        return np.asarray(
            np.diag(self._weights(p)) + p[:, None] * slopes[np.ix_(self._level, self._level)]
        )

    @property
    def reward_range(self) -> float:
        """Largest less smallest reward."""
        return float(np.ptp(self.reward))

    @property
    def h_max(self) -> float:
        """Upper bound on the weights, whatever the model; see `theory.weight_bounds`."""
        return theory.weight_bounds(self.K, self.reward_range)[1]

    @property
    def stability_threshold(self) -> float:
        """The `lam` below which real data keep the model near; see `theory.stability_threshold`."""
        return theory.stability_threshold(self.K, self.reward_range)

    @property
    def kl_bound(self) -> float:
        """Bound on the divergence from `p_ref`, infinite beyond; see `theory.kl_bound`."""
        return theory.kl_bound(self.K, self.reward_range, self.lam)

    @property
    def contraction_factor(self) -> float:
        """Lipschitz constant in total variation; see `theory.contraction_factor`."""
        return theory.contraction_factor(self.K, self.reward_range, self.lam)

    def _start(self, p0: ArrayLike | None) -> Array:
        """Return `p0`, or `p_ref` in its place."""
        if p0 is None and self.p_ref is None:
            raise ValueError("p0 must be given when there is no p_ref; got None")
        return check_distribution("p0", self.p_ref if p0 is None else p0, self.reward.size)

    def _step(self, p: Array) -> Array:
        curated = p * self._weights(p)
        # Rounding grows like K: without this the mass would drift over many generations.
        curated /= curated.sum()
        if self.lam == math.inf or self.p_ref is None:
            return curated
        return (self.p_ref + self.lam * curated) / (1 + self.lam)

    def _weights(self, p: Array) -> Array:
        if self.K == 1:
            return np.ones_like(p)
        mass = np.bincount(self._level, weights=p, minlength=self._w.size)
        if math.inf == self.K:
            return np.asarray((self._w / (mass @ self._w))[self._level])
        inner = self._node_weights * (self._decay @ mass) ** (self.K - 1)
        return np.asarray((self.K * self._w * (inner @ self._decay))[self._level])


def curation_weights(p: ArrayLike, reward: ArrayLike, K: float) -> Array:
    """Return the factor H by which curation changes the probability of every atom.

    Parameters
    ----------
    p : array_like, shape (n,)
        Law of the model: nonnegative, of sum 1.
    reward : array_like, shape (n,)
        Reward of every atom; finite, of a range of at most 700.
    K : int or inf
        Samples that a user chooses from, at least 1; see `CurationMap`.

    Returns
    -------
    ndarray, shape (n,)
        ``H_i = K E[w_i / (w_i + sum_{j<K} w(X_j))]``, ``w = exp(reward)``, X from p.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    See `CurationMap`, which is faster for many models and one reward.

    Examples
    --------
    >>> curation_weights([0.5, 0.5], [0.0, 1.0], 2).round(4)
    array([0.7689, 1.2311])
    >>> curation_weights([0.5, 0.5], [0.0, 1.0], math.inf).round(4)
    array([0.5379, 1.4621])
    """
    return CurationMap(reward, K).weights(p)


def _quadrature(w: Array, reward_range: float, K: float) -> tuple[Array, Array]:
    """Return exp(-u w) (nodes, levels) and the weights of the nodes u."""
    v = np.arange(-LEFT, math.log(TAIL) + reward_range + STEP, STEP)
    u = np.exp(v - np.exp(-v)) / K
    decay = np.multiply.outer(-u, w)
    np.exp(decay, out=decay)
    return decay, STEP * u * (1 + np.exp(-v))
