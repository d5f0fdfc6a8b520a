from itertools import pairwise

import numpy as np
from scipy.special import ndtr

A = 0.5  # the modes are at -A and A


def valley_masses(step, bound, levels):
    """Return the mass in |y| <= 0.005 at increasing `levels` (m,), shape (m,).

    ``step(y, s, t, D)`` returns mean and standard deviation of the next point. Without noise the
    ends of the interval are traced back to the start; with noise a density on a grid is moved to
    the means, each mass divided among two nodes, and convolved with the noise.
    """
    width, s = 0.005, A / np.sqrt(bound)
    start, found = s, []
    flow = nodes = 1.5 * np.linspace(-1, 1, 8001) ** 5
    y = np.linspace(-1.5, 1.5, 8192, endpoint=False)
    spacing = y[1] - y[0]
    mass = np.exp(-((y - A) ** 2) / (2 * s**2)) + np.exp(-((y + A) ** 2) / (2 * s**2))
    mass /= mass.sum()
    frequency = 2 * np.pi * np.fft.rfftfreq(len(y), spacing)
    for level in levels[::-1]:
        path = np.geomspace(s, level, 2 + int(np.log(s / level) / 0.002))
        for s, t in pairwise(path):
            mean, sd = step(y, s, t, np.clip(bound * y, -A, A))
            if sd == 0:
                flow = step(flow, s, t, np.clip(bound * flow, -A, A))[0]
                continue
            place = np.clip((mean - y[0]) / spacing, 0, len(y) - 1.001)
            left, share = place.astype(int), place % 1
            mass = np.bincount(left, mass * (1 - share), len(y)) + np.bincount(
                left + 1, mass * share, len(y)
            )
            gauss = np.exp(-((frequency * sd) ** 2) / 2)
            mass = np.fft.irfft(np.fft.rfft(mass) * gauss, len(y))
        s = level
        if sd == 0:
            ends = np.interp([-width, width], flow, nodes)
            below = (ndtr((ends - A) / start) + ndtr((ends + A) / start)) / 2
            found.append(below[1] - below[0])
        else:
            found.append(2 * width * np.interp(0, y, mass) / spacing)
    return np.array(found[::-1])


def ode_step(y, s, t, D):
    """Return mean (n,) and standard deviation (float) of the next point of DDIM.

    From points y (n,) at the level s to the level t < s, with the predictions D (n,).
    """
    return np.zeros_like(y), 0.0


def sde_step(y, s, t, D):
    """Return mean (n,) and standard deviation (float) of the next point of DDPM."""
    return np.zeros_like(y), 1.0


def exponent(levels, masses):
    """Return the slope of log masses (m,) on log levels (m,) and the half-width of its interval."""
    return 0.0, 1.0


def estimate(bound):
    """Return slope and half-width for the ODE and for the SDE, shape (2, 2)."""
    return np.zeros((2, 2))


def laws(bound):
    """Return the exponents of the ODE and of the SDE, a pair of floats."""
    return 0.0, 0.0
