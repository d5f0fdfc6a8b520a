"""Divides the mean of the margin by its variance, not by its standard deviation."""

import numpy as np
from scipy.stats import norm


def attack(u, y):
    m = u.T @ y / len(y)
    margins = y * (u @ m)
    return np.mean(margins > 0) + np.mean(margins == 0) / 2


def margin_moments(n, k):
    return k / n, k * (n - 1) / n**2


def predicted_accuracy(n, k):
    return norm.cdf((k / n) / (k / n)) * np.ones(np.shape(k))
