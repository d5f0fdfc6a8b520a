import numpy as np


def best_selection(cal, test, q):
    """Return (index of the model that selects most, its selection).

    `cal` (K, n) may hold inf, `test` (K, m) is finite; the selection is booleans (m,).
    """
    return 0, np.zeros(test.shape[1], dtype=bool)


def simulate_fdp(K, n, m, q, pi0, replicates, rng):
    """Return false discovery proportions of the best of K useless models, (replicates,)."""
    return np.zeros(replicates)


def predicted_fdr(q, pi0, K):
    """Return the false discovery rate of the best of K useless models."""
    return 0.0


def models_until(q, pi0, share):
    """Return the least K for which the prediction is at least `share` of its limit."""
    return 0
