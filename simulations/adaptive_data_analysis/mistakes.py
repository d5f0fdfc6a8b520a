"""What a competent implementer gets wrong, and small departures that a claim must still see."""

from __future__ import annotations

from dataclasses import replace

from theorytk.adaptive.attacks import random_signs, two_stage_attack, vote_margins
from theorytk.adaptive.feature_selection import feature_selection

NEW_POINTS = 0.06  # share of the points that belong to another sample than the rest


def ties_lost(n, k, weights, sigma, rng):
    """A tie of the vote counts as an error."""
    result = two_stage_attack(random_signs(n, k, rng), weights=weights, sigma=sigma, rng=rng)
    return (result.margins > 0).mean()


def half_noise(n, k, weights, sigma, rng):
    """The noise of answers in [0, 1] added to answers in [-1, 1]."""
    signs = random_signs(n, k, rng)
    return two_stage_attack(signs, weights=weights, sigma=sigma / 2, rng=rng).accuracy


def fresh_points(n, k, weights, sigma, rng):
    """The classifier judged on points that were not asked about."""
    answers = 2 * random_signs(n, k, rng).stored().means() - 1
    margins = vote_margins(random_signs(n, k, rng), answers)
    return (margins > 0).mean() + (margins == 0).mean() / 2


def some_new_points(n, k, weights, sigma, rng):
    """The classifier judged on a sample of which a few points are new."""
    result = two_stage_attack(random_signs(n, k, rng), weights=weights, sigma=sigma, rng=rng)
    return (1 - NEW_POINTS) * result.accuracy + NEW_POINTS / 2


ATTACK_MISTAKES = {
    "ties-lost": ties_lost,
    "half-noise": half_noise,
    "fresh": fresh_points,
    "some-new": some_new_points,
}


def unused(n, d, n_signal, sizes, rng):
    """The holdout only measures, and does not select."""
    return feature_selection(n, d, n_signal=n_signal, sizes=sizes, holdout="unused", rng=rng)


def fewer(n, d, n_signal, sizes, rng):
    """Of the variables, 15% were dropped before."""
    return feature_selection(n, round(0.85 * d), n_signal=n_signal, sizes=sizes, rng=rng)


def fewer_with_thresholdout(n, d, n_signal, sizes, rng):
    """A tenth of the variables was dropped before, with Thresholdout."""
    return feature_selection(
        n, round(0.9 * d), n_signal=n_signal, sizes=sizes, holdout="thresholdout", rng=rng
    )


def high_threshold(n, d, n_signal, sizes, rng):
    """Thresholdout at two and a half times its threshold."""
    return feature_selection(
        n, d, n_signal=n_signal, sizes=sizes, holdout="thresholdout", threshold=10.0, rng=rng
    )


def holdout_twice(n, d, n_signal, sizes, rng, share=1.0):
    """A share of the fresh points are those of the holdout."""
    result = feature_selection(n, d, n_signal=n_signal, sizes=sizes, rng=rng)
    return replace(result, fresh=share * result.holdout + (1 - share) * result.fresh)


def some_twice(n, d, n_signal, sizes, rng):
    """A tenth of the fresh points are those of the holdout."""
    return holdout_twice(n, d, n_signal, sizes, rng, share=0.1)


STUDY_MISTAKES = {
    "unused": unused,
    "fewer": fewer,
    "fewer-with-thresholdout": fewer_with_thresholdout,
    "high-threshold": high_threshold,
    "holdout-twice": holdout_twice,
    "some-twice": some_twice,
}
