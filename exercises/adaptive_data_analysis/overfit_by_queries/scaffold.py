import numpy as np


def attack(u, y):
    """Return the accuracy on the sample of the classifier sign(sum_j m_j u_j).

    `u` (n, k) are the features and `y` (n,) the labels, all -1 or 1.
    """
    return 0.0


def margin_moments(n, k):
    """Return the mean and the variance of the margin of a point, for n points and k features."""
    return 0.0, 0.0


def predicted_accuracy(n, k):
    """Return the accuracy that is to be expected for n points and k features (number or array)."""
    return np.zeros(np.shape(k))
