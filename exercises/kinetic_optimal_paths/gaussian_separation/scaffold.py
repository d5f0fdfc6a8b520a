import numpy as np


def posterior_mean(y, s, e):
    """Return E[x_1 | y], shape (n, d), for y of shape (n, d) and eigenvalues e of shape (d,)."""
    return np.zeros_like(y)


def one_minus_lambda(s, e):
    """Return 1 - lambda at the amplitudes s (array, >= 0), of the shape of s."""
    return np.zeros_like(s)


def gamma(theta, e):
    """Return gamma at the angles theta (array, from 0 to pi/2), of the shape of theta."""
    return np.zeros_like(theta)


def cond_ot_energy(e):
    """Return the kinetic energy per dimension of Cond-OT."""
    return 0.0
