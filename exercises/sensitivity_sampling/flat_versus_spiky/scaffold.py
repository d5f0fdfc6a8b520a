def spiky_total(d, n_copies, p):
    """Return the total sensitivity of `n_copies` identities of d columns times n_copies^(-1/p)."""
    return 0.0


def flat_total(d, p):
    """Return the total l_p sensitivity of the cube of d columns, 2 <= d <= 200, 1 <= p <= 6."""
    return 0.0


def flat_slope(p):
    """Return the slope of log(flat_total(d, p)) on log(d) by least squares, d = 2, ..., 200."""
    return 0.0
