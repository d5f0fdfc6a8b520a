"""Forgets that the formula of Tweedie is about alpha times the data."""

import numpy as np


def data_prediction(x, score, alpha, sigma):
    return x + sigma**2 * score


def coefficients(alpha, sigma, lam):
    h = np.diff(lam)
    keep = sigma[1:] / sigma[:-1]
    total = -alpha[1:] * np.expm1(-h)
    back = np.zeros(len(h))
    back[1:] = h[1:] / (2 * h[:-1])
    return np.stack([keep, total * (1 + back), -total * back], axis=1)


def sample(x, score, alpha, sigma, lam):
    old = np.zeros_like(x)
    for i, (a, b, c) in enumerate(coefficients(alpha, sigma, lam)):
        new = data_prediction(x, score(x, alpha[i], sigma[i]), alpha[i], sigma[i])
        x = a * x + b * new + c * old
        old = new
    return x
