import numpy as np


def estimate(draws):
    """Return an estimate of 1/2 from each row of `draws`, shape (means, n), as shape (means,)."""
    return np.zeros(len(draws))


def draws_needed(error):
    """Return the least number of draws whose mean has a squared error of at most `error`."""
    return 0
