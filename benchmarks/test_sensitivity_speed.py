"""Sensitivities against HiGHS and distortions against L-BFGS, side by side in one run.

Both take turns in one thread; CPU times are printed, and the targets are asserted on the median
over the rounds of their ratio. Run with ``pytest benchmarks/test_sensitivity_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.optimize import linprog, minimize
from threadpoolctl import threadpool_limits

from theorytk.sensitivity._kernels import ascend_ratio
from theorytk.sensitivity._whitening import whiten
from theorytk.sensitivity.sensitivities import sensitivities


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def seconds(function):
    """Return (the CPU seconds of a call, its result)."""
    started = time.process_time()
    result = function()
    return time.process_time() - started, result


def report(name, slow, fast, unit):
    """Print both times in milliseconds and return how much faster the second is."""
    speedup = float(np.median(np.divide(slow, fast)))
    print(
        f"\n  {name}: baseline median {1e3 * np.median(slow):.2f} ms, ours "
        f"{1e3 * np.median(fast):.3f} ms per {unit}; faster by {speedup:.1f}"
    )
    return speedup


def highs(B, b):
    """Return the sensitivity by the dual program, the form that HiGHS solves fastest."""
    n, d = B.shape
    bounds = [(-1, 1)] * n + [(0, None)]
    A_eq = np.column_stack([B.T, -b])
    found = linprog(np.append(np.zeros(n), -1.0), A_eq=A_eq, b_eq=np.zeros(d), bounds=bounds)
    return -1 / found.fun


@pytest.mark.parametrize(("n", "d"), [(1000, 5), (1000, 10), (4000, 10)])
def test_l1_sensitivities_against_highs(benchmark, n, d):
    A = np.random.default_rng(0).standard_normal((n, d))
    _, B = whiten(A, 1)
    sensitivities(A[:50], 1)
    slow, fast = [], []
    for rows in np.arange(5 * 20).reshape(5, 20):
        time_fast, ours = seconds(lambda rows=rows: sensitivities(A, 1, rows=np.tile(rows, 10)))
        time_slow, theirs = seconds(lambda rows=rows: [highs(B, b) for b in B[rows[:5]]])
        np.testing.assert_allclose(ours.values[:5], theirs, rtol=1e-8)
        slow.append(time_slow / 5)
        fast.append(time_fast / 200)
    benchmark.pedantic(lambda: sensitivities(A, 1, rows=range(20)), rounds=1)
    speedup = report(f"l_1 sensitivity, n = {n}, d = {d}", slow, fast, "row")
    benchmark.extra_info["speedup"] = speedup
    assert speedup >= 40


def by_lbfgs(B, omega, p, starts, jac):
    """Return the largest ratio by SciPy's L-BFGS on its logarithm, from all starts."""

    def objective(x):
        y = B @ x
        power = np.abs(y) ** p
        above, below = omega @ power, power.sum()
        if not jac:
            return np.log(below / above)
        slope = p * np.sign(y) * np.abs(y) ** (p - 1)
        return np.log(below / above), slope @ B / below - (omega * slope) @ B / above

    return max(np.exp(-minimize(objective, x, jac=jac, method="L-BFGS-B").fun) for x in starts)


# SciPy is timed as called without a gradient, and with the exact one in our coordinates.
@pytest.mark.parametrize(("p", "plain", "with_gradient"), [(1, 12, 3), (1.5, 4, 1), (3, 6, 1.5)])
def test_ascent_against_lbfgs(benchmark, p, plain, with_gradient):
    rng = np.random.default_rng(0)
    _, B = whiten(rng.standard_normal((4096, 8)), p)
    Bt, ones = np.ascontiguousarray(B.T), np.ones(4096)
    ascend_ratio(Bt, ones, ones, p, rng.standard_normal((1, 8)), 1e-6, 2)
    table = []
    for _ in range(5):
        omega = (rng.random(4096) < 0.05) / 0.05
        starts = rng.standard_normal((20, 8))

        def ours(omega=omega, starts=starts):
            return ascend_ratio(Bt, omega, ones, p, starts.copy(), 1e-6, 100)[0].max()

        fast, value = seconds(ours)
        slow, theirs = seconds(lambda o=omega, s=starts: by_lbfgs(B, o, p, s, False))
        exact, best = seconds(lambda o=omega, s=starts: by_lbfgs(B, o, p, s, True))
        print(
            f"\n  largest ratio, p = {p}: L-BFGS {theirs:.6f}, {best:.6f}; ours {value:.6f}", end=""
        )
        assert value >= (1 - 1e-3) * max(theirs, best)
        table.append((slow, exact, fast))
    benchmark.pedantic(ours, rounds=1)
    slow, exact, fast = np.array(table).T
    speedup = report(f"ascent, n = 4096, d = 8, p = {p}, without gradient", slow, fast, "20 starts")
    exact_speedup = report(
        f"the same against the exact gradient, p = {p}", exact, fast, "20 starts"
    )
    benchmark.extra_info.update(speedup=speedup, exact_speedup=exact_speedup)
    assert speedup >= plain
    assert exact_speedup >= with_gradient
