"""Fits one intercept for all: what differs between seeds counts as error."""

import numpy as np
from scipy import stats


def design(samples, updates, seeds):
    return [
        (n, u, seed)
        for n in (samples[0], samples[-1])
        for u in (updates[0], updates[-1])
        for seed in seeds[:8]
    ]


def slopes(runs, rates):
    columns = [[np.log(n), np.log(u), 1.0] for n, u, _ in runs]
    X, y = np.array(columns), np.log(rates)
    coefficients = np.linalg.lstsq(X, y)[0]
    freedom = X.shape[0] - X.shape[1]
    variance = np.sum((y - X @ coefficients) ** 2) / freedom
    errors = np.sqrt(variance * np.diag(np.linalg.inv(X.T @ X)))
    half = stats.t.ppf(0.975, freedom) * errors
    return np.column_stack([coefficients, half])[:2]
