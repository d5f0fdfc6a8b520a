"""Subtracts two numbers near 1: right in the middle, without digits near the ends."""

import numpy as np


def posterior_mean(y, s, e):
    return s * e / (1 + s**2 * e) * y


def one_minus_lambda(s, e):
    s = np.asarray(s)[..., None]
    return (e / (1 + s**2 * e)).mean(axis=-1)


def gamma(theta, e):
    s = np.tan(theta)
    return 1 - (1 + s**2) * one_minus_lambda(s, e)


def cond_ot_energy(e):
    return 2 - np.pi / 2 * np.sqrt(e).mean()
