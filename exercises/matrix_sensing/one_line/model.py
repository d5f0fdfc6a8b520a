import numpy as np


def equal_factors(t, x0):
    return x0**2 / (1 + 2 * x0**2 * np.asarray(t))


def independent_factors(t, f0, g0):
    t = np.asarray(t)
    large, small = max(f0, g0) ** 2, min(f0, g0) ** 2
    gap = large - small
    if gap == 0:
        return equal_factors(t, f0)
    decay = np.exp(-2 * gap * t)
    small_now = gap * small * decay / (large - small * decay)
    return np.sqrt(small_now * (small_now + gap))


def rate(f0, g0):
    return abs(f0**2 - g0**2)
