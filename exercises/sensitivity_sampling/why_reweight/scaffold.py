import numpy as np


def sample(scores, p, alpha, rng):
    """Draw rows independently with probabilities min(1, alpha scores).

    Return the weights omega of all rows on p-th powers, shape (n,), 0 for rows left out.
    """
    return np.zeros(len(scores))


def looks_unbiased(sampler, scores, p, alpha, powers, rng):
    """Return whether 4000 draws of sampler(scores, p, alpha, rng) are compatible with no bias.

    `powers`, shape (n,), are |a_i.x|^p for one x: the mean of omega @ powers should be their sum.
    """
    return None
