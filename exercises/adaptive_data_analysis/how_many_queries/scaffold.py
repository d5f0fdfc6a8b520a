def split_width(n, k, beta):
    """Return the half-width (float) of k answers by splitting n points."""
    return 1.0


def noise_width(n, k, beta, sigma, delta):
    """Return the half-width (float) of k answers with noise of standard deviation sigma.

    The parameter delta is that of differential privacy, and also beta_s.
    """
    return 1.0


def max_queries(n, tau, beta, bound):
    """Return the largest number k (int) of queries with a half-width of at most tau.

    The bound is "split" or "noise"; with noise, sigma and delta are the best for each k.
    """
    return 0


def crossing(tau, beta):
    """Return the number of points (float) from which on noise allows more than splitting."""
    return 0.0
