import numpy as np


def by_hand():
    return np.full(3, 1 / 2), np.full(3, 2 / 3)


def sens_l1_plane(A):
    A = np.asarray(A, dtype=float)
    rows = A[np.any(A != 0, axis=1)]
    corners = np.stack([-rows[:, 1], rows[:, 0]])  # orthogonal to a row each, up to its length
    corners /= np.abs(rows @ corners).sum(axis=0)
    return np.abs(A @ corners).max(axis=1)
