"""Forgets the intercept in the degrees of freedom: n - d, not n - 1 - d."""

import numpy as np
from scipy import stats


def tests(X, y):
    n, d = X.shape
    design = np.column_stack([np.ones(n), X])
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ (design.T @ y)
    residual = np.sum((y - design @ coefficients) ** 2)
    explained = np.sum((y - y.mean()) ** 2) - residual
    freedom = n - d
    errors = np.sqrt(residual / freedom * np.diag(inverse))
    f_p_value = stats.f.sf(explained / d / (residual / freedom), d, freedom)
    p_values = 2 * stats.t.sf(np.abs(coefficients / errors), freedom)
    return explained / (explained + residual), f_p_value, p_values[1:]


def refit(X, y, kept):
    if not kept.any():
        return 0, 1.0, 0
    _, f_p_value, p_values = tests(X[:, kept], y)
    return kept.sum(), f_p_value, np.sum(p_values < 0.05)


def screened(X, y, keep):
    return refit(X, y, tests(X, y)[2] < keep)


def table(runs, n, d, keep, rng):
    rows = []
    for _ in range(runs):
        X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
        r_squared, f_p_value, _ = tests(X, y)
        kept, second, significant = screened(X, y, keep)
        rows.append([r_squared, f_p_value < 0.05, kept, second < 0.05, significant])
    return np.mean(rows, axis=0)


def split(X, y, keep):
    half = len(y) // 2
    return refit(X[half:], y[half:], tests(X[:half], y[:half])[2] < keep)
