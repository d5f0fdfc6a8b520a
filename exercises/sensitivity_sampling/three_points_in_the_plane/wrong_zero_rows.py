"""Takes the corner that belongs to a zero row, 0 / 0, with the others."""

import numpy as np


def by_hand():
    return np.full(3, 1 / 2), np.full(3, 2 / 3)


def sens_l1_plane(A):
    corners = np.stack([-A[:, 1], A[:, 0]])
    with np.errstate(invalid="ignore"):
        corners = corners / np.abs(A @ corners).sum(axis=0)
    return np.abs(A @ corners).max(axis=1)
