"""Selection sizes against sorting alone and the definition; p-values and BH against peers.

Both sides take turns in one thread; CPU times are printed, and the targets are asserted on the
median over the rounds of their ratio. Run with ``pytest benchmarks/test_conformal_speed.py -s``.
"""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
import scipy.stats
from crepes import ConformalClassifier
from statsmodels.stats.multitest import multipletests
from threadpoolctl import threadpool_limits

from theorytk.conformal.multiple_testing import bh
from theorytk.conformal.pvalues import conformal_pvalues
from theorytk.conformal.selection import optcs_msel
from theorytk.conformal.sizes import leave_one_out_sizes

LEVELS = np.array([0.1, 0.2, 0.3, 0.4, 0.5])


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def draw(n, m, sets, seed=0):
    """Return pairs of calibration and test scores, half of the calibration scores infinite."""
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(sets):
        y = rng.standard_normal(n + m)
        mu = y + rng.standard_normal(n + m)
        pairs.append((np.where(y[:n] > 0, np.inf, -mu[:n]), -mu[n:]))
    return pairs


def compare(name, ours, theirs, inputs, rounds=15):
    """Print the CPU microseconds of a call of each and return the median of theirs / ours."""
    times = []
    for _ in range(rounds + 1):
        marks = [time.process_time()]
        for function in (ours, theirs):
            for arguments in inputs:
                function(*arguments)
            marks.append(time.process_time())
        times.append(np.diff(marks) / len(inputs) * 1e6)
    fast, slow = np.array(times[1:]).T
    ratio = float(np.median(slow / fast))
    print(f"\n  {name}: ours {np.median(fast):.1f} us, theirs {np.median(slow):.1f} us", end="")
    print(f"; ratio {ratio:.2f}")
    return ratio


def definition(cal, test, q):
    """The sizes as they are defined: the counts anew for each test point, O(m^2 n)."""
    n, m = len(cal), len(test)
    sizes = np.empty(m, dtype=int)
    for j in range(m):
        p = ((cal[:, None] <= test).sum(axis=0) + (test[j] <= test)) / (n + 1)
        p[j] = 0
        passed = np.sort(p) <= q * (1 + 1e-12) * np.arange(1, m + 1) / m
        sizes[j] = np.flatnonzero(passed)[-1] + 1
    return sizes


def all_at_once(cal, test, q):
    """The same with the counts taken once and all m by m auxiliary p-values in one array."""
    n, m = len(cal), len(test)
    p = ((cal[:, None] <= test).sum(axis=0) + (test[:, None] <= test)) / (n + 1)
    np.fill_diagonal(p, 0)
    passed = np.sort(p, axis=1) <= q * (1 + 1e-12) * np.arange(1, m + 1) / m
    return m - passed[:, ::-1].argmax(axis=1)


def test_five_levels_against_sorting(benchmark):
    inputs = draw(1000, 1000, 100)

    def ours(cal, test):
        return leave_one_out_sizes(cal, test, LEVELS)

    def floor(cal, test):
        return np.sort(cal), np.argsort(test)

    ratio = compare("sizes at five levels, n = m = 1000; sort and argsort", ours, floor, inputs)
    benchmark.pedantic(ours, args=inputs[0], rounds=5)
    benchmark.extra_info["times_the_floor"] = 1 / ratio
    assert 1 / ratio <= 2.5


@pytest.mark.parametrize(("theirs", "least"), [(definition, 5000), (all_at_once, 50)])
def test_sizes_against_the_definition(benchmark, theirs, least):
    inputs = [(cal, test, 0.2) for cal, test in draw(1000, 1000, 2)]
    for arguments in inputs:
        np.testing.assert_array_equal(leave_one_out_sizes(*arguments), theirs(*arguments))
    name = f"sizes, n = m = 1000; {theirs.__name__}"
    ratio = compare(name, leave_one_out_sizes, theirs, inputs, rounds=3)
    benchmark.pedantic(leave_one_out_sizes, args=inputs[0], rounds=5)
    benchmark.extra_info["speedup"] = ratio
    assert ratio >= least


def test_24_models_within_two_milliseconds_a_level(benchmark):
    rng = np.random.default_rng(1)
    y = rng.standard_normal(200)
    mu = 0.3 * y + rng.standard_normal((24, 200))
    cal, test = np.where(y[:100] > 0, np.inf, -mu[:, :100]), -mu[:, 100:]
    times = []
    for pruning in ("deterministic", "homogeneous", "heterogeneous") * 20:
        started = time.process_time()
        optcs_msel(cal, test, 0.3, pruning=pruning, tie="randomised", rng=rng)
        times.append(time.process_time() - started)
    benchmark.pedantic(optcs_msel, args=(cal, test, 0.3), kwargs={"rng": rng}, rounds=5)
    print(f"\n  OptCS-MSel, 24 models, 100/100: {1e6 * np.median(times):.0f} us a level")
    assert np.median(times) < 2e-3


@pytest.mark.parametrize("weighted", [False, True])
def test_hundred_thousand_points(benchmark, weighted):
    ((cal, test),) = draw(100_000, 100_000, 1)
    weights = tuple(np.random.default_rng(2).exponential(size=(2, 100_000))) if weighted else ()
    leave_one_out_sizes(cal, test, LEVELS, *weights)
    started = time.process_time()
    leave_one_out_sizes(cal, test, LEVELS, *weights)
    seconds = time.process_time() - started
    tracemalloc.start()
    leave_one_out_sizes(cal, test, LEVELS, *weights)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    benchmark.pedantic(leave_one_out_sizes, args=(cal, test, LEVELS, *weights), rounds=1)
    print(f"\n  five levels, n = m = 100000, weighted {weighted}: {seconds:.3f} s, {peak:.0f} MiB")
    assert seconds < 2
    assert peak < 50


def test_p_values_against_crepes(benchmark):
    inputs = draw(1000, 1000, 10)

    def theirs(cal, test):
        return ConformalClassifier().fit(-cal).predict_p(-test[:, None], smoothing=False)

    for cal, test in inputs:
        peer = np.ravel(theirs(cal, test))
        np.testing.assert_allclose(conformal_pvalues(cal, test), peer, rtol=1e-14)
    ratio = compare("p-values, n = m = 1000; crepes", conformal_pvalues, theirs, inputs)
    benchmark.pedantic(conformal_pvalues, args=inputs[0], rounds=5)
    benchmark.extra_info["speedup"] = ratio
    assert ratio >= 3


def test_bh_at_five_levels_against_statsmodels_and_scipy(benchmark):
    rng = np.random.default_rng(3)
    inputs = [(rng.random(1000) ** 2,) for _ in range(50)]

    def ours(p):
        return bh(p, LEVELS)

    def by_statsmodels(p):
        return np.array([multipletests(p, q, method="fdr_bh")[0] for q in LEVELS])

    def by_scipy(p):
        return scipy.stats.false_discovery_control(p) <= LEVELS[:, None]

    def by_scipy_yekutieli(p):
        return scipy.stats.false_discovery_control(p, method="by") <= LEVELS[:, None]

    np.testing.assert_array_equal(ours(*inputs[0]), by_statsmodels(*inputs[0]))
    speedups = {
        theirs.__name__: compare(
            f"BH at five levels, m = 1000; {theirs.__name__}", ours, theirs, inputs
        )
        for theirs in (by_statsmodels, by_scipy, by_scipy_yekutieli)
    }
    benchmark.pedantic(ours, args=inputs[0], rounds=5)
    benchmark.extra_info.update(speedups)
    assert speedups["by_statsmodels"] >= 3
    assert speedups["by_scipy"] >= 1
