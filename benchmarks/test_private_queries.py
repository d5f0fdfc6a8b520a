"""Gaussian kernel sums and distances over n = 10^6 points: ours, brute force, scikit-learn's tree.

One thread, CPU times; ratios are medians over pairs of runs side by side. The tree's tolerance is
the error of the private answers, so that neither is asked for more than the other. Run with
``OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 pytest benchmarks/test_private_queries.py -s``.
"""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from sklearn.neighbors import KernelDensity

from theorytk.privacy.exact_sums import distance_sum, kernel_sum
from theorytk.privacy.kernel_sums import PrivateKernelSum

N = 10**6
ROUNDS = 5


def cpu(function):
    """Return (CPU seconds of a call, its result)."""
    started = time.process_time()
    result = function()
    return time.process_time() - started, result


def per_query(functions, counts):
    """Return the CPU seconds per query of each function, shape (rounds, functions)."""
    for function in functions:
        function()
    return np.array(
        [[cpu(f)[0] / c for f, c in zip(functions, counts, strict=True)] for _ in range(ROUNDS)]
    )


def tree(points, bandwidth, error):
    """Return (the seconds to build scikit-learn's tree, means of kernels by it at this error)."""
    h, d = bandwidth / math.sqrt(2), points.shape[1]
    # Densities are means of kernels over this volume.
    volume = (math.sqrt(2 * math.pi) * h) ** d
    seconds, density = cpu(lambda: KernelDensity(bandwidth=h, atol=error / volume).fit(points))
    return seconds, lambda y: np.exp(density.score_samples(y)) * volume


@pytest.mark.parametrize("d", [1, 3])
def test_broad_kernels_against_scikit_learn(d):
    rng = np.random.default_rng(d)
    x, few, many = rng.random((N, d)), rng.random((8, d)), rng.random((4096, d))
    h = math.sqrt(d) / 2
    sums = PrivateKernelSum(
        mechanism="rff_gaussian", rho=0.5, bandwidth=h, n_features=500, rng=0
    ).fit(x)
    truth = kernel_sum("gaussian", x, few, bandwidth=h) / N
    error = float(np.sqrt(np.mean((sums.query_mean(few) - truth) ** 2)))
    build, by_tree = tree(x, h, error)
    assert np.abs(by_tree(few) - truth).max() <= error
    times = per_query(
        [
            lambda: sums.query_mean(many),
            lambda: kernel_sum("gaussian", x, few, bandwidth=h),
            lambda: by_tree(few),
        ],
        [len(many), len(few), len(few)],
    )
    ours, brute, theirs = 1 / np.median(times, axis=0)
    ratio = float(np.median(times[:, 2] / times[:, 0]))
    exact = float(np.median(times[:, 2] / times[:, 1]))
    print(
        f"\nd = {d}, bandwidth {h:.2g}, error {error:.1g} of a mean of {truth.mean():.2g}: private "
        f"{ours:.0f}/s, exact {brute:.0f}/s, scikit-learn {theirs:.1f}/s (built in {build:.1f} s); "
        f"faster by {ratio:.0f}, exact by {exact:.0f}"
    )
    assert ratio >= 100


@pytest.mark.parametrize("d", [1, 3])
def test_narrow_kernels_belong_to_the_tree(d):
    """At 5% of a small mean kernel features would be more than the points themselves."""
    rng = np.random.default_rng(d)
    x, y, h = rng.random((N, d)), rng.random((32, d)), 0.01
    mean = float(kernel_sum("gaussian", x, y, bandwidth=h).mean()) / N
    _, by_tree = tree(x, h, 0.05 * mean)
    times = per_query(
        [lambda: kernel_sum("gaussian", x, y, bandwidth=h), lambda: by_tree(y)], [32, 32]
    )
    brute, theirs = 1 / np.median(times, axis=0)
    # A frequency with cosine and sine has a variance of at most a half.
    features = 0.5 / (0.05 * mean) ** 2
    print(
        f"\nd = {d}, bandwidth {h}, mean kernel {mean:.2g}: scikit-learn {theirs:.0f}/s, brute "
        f"force {brute:.0f}/s; features for the same error {features:.2g}"
    )
    if d == 3:
        assert features > N
        assert theirs > brute


def test_exact_sums_on_a_line():
    rng = np.random.default_rng(0)
    x, few, many = rng.random((N, 1)), rng.random((4, 1)), rng.random((10**6, 1))
    for name, function in (
        ("distances", lambda y: distance_sum(x, y)),
        ("exponential kernel", lambda y: kernel_sum("exponential", x, y)),
    ):
        build = float(np.median([cpu(lambda f=function: f(few))[0] for _ in range(ROUNDS)]))
        whole = float(np.median([cpu(lambda f=function: f(many))[0] for _ in range(ROUNDS)]))
        print(
            f"\n{name}: sorted in {build:.2f} s, then {len(many) / (whole - build):.3g} queries/s"
        )
        assert len(many) / (whole - build) > 10**5
