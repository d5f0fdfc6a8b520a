import numpy as np


def data_prediction(x, score, alpha, sigma):
    """Return the data prediction m, shape (n,).

    `x` are n states at the level alpha, sigma (numbers > 0), and `score`, shape (n,), is the score
    of their law at these states.
    """
    return np.zeros_like(x)


def coefficients(alpha, sigma, lam):
    """Return the coefficients a_i, b_i, c_i of all steps, shape (N, 3).

    `alpha`, `sigma` and `lam`, shape (N + 1,), are the levels on the grid of times and their
    lam = log(alpha / sigma), which increases, in steps that may differ.
    """
    return np.zeros((len(lam) - 1, 3))


def sample(x, score, alpha, sigma, lam):
    """Return the states at the end of the grid, shape (n,), from the states `x` at its start.

    `score(x, alpha_i, sigma_i)` returns the scores of states at a level. It is called once in
    each step.
    """
    return np.zeros_like(x)
