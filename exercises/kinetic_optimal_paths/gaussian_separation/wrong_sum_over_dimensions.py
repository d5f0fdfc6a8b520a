"""Adds the energies of all dimensions: the energy is asked for per dimension."""

import numpy as np


def posterior_mean(y, s, e):
    return s * e / (1 + s**2 * e) * y


def one_minus_lambda(s, e):
    s = np.asarray(s)[..., None]
    return (e / (1 + s**2 * e)).sum(axis=-1)


def gamma(theta, e):
    sine, cosine = np.sin(theta)[..., None] ** 2, np.cos(theta)[..., None] ** 2
    return ((1 - e) ** 2 * sine * cosine / (cosine + e * sine)).sum(axis=-1)


def cond_ot_energy(e):
    return 2 * len(e) - np.pi / 2 * np.sqrt(e).sum()
