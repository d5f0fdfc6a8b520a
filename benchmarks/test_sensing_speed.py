"""Sensing operators against the best public call for the same product, side by side in one run.

Every comparison interleaves its functions, one thread each, and prints the least and the median
time and the ratio on which its target is asserted.
Run with ``pytest benchmarks/test_sensing_speed.py -s``.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from threadpoolctl import threadpool_limits

from theorytk.matrix_sensing.operators import DenseSensing, GaussianSensing
from theorytk.matrix_sensing.structured import EntrySensing, RankOneSensing

N, M, K, STEP = 50, 1500, 5, 0.1


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def compare(
    benchmark: Any, functions: dict[str, Callable[[], Any]], *, rounds: int = 40, calls: int = 10
) -> dict[str, float]:
    """Time the functions by turns, print the times, and return how much faster each is.

    A turn is several calls, as a descent calls one operator many times: its array is in cache.
    The first function is the baseline. The figure is the median over the rounds of the ratio of
    the baseline's time to the function's, so that load from outside falls on both alike.
    """
    seconds = np.empty((rounds, len(functions)))
    for function in functions.values():
        function()
    for i, (j, function) in itertools.product(range(rounds), enumerate(functions.values())):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        seconds[i, j] = (time.perf_counter() - start) / calls
    least, median = seconds.min(axis=0), np.median(seconds, axis=0)
    speedup = np.median(seconds[:, :1] / seconds, axis=0)
    print()
    for j, name in enumerate(functions):
        print(
            f"  {name:40s} least {least[j] * 1e6:8.1f} us, median {median[j] * 1e6:8.1f} us; "
            f"faster by {speedup[j]:5.2f} (by least times {least[0] / least[j]:5.2f})"
        )
    speedups = dict(zip(functions, speedup.tolist(), strict=True))
    benchmark.extra_info.update(speedups)
    benchmark.pedantic(function, rounds=5, iterations=calls, warmup_rounds=1)
    return speedups


def test_one_pass_instead_of_two(benchmark, rng):
    operator = GaussianSensing(M, N, rng=rng)
    A, E = operator.matrix(), rng.standard_normal((N, N))
    e = E.ravel()
    np.testing.assert_allclose(operator.normal(E).ravel(), A.T @ (A @ e), rtol=1e-10, atol=1e-12)
    speedup = compare(
        benchmark,
        {"two gemv": lambda: A.T @ (A @ e), "normal": lambda: operator.normal(E)},
    )
    assert speedup["normal"] >= 1.4


def test_symmetric_descent_step(benchmark, rng):
    half = GaussianSensing(M, N, symmetric=True, rng=rng)
    A, X = half.matrix(), rng.standard_normal((N, K)) / 10
    gram = DenseSensing(A.reshape(M, N, N) * np.sqrt(M), storage="gram")
    truth = X @ X.T + np.eye(N)

    def two_gemv():
        residual = A.T @ (A @ (X @ X.T - truth).ravel())
        return X - STEP * residual.reshape(N, N) @ X

    def step(operator):
        return X - STEP * operator.normal(X @ X.T - truth) @ X

    np.testing.assert_allclose(step(half), two_gemv(), rtol=1e-10)
    np.testing.assert_allclose(step(gram), two_gemv(), rtol=1e-10)
    speedup = compare(
        benchmark,
        {
            "two gemv, all entries": two_gemv,
            "half storage (svec)": lambda: step(half),
            "half storage and its Gram matrix (gram)": lambda: step(gram),
        },
    )
    # Half the bytes, once instead of twice: a factor of 4 is the limit of "svec" by bandwidth.
    assert speedup["half storage (svec)"] >= 3
    assert speedup["half storage and its Gram matrix (gram)"] >= 4


def test_batch_of_replicates(benchmark, rng):
    operator, replicates = GaussianSensing(M, N, rng=rng), 16
    E = rng.standard_normal((replicates, N, N))
    speedup = compare(
        benchmark,
        {
            "16 calls": lambda: [operator.normal(e) for e in E],
            "one call with a batch of 16": lambda: operator.normal(E),
        },
        rounds=20,
        calls=2,
    )
    assert speedup["one call with a batch of 16"] >= 2


def sparse_gradients(operator, F, G, y, take) -> Callable[[], Any]:
    """The gradients with scipy.sparse: the structure is fixed beforehand, only data change."""
    n1, n2 = operator.shape
    order = np.lexsort((operator.cols, operator.rows))
    rows, cols, y = operator.rows[order], operator.cols[order], y[order]
    indptr = np.searchsorted(rows, np.arange(n1 + 1)).astype(np.int32)
    S = scipy.sparse.csr_array((np.zeros(len(rows)), cols.astype(np.int32), indptr), (n1, n2))
    transposed, scale = S.T, np.sqrt(n1 * n2 / len(rows))
    assert np.shares_memory(S.data, transposed.data)

    def gradients():
        S.data[:] = scale * np.einsum("ij,ij->i", take(F, rows), take(G, cols)) - y
        S.data *= scale
        return S @ G, transposed @ F

    return gradients


@pytest.mark.parametrize(("n", "m", "target"), [(N, M, 5), (1000, 50_000, 3)])
def test_entry_gradients(benchmark, rng, n, m, target):
    operator = EntrySensing(rng.integers(0, n, m), rng.integers(0, n, m), (n, n))
    F, G, y = rng.standard_normal((n, K)), rng.standard_normal((n, K)), rng.standard_normal(m)
    pull_back = operator.adjoint(y)
    by_index = sparse_gradients(operator, F, G, y, lambda X, rows: X[rows])
    by_take = sparse_gradients(operator, F, G, y, lambda X, rows: X.take(rows, axis=0))

    def by_residual():
        residual = operator.normal(F @ G.T) - pull_back
        return residual @ G, residual.T @ F

    def in_one_pass():
        return operator.gradients(F, G, y)

    for function in (by_take, by_residual, in_one_pass):
        for ours, theirs in zip(function(), by_index(), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)
    speedup = compare(
        benchmark,
        {
            "scipy.sparse, F[rows]": by_index,
            "scipy.sparse, F.take(rows, axis=0)": by_take,
            "normal(F G^T) - A*(y)": by_residual,
            "gradients": in_one_pass,
        },
        calls=20 if n == N else 2,
    )
    best = max(speedup["normal(F G^T) - A*(y)"], speedup["gradients"])
    assert best >= target
    assert best >= 2 * speedup["scipy.sparse, F.take(rows, axis=0)"]


def test_rank_one_gradients(benchmark, rng):
    a, b = rng.standard_normal((M, N)), rng.standard_normal((M, N))
    operator = RankOneSensing(a, b)
    dense = DenseSensing(np.einsum("ip,iq->ipq", a, b))
    F, G, y = rng.standard_normal((N, K)), rng.standard_normal((N, K)), rng.standard_normal(M)
    for ours, theirs in zip(operator.gradients(F, G, y), dense.gradients(F, G, y), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)
    speedup = compare(
        benchmark,
        {
            "explicit matrices, two gemv": lambda: dense.gradients(F, G, y),
            "gradients": lambda: operator.gradients(F, G, y),
        },
    )
    assert speedup["gradients"] >= 5
