"""The numba kernel against exponentials in NumPy, and torch against NumPy."""

import numpy as np
import pytest

from theorytk.paths._kernels import fast_exp, posterior_distances
from theorytk.paths._pairs import PairBlock
from theorytk.paths.datasets import normalise
from theorytk.paths.separation import separation_function


def test_exponential():
    x = np.linspace(-699, 300, 20_001)
    np.testing.assert_allclose([fast_exp(value) for value in x], np.exp(x), rtol=2e-14)
    assert fast_exp(-1e300) < 1e-300
    assert fast_exp(0.0) == 1


def reference(distances, noise, weights, shares, s):
    sums = np.zeros(len(s))
    for k, value in enumerate(s):
        for sign in (1, -1):
            logits = sign * value * noise - 0.5 * value**2 * distances + np.log(weights)
            w = np.exp(logits - logits.max(axis=1, keepdims=True))
            sums[k] += shares @ ((w * distances).sum(axis=1) / w.sum(axis=1)) / 2
    return sums


@pytest.mark.parametrize("d", [1, 3, 50])
def test_kernel_against_softmax(d):
    rng = np.random.default_rng(0)
    data = normalise(rng.standard_normal((70, d)), rng.random(70))
    rows = rng.permutation(70)[:40]
    block = PairBlock(data, rows, rng.standard_normal((40, d)))
    s = np.geomspace(0.01, 1e4, 30)
    shares = rng.random(40)
    found = block.distances(shares, s)
    arrays = block.squared_distances, block.shifts, data.weights, shares, s
    np.testing.assert_allclose(found, reference(*arrays), rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(posterior_distances(*arrays), found)


def test_pairs_by_definition():
    rng = np.random.default_rng(1)
    data = normalise(rng.standard_normal((9, 4)))
    rows, noise = np.array([3, 0, 7]), rng.standard_normal((3, 4))
    block = PairBlock(data, rows, noise)
    gaps = data.points - data.points[rows][:, None]
    np.testing.assert_allclose(block.squared_distances, (gaps**2).sum(axis=-1), atol=1e-13)
    np.testing.assert_allclose(block.shifts, (gaps * noise[:, None]).sum(axis=-1), atol=1e-13)
    assert (block.squared_distances[np.arange(3), rows] == 0).all()


def test_near_duplicates_do_not_overflow():
    data = normalise(np.array([[0.0, 0.0], [1e-9, 0.0], [1.0, 1.0]]))
    found = separation_function(data, theta=np.arctan([1.0, 1e4, 1e9, 1e11]), rng=0)
    assert np.isfinite(found.samples).all()
    assert found.samples[:, -2] == pytest.approx(1, abs=0.01)


@pytest.mark.torch
@pytest.mark.parametrize("n_sources", [None, 30])
def test_torch_equals_numpy(n_sources):
    import torch

    rng = np.random.default_rng(2)
    X, weights = rng.standard_normal((80, 6)), rng.random(80)
    options = dict(n_sweeps=2, n_sources=n_sources, block_rows=33, rng=3)
    expected = separation_function(X, weights, **options)
    found = separation_function(torch.tensor(X), torch.tensor(weights), **options)
    np.testing.assert_allclose(found.samples, expected.samples, rtol=1e-12, atol=1e-12)
    single = separation_function(torch.tensor(X, dtype=torch.float32), weights, **options)
    rounded = separation_function(X.astype(np.float32), weights, **options)
    np.testing.assert_allclose(single.samples, rounded.samples, rtol=1e-12, atol=1e-12)
