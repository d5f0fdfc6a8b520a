"""Leverage scores and Lewis iterations against what NumPy offers, side by side in one run.

The functions take turns, one thread each; the least and the median times are printed, and the
targets are asserted on the median over the rounds of the ratio, so that load from outside falls on
both alike. Run with ``pytest benchmarks/test_leverage_speed.py -s``.
"""

from __future__ import annotations

import time
import tracemalloc
import warnings

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from theorytk.sensitivity.leverage import leverage_scores
from theorytk.sensitivity.lewis import lewis_weights

ROUNDS = 5


def by_turns(*functions, rounds=ROUNDS):
    """Return the seconds (rounds, functions), one warming call of each before."""
    for function in functions:
        function()
    seconds = np.empty((rounds, len(functions)))
    for row in seconds:
        for j, function in enumerate(functions):
            started = time.perf_counter()
            function()
            row[j] = time.perf_counter() - started
    return seconds


def print_times(names, seconds):
    """Print the least and the median times."""
    print()
    for name, column in zip(names, seconds.T, strict=True):
        print(f"  {name:28s} least {column.min():7.3f} s, median {np.median(column):7.3f} s")


def speedup(seconds):
    """Return the median ratio of the two columns, printed."""
    ratio = float(np.median(seconds[:, 0] / seconds[:, 1]))
    print(f"  faster by {ratio:.1f}")
    return ratio


def qr_scores(A):
    Q = np.linalg.qr(A)[0]
    return np.einsum("ij,ij->i", Q, Q)


@pytest.mark.parametrize(("n", "d", "target"), [(1_000_000, 20, 4.0), (400_000, 50, 4.0)])
def test_leverage_scores_against_qr(n, d, target):
    A = np.random.default_rng(0).standard_normal((n, d))
    with threadpool_limits(1):
        np.testing.assert_allclose(leverage_scores(A), qr_scores(A), rtol=1e-9)
        seconds = by_turns(lambda: qr_scores(A), lambda: leverage_scores(A))
        tracemalloc.start()
        leverage_scores(A)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    print_times([f"QR, n = {n}, d = {d}", "leverage_scores"], seconds)
    print(f"  memory beyond the input {peak:.1f} MB, of them {8 * n / 1e6:.1f} MB scores")
    assert speedup(seconds) >= target
    assert peak < 64


def test_leverage_scores_grow_linearly(tmp_path):
    d, sizes = 20, [100_000, 1_000_000, 10_000_000]
    rng = np.random.default_rng(1)
    A = np.lib.format.open_memmap(tmp_path / "A.npy", mode="w+", shape=(sizes[-1], d))
    for start in range(0, sizes[-1], 100_000):
        A[start : start + 100_000] = rng.standard_normal((100_000, d))
    A.flush()
    with threadpool_limits(1):
        seconds = by_turns(*(lambda n=n: leverage_scores(A[:n]) for n in sizes), rounds=3)
    print_times([f"memory map, n = {n}" for n in sizes], seconds)
    slope = np.polyfit(np.log(sizes), np.log(seconds.min(axis=0)), 1)[0]
    print(f"  slope in n {slope:.2f}")
    assert 0.85 < slope < 1.15


@pytest.mark.parametrize("p", [1.0, 3.0, 4.0])
def test_a_lewis_iteration_against_scaling_and_qr(p):
    n, d, iterations, step = 500_000, 20, 3, 4 / (p + 2)
    A = np.random.default_rng(2).standard_normal((n, d))

    def plain():
        w = np.ones(n)
        for _ in range(iterations):
            scores = qr_scores(A * w[:, None] ** (0.5 - 1 / p))
            F = (scores / w ** (1 - 2 / p)) ** (p / 2)
            w = w ** (1 - step) * F**step
        return w

    def ours():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return lewis_weights(A, p, tol=1e-15, max_iter=iterations + 1).weights

    with threadpool_limits(1):
        np.testing.assert_allclose(ours(), plain(), rtol=1e-9)
        seconds = by_turns(plain, ours, rounds=3)
    # One more evaluation than the plain loop does, for the residual, and it is counted as ours.
    print_times([f"scale, QR, norms, p = {p:g}", "lewis_weights"], seconds / iterations)
    assert speedup(seconds) >= 2.5
