"""The matrix families: their definition by brute force, and the scores that are known."""

import itertools
import math

import numpy as np
import pytest
import scipy.linalg

from theorytk.sensitivity.leverage import leverage_scores
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.matrices import (
    coherent,
    flat_block,
    hadamard_block,
    heavy_tailed,
    lower_bound_instance,
    polynomial_features,
    sparse_plus_low_rank,
    stacked_identity,
    vandermonde,
)


@pytest.mark.parametrize("p", [1.0, 1.5, 4.0])
def test_stacked_identity(sensitivities_oracle, p):
    A = stacked_identity(3, 4, p)
    assert A.shape == (12, 3)
    x = np.array([1.0, -2.0, 0.3])
    assert np.sum(np.abs(A @ x) ** p) == pytest.approx(np.sum(np.abs(x) ** p))
    np.testing.assert_allclose(lewis_weights(A, p).weights, 0.25, rtol=1e-9)
    np.testing.assert_allclose(sensitivities_oracle(A, p), 0.25, rtol=1e-6)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_flat_block_is_half_the_cube(d):
    A = flat_block(d)
    cube = {tuple(row) for row in itertools.product((-1.0, 1.0), repeat=d)}
    assert len(A) == 2 ** (d - 1)
    assert {tuple(row) for row in np.vstack([A, -A])} == cube


def test_hadamard_block_takes_columns_of_the_hadamard_matrix(sensitivities_oracle):
    A = hadamard_block(5, 16, rng=1)
    H = scipy.linalg.hadamard(16).T.tolist()
    chosen = {H.index(column) for column in A.T.tolist()}
    assert len(chosen) == 5
    np.testing.assert_allclose(sensitivities_oracle(A, 1.0), sensitivities_oracle(A, 1.0)[0])
    np.testing.assert_array_equal(A, hadamard_block(5, 16, rng=np.random.default_rng(1)))


def test_lower_bound_instance():
    A = lower_bound_instance(4, 32, 6, 1.5, rng=0)
    np.testing.assert_array_equal(A[:32, :4], hadamard_block(4, 32, rng=0))
    np.testing.assert_array_equal(A[32:, 4:], stacked_identity(4, 6, 1.5))
    assert not A[:32, 4:].any()
    assert not A[32:, :4].any()
    assert np.linalg.matrix_rank(A) == 8


@pytest.mark.parametrize("basis", ["monomial", "chebyshev", "legendre"])
def test_vandermonde_spans_the_polynomials(basis):
    nodes = np.linspace(-1, 1, 30)
    A = vandermonde(nodes, 6, basis=basis)
    powers = np.vander(nodes, 6, increasing=True)
    T = np.linalg.lstsq(A, powers, rcond=None)[0]
    np.testing.assert_allclose(A @ T, powers, atol=1e-12)
    assert np.abs(np.linalg.det(T)) > 0
    assert np.abs(np.tril(T, -1)).max() < 1e-12


def test_polynomial_features():
    X = np.random.default_rng(0).standard_normal((7, 3))
    A = polynomial_features(X, 4)
    exponents = [e for e in itertools.product(range(5), repeat=3) if sum(e) <= 4]
    expected = np.array([[math.prod(row**e) for e in exponents] for row in X])
    assert A.shape == (7, math.comb(7, 4))
    np.testing.assert_allclose(np.sort(A), np.sort(expected), rtol=1e-12)
    np.testing.assert_array_equal(polynomial_features(X, 0), np.ones((7, 1)))


def test_sparse_plus_low_rank():
    sparse = sparse_plus_low_rank(400, 6, rank=0, sparsity=2, rng=0)
    assert (np.count_nonzero(sparse, axis=1) == 2).all()
    assert len({tuple(np.flatnonzero(row)) for row in sparse}) == 15
    low = sparse_plus_low_rank(50, 6, rank=3, sparsity=0, rng=0)
    assert np.linalg.matrix_rank(low) == 3
    both = sparse_plus_low_rank(400, 6, rank=3, sparsity=2, rng=0)
    assert np.linalg.matrix_rank(both) == 6


def test_coherent_row_has_score_one(sensitivities_oracle):
    A = coherent(30, 3, rng=0)
    assert np.flatnonzero(A[:, -1]).tolist() == [0]
    assert leverage_scores(A)[0] == pytest.approx(1)
    for p in (1.0, 3.0):
        scores = sensitivities_oracle(A, p)
        assert scores[0] == pytest.approx(1, rel=1e-6)
        np.testing.assert_allclose(scores[1:], sensitivities_oracle(A[1:, :2], p), rtol=1e-6)


def test_heavy_tails():
    # Half of |t_1| lies above 1; the count is within 5 sd, a false alarm of 6e-7.
    A = heavy_tailed(5000, 2, df=1.0, rng=0)
    assert abs(np.count_nonzero(np.abs(A) > 1) - 5000) < 5 * 50
    light = heavy_tailed(5000, 2, df=30.0, rng=0)
    assert np.abs(light).max() < 10 < 100 < np.abs(A).max()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stacked_identity(0, 3, 1.0), "d must be"),
        (lambda: stacked_identity(2, 3, 0.5), "p must be >= 1"),
        (lambda: flat_block(21), "d must be"),
        (lambda: hadamard_block(3, 12), "n must be a power of two; got 12"),
        (lambda: hadamard_block(9, 8), "d must be"),
        (lambda: vandermonde([0.0], 2, basis="chebychev"), "did you mean 'chebyshev'"),
        (lambda: vandermonde([np.nan], 2), "nodes must be finite"),
        (lambda: polynomial_features([[1.0]], -1), "degree must be"),
        (lambda: sparse_plus_low_rank(5, 3, rank=4, sparsity=1), "rank must be"),
        (lambda: sparse_plus_low_rank(5, 3, rank=1, sparsity=4), "sparsity must be"),
        (lambda: coherent(0, 3), "n must be"),
        (lambda: heavy_tailed(5, 3, df=0.0), "df must be"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
