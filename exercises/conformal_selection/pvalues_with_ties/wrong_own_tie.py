"""Randomises the ties with labelled points but not the candidate's own place."""

import numpy as np


def _counts(cal, test):
    ordered = np.sort(cal)
    below = np.searchsorted(ordered, test, side="left")
    return below, np.searchsorted(ordered, test, side="right") - below


def conservative_pvalues(cal, test):
    below, ties = _counts(cal, test)
    return (1 + below + ties) / (len(cal) + 1)


def randomised_pvalues(cal, test, rng):
    below, ties = _counts(cal, test)
    u = rng.random(len(test))
    return (1 + below + u * ties) / (len(cal) + 1)


def calibration(p, null, t):
    false = np.sum((p <= t) & null)
    return false / len(p), false / np.sum(null)
