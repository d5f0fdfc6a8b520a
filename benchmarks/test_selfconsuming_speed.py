"""Curation weights by quadrature: the whole of them, and a step with the prebuilt matrix.

One thread; the least and the median times are printed, and the targets are asserted on the least,
which load from outside disturbs least. There is no public code to compare with: the only other
exact way is enumeration, n^K terms. Run with ``pytest benchmarks/test_selfconsuming_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from theorytk.selfconsuming import CurationMap, curation_weights

N = 10_000


def seconds(function, rounds=15):
    """Return the least time of `rounds` calls, printed with the median."""
    function()
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        found.append(time.perf_counter() - started)
    print(f"\n  least {1e3 * min(found):.2f} ms, median {1e3 * np.median(found):.2f} ms")
    return min(found)


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.ones(N)), rng.uniform(0, 5, N)


@pytest.mark.parametrize("K", [2, 4, 100])
def test_quadrature(problem, K):
    p, reward = problem
    with threadpool_limits(1):
        assert seconds(lambda: curation_weights(p, reward, K)) < 6e-3
    assert abs(p @ curation_weights(p, reward, K) - 1) < 1e-12


def test_step_with_the_prebuilt_matrix(problem):
    p, reward = problem
    curation = CurationMap(reward, 4)
    with threadpool_limits(1):
        assert seconds(lambda: curation.step(p)) < 1.5e-3
    assert abs(curation.step(p).sum() - 1) < 1e-12
