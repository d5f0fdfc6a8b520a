import numpy as np


def equal_factors(t, x0):
    """Return x(t)^2 for dx/dt = -x^3 and x(0) = x0, at the times `t` (array)."""
    return np.zeros_like(t)


def independent_factors(t, f0, g0):
    """Return f(t) g(t) for df/dt = -f g^2, dg/dt = -g f^2, at the times `t` (array)."""
    return np.zeros_like(t)


def rate(f0, g0):
    """Return c such that f(t) g(t) decays like exp(-c t)."""
    return 0.0
