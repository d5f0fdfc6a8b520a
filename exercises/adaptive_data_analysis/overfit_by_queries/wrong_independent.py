"""Takes the answer and the point's own feature for independent: no mean, and the full variance."""

import numpy as np
from scipy.stats import norm


def attack(u, y):
    m = u.T @ y / len(y)
    return np.mean(np.sign(u @ m) == y)


def margin_moments(n, k):
    return 0.0, k / n


def predicted_accuracy(n, k):
    return norm.cdf(np.sqrt(np.asarray(k) / n))
