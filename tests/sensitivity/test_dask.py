"""Dask arrays against the same functions in memory, on threads and on a cluster."""

from __future__ import annotations

import subprocess
import sys

import dask
import dask.array
import numpy as np
import pytest
from distributed import Client, LocalCluster

from theorytk.sensitivity import dask as chunked
from theorytk.sensitivity.leverage import leverage_scores
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.sampling import sample_rows

N, D = 2000, 5


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).standard_t(3, size=(N, D))


@pytest.fixture(scope="module")
def cluster():
    with (
        dask.config.set({"distributed.admin.tick.limit": "60s"}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def as_dask(A, chunk=700):
    return dask.array.from_array(A, chunks=(chunk, A.shape[1]))


def matrices(A):
    return {
        "whole rank": A,
        "condition 1e4": np.vander(np.linspace(-1, 1, N), 12),
        "condition 1e8": A @ np.diag([1, 1e-2, 1e-4, 1e-6, 1e-8]) @ A[:5],
        "rank 3": A[:, :3] @ A[:3],
        "zero rows": A * (np.arange(N) % 3 > 0)[:, None],
        "scales": A * np.array([1, 1e-150, 1e100, 1.0, 1e-5]),
        "single precision": A.astype(np.float32),
        "integers": np.rint(9 * A).astype(int),
    }


@pytest.mark.parametrize("name", matrices(np.ones((N, D))))
def test_leverage_scores(rows, name):
    A = matrices(rows)[name]
    found = chunked.leverage_scores(as_dask(A))
    assert isinstance(found, dask.array.Array)
    assert found.chunks == (as_dask(A).chunks[0],)
    # Where both take a QR decomposition, they agree to the condition times the rounding unit.
    rtol = 1e-7 if name == "condition 1e8" else 1e-10
    np.testing.assert_allclose(found.compute(), leverage_scores(A), rtol=rtol, atol=1e-14)


@pytest.mark.parametrize("method", ["gram", "cholqr2", "qr"])
@pytest.mark.parametrize("chunk", [3, 150, N])
def test_every_method_and_chunk(rows, method, chunk):
    A = rows[:600]
    found = chunked.leverage_scores(as_dask(A, chunk), method=method)
    np.testing.assert_allclose(found, leverage_scores(A), rtol=1e-10)


@pytest.mark.parametrize("p", [1, 3])
@pytest.mark.parametrize("name", ["whole rank", "condition 1e4", "rank 3", "zero rows"])
def test_lewis_weights(rows, name, p):
    A = matrices(rows)[name]
    found, expected = (
        f(B, p, tol=1e-4) for f, B in ((chunked.lewis_weights, as_dask(A)), (lewis_weights, A))
    )
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-10, atol=1e-15)
    assert (found.rank, found.n_iter, found.converged) == (expected.rank, expected.n_iter, True)


def test_lewis_weights_to_the_end(rows):
    found = chunked.lewis_weights(as_dask(rows), 1.5)
    np.testing.assert_allclose(found.weights, lewis_weights(rows, 1.5).weights, rtol=1e-9)
    assert float(found.weights.sum()) == pytest.approx(D, rel=1e-9)


@pytest.mark.parametrize("scores", ["lewis", "leverage", "root-leverage"])
@pytest.mark.parametrize("how", [{"size": 50}, {"alpha": 9.0}])
def test_coreset_is_the_draw_in_memory(rows, scores, how):
    q = {
        "lewis": lambda: lewis_weights(rows, 1.5, tol=0.1).weights,
        "leverage": lambda: leverage_scores(rows),
        "root-leverage": lambda: leverage_scores(rows) ** 0.75,
    }[scores]()
    sample = sample_rows(q, 1.5, rng=3, **how)
    found = chunked.coreset(as_dask(rows), 1.5, scores=scores, rng=3, **how)
    np.testing.assert_array_equal(found.idx, sample.idx)
    np.testing.assert_array_equal(found.rows, rows[sample.idx])
    np.testing.assert_allclose(found.weights, sample.weights, rtol=1e-10)
    np.testing.assert_allclose(found.scaled(), sample.apply(rows), rtol=1e-10)


def test_on_a_cluster(rows, cluster):
    A = as_dask(rows)
    np.testing.assert_allclose(
        chunked.leverage_scores(A).compute(), leverage_scores(rows), rtol=1e-10
    )
    found, expected = chunked.lewis_weights(A, 1, tol=0.1), lewis_weights(rows, 1, tol=0.1)
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-10)
    here = chunked.coreset(A, 1, size=40, rng=0)
    assert here.rows.shape == (len(here.idx), D)
    np.testing.assert_array_equal(here.rows, rows[here.idx])


def test_no_chunk_comes_to_the_client(rows, monkeypatch):
    largest = 0
    compute = dask.base.compute

    def watched(*arguments, **options):
        nonlocal largest
        results = compute(*arguments, **options)
        largest = max([largest, *(np.size(result) for result in results)])
        return results

    monkeypatch.setattr(dask.base, "compute", watched)
    A = as_dask(rows, 500)
    chunked.leverage_scores(A)
    chunked.lewis_weights(A, 1, tol=0.1)
    assert largest == D * D
    chunked.coreset(A, 1, size=40, rng=0)
    assert largest == N < 500 * D


def test_chunks_without_rows(rows):
    A = as_dask(rows)
    A = dask.array.concatenate([A[:700], A[:0], A[700:]])
    np.testing.assert_allclose(
        chunked.leverage_scores(A).compute(), leverage_scores(rows), rtol=1e-10
    )


def test_bad_arrays(rows):
    bad = rows.copy()
    bad[1500, 2] = np.nan
    cases = [
        (rows, TypeError, "A must be a Dask array; got ndarray"),
        (as_dask(rows.astype(complex)), TypeError, "A must be an array of real numbers"),
        (dask.array.ones(5), ValueError, r"A must have 2 dimensions .* got chunks"),
        (dask.array.from_array(rows, chunks=(500, 2)), ValueError, r"A.rechunk\(\{1: -1\}\)"),
        (as_dask(rows)[as_dask(rows)[:, 0] > 0], ValueError, "A.compute_chunk_sizes()"),
        (dask.array.ones((0, 2)), ValueError, "A must have rows and columns"),
        (
            as_dask(bad),
            ValueError,
            r"chunk 2 of A\[0:\] must be finite; got nan at index \(100, 2\)",
        ),
    ]
    for A, error, message in cases:
        with pytest.raises(error, match=message):
            chunked.leverage_scores(A)


def test_bad_arguments(rows):
    A = as_dask(rows)
    with pytest.raises(ValueError, match="scores must be one of 'leverage', 'lewis'"):
        chunked.coreset(A, 1, size=5, scores="sensitivity")
    with pytest.raises(ValueError, match="give one of alpha and size"):
        chunked.coreset(A, 1)
    with pytest.raises(ValueError, match="scores must have a positive entry"):
        chunked.coreset(0 * A, 1, size=5)
    with pytest.raises(ValueError, match="p must be >= 1, for below"):
        chunked.lewis_weights(A, 0.5)
    with pytest.raises(ValueError, match="did you mean 'gram'"):
        chunked.leverage_scores(A, method="gramm")
    with pytest.warns(RuntimeWarning, match="residual"):
        assert not chunked.lewis_weights(A, 1, max_iter=2).converged


def test_missing_dask_names_the_extra():
    code = "import sys; sys.modules['dask'] = None; import theorytk.sensitivity"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    done = subprocess.run([sys.executable, "-c", code + ".dask"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'theorytk[dask]'" in done.stderr
