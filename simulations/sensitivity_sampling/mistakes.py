"""Mistakes that the claims on sensitivity sampling must catch; none belongs in an algorithm."""

from __future__ import annotations

import numpy as np

from theorytk.sensitivity.leverage import leverage_scores, sketched_leverage_scores
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.sensitivities import sensitivities
from theorytk.sensitivity.totals import block_sensitivities


def mixed_form(w, tau, step_size, p):
    """The two equivalent equations of Lewis weights mixed: tau^(p/2) where w^(1-p/2) is missing."""
    return tau ** (p / 2)


def mixed_weights(A, p):
    """Weights by five rounds of `mixed_form`."""
    w = np.ones(len(A))
    for _ in range(5):
        scores = leverage_scores(w[:, None] ** (0.5 - 1 / p) * A)
        w = np.maximum(mixed_form(w, scores, 1, p), 1e-12)
    return w


def uniform_weights(A, p):
    """All rows alike."""
    return np.full(len(A), A.shape[1] / len(A))


def unfinished_total(A, p, size, rng):
    """Lewis weights stopped at a residual of 0.3 and taken to sum to the rank all the same."""
    w = lewis_weights(A, p, tol=0.3).weights
    drawn = rng.choice(len(A), size, p=w / w.sum())
    return A.shape[1] * np.mean(sensitivities(A, p, rows=drawn).values / w[drawn])


def distinct_total(A, p, size, rng):
    """The mean over the distinct rows drawn, each counted once."""
    w = lewis_weights(A, p, tol=1e-3).weights
    drawn = np.unique(rng.choice(len(A), size, p=w / w.sum()))
    return A.shape[1] * np.mean(sensitivities(A, p, rows=drawn).values / w[drawn])


def uniform_total(A, p, size, rng):
    """All rows alike."""
    return len(A) * np.mean(sensitivities(A, p, rows=rng.integers(len(A), size=size)).values)


def same_signs(A, p, block_size, n_repeats, rng):
    """One draw of signs in the place of n_repeats."""
    return block_sensitivities(A, p, block_size, n_repeats=1, rng=rng)


def plain_sums(A, p, block_size, n_repeats, rng):
    """Sums of the rows of each block without random signs."""
    sums = np.add.reduceat(A, np.arange(0, len(A), block_size), axis=0)
    return sensitivities(sums, p, reference=A).values


def sign_sketch(A, k, rng):
    """Leverage scores by random signs."""
    signs = rng.choice([-1.0, 1.0], (A.shape[1], k))
    return np.sum((np.linalg.qr(A)[0] @ signs) ** 2, axis=1) / k


def sketch_of_one_less(A, k, rng):
    """Directions of variance 1 / (k - 1), as for a sample variance."""
    return sketched_leverage_scores(A, k, rng=rng).scores * k / (k - 1)


SKETCHES = {"signs": sign_sketch, "one-less": sketch_of_one_less}
WEIGHTS = {"mixed": mixed_weights, "uniform": uniform_weights}
TOTALS = {"unfinished": unfinished_total, "distinct": distinct_total, "uniform": uniform_total}
BLOCKS = {"same-signs": same_signs, "plain-sums": plain_sums}
UPDATES = {"mixed": mixed_form}
