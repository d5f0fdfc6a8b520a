"""Exponentiates large numbers as they are: infinity over infinity at large amplitudes."""

import numpy as np


def posterior_mean(X, y, s):
    logits = s * y @ X.T - s**2 * (X**2).sum(axis=1) / 2
    w = np.exp(logits)
    return w @ X / w.sum(axis=1, keepdims=True)


def one_minus_lambda(X, s, n_noise, rng):
    s = np.asarray(s, dtype=float)
    x = np.repeat(X, n_noise, axis=0)
    z = rng.standard_normal(x.shape)
    found = [np.mean((x - posterior_mean(X, v * x + z, v)) ** 2) for v in s.ravel()]
    return np.reshape(found, s.shape)


def delta(X, n_noise, rng):
    x, w = np.polynomial.legendre.leggauss(40)
    theta = np.pi / 4 * (1 + x)
    integrand = one_minus_lambda(X, np.tan(theta), n_noise, rng) / np.cos(theta) ** 2
    return np.pi / 4 * (w @ integrand)


def growth(n, delta):
    return np.polyfit(np.log(n), np.log(delta), 1)[0]


def log_slope(n, delta):
    return np.polyfit(np.log(n), np.square(delta), 1)[0]
