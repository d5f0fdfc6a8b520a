"""Compares p-values with thresholds in floating point, which rounding decides on the lattice."""

import numpy as np
from scipy import special, stats


def scores(kind, prediction, y):
    if kind == "clip":
        return np.where(y > 0, np.inf, -prediction)
    return -prediction[y <= 0]


def cfbh(cal, test, q):
    n, m = len(cal), len(test)
    rank = 1 + np.searchsorted(np.sort(cal), test, side="right")
    p = rank / (n + 1)
    k = np.arange(1, m + 1)
    last = k[np.sort(p) <= q * k / m].max(initial=0)
    return p <= q * last / m


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
    ranks = np.floor(q * (n + 1))
    nulls = np.arange(n + 2)
    return stats.binom.pmf(nulls, n + 1, pi0) @ np.minimum(ranks, nulls) / (n + 1)
