"""Adds the rates of the models up to the limit: a bound by the sum, not the rate."""

import numpy as np


def _selection(cal, test, q):
    n, m = len(cal), len(test)
    rank = 1 + np.searchsorted(np.sort(cal), test, side="right")
    k = np.arange(1, m + 1)
    holds = np.sort(rank) <= q * (n + 1) * k / m * (1 + 1e-10)
    last = k[holds].max(initial=0)
    return rank <= q * (n + 1) * last / m * (1 + 1e-10)


def best_selection(cal, test, q):
    chosen = [_selection(v, s, q) for v, s in zip(cal, test, strict=True)]
    best = int(np.argmax([c.sum() for c in chosen]))
    return best, chosen[best]


def simulate_fdp(K, n, m, q, pi0, replicates, rng):
    fdp = np.zeros(replicates)
    for i in range(replicates):
        null = rng.random(n + m) < pi0
        noise = rng.standard_normal((K, n + m))
        cal = np.where(null[:n], noise[:, :n], np.inf)
        _, chosen = best_selection(cal, noise[:, n:], q)
        fdp[i] = np.sum(chosen & null[n:]) / max(1, np.sum(chosen))
    return fdp


def predicted_fdr(q, pi0, K):
    return min(K * q, pi0)


def models_until(q, pi0, share):
    return int(np.ceil(share * pi0 / q))
