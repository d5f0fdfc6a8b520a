"""What each part of the topic costs, beside a baseline, n = 10^6: the table of its page.

One thread, CPU times; both sides of a line take turns, rates are medians over the rounds and ratios
medians of the ratios of a round. Run with ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 pytest -s
benchmarks/test_privacy_table.py``; the lines that it prints are those of the page.
"""

from __future__ import annotations

import math
import random
import time
from functools import partial

import numpy as np
import pytest
from numba import njit
from sklearn.neighbors import KernelDensity

from theorytk.privacy.distances import PrivateDistanceSum
from theorytk.privacy.dyadic_tree import dyadic_tree
from theorytk.privacy.exact_sums import distance_sum, kernel_sum
from theorytk.privacy.hat import hierarchical_hat
from theorytk.privacy.kernel_sums import PrivateKernelSum
from theorytk.privacy.noise import discrete_laplace

N = 10**6
ROUNDS = 5
RNG = np.random.default_rng(0)
LINE = RNG.random((N, 1))


@njit(fastmath=True)
def distances_by_loops(x, y):
    out = np.zeros(len(y))
    for i in range(len(y)):
        for j in range(len(x)):
            out[i] += abs(x[j, 0] - y[i, 0])
    return out


def distances_by_numpy(x, y):
    return np.array([np.abs(x - each).sum() for each in y])


@njit
def kernels_by_loops(x, y):
    out = np.zeros(len(y))
    for i in range(len(y)):
        for j in range(len(x)):
            square = 0.0
            for c in range(x.shape[1]):
                square += (x[j, c] - y[i, c]) ** 2
            out[i] += math.exp(-square)
    return out


def kernels_by_numpy(x, y):
    return np.array([np.exp(-((x - each) ** 2).sum(axis=1)).sum() for each in y])


def hats_level_by_level(x, levels):
    """Return the sums of all hats, each level from all points."""
    sums = []
    for level in range(1, levels + 1):
        place = x * 2.0 ** (level - 1)
        node = np.minimum(place.astype(int), (1 << (level - 1)) - 1)
        sums.append(
            np.bincount(node, 1 - np.abs(2 * (place - node) - 1), minlength=1 << (level - 1))
        )
    return sums


def rings_in_python(counts, y, alpha):
    """Return the sum of distances from y by rings of a heap of counts, root first."""
    m = (len(counts) + 1) // 2
    cell, total = min(int(y * m), m - 1), 0.0
    radii = [m]
    while radii[-1] > 1:
        radii.append(min(int(radii[0] / (1 + alpha) ** len(radii)), radii[-1] - 1))
    for outer, inner in zip(radii, [*radii[1:], 0], strict=True):
        for low, high in ((cell - outer, cell - inner), (cell + inner + 1, cell + outer + 1)):
            left, right = max(low, 0) + m, min(high, m) + m
            while left < right:
                if left & 1:
                    total += outer / m * counts[left - 1]
                    left += 1
                if right & 1:
                    right -= 1
                    total += outer / m * counts[right - 1]
                left, right = left // 2, right // 2
    return total


def laplace_in_python(scale, size):
    """Return discrete Laplace noise of an integer scale: Algorithm 2 of Canonne and others."""

    def event(a, b):
        k = 1
        while random.randrange(b * k) < a:
            k += 1
        return k % 2 == 1

    def one():
        while True:
            u, v = random.randrange(scale), 0
            if not event(u, scale):
                continue
            while event(1, 1):
                v += 1
            sign = random.getrandbits(1)
            if sign or u + v:
                return (u + scale * v) * (1 if sign else -1)

    return [one() for _ in range(size)]


def opendp(scale):
    """Return OpenDP's exact sampler on a vector of zeros."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    return dp.m.make_laplace(*space, scale=float(scale))


def tree(x, bandwidth, **tolerance):
    h = bandwidth / math.sqrt(2)
    return KernelDensity(bandwidth=h, **tolerance).fit(x).score_samples


def fitted(**options):
    return PrivateDistanceSum(size_hint=N, rng=0, **options).fit(LINE, bounds=(0, 1)).query


def distances():
    """Yield the lines about distances: (name, ours, how many; baseline, it, how many)."""
    many, few, python = RNG.random((10**6, 1)), RNG.random((8, 1)), RNG.random(20).tolist()
    counts = dyadic_tree(20, epsilon=1.0).release(LINE[:, 0], RNG).tolist()
    fine, coarse, rings = fitted(levels=20), fitted(levels=14), fitted(method="tree", levels=20)
    slow = "numba loop", lambda: distances_by_loops(LINE, few), len(few)
    yield "hat mechanism, $2^{20}$ cells", lambda: fine(many), len(many), *slow
    yield "hat mechanism, $2^{14}$ cells", lambda: coarse(many), len(many), *slow
    yield "tree of the paper, $2^{20}$ cells", lambda: rings(many[:20_000]), 20_000, *slow
    yield (
        *("the same tree", lambda: rings(many[:20_000]), 20_000),
        *("pure Python", lambda: [rings_in_python(counts, y, 0.1) for y in python], len(python)),
    )
    yield "exact, sort and all", lambda: distance_sum(LINE, many), len(many), *slow
    ordered = np.sort(many, axis=0)
    yield "exact, ordered queries", lambda: distance_sum(LINE, ordered), len(many), *slow
    yield (
        *("numba loop", lambda: distances_by_loops(LINE, few), len(few)),
        *("NumPy", lambda: distances_by_numpy(LINE, few), len(few)),
    )


def builds():
    """Yield the lines about building, per second."""
    hat, x = hierarchical_hat(20, epsilon=1.0), LINE[:, 0]
    points, rings = hat.grid_points(x), dyadic_tree(20, epsilon=1.0)
    yield (
        *("hat sums of 20 levels", lambda: hat.totals(points), 1),
        *("every level from the points", lambda: hats_level_by_level(x, 20), 1),
    )
    yield (
        *("counts of a tree of 20 levels", lambda: rings.totals(points), 1),
        *("np.histogram, the leaves only", lambda: np.histogram(x, 1 << 20, (0, 1)), 1),
    )


def noises():
    """Yield the lines about noise."""
    many, few, theirs = 500_000, 5000, opendp(1000)
    ours = partial(discrete_laplace, 1000, many, 0)
    zeros = [0] * few
    yield "discrete Laplace, scale 1000", ours, many, "OpenDP", lambda: theirs(zeros), few
    yield (
        *("discrete Laplace, scale 1000", ours, many),
        *("pure Python", lambda: laplace_in_python(1000, few), few),
    )
    yield (
        *("discrete Laplace, scale 1000", ours, many),
        *("NumPy, not private", lambda: RNG.laplace(scale=1000, size=many), many),
    )


def broad(d, queries=64):
    """Yield the lines about a Gaussian kernel as broad as the data."""
    x, y, many = RNG.random((N, d)), RNG.random((queries, d)), RNG.random((20_000, d))
    h = math.sqrt(d) / 2
    scaled = x / h
    exact = partial(kernel_sum, "gaussian", x, y, bandwidth=h)
    about = f"d = {d}, bandwidth {h:.2g}"
    yield (
        *(f"exact in blocks, {about}", exact, queries),
        *("numba loop", lambda: kernels_by_loops(scaled, y[:4] / h), 4),
    )
    if d < 50:
        yield (
            *(f"exact in blocks, {about}", exact, queries),
            *("NumPy", lambda: kernels_by_numpy(scaled, y[:4] / h), 4),
        )
        for rtol in (0.0, 0.01):
            density = tree(x, h, rtol=rtol)
            name = f"scikit-learn, relative tolerance {rtol:g}"
            yield f"exact in blocks, {about}", exact, queries, name, partial(density, y[:2]), 2
    for n_features in (200, 1000, 4000):
        sums = PrivateKernelSum(
            mechanism="rff_gaussian", rho=0.5, bandwidth=h, n_features=n_features, rng=0
        ).fit(x[:1000])  # a query does not depend on n
        number = 2_000_000 // n_features
        private = partial(sums.query, many[:number])
        yield f"private, {n_features} features, {about}", private, number, "blocks", exact, queries


def narrow(d, queries=64):
    """Yield the line about a narrow Gaussian kernel, which is the tree's."""
    x, y = RNG.random((N, d)), RNG.random((queries, d))
    h = 0.02 * math.sqrt(2)  # 0.02 as scikit-learn counts
    density = tree(x, h, rtol=0.01)
    exact = partial(kernel_sum, "gaussian", x, y, bandwidth=h)
    yield (
        *(f"exact in blocks, d = {d}, bandwidth 0.028", exact, queries),
        *("scikit-learn's tree", lambda: density(y[:8]), 8),
    )


def seconds(function):
    started = time.process_time()
    function()
    return time.process_time() - started


SECTIONS = {
    "distances": distances,
    "builds": builds,
    "noises": noises,
    **{f"broad, d = {d}": lambda d=d: broad(d) for d in (1, 3, 10, 50)},
    **{f"narrow, d = {d}": lambda d=d: narrow(d) for d in (1, 3, 10)},
}
# Ratios to each baseline below which something is broken; None where either may win.
LEAST = {
    "numba loop": 0.7,
    "NumPy": 0.7,
    "pure Python": 5,
    "every level from the points": 5,
    "np.histogram, the leaves only": 2,
    "OpenDP": 20,
    "NumPy, not private": None,
    "scikit-learn, relative tolerance 0": 5,
    "scikit-learn, relative tolerance 0.01": 5,
    "scikit-learn's tree": None,
    "blocks": 5,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_lines_of_the_table(section):
    print()
    for name, ours, number, baseline, theirs, few in SECTIONS[section]():
        ours(), theirs()
        rounds = np.array([(seconds(ours) / number, seconds(theirs) / few) for _ in range(ROUNDS)])
        rate, other = 1 / np.median(rounds, axis=0)
        ratio = float(np.median(rounds[:, 1] / rounds[:, 0]))
        print(f"| {name} | {rate:.3g} | {baseline} | {other:.3g} | {ratio:.3g} |")
        least = LEAST[baseline]
        assert least is None or ratio > least
