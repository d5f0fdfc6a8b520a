"""Measures the error on [0, 10] only, and forgets the step in the weights."""

import numpy as np
from scipy.optimize import least_squares

GRID = np.append(0.0, np.geomspace(1e-3, 10, 300))


def trapezoid(step, count):
    half = (count - 1) // 2
    t = np.exp(step * np.arange(-half, half + 1))
    return t, t * np.exp(-t)


def errors(t, w, z):
    return np.exp(-np.outer(z, t)) @ w - 1 / (1 + z)


def sup_error(t, w):
    z = np.linspace(0, 10, 20_000)
    return np.abs(errors(np.asarray(t), np.asarray(w), z)).max()


def fit(terms):
    start = np.append(np.linspace(-3.0, 1.5, terms), np.full(terms, -np.log(terms)))
    found = least_squares(lambda v: errors(*np.exp(v.reshape(2, -1)), GRID), start, method="lm")
    return tuple(np.exp(found.x.reshape(2, -1)))
