"""Rescales at every step below the threshold, not once."""

import numpy as np


def rescale(F, G, beta):
    if beta <= 0:
        raise ValueError(f"beta must be positive; got {beta}")
    n1, k = F.shape
    A, b, Ct = np.linalg.svd(F, full_matrices=False)
    if k > n1 or b[-1] <= 10 * n1 * np.finfo(float).eps * b[0]:
        raise ValueError("the columns of F are linearly dependent")
    return beta * A, (G @ Ct.T) * (b / beta)


def descend(M, F0, G0, step_size, n_steps, threshold, beta):
    F, G = F0, G0
    errors = np.empty(n_steps + 1)
    for t in range(n_steps + 1):
        E = F @ G.T - M
        errors[t] = np.linalg.norm(E)
        if errors[t] <= threshold:
            F, G = rescale(F, G, beta)
        F, G = F - step_size * E @ G, G - step_size * E.T @ F
    return errors


def best_beta(sigma_r):
    return np.sqrt(sigma_r)
