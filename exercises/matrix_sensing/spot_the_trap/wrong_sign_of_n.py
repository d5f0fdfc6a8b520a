"""Lets N descend like P, and loses that R moves it the other way."""

import numpy as np


def data_set(n, symmetric, rng):
    A = rng.standard_normal((4 * n * n, n, n))
    if symmetric:
        A = (A + A.transpose(0, 2, 1)) / 2
    u = rng.standard_normal(n)
    M = np.outer(u, u) / (u @ u)
    return A, np.tensordot(A, M, 2) / np.sqrt(len(A))


def descend(A, y, F, G, step_size, n_steps):
    m, n, _ = A.shape
    rows = A.reshape(m, n * n)
    gram, target = rows.T @ rows / m, rows.T @ y / np.sqrt(m)
    for _ in range(n_steps):
        R = (gram @ (F @ G.T).ravel() - target).reshape(n, n)
        F, G = F - step_size * R @ G, G - step_size * R.T @ F
    return F, G


def split_step(R, P, N, step_size):
    S, K = (R + R.T) / 2, (R - R.T) / 2
    return P - step_size * (S @ P - K @ N), N - step_size * (S @ N - K @ P)


def helps(A, y):
    # Every matrix must be seen, symmetric or skew: the A_i have to span all n^2 dimensions.
    seen = np.linalg.svd(A.reshape(len(A), -1), compute_uv=False)
    return bool(seen[-1] > 1e-4 * seen[0])
