"""Takes for each row the direction of the row itself, which is best for one row only by chance."""

import numpy as np


def by_hand():
    return np.array([1 / 2, 1 / 2, 1 / 2]), np.full(3, 2 / 3)


def sens_l1_plane(A):
    A = np.asarray(A, dtype=float)
    products = np.abs(A @ A.T)
    total = products.sum(axis=0)
    return np.divide(np.diag(products), total, out=np.zeros(len(A)), where=total > 0)
