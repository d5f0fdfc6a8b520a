"""Swaps candidates with labelled points that are not null, too, for which nothing is promised."""

import numpy as np


def swap_difference(builder, X, y, X_test, i, j):
    swapped, swapped_test = X.copy(), X_test.copy()
    swapped[i], swapped_test[j] = X_test[j], X[i]
    cal, test = builder(X.copy(), y.copy(), X_test.copy())
    new, new_test = builder(swapped, y.copy(), swapped_test)
    cal, test = cal.copy(), test.copy()
    cal[i], test[j] = test[j], cal[i]
    change = np.subtract(new, cal, where=np.isfinite(cal), out=np.zeros(len(cal)))
    change = np.append(change, new_test - test)
    return float(np.max(np.abs(change)))


def is_valid(builder, X, y, X_test, rng):
    _, test = builder(X.copy(), y.copy(), X_test.copy())
    for _ in range(20):
        i, j = rng.choice(len(y)), rng.integers(len(X_test))
        if swap_difference(builder, X, y, X_test, i, j) > 1e-9 * np.max(np.abs(test)):
            return False
    return True


def _select(cal, test, q):
    n, m = len(cal), len(test)
    rank = 1 + np.searchsorted(np.sort(cal), test, side="right")
    k = np.arange(1, m + 1)
    last = k[np.sort(rank) <= q * (n + 1) * k / m * (1 + 1e-10)].max(initial=0)
    return rank <= q * (n + 1) * last / m * (1 + 1e-10)


def fdr_interval(builder, draw, q, replicates, rng):
    fdp = []
    for _ in range(replicates):
        X, y, X_test, y_test = draw(rng)
        chosen = _select(*builder(X, y, X_test), q)
        fdp.append(np.sum(chosen & (y_test <= 0)) / max(1, np.sum(chosen)))
    mean, error = np.mean(fdp), np.std(fdp) / np.sqrt(len(fdp))
    return mean - 1.96 * error, mean + 1.96 * error
