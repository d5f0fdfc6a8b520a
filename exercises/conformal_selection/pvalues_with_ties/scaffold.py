import numpy as np


def conservative_pvalues(cal, test):
    """Return conservative conformal p-values, shape (m,).

    `cal` (n,) are labelled scores, inf allowed; `test` (m,) are imputed scores, finite.
    """
    return np.zeros(len(test))


def randomised_pvalues(cal, test, rng):
    """Return randomised conformal p-values, shape (m,); `rng` is a NumPy generator."""
    return np.zeros(len(test))


def calibration(p, null, t):
    """Return (share of points null with p <= t, share of null points with p <= t).

    `p` (m,) are p-values, `null` (m,) booleans with at least one True, `t` a number.
    """
    return 0.0, 0.0
