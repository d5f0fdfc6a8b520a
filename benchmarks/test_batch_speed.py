"""A batch of descents on one operator against single descents, side by side in one run.

The functions take turns, one thread each; the least and the median times are printed, and the
target is asserted on the median over the rounds of the ratio, so that load from outside falls on
both alike. Run with ``pytest benchmarks/test_batch_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from theorytk.matrix_sensing.batch import batched_gd
from theorytk.matrix_sensing.descent import factorized_gd
from theorytk.matrix_sensing.operators import GaussianSensing
from theorytk.matrix_sensing.problems import init_factors, low_rank_matrix

N, M, K, STARTS, STEPS, ROUNDS = 50, 1500, 5, 16, 20, 7


@pytest.mark.parametrize(("storage", "target"), [("dense", 2.0), ("gram", 1.5)])
def test_descents_from_sixteen_starts(benchmark, storage, target):
    operator = GaussianSensing(M, N, storage=storage, rng=0)
    truth = low_rank_matrix(N, singular_values=[1.0, 0.75, 0.5], rng=1)
    starts = [init_factors(N, N, K, scale=0.3, rng=i) for i in range(STARTS)]
    F0, G0 = (np.array(factors) for factors in zip(*starts, strict=True))
    options = dict(truth=truth, step_size=0.1, max_iter=STEPS, record=[0])

    def single():
        return [factorized_gd(operator, F0=F, G0=G, **options) for F, G in starts]

    def batch():
        return batched_gd(operator, F0=F0, G0=G0, **options)

    with threadpool_limits(1):
        np.testing.assert_allclose(batch().F, [run.F for run in single()], rtol=0, atol=1e-12)
        seconds = np.empty((ROUNDS, 2))
        for i in range(ROUNDS):
            for j, function in enumerate((single, batch)):
                started = time.perf_counter()
                function()
                seconds[i, j] = time.perf_counter() - started
        benchmark.pedantic(batch, rounds=1)
    per_step = 1e6 * seconds / (STARTS * STEPS)
    speedup = float(np.median(seconds[:, 0] / seconds[:, 1]))
    print()
    for name, column in zip(("single runs", "batch"), per_step.T, strict=True):
        print(
            f"  {storage}, {name:12s} least {column.min():7.1f} us, median "
            f"{np.median(column):7.1f} us per start and step"
        )
    print(f"  faster by {speedup:.2f} (by least times {np.divide(*seconds.min(axis=0)):.2f})")
    benchmark.extra_info["speedup"] = speedup
    assert speedup >= target
