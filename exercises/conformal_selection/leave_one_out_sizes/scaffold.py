import numpy as np


def sizes_by_definition(cal, test, q):
    """Return the sizes R_j, integers of shape (m,), in O(m^2 n): to compare with, when m is small.

    `cal` (n,) may hold inf, `test` (m,) is finite, `q` is the level.
    """
    n, m = len(cal), len(test)
    sizes = np.zeros(m, dtype=int)
    for j in range(m):
        counts = np.array([np.sum(cal <= s) + (test[j] <= s) for s in test])
        counts[j] = 0
        for k in range(1, m + 1):
            if np.sum(m * counts <= q * (n + 1) * k * (1 + 1e-10)) >= k:
                sizes[j] = k
    return sizes


def leave_one_out_sizes(cal, test, q):
    """Return the sizes R_j, integers of shape (m,), in O((n + m) log(n + m)).

    `cal` (n,) may hold inf, `test` (m,) is finite, `q` is the level.
    """
    return np.zeros(len(test), dtype=int)
