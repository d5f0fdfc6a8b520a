"""Private kernel sums against brute force with n = 10^6 points, in one thread.

Brute force is NumPy's vectorised exponential over all points, in blocks that stay in the cache.
Run with ``pytest benchmarks/test_privacy_kernels.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from theorytk.privacy.kernel_sums import PrivateKernelSum
from theorytk.privacy.kernels import kernel_values

N = 1_000_000
BLOCK = 4096


def seconds(function, repeats=5):
    """Return the median CPU seconds of a call."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        function()
        times.append(time.process_time() - started)
    return float(np.median(times))


def brute_force(points, queries, kernel):
    """Return kernel sums over blocks of points."""
    blocks = range(0, len(points), BLOCK)
    return sum(kernel_values(kernel, points[i : i + BLOCK], queries).sum(axis=1) for i in blocks)


@pytest.mark.parametrize(
    ("mechanism", "kernel", "d", "least"),
    [("expspline1d", "exponential", 1, 1000), ("rff_gaussian", "gaussian", 10, 100)],
)
def test_queries_against_brute_force(mechanism, kernel, d, least):
    rng = np.random.default_rng(0)
    points, few, many = rng.random((N, d)), rng.random((8, d)), rng.random((20_000, d))
    sums = PrivateKernelSum(
        mechanism=mechanism, kernel=kernel, rho=0.5, n_features=200, rng=0, size_hint=N
    )
    sums.fit(points[:2], bounds=(0, 1))
    started = time.process_time()
    sums.fit(points, bounds=(0, 1))
    fit = time.process_time() - started
    sums.query(many)
    ours = seconds(lambda: sums.query(many)) / len(many)
    theirs = seconds(lambda: brute_force(points, few, kernel), 3) / len(few)
    print(
        f"\n{mechanism}: fit {fit:.2f} s, query {ours * 1e6:.3g} us, brute force "
        f"{theirs * 1e3:.3g} ms: {theirs / ours:.3g} times"
    )
    assert theirs > least * ours
