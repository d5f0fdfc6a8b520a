import numpy as np


def loss(x, rates):
    """Return the privacy loss of adding a point at each of `x`, shape (n,); `rates` (L + 1,)."""
    return np.zeros_like(x)


def largest_loss(rates):
    """Return the maximum of the loss over [0, 1], exact but for rounding."""
    return 0.0


def budget(levels, epsilon):
    """Return the rates, shape (levels + 1,), whose largest loss is `epsilon`."""
    return np.zeros(levels + 1)


def saving(levels):
    """Return the factor by which the rates of `budget` exceed those that add up to epsilon."""
    return 0.0
