import numpy as np


def scores(kind, prediction, y):
    """Return labelled scores: (n,) for kind "clip", (number of y <= 0,) for "sub".

    `prediction` and `y` have shape (n,).
    """
    return np.zeros(len(y))


def cfbh(cal, test, q):
    """Return which candidates are selected, booleans of shape (m,).

    `cal` (n,) may hold inf, `test` (m,) is finite, `q` is the level.
    """
    return np.zeros(len(test), dtype=bool)


def simulate_fdp(kind, n, m, q, pi0, replicates, rng):
    """Return the false discovery proportions of data sets, shape (replicates,)."""
    return np.zeros(replicates)


def fdr_one_candidate(q, n, pi0):
    """Return the false discovery rate with m = 1, clipped scores and no ties."""
    return 0.0
