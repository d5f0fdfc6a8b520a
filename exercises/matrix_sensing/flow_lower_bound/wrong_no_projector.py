"""Takes all of the noise rows, also what the signal binds."""

import numpy as np


def free_energies(M, X0):
    w, Q = np.linalg.eigh(M)
    signal = w > 1e-10
    J0 = Q[:, ~signal].T @ X0
    b = np.linalg.svd(J0, compute_uv=False)
    return b[b > 1e-10] ** 2


def lower_bound(M, X0, t):
    b2 = free_energies(M, X0)
    return np.sum((b2 / (1 + 2 * np.asarray(t)[..., None] * b2)) ** 2, axis=-1)
