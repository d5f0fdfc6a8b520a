import itertools

import numpy as np


def curation_weights(p, r, K):
    """Return the curation weights H, shape (n,), by enumeration of the K - 1 other samples."""
    w = np.exp(r)
    H = np.zeros(len(p))
    for others in itertools.product(range(len(p)), repeat=K - 1):
        others = list(others)
        H += K * np.prod(p[others]) * w / (w + np.sum(w[others]))
    return H


def gain(p, r, K):
    """Return sum_i p_i H_i w_i - sum_i p_i w_i."""
    return 0.0


def gain_by_spread(p, r, K):
    """Return the gain as the expectation of a sum of squares over a sum."""
    return 0.0


def gain_bound(p, r, K):
    """Return c Var_p(w) / exp(r_*), a lower bound of the gain."""
    return 0.0


def least_ratio(problems):
    """Return the least ratio of gain to bound over a list of problems (p, r, K)."""
    return 0.0
