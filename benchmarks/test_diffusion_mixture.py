"""The noise prediction of a mixture against NumPy.

Two baselines, both vectorised over points and components: the usual code, whose arrays have
entries for points, components and coordinates, and the expanded square, which is three matrix
products and cancels where a component is narrow. The target is for the usual code. All take turns
in one thread, and CPU times are printed. Run with
``pytest benchmarks/test_diffusion_mixture.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.special import softmax
from threadpoolctl import threadpool_limits

from theorytk.diffusion.targets import random_mixture

ALPHA, SIGMA = 0.6, 0.8


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def seconds(function):
    """Return (the CPU seconds of a call, its result)."""
    started = time.process_time()
    result = function()
    return time.process_time() - started, result


def level(target):
    """Return log weights less the norming, means and variances of the components of x_t."""
    variances = np.diagonal(target.law.covariances, axis1=1, axis2=2)
    V = ALPHA**2 * variances + SIGMA**2
    return np.log(target.law.weights) - np.log(V).sum(axis=1) / 2, ALPHA * target.law.means, V


def by_broadcasting(target, x):
    logs, means, V = level(target)
    centred = x[:, None] - means
    y = centred / V
    weights = softmax(logs - (centred * y).sum(axis=-1) / 2, axis=1)
    return SIGMA * (weights[..., None] * y).sum(axis=1)


def by_products(target, x):
    logs, means, V = level(target)
    P, Pm = 1 / V, means / V
    logits = logs - (means * Pm).sum(axis=1) / 2 - x**2 @ P.T / 2 + x @ Pm.T
    logits -= logits.max(axis=1, keepdims=True)
    weights = np.exp(logits, out=logits)
    weights /= weights.sum(axis=1, keepdims=True)
    return SIGMA * (x * (weights @ P) - weights @ Pm)


@pytest.mark.parametrize(("n", "d", "K"), [(10_000, 2, 3), (10_000, 16, 20), (2_000, 64, 50)])
def test_noise_against_numpy(benchmark, n, d, K):
    target = random_mixture(d, K, rng=0)
    x = target.sample(n, 1, ALPHA, SIGMA)
    target.noise(x, ALPHA, SIGMA)
    times = []
    for _ in range(15):
        ours, result = seconds(lambda: target.noise(x, ALPHA, SIGMA))
        row = [ours]
        for baseline in (by_broadcasting, by_products):
            theirs, expected = seconds(lambda: baseline(target, x))  # noqa: B023
            np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-9)
            row.append(theirs)
        times.append(row)
    benchmark.pedantic(lambda: target.noise(x, ALPHA, SIGMA), rounds=3)
    ours, *theirs = np.median(times, axis=0)
    speedups = np.median(np.array(times)[:, 1:] / np.array(times)[:, :1], axis=0)
    benchmark.extra_info["speedups"] = speedups.tolist()
    unit = 1e9 / (n * d * K)
    print(
        f"\n  n = {n}, d = {d}, K = {K}: ours {unit * ours:.2f} ns per (n, d, K); broadcasting "
        f"{unit * theirs[0]:.2f}, faster by {speedups[0]:.1f}; matrix products "
        f"{unit * theirs[1]:.2f}, faster by {speedups[1]:.1f}"
    )
    assert speedups[0] >= 4
