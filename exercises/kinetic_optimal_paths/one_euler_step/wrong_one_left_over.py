"""Pairs eigenvalues around 1: for an odd d one is left over, and makes a third."""

import numpy as np


def angle(e):
    # In theta = (pi / 2) sin^2(...) the nodes are dense at both ends, where gamma vanishes.
    x, w = np.polynomial.legendre.leggauss(600)
    u = np.pi / 4 * (1 + x)
    theta = np.pi / 2 * np.sin(u) ** 2
    s, c = np.sin(theta)[:, None] ** 2, np.cos(theta)[:, None] ** 2
    gamma = ((e - 1) ** 2 * s * c / (c + e * s)).mean(axis=1)
    return np.pi / 4 * (w @ (np.sqrt(gamma) * np.pi / 2 * np.sin(2 * u)))


def _factors(e):
    Phi, kappa = angle(e), np.sqrt(np.mean((e - 1) ** 2))
    return np.cos(Phi) + np.sin(Phi) / kappa * (e - 1)


def euler_step(e, x):
    return x * _factors(e)


def distance(e):
    return np.mean((np.abs(_factors(e)) - np.sqrt(e)) ** 2)


def exact_law(d):
    e = np.ones(d)
    e[: d // 2], e[d - d // 2 :] = 0.25, 1.75
    return e


def inexact_law(d):
    e = np.full(d, 0.1)
    e[0] = 0.5
    e[-1] += d - e.sum()
    return e
