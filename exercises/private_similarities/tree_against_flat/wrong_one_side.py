"""Forgets the points to the left of the query."""

import math

import numpy as np

QUERIES = (np.arange(201) + 0.5) / 201


def flat_noise(levels, epsilon):
    m = 2**levels
    centres = (np.arange(m) + 0.5) / m
    squares = [((centres - y) ** 2).sum() for y in QUERIES]
    return math.sqrt(2 * np.mean(squares)) / epsilon


def nodes(first, last, levels):
    count, low, high = 0, first, last + 1
    while low < high:
        if low % 2:
            count, low = count + 1, low + 1
        if high % 2:
            count, high = count + 1, high - 1
        low, high = low // 2, high // 2
    return count


def rings(levels, alpha):
    m, found, j = 2**levels, [], 0
    while True:
        outer = math.floor(m * (1 + alpha) ** -j)
        inner = math.floor(m * (1 + alpha) ** -(j + 1))
        if outer == 0:
            return found
        if inner < outer:
            found.append(((1 + alpha) ** -j, inner + 1, outer))
        j += 1


def squared_weights(y, levels, alpha):
    m = 2**levels
    cell, total = int(y * m), 0.0
    for radius, near, far in rings(levels, alpha):
        if cell + near < m:
            total += radius**2 * nodes(cell + near, min(cell + far, m - 1), levels)
    return total


def tree_noise(levels, epsilon, alpha):
    mean = np.mean([squared_weights(y, levels, alpha) for y in QUERIES])
    return math.sqrt(2 * mean) * (levels + 1) / epsilon


def crossover(alpha):
    before = 0.0
    for levels in range(4, 22):
        gap = math.log(tree_noise(levels, 1.0, alpha) / flat_noise(levels, 1.0))
        if gap <= 0:
            return 2 ** (levels - gap / (gap - before))
        before = gap
