"""Checks against the library's exact variances, and node counts by brute force."""

from functools import cache

import numpy as np

from theorytk.classroom import between, check, close, number, picture, same
from theorytk.privacy import dyadic_tree, flat_histogram, noise_rms

PAPER = "backurs2024similarities"
QUESTION = "Why does the histogram win for small data although its noise grows like $\\sqrt m$?"


@cache
def _fewest(low, high, first, last):
    """Return the nodes of the tree below [low, high) that make up the cells first, ..., last."""
    if last < low or first >= high:
        return 0
    if first <= low and high - 1 <= last:
        return 1
    middle = (low + high) // 2
    return _fewest(low, middle, first, last) + _fewest(middle, high, first, last)


@check(points=1)
def flat(student, rng):
    """The noise of the flat histogram.

    The answer is a weighted sum of independent counts; variances add up with squared weights.
    """
    for levels in (3, 7, 12):
        epsilon = rng.uniform(0.005, 0.02)  # exact discrete noise is Laplace noise at such scales
        expected = noise_rms(flat_histogram(levels, epsilon=epsilon), 201)
        found = student.flat_noise(levels, epsilon)
        close(found, expected, "flat_noise(levels, epsilon)", rtol=0.01, given=f"levels = {levels}")


@check(points=2)
def decompositions(student, rng):
    """The number of nodes of random intervals.

    An odd first cell has no sibling in the interval. What about the rest, one level up?
    """
    for levels in (3, 6, 10):
        for _ in range(20):
            first, last = np.sort(rng.integers(0, 2**levels, 2)).tolist()
            found = student.nodes(first, last, levels)
            given = f"cells {first} to {last} of {2**levels}"
            same(
                found, _fewest(0, 2**levels, first, last), "nodes(first, last, levels)", given=given
            )


@check(points=3)
def tree(student, rng):
    """The noise of the tree.

    Each node in a ring counts with the ring's weight. How many nodes of the tree change when a
    point is added, and what does this do to the scale of their noise?
    """
    for levels in (4, 8):
        epsilon, alpha = rng.uniform(0.005, 0.02), rng.uniform(0.05, 0.3)
        expected = noise_rms(dyadic_tree(levels, epsilon=epsilon, alpha=alpha), 201)
        given = f"levels = {levels}, alpha = {alpha:.3g}"
        found = student.tree_noise(levels, epsilon, alpha)
        close(found, expected, "tree_noise(levels, epsilon, alpha)", rtol=0.02, given=given)


@check(points=2)
def winner(student, rng):
    """Where the tree begins to win, at alpha = 0.1.

    Compare the two at powers of two.
    """
    found = number(student.crossover(0.1), "crossover(0.1)")
    between(found, 3e4, 1.5e5, "crossover(0.1)")


@picture
def noises(student, rng, figure):
    axes = figure.add_subplot()
    levels = np.arange(4, 15, 2)
    cells = 2.0**levels
    axes.loglog(cells, [student.flat_noise(int(k), 1.0) for k in levels], "o-", label="histogram")
    tree = [student.tree_noise(int(k), 1.0, 0.2) for k in levels]
    axes.loglog(cells, tree, "s-", label=r"tree, $\alpha = 0.2$")
    axes.set(xlabel="cells $m$ (1)", ylabel=r"noise at $\varepsilon = 1$ (1)")
    axes.legend()
