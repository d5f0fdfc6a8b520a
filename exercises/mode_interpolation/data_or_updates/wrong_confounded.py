"""Orders updates in proportion to samples, as the released code does."""

import numpy as np
from scipy import stats


def design(samples, updates, seeds):
    return [
        (n, u, seed)
        for n, u in ((samples[0], updates[0]), (samples[-1], updates[-1]))
        for seed in seeds[:8]
    ]


def slopes(runs, rates):
    seeds = sorted({seed for _, _, seed in runs})
    columns = [
        [np.log(n), np.log(u), *(float(seed == each) for each in seeds)] for n, u, seed in runs
    ]
    X, y = np.array(columns), np.log(rates)
    coefficients = np.linalg.lstsq(X, y)[0]
    freedom = X.shape[0] - X.shape[1]
    variance = np.sum((y - X @ coefficients) ** 2) / freedom
    errors = np.sqrt(variance * np.diag(np.linalg.inv(X.T @ X)))
    half = stats.t.ppf(0.975, freedom) * errors
    return np.column_stack([coefficients, half])[:2]
