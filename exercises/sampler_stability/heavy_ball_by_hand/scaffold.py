import numpy as np

WEIGHTS = {
    1: np.array([1.0]),
    2: np.array([3.0, -1.0]) / 2,
    3: np.array([23.0, -16.0, 5.0]) / 12,
    4: np.array([55.0, -59.0, 37.0, -9.0]) / 24,
}


def polynomials(r, beta):
    """Return the coefficients of rho and of sigma, highest power first, two arrays of one length.

    The numbers y_n of the method satisfy sum_j rho_j y_{n-j} = z sum_j sigma_j y_{n-j}, in which
    rho_0 = 1 belongs to the newest.
    """
    return np.zeros(2), np.zeros(2)


def real_limit(r, beta):
    """Return the end z < 0 of the interval (z, 0) in which the method is stable."""
    return 0.0


def inside(z, beta):
    """Return where the method with r = 1 is stable, a bool array, for a complex array `z`."""
    return np.zeros(np.shape(z), dtype=bool)


def area(beta):
    """Return the area of the region of stability of the method with r = 1."""
    return 0.0
