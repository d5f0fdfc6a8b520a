"""Forgets ties with labelled points: only strictly smaller scores count."""

import numpy as np


def _counts(cal, test):
    ordered = np.sort(cal)
    below = np.searchsorted(ordered, test, side="left")
    return below, np.searchsorted(ordered, test, side="right") - below


def conservative_pvalues(cal, test):
    below, ties = _counts(cal, test)
    return (1 + below + 0 * ties) / (len(cal) + 1)


def randomised_pvalues(cal, test, rng):
    below, ties = _counts(cal, test)
    u = rng.random(len(test))
    return (below + u * (1 + 0 * ties)) / (len(cal) + 1)


def calibration(p, null, t):
    false = np.sum((p <= t) & null)
    return false / len(p), false / np.sum(null)
