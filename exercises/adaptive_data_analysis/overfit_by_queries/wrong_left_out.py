"""Leaves each point out of its correlations, and with it the overfitting."""

import numpy as np
from scipy.stats import norm


def attack(u, y):
    k = u.shape[1]
    total = u.T @ y
    margins = y * (u @ total) - k
    return np.mean(margins > 0) + np.mean(margins == 0) / 2


def margin_moments(n, k):
    return k / n, k * (n - 1) / n**2


def predicted_accuracy(n, k):
    return norm.cdf(np.sqrt(np.asarray(k) / n))
