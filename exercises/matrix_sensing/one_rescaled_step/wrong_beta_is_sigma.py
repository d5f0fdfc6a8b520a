"""Takes the singular value for beta: a square root forgotten."""

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
    return sigma_r
