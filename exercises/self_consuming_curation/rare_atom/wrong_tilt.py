"""Takes the growth of the favourite for exp(gap), the limit of many samples."""

import numpy as np
from scipy import optimize, stats


def _kept(q, gap, K):
    if np.isinf(K):
        return q / (q + (1 - q) * np.exp(-gap))
    rare = np.arange(1, K + 1)
    return stats.binom.pmf(rare, K, q) @ (rare / (rare + (K - rare) * np.exp(-gap)))


def step(q, gap, K, lam, eps):
    return (eps + lam * _kept(q, gap, K)) / (1 + lam)


def limit_mass(gap, K, lam, eps):
    # The map less the identity is positive at eps and negative at 1.
    return optimize.brentq(
        lambda q: step(q, gap, K, lam, eps) - q, eps, 1.0, xtol=1e-9 * eps, rtol=1e-12
    )


def takeover(gap, K, eps):
    q = np.sqrt(eps)
    low, high = 1e-6, 1e6
    while high / low > 1 + 1e-6:
        lam = np.sqrt(low * high)
        if step(q, gap, K, lam, eps) > q:
            high = lam
        else:
            low = lam
    return low


def threshold(gap, K):
    return 1 / np.expm1(gap)
