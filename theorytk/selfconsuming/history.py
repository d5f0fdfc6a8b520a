"""What a model goes through over generations of retraining."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theorytk._validation import check_array
from theorytk.selfconsuming._arguments import Array, check_distribution

__all__ = ["RetrainingHistory"]


@dataclass(frozen=True)
class RetrainingHistory:
    """The models of all generations, and what is measured on them.

    Parameters
    ----------
    probabilities : ndarray, shape (T + 1, n)
        Row t is the model after t retrainings.
    reward : ndarray, shape (n,)
        Reward of every atom.

    Examples
    --------
    >>> history = RetrainingHistory(np.array([[0.5, 0.5], [0.2, 0.8]]), np.array([0.0, 1.0]))
    >>> history.mean_reward
    array([0.5, 0.8])
    """

    probabilities: Array
    reward: Array

    @property
    def final(self) -> Array:
        """The last model, shape (n,)."""
        return np.asarray(self.probabilities[-1])

    @property
    def mean_reward(self) -> Array:
        """Mean of the reward, shape (T + 1,)."""
        return self.probabilities @ self.reward

    @property
    def mean_exp_reward(self) -> Array:
        """Mean of exp(r - max r), shape (T + 1,)."""
        return self.probabilities @ self._exp_reward

    @property
    def exp_reward_variance(self) -> Array:
        """Variance of exp(r - max r), shape (T + 1,)."""
        deviations = self._exp_reward - self.mean_exp_reward[:, None]
        return np.asarray(np.sum(self.probabilities * deviations**2, axis=1))

    @property
    def top_mass(self) -> Array:
        """Probability of the largest reward, shape (T + 1,)."""
        return np.asarray(self.probabilities[:, self.reward == self.reward.max()].sum(axis=1))

    def total_variation(self, q: ArrayLike) -> Array:
        """Return the total variation from `q` (n,), shape (T + 1,)."""
        q = check_distribution("q", q, self.reward.size)
        return np.asarray(0.5 * np.abs(self.probabilities - q).sum(axis=1))

    def kl_divergence(self, q: ArrayLike) -> Array:
        """Return KL(model | q) in nats, shape (T + 1,); infinite where q lacks mass."""
        q = check_distribution("q", q, self.reward.size)
        p = self.probabilities
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(p > 0, p * np.log(p / q), 0.0)
        return np.asarray(terms.sum(axis=1))

    def class_shares(self, labels: ArrayLike) -> Array:
        """Return the probability of each class, shape (T + 1, classes).

        `labels` (n,) are integers 0, 1, ...; a class without atoms has no share.
        """
        labels = check_array("labels", labels, shape=self.reward.shape, dtype=np.int64)
        return np.asarray(self.probabilities @ (labels[:, None] == np.arange(labels.max() + 1)))

    @property
    def _exp_reward(self) -> Array:
        return np.asarray(np.exp(self.reward - self.reward.max()))
