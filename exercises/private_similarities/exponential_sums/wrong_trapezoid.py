"""Hands in the trapezoidal rule with its best step: a good rule, not the best sum."""

import numpy as np


def trapezoid(step, count):
    half = (count - 1) // 2
    t = np.exp(step * np.arange(-half, half + 1))
    return t, step * t * np.exp(-t)


def sup_error(t, w):
    z = np.append(0.0, np.geomspace(1e-6, 1e8, 20_000))
    sums = np.exp(-np.outer(z, np.asarray(t))) @ np.asarray(w)
    return np.abs(sums - 1 / (1 + z)).max()


def fit(terms):
    rules = []
    for step in np.linspace(0.8, 2.5, 40):
        for shift in np.linspace(-2.0, 1.0, 20):
            t = np.exp(step * (np.arange(terms) - (terms - 1) / 2) + shift)
            rules.append((sup_error(t, step * t * np.exp(-t)), step, shift))
    _, step, shift = min(rules)
    t = np.exp(step * (np.arange(terms) - (terms - 1) / 2) + shift)
    return t, step * t * np.exp(-t)
