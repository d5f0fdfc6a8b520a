import numpy as np


def leave_one_out_sizes(cal, test, q):
    n, m = len(cal), len(test)
    order = np.argsort(test)
    ordered = test[order]
    counts = np.searchsorted(np.sort(cal), ordered, side="right")
    rank = np.arange(1, m + 1)
    g = q * (n + 1) / m * (1 + 1e-10)

    # Candidates behind j keep their rank and get the additional 1, whatever j is.
    last_behind = rank[counts + 1 <= g * rank].max(initial=0)

    # Candidates before j move up by one place, because j is the first now.
    passes = counts <= g * (rank + 1)
    last_before = np.maximum.accumulate(np.where(passes, rank, 0))

    first = np.searchsorted(ordered, ordered, side="left")  # candidates with a smaller score
    before = np.where(first > 0, last_before[first - 1], 0)
    sizes = np.empty(m, dtype=int)
    sizes[order] = np.where(last_behind > first, last_behind, 1 + before)
    return sizes
