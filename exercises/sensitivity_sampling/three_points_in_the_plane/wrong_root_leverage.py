"""Takes the bound for the score: the root of the leverage score, which is only an upper bound."""

import numpy as np


def by_hand():
    return np.full(3, 1 / 2), np.full(3, 2 / 3)


def sens_l1_plane(A):
    A = np.asarray(A, dtype=float)
    return np.sqrt(np.einsum("ij,jk,ik->i", A, np.linalg.inv(A.T @ A), A))
