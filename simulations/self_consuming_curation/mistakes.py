"""Mistakes that the claims on curation must catch; none belongs in an algorithm."""

from __future__ import annotations

import math

import numpy as np

from theorytk.selfconsuming import curation_weights, luce_choice

from .common import retrain


def mean_field(p, reward, K):
    """Take the mean weight for that of the other samples."""
    w = np.exp(reward - reward.max())
    return w / (p @ w) if math.inf == K else K * w / (w + (K - 1) * (p @ w))


def reversed_rewards(p, reward, K):
    """Keep what is disliked: the sign of the reward."""
    return curation_weights(p, -reward, K)


def infinitely_many(p, reward, K):
    """Take the limit of many samples for a few."""
    return curation_weights(p, reward, math.inf)


def thousand(p, reward, K):
    """Take a thousand samples for infinitely many."""
    return curation_weights(p, reward, 1000)


def one_more(p, reward, K):
    """Show one sample more than is said: K counts the others."""
    return curation_weights(p, reward, K + 1)


WEIGHTS = {
    "library": curation_weights,
    "mean-field": mean_field,
    "reversed": reversed_rewards,
    "infinitely-many": infinitely_many,
    "thousand": thousand,
    "one-more": one_more,
}


def curate_all(p, reward, K, lam, p_ref):
    """Mix in the real data before curation, so that they are curated too."""
    mixture = p if math.inf == lam else (p_ref + lam * p) / (1 + lam)
    return retrain(mixture, reward, K, math.inf, None)


def reversed_step(p, reward, K, lam, p_ref):
    """Keep what is disliked: the sign of the reward."""
    return retrain(p, -reward, K, lam, p_ref)


def uncurated(p, reward, K, lam, p_ref):
    """Retrain on samples that nobody has chosen from."""
    return retrain(p, reward, 1, lam, p_ref)


def two_samples(p, reward, K, lam, p_ref):
    """Let users choose between two samples, whatever K is."""
    return retrain(p, reward, 2, lam, p_ref)


def curated_only(p, reward, K, lam, p_ref):
    """Leave the real data out."""
    return retrain(p, reward, K, math.inf, None)


STEPS = {
    "library": retrain,
    "curate-all": curate_all,
    "reversed": reversed_step,
    "uncurated": uncurated,
    "two-samples": two_samples,
    "curated-only": curated_only,
}


def best_of(rewards, rng):
    """Keep the best sample in the place of one drawn by Luce's rule."""
    return np.argmax(rewards, axis=1)


def sharper(rewards, rng):
    """Choose at a temperature of 0.95."""
    return luce_choice(rewards / 0.95, rng)


CHOICES = {"luce": luce_choice, "best-of": best_of, "sharper": sharper}
