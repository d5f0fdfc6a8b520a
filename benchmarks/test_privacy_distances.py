"""Private distance queries against brute force, and the time to build, at n = 10^6.

One thread, CPU times; the targets are asserted on medians. Run with
``pytest benchmarks/test_privacy_distances.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from numba import njit

from theorytk.privacy.distances import PrivateDistanceSum
from theorytk.privacy.hat import hierarchical_hat

N = 10**6


@njit(fastmath=True)
def brute_force(x, y):
    """Return the sums of distances by one pass over the points per query."""
    out = np.empty(len(y))
    for i in range(len(y)):
        total = 0.0
        for j in range(len(x)):
            total += abs(x[j] - y[i])
        out[i] = total
    return out


def seconds(function, rounds):
    """Return (the median CPU seconds of a call, its last result); the first call is not timed."""
    function()
    times = []
    for _ in range(rounds):
        started = time.process_time()
        result = function()
        times.append(time.process_time() - started)
    return float(np.median(times)), result


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).random((N, 1))


def test_hat_query_against_brute_force(benchmark, points):
    y = np.random.default_rng(1).random((10**6, 1))
    sums = PrivateDistanceSum(rng=0, size_hint=N).fit(points, bounds=(0, 1))
    assert sums.mechanisms_[0].levels == 20
    slow, theirs = seconds(lambda: brute_force(points.ravel(), y.ravel()[:50]), 5)
    fast, ours = seconds(lambda: sums.query(y), 5)
    np.testing.assert_allclose(ours[:50], theirs, atol=50.0)
    speedup = (slow / 50) / (fast / len(y))
    print(
        f"\n  distance query, n = {N}: brute force {1e6 * slow / 50:.0f} us, hat "
        f"{1e9 * fast / len(y):.0f} ns with 2^20 cells; faster by {speedup:.0f}"
    )
    benchmark.extra_info["speedup"] = speedup
    benchmark.pedantic(lambda: sums.query(y), rounds=3)
    assert speedup >= 1000


def test_building_the_hat(benchmark, points):
    mechanism = hierarchical_hat(20, epsilon=1.0)
    x = points[:, 0]

    def build():
        totals = mechanism.totals(mechanism.grid_points(x))
        return mechanism.synthesise(totals.astype(float))

    structure, _ = seconds(build, 5)
    small = PrivateDistanceSum(rng=0).fit(points, bounds=(0, 1))
    assert small.mechanisms_[0].levels == 16
    whole, _ = seconds(lambda: PrivateDistanceSum(rng=0).fit(points, bounds=(0, 1)), 5)
    finest, _ = seconds(lambda: PrivateDistanceSum(rng=0, levels=20).fit(points, bounds=(0, 1)), 3)
    print(
        f"\n  hat, n = {N}: structure with 2^20 cells {1e3 * structure:.1f} ms; fit with exact "
        f"noise {1e3 * whole:.1f} ms for 2^16 cells, {1e3 * finest:.1f} ms for 2^20"
    )
    benchmark.extra_info.update(structure=structure, whole=whole, finest=finest)
    benchmark.pedantic(build, rounds=3)
    assert structure < 0.1
