import numpy as np


def tests(X, y):
    """Return R^2, the p-value of the F-test and the p-values (d,) of the coefficients.

    `X` (n, d) are the variables, `y` (n,) is the response; the regression has an intercept.
    """
    return 0.0, 1.0, np.ones(X.shape[1])


def screened(X, y, keep):
    """Return (kept, f_p_value, significant) of a regression after screening by the same points."""
    return 0, 1.0, 0


def table(runs, n, d, keep, rng):
    """Return five means over `runs` samples of noise, shape (5,)."""
    return np.zeros(5)


def split(X, y, keep):
    """Return what `screened` returns, with a final F-test of the right size."""
    return 0, 1.0, 0
