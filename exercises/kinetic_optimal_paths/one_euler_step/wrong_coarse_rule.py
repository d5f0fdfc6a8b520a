"""Trusts the trapezoidal rule with 200 nodes, whose error at the ends is large."""

import numpy as np


def angle(e):
    theta = np.linspace(0, np.pi / 2, 200)
    s, c = np.sin(theta)[:, None] ** 2, np.cos(theta)[:, None] ** 2
    gamma = ((e - 1) ** 2 * s * c / (c + e * s)).mean(axis=1)
    return np.trapezoid(np.sqrt(gamma), theta)


def _factors(e):
    Phi, kappa = angle(e), np.sqrt(np.mean((e - 1) ** 2))
    return np.cos(Phi) + np.sin(Phi) / kappa * (e - 1)


def euler_step(e, x):
    return x * _factors(e)


def distance(e):
    return np.mean((np.abs(_factors(e)) - np.sqrt(e)) ** 2)


def exact_law(d):
    e = np.ones(d)
    e[0], e[1:] = 0.25, (d - 0.25) / (d - 1)
    return e


def inexact_law(d):
    e = np.full(d, 0.1)
    e[0] = 0.5
    e[-1] += d - e.sum()
    return e
