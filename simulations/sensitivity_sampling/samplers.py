"""Row sampling as the library does it, and with the mistakes that the claims must catch."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control
from theorytk.sensitivity.sampling import root_leverage_sample, sample_rows

INDEPENDENT = Assumption("rows are kept independently with probability min(1, alpha score)")
PLANE = Assumption("two columns and p = 1, where sensitivities and distortion are exact")
WITH_REPLACEMENT = Control(
    "as many rows, drawn with replacement: unbiased, of another law", sampler="with-replacement"
)


def draw(sampler, scores, p, alpha, rng):
    """Return the weights omega of all rows, by a sampler named in SAMPLERS or the user's own."""
    named = SAMPLERS[sampler] if isinstance(sampler, str) else sampler
    return named(scores, p, alpha, rng)


def without_replacement(scores, p, alpha, rng):
    """Draw a fixed number without replacement, but weight as if it were with replacement."""
    share = scores / scores.sum()
    size = round(np.minimum(1, alpha * scores).sum())
    omega = np.zeros(len(scores))
    kept = rng.choice(len(scores), size=size, replace=False, p=share)
    omega[kept] = 1 / (size * share[kept])
    return omega


def with_replacement(scores, p, alpha, rng):
    """Draw a fixed number with replacement: unbiased, but of another variance."""
    size = round(np.minimum(1, alpha * scores).sum())
    return sample_rows(scores, p, size=size, replace=True, rng=rng).omega()


def square_root_scaling(scores, p, alpha, rng):
    """Multiply kept rows by q^(-1/2), whatever p: their p-th powers get q^(-p/2)."""
    return independent(scores, p, alpha, rng) ** (p / 2)


def unweighted(scores, p, alpha, rng):
    """Keep the rows as they are."""
    return np.sign(independent(scores, p, alpha, rng))


def stale_weights(scores, p, alpha, rng):
    """Weight for an oversampling that is 8% higher than the one drawn with."""
    return independent(scores, p, alpha, rng) / 1.08


def independent(scores, p, alpha, rng):
    """Draw as the library does, and return the weights omega of all rows."""
    return sample_rows(scores, p, alpha=alpha, rng=rng).omega()


SAMPLERS = {
    "independent": independent,
    "without-replacement": without_replacement,
    "with-replacement": with_replacement,
    "square-root-scaling": square_root_scaling,
    "unweighted": unweighted,
    "stale-weights": stale_weights,
}


def without_root(A, p, alpha, *, rounds, rng):
    """Sample by leverage scores in every round: alpha d rows after the first."""
    return root_leverage_sample(A, 1.999, alpha, rounds=rounds, rng=rng)


RECURSIONS = {"root-leverage": root_leverage_sample, "no-root": without_root}
