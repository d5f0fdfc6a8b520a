"""Population gradient descent: the compiled core against the plain NumPy step, side by side.

The plain step is the three lines that everybody writes, at n = 50, with preallocated truth and no
bookkeeping; the core runs without error evaluations. Both are one thread, timed by turns.
Run with ``pytest benchmarks/test_descent_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from theorytk.matrix_sensing.iteration import iterates
from theorytk.matrix_sensing.operators import IdentitySensing
from theorytk.matrix_sensing.problems import init_factors, low_rank_matrix

N, STEP, CORE_STEPS, PLAIN_STEPS, ROUNDS = 50, 0.1, 50000, 1000, 25


def timings(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the seconds per step, by rounds, of the plain step and of the core."""
    M = low_rank_matrix(N, singular_values=[1.0, 0.75, 0.5], rng=0)
    F0, G0 = init_factors(N, N, k, scale=0.1, rng=1)

    def core() -> None:
        run = iterates(
            IdentitySensing(N),
            truth=M,
            F0=F0,
            G0=G0,
            step_size=STEP,
            max_iter=CORE_STEPS,
            record=[],
        )
        assert len(list(run)) == 1

    def plain() -> None:
        F, G = F0, G0
        for _ in range(PLAIN_STEPS):
            E = F @ G.T - M
            F, G = F - STEP * E @ G, G - STEP * E.T @ F

    core()
    seconds = np.empty((ROUNDS, 2))
    for row in seconds:
        for j, (function, steps) in enumerate(((plain, PLAIN_STEPS), (core, CORE_STEPS))):
            start = time.perf_counter()
            function()
            row[j] = (time.perf_counter() - start) / steps
    return seconds[:, 0], seconds[:, 1]


@pytest.mark.parametrize(("k", "faster", "microseconds"), [(5, 50, 1.0), (20, 4, 5.0)])
def test_core_against_the_plain_step(k, faster, microseconds):
    with threadpool_limits(1):
        plain, core = timings(k)
    ratio = np.median(plain / core)
    print(
        f"\n  k = {k}: plain least {plain.min() * 1e6:.2f} us, median {np.median(plain) * 1e6:.2f} "
        f"us; core least {core.min() * 1e6:.3f} us, median {np.median(core) * 1e6:.3f} us; "
        f"faster by {ratio:.1f} (by least times {plain.min() / core.min():.1f})"
    )
    assert ratio >= faster
    assert core.min() * 1e6 < microseconds
