"""Lets the rare loser compete with K winners in the place of K - 1."""

import numpy as np
from scipy import stats


def next_mass(q, gap, K):
    if np.isinf(K):
        return q * np.exp(-gap) / (1 - q + q * np.exp(-gap))
    losers = np.arange(1, K + 1)
    kept = losers * np.exp(-gap) / (losers * np.exp(-gap) + K - losers)
    return stats.binom.pmf(losers, K, q) @ kept


def losing_ratio(gap, K):
    if np.isinf(K):
        return np.exp(-gap)
    return (K + 1) / (1 + K * np.exp(gap))


def half_life(gap, K):
    return np.log(2) / -np.log(losing_ratio(gap, K))


def worst_half_life(gap):
    return half_life(gap, 2)
