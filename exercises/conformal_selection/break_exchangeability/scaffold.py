import numpy as np


def _design(X):
    return np.column_stack([np.ones(len(X)), X])


def _ridge(X):
    """Return the matrix that turns labels into coefficients, penalty 1."""
    A = _design(X)
    return np.linalg.solve(A.T @ A + np.eye(A.shape[1]), A.T)


def fitted_to_labelled(X, y, X_test):
    """Fit to the labelled points, predict labelled points and candidates."""
    labels = (y > 0).astype(float)
    coefficients = _ridge(X) @ labels
    cal = np.where(y > 0, np.inf, -_design(X) @ coefficients)
    return cal, -_design(X_test) @ coefficients


def fitted_to_all(X, y, X_test):
    """Fit to all points, candidates with the label 0, and predict them."""
    labels = np.append((y > 0).astype(float), np.zeros(len(X_test)))
    rows = np.vstack([X, X_test])
    fitted = _design(rows) @ (_ridge(rows) @ labels)
    return np.where(y > 0, np.inf, -fitted[: len(y)]), -fitted[len(y) :]


def left_out_of_all(X, y, X_test):
    """Predict each point by the fit to all others, candidates with the label 0."""
    labels = np.append((y > 0).astype(float), np.zeros(len(X_test)))
    rows = np.vstack([X, X_test])
    solve = _ridge(rows)
    leverage = np.sum(_design(rows) * solve.T, axis=1)
    fitted = (_design(rows) @ (solve @ labels) - leverage * labels) / (1 - leverage)
    return np.where(y > 0, np.inf, -fitted[: len(y)]), -fitted[len(y) :]


def draw(rng, n=60, m=20, d=20):
    """Return X (n, d), y (n,), X_test (m, d), y_test (m,): one useful covariate of d."""
    X = rng.standard_normal((n + m, d))
    y = X[:, 0] + 0.7 * rng.standard_normal(n + m)
    return X[:n], y[:n], X[n:], y[n:]


def swap_difference(builder, X, y, X_test, i, j):
    """Return the largest change of a score beyond the exchange of those of i and j.

    `X` (n, d), `y` (n,), `X_test` (m, d); `i` is a null labelled row, `j` a row of `X_test`.
    """
    return 0.0


def is_valid(builder, X, y, X_test, rng):
    """Return whether 20 random swaps change nothing but the two scores of each."""
    return True


def fdr_interval(builder, draw, q, replicates, rng):
    """Return (low, high): mean false discovery proportion -+ 1.96 standard errors."""
    return 0.0, 0.0
