"""Laws, samples and projections of chains with tables, in one thread; CPU times are printed.

The sampler is timed against NumPy doing the same work: normals of the generator, `numpy.interp` in
the table's row, and the sums of the window, in the same blocks. Run with
``pytest benchmarks/test_hallucination_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from theorytk.diffusion.hallucination import (
    cap_slope,
    default_grid,
    exact_denoiser,
    level_weights,
    propagate_law,
    reverse_steps,
    sample_chain,
    steep_schedule,
    tabulate,
    three_in_a_row,
)

START, G = 400, 8192
SCHEDULE, TARGET = steep_schedule(), three_in_a_row()


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def exact():
    grid = default_grid(TARGET, G)
    table = tabulate(exact_denoiser(TARGET, SCHEDULE), SCHEDULE, grid, t_start=START)
    return table, level_weights(TARGET, SCHEDULE, table)


def seconds(function):
    """Return (the CPU seconds of a call, its result)."""
    started = time.process_time()
    result = function()
    return time.process_time() - started, result


def by_numpy(table, n, rng, block=4096):
    """Return samples and window variances of the ancestral chain."""
    signal, keep, noise = reverse_steps(SCHEDULE)
    xs, variances = [], []
    for begin in range(0, n, block):
        x = rng.standard_normal(min(block, n - begin))
        first, second = np.zeros_like(x), np.zeros_like(x)
        for t in range(START, -1, -1):
            predicted = np.interp(x, table.grid, table.values[t])
            x = signal[t] * predicted + keep[t] * x + noise[t] * rng.standard_normal(x.size)
            if t == 9:
                reference = predicted
            if t < 10:
                first += predicted - reference
                second += (predicted - reference) ** 2
        xs.append(x)
        variances.append(second / 10 - (first / 10) ** 2)
    return np.concatenate(xs), np.concatenate(variances)


def test_law_within_0_15_seconds(benchmark, exact):
    table = cap_slope(exact[0], SCHEDULE, 2.0, exact[1])

    def run():
        return propagate_law(table, SCHEDULE, t_start=START)

    rate = run().probability([[1.3, 1.7], [2.3, 2.7]])
    times = [seconds(run)[0] for _ in range(9)]
    benchmark.pedantic(run, rounds=3)
    benchmark.extra_info["cpu_seconds"] = float(np.median(times))
    print(f"\n  law, G = {G}, T = {START + 1}: {np.median(times):.3f} s, rate {rate:.4e}")
    assert np.median(times) <= 0.15


def test_sampler_against_numpy(benchmark, exact):
    table, n = cap_slope(exact[0], SCHEDULE, 2.0, exact[1]), 40_000
    sample_chain(table, SCHEDULE, 100, t_start=START, rng=0)
    unit, rows = 1e9 / (n * (START + 1)), []
    for seed in range(5):
        ours, result = seconds(
            lambda s=seed: sample_chain(table, SCHEDULE, n, t_start=START, rng=s)
        )
        theirs, (x, hal) = seconds(lambda s=seed: by_numpy(table, n, np.random.default_rng(s)))
        rows.append((ours * unit, theirs * unit))
        for found, other in ((result.x[:, 0], x), (result.hal, hal)):
            quartiles = np.quantile(found, [0.25, 0.5, 0.75]), np.quantile(other, [0.25, 0.5, 0.75])
            np.testing.assert_allclose(*quartiles, rtol=0.1)
    benchmark.pedantic(lambda: sample_chain(table, SCHEDULE, n, t_start=START, rng=0), rounds=3)
    ours, theirs = np.median(rows, axis=0)
    speedup = np.median([b / a for a, b in rows])
    benchmark.extra_info["speedup"] = float(speedup)
    print(f"\n  sampler: {ours:.1f} ns per sample and step; NumPy {theirs:.1f}, x {speedup:.1f}")
    assert ours <= 15
    assert speedup >= 6


def test_projection_of_a_table(benchmark, exact):
    table, weights = exact

    def run():
        return cap_slope(table, SCHEDULE, 2.0, weights)

    run()
    times = [seconds(run)[0] for _ in range(9)]
    benchmark.pedantic(run, rounds=3)
    each = 1e9 * np.median(times) / table.values.size
    print(f"\n  projection: {np.median(times):.3f} s, {each:.1f} ns a cell")
    assert np.median(times) <= 0.25
