"""The separation function against softmax and GEMM in NumPy, and its memory at 50,000 points.

No public implementation is known. The baseline is what one writes in NumPy: two GEMMs for all s,
then for every s and both signs of the noise a softmax and one GEMM for the posterior means. Both
sides take turns on one thread in one run; a pair is a source, a point and a sign. Run with
``pytest benchmarks/test_separation_speed.py -s``.
"""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from theorytk.paths._pairs import PairBlock
from theorytk.paths.datasets import normalise

SOURCES, ROUNDS = 128, 5

# Values of s sqrt(d) from where posteriors are nearly flat to where all of them have decided.
SCALED = np.geomspace(1.0, 100.0, 12)

MEMORY = """
import resource, sys
import numpy as np
from theorytk.paths import separation
n, d, sources = 50_000, 768, 512
X = np.random.default_rng(0).standard_normal((n, d))
found = separation.separation_function(X, n_sweeps=1, n_sources=sources, rng=0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, found.delta())
"""


def seconds(function):
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result


def posterior_means(data, rows, noise, s):
    """Return 1 - lambda at every s from posterior means, in NumPy."""
    sources = data.points[rows]
    gram, products = sources @ data.points.T, noise @ data.points.T
    gram -= 0.5 * (data.points**2).sum(axis=1)
    found = []
    for value in s:
        total = 0.0
        for sign in (1, -1):
            w = value**2 * gram + sign * value * products
            w -= w.max(axis=1, keepdims=True)
            np.exp(w, out=w)
            w /= w.sum(axis=1, keepdims=True)
            total += ((sources - w @ data.points) ** 2).sum() / 2
        found.append(total / len(rows) / data.d)
    return np.array(found)


@pytest.mark.parametrize(("d", "n", "target"), [(64, 4000, 1), (768, 4000, 3), (3072, 2000, 10)])
def test_sweep(benchmark, d, n, target):
    rng = np.random.default_rng(0)
    data = normalise(rng.standard_normal((n, d)))
    rows, noise = np.arange(SOURCES), rng.standard_normal((SOURCES, d))
    s = SCALED / np.sqrt(d)
    shares = np.full(SOURCES, 1 / SOURCES)

    def pairs():
        return PairBlock(data, rows, noise)

    # A sweep has about 90 values of s; the GEMMs of a block are shared by all of them.
    many = np.geomspace(s[0], s[-1], 90)

    def sweep():
        return pairs().distances(shares, many)

    with threadpool_limits(1):
        block = pairs()
        undecided = s[:1].repeat(8)
        fast = block.distances(shares, s) / (2 * d)
        times = np.empty((ROUNDS, 3))
        for i in range(ROUNDS):
            times[i, 0], slow = seconds(lambda: posterior_means(data, rows, noise, s))
            times[i, 1] = seconds(sweep)[0]
            times[i, 2] = seconds(lambda: block.distances(shares, undecided))[0]
        benchmark.pedantic(sweep, rounds=1)
    # Two unbiased estimates on the same draws.
    np.testing.assert_allclose(fast, slow, atol=0.05)
    n_pairs = 2 * SOURCES * n
    baseline, whole, kernel = np.median(times, axis=0) * 1e9 / n_pairs
    baseline, whole, kernel = baseline / len(s), whole / len(many), kernel / 8
    speedup = float(np.median(times[:, 0] / times[:, 1])) * len(many) / len(s)
    print(
        f"\n  d = {d}: NumPy {baseline:.1f}, sweep {whole:.2f} ns per pair and s, where none has "
        f"decided {kernel:.2f} ns without the GEMMs; faster by {speedup:.1f}"
    )
    benchmark.extra_info["speedup"] = speedup
    assert speedup >= target
    assert max(whole, kernel) <= 8


def test_memory_at_fifty_thousand_points(benchmark):
    command = [sys.executable, "-c", MEMORY]
    (elapsed, output) = benchmark.pedantic(
        seconds, args=(lambda: subprocess.run(command, check=True, capture_output=True),), rounds=1
    )
    gigabytes, delta = map(float, output.stdout.split())
    print(f"\n  50,000 points in 768 dimensions, 512 sources: {gigabytes:.2f} GB, {elapsed:.0f} s")
    assert gigabytes < 1
    assert 0 < delta < np.arccos(50_000 ** (-1 / 768))
