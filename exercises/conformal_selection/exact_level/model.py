import numpy as np
from scipy import special, stats


def scores(kind, prediction, y):
    if kind == "clip":
        return np.where(y > 0, np.inf, -prediction)
    return -prediction[y <= 0]


def cfbh(cal, test, q):
    n, m = len(cal), len(test)
    rank = 1 + np.searchsorted(np.sort(cal), test, side="right")
    k = np.arange(1, m + 1)
    holds = np.sort(rank) <= q * (n + 1) * k / m * (1 + 1e-10)
    last = k[holds].max(initial=0)
    return rank <= q * (n + 1) * last / m * (1 + 1e-10)


def simulate_fdp(kind, n, m, q, pi0, replicates, rng):
    fdp = np.zeros(replicates)
    shift = np.sqrt(1.25) * special.ndtri(pi0)
    for i in range(replicates):
        x = rng.standard_normal(n + m)
        y = x + 0.5 * rng.standard_normal(n + m) - shift
        chosen = cfbh(scores(kind, x[:n], y[:n]), -x[n:], q)
        fdp[i] = np.sum(chosen & (y[n:] <= 0)) / max(1, np.sum(chosen))
    return fdp


def fdr_one_candidate(q, n, pi0):
    ranks = np.floor(q * (n + 1) * (1 + 1e-10))
    nulls = np.arange(n + 2)
    return stats.binom.pmf(nulls, n + 1, pi0) @ np.minimum(ranks, nulls) / (n + 1)
