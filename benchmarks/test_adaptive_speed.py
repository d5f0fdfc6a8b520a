"""Packed attacks, byte tables and the reduced feature selection against their plain forms.

Both sides take turns in one thread; CPU times are printed, and the targets are asserted on the
median over the rounds of their ratio. Run with ``pytest benchmarks/test_adaptive_speed.py -s``.
"""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from theorytk.adaptive import _kernels
from theorytk.adaptive.attack_laws import attack_accuracy
from theorytk.adaptive.attacks import SignStream, two_stage_attack
from theorytk.adaptive.database_update import PrivateMultiplicativeWeights
from theorytk.adaptive.feature_selection import feature_selection


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def compare(name, ours, theirs, rounds=9):
    """Print the CPU milliseconds of each and return the median of theirs / ours."""
    times = []
    for _ in range(rounds + 1):
        marks = [time.process_time()]
        for function in (ours, theirs):
            function()
            marks.append(time.process_time())
        times.append(np.diff(marks) * 1e3)
    fast, slow = np.array(times[1:]).T
    ratio = float(np.median(slow / fast))
    print(f"\n  {name}: ours {np.median(fast):.3f} ms, theirs {np.median(slow):.3f} ms", end="")
    print(f"; ratio {ratio:.2f}")
    return ratio


def popcount_ratio(k):
    """Return the ratio to int8 sums of k queries at 10,240 points."""
    packed = SignStream(10_240, k, 1).stored()
    signs = packed.unpack().astype(np.int8) * 2 - 1
    np.testing.assert_array_equal(2 * packed.counts() - packed.n, signs.sum(axis=1))
    # Several calls a turn: the sums leave nothing of the packed words in the cache.
    calls = 10

    def ours():
        for _ in range(calls):
            packed.counts()

    name = f"{calls} popcounts of {packed.words.nbytes / 1e6:.1f} MB, one int8 sum"
    return calls * compare(name, ours, lambda: signs.sum(axis=1))


def test_popcount_against_int8_sums():
    ratios = {k: popcount_ratio(k) for k in (20_000, 4000, 1000)}
    print(f"\n  int8 sums over popcounts: { {k: round(r) for k, r in ratios.items()} }", end="")
    # The smallest fits into an L2 cache of 2 MB. Beyond it popcounts wait for the packed words as
    # any reading does, which the test below asserts, while int8 sums wait for their additions: what
    # is printed there is how fast the machine reads, over how fast it adds.
    assert ratios[1000] >= 100


@pytest.mark.parametrize("k", [4000, 20_000, 450_000])
def test_popcount_against_reading_memory(k):
    packed = SignStream(10_240, k, 1).stored()
    flat, calls = packed.words.ravel(), max(1, 40_000 // k)

    def ours():
        for _ in range(calls):
            packed.counts()

    def reading():
        for _ in range(calls):
            flat.sum()

    name = f"{calls} popcounts of {packed.words.nbytes / 1e6:.1f} MB, against sums"
    assert compare(name, ours, reading, 5) >= 0.5


def table_times(cells, k):
    """Return the ratios to unpacking one query at a time, and all together."""
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(cells))
    tables, words = _kernels.byte_tables(weights), SignStream(cells, k, 1).stored().words
    octets = words.view(np.uint8)

    def ours():
        return _kernels.table_values(tables, words)

    def build():
        return _kernels.byte_tables(weights)

    def one_by_one():
        return np.array([np.unpackbits(row, bitorder="little") @ weights for row in octets])

    def together():
        return np.unpackbits(octets, axis=1, bitorder="little") @ weights

    np.testing.assert_allclose(ours(), one_by_one(), rtol=1e-12)
    compare(f"{k} queries on {cells} cells, unpacked together", ours, together)
    compare(f"{k} queries on {cells} cells, against building the tables", ours, build)
    return compare(f"{k} queries on {cells} cells, unpacked one by one", ours, one_by_one)


def test_byte_tables_against_unpack_and_dot():
    # Tables of 16 MB wait for memory: what they gain there is printed, not promised.
    table_times(65_536, 1024)
    assert table_times(1024, 2000) >= 20


def test_a_million_queries_to_multiplicative_weights():
    cells, n, k = 1024, 200_000, 1_000_000
    rng = np.random.default_rng(0)
    population = rng.dirichlet(np.full(cells, 0.02))
    sample = rng.choice(cells, n, p=population)
    queries = SignStream(cells, k, 1).stored()

    def attach():
        return PrivateMultiplicativeWeights(cells, 0.1, 300, 0.5, 1e-6, eta=0.4).attach(
            sample, rng=1
        )

    attach().answer_many(SignStream(cells, 10, 1).stored())
    mechanism = attach()
    started = time.process_time()
    answers = mechanism.answer_many(queries)
    seconds = time.process_time() - started
    histogram = np.bincount(sample, minlength=cells) / n
    truth = _kernels.table_values(_kernels.byte_tables(histogram), queries.words)
    print(f"\n  {k} queries, {mechanism.n_updates} updates: {seconds:.2f} s", end="")
    print(f"; largest error {np.abs(answers - truth).max():.3f}")
    assert mechanism.n_updates > 0
    assert seconds < 3


def test_reduced_feature_selection_against_the_full_one():
    options = {"n": 2000, "d": 2000, "sizes": [0, 10, 20, 50, 100], "rng": 0}
    ratio = compare(
        "feature selection, n = d = 2,000",
        lambda: feature_selection(**options),
        lambda: feature_selection(**options, method="full"),
        rounds=5,
    )
    assert ratio >= 5


def test_a_billion_queries_without_memory():
    n, k, sigma = 64, 10**9, 400.0
    two_stage_attack(SignStream(n, 10, 1), sigma=sigma, rng=0)
    tracemalloc.start()
    started = time.process_time()
    result = two_stage_attack(SignStream(n, k, 1), sigma=sigma, rng=0)
    seconds = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    law = float(attack_accuracy(n, k, sigma=sigma))
    print(f"\n  {k:.0e} queries: {seconds:.0f} s, {peak / 1e6:.2f} MB at most", end="")
    print(f"; accuracy {result.accuracy:.3f}, law {law:.3f}")
    assert abs(result.accuracy - law) < 5 * np.sqrt(law * (1 - law) / n)
    assert seconds < 300
    assert peak < 2e6
