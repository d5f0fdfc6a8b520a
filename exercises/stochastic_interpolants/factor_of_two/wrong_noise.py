"""Takes epsilon for the variance of the noise: the generated variance changes."""

import numpy as np


def excess_losses(A, epsilon):
    excess_b = A**2 * (1 - np.exp(-2 * epsilon)) / (16 * epsilon)
    return excess_b, excess_b / epsilon**2


def kl(A, epsilon):
    mean = A * (1 - np.exp(-2 * epsilon)) / (2 * epsilon)
    variance = np.exp(-2 * epsilon) + (1 - np.exp(-2 * epsilon)) / 2
    return (np.log(variance) + (1 + mean**2) / variance - 1) / 2


def bound_a(excess_b, excess_s, epsilon):
    return excess_b / (2 * epsilon) + epsilon / 2 * excess_s


def bound_b(excess_b, excess_s, epsilon):
    return excess_b / epsilon + epsilon * excess_s


def exceeded_from():
    return np.log(2) / 2


def theorem():
    return "B"
