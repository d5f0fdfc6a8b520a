import numpy as np


def by_hand():
    """Return the sensitivities and the leverage scores of the rows (1, 0), (0, 1), (1, 1).

    Two arrays of shape (3,).
    """
    return np.zeros(3), np.zeros(3)


def sens_l1_plane(A):
    """Return the l_1 sensitivities of the rows of `A`, shape (n, 2), as an array of shape (n,)."""
    return np.zeros(len(A))
