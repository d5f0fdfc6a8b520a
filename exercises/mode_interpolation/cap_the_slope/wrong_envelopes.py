"""Takes the mean of the largest minorant and the least majorant of slope at most the bound."""

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
    rise = bound * np.diff(y)
    below, above = values.copy(), values.copy()
    for i in range(1, len(y)):
        below[i] = min(below[i], below[i - 1] + rise[i - 1])
    for i in range(len(y) - 1, 0, -1):
        above[i - 1] = max(above[i - 1], above[i] - rise[i - 1])
    return (below + above) / 2
