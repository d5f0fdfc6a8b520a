"""Maps of stability regions: the Schur-Cohn test of all points against roots by numpy.

The baseline takes numpy.roots of every point's polynomial, one thread each; the whole map of
400 x 400 points is ours, a sixteenth of it the baseline's. CPU times are printed. Run with
``pytest benchmarks/test_stability_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from theorytk.diffusion.stability import characteristic, is_stable, real_limit

POINTS, SHARE = 400, 16


def seconds(function):
    """Return (the CPU seconds of a call, its result)."""
    started = time.process_time()
    result = function()
    return time.process_time() - started, result


def by_roots(method, z):
    """Return where all roots lie in the open unit disc, as one writes it."""
    rho, sigma = np.array(method.rho), np.array(method.sigma)
    return np.array([np.abs(np.roots(rho - v * sigma)).max() < 1 for v in z])


@pytest.mark.parametrize(("name", "order"), [("ab", 2), ("hb", 1), ("ghvb", 4)])
def test_region_map_against_numpy_roots(benchmark, name, order):
    method = characteristic(name, order, 0.8)
    reach = -1.2 * real_limit(name, order, 0.8)
    x, y = np.linspace(-reach, 0.2, POINTS), np.linspace(-1.2, 1.2, POINTS)
    z = (x + 1j * y[:, None]).ravel()
    is_stable(method, z[:10])
    with threadpool_limits(1):
        fast = [seconds(lambda: is_stable(method, z)) for _ in range(5)]
        slow, theirs = seconds(lambda: by_roots(method, z[::SHARE]))
        benchmark.pedantic(lambda: is_stable(method, z), rounds=3)
    ours = fast[0][1][::SHARE]
    assert (ours != theirs).mean() < 1e-4  # points within rounding of the boundary
    median = float(np.median([s for s, _ in fast]))
    speedup = SHARE * slow / median
    benchmark.extra_info["speedup"] = speedup
    print(
        f"\n  {name}{order}, {POINTS} x {POINTS} points: numpy.roots {SHARE * slow:.2f} s, "
        f"ours {1e3 * median:.1f} ms; faster by {speedup:.0f}"
    )
    assert speedup >= 50
