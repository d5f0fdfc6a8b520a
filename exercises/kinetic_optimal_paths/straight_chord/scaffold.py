import numpy as np


def gaussian(e):
    """Return gamma and its derivative, two functions of an array of angles, for N(0, diag(e))."""

    def gamma(theta):
        s2, c2 = np.sin(theta)[..., None] ** 2, np.cos(theta)[..., None] ** 2
        return ((1 - e) ** 2 * s2 * c2 / (c2 + e * s2)).mean(axis=-1)

    def slope(theta):
        s2, c2 = np.sin(theta)[..., None] ** 2, np.cos(theta)[..., None] ** 2
        change = np.sin(2 * theta)[..., None] * (c2**2 - e * s2**2) / (c2 + e * s2) ** 2
        return ((1 - e) ** 2 * change).mean(axis=-1)

    return gamma, slope


def angle(gamma):
    """Return Phi, the angle of the plane that belongs to theta = pi / 2."""
    return 0.0


def path(gamma, t):
    """Return the pair a, m of the best path at the times t (array in [0, 1])."""
    return np.zeros_like(t), np.zeros_like(t)


def chord_energy(gamma, start):
    """Return the least energy from (r, theta) = (1, start) to (1, pi / 2)."""
    return 0.0


def bvp_energy(gamma, slope, start):
    """Return the same energy by a numerical solution of the Euler-Lagrange equations."""
    return 0.0
