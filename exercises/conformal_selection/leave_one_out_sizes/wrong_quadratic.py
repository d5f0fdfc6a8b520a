"""Is right, and runs the procedure anew for every candidate."""

import numpy as np


def leave_one_out_sizes(cal, test, q):
    n, m = len(cal), len(test)
    counts = np.searchsorted(np.sort(cal), test, side="right")
    rank = np.arange(1, m + 1)
    g = q * (n + 1) / m * (1 + 1e-10)
    sizes = np.empty(m, dtype=int)
    for j in range(m):
        world = counts + (test[j] <= test)
        world[j] = 0
        sizes[j] = rank[np.sort(world) <= g * rank].max(initial=0)
    return sizes
