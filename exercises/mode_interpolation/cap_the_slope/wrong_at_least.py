"""Substitutes with the wrong sign: slopes are at least the bound, not at most."""

import numpy as np


def isotonic(f, p):
    means, weights, sizes = [], [], []
    for value, weight in zip(f.tolist(), p.tolist(), strict=True):
        size = 1
        while means and means[-1] > value:
            total = weights[-1] + weight
            value = (weights[-1] * means[-1] + weight * value) / total
            weight = total
            size += sizes[-1]
            means.pop(), weights.pop(), sizes.pop()
        means.append(value), weights.append(weight), sizes.append(size)
    return np.repeat(means, sizes)


def cap(y, values, p, bound):
    return isotonic(values - bound * y, p) + bound * y
