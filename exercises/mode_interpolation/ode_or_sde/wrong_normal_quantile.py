"""Takes 1.96 for the quantile of Student with six degrees of freedom."""

from itertools import pairwise

import numpy as np
from scipy import stats
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
    return D + t / s * (y - D), 0.0


def sde_step(y, s, t, D):
    ratio = (t / s) ** 2
    return D + ratio * (y - D), t * np.sqrt(1 - ratio)


def exponent(levels, masses):
    x, z = np.log(levels), np.log(masses)
    m, centred = len(x), x - x.mean()
    slope = centred @ z / (centred @ centred)
    residual = z - z.mean() - slope * centred
    error = np.sqrt(residual @ residual / (m - 2) / (centred @ centred))
    return slope, stats.norm.ppf(0.975) * error


def estimate(bound):
    rows = []
    for step, least in ((ode_step, 0.006), (sde_step, 0.012)):
        levels = np.geomspace(least, 0.05, 8)
        rows.append(exponent(levels, valley_masses(step, bound, levels)))
    return np.array(rows)


def laws(bound):
    return bound - 1, 2 * (bound - 1)
