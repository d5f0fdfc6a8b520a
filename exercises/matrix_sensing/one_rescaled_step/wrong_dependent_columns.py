"""Divides by singular values and does not look whether one of them is zero."""

import numpy as np


def rescale(F, G, beta):
    if beta <= 0:
        raise ValueError(f"beta must be positive; got {beta}")
    A, b, Ct = np.linalg.svd(F, full_matrices=False)
    return beta * A, (G @ Ct.T) * (b / beta)


def descend(M, F0, G0, step_size, n_steps, threshold, beta):
    F, G, rescaled = F0, G0, False
    errors = np.empty(n_steps + 1)
    for t in range(n_steps + 1):
        E = F @ G.T - M
        errors[t] = np.linalg.norm(E)
        if not rescaled and errors[t] <= threshold:
            F, G = rescale(F, G, beta)
            rescaled = True
        F, G = F - step_size * E @ G, G - step_size * E.T @ F
    return errors


def best_beta(sigma_r):
    return np.sqrt(sigma_r)
