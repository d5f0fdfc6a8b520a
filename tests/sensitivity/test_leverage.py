"""Leverage scores against the pseudo-inverse, exact rational arithmetic and statsmodels."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse
import scipy.stats
from statsmodels.regression.linear_model import OLS

from theorytk.sensitivity.leverage import (
    BlockLeverage,
    leverage_scores,
    root_leverage_scores,
    sketched_leverage_scores,
)

METHODS = ["auto", "gram", "cholqr2", "qr"]


def hat_diagonal(A):
    return np.diag(A @ np.linalg.pinv(A))


def exact_scores(A):
    """The scores in rational arithmetic: the Gram matrix is inverted by Gauss-Jordan."""
    rows = [[Fraction(float(x)) for x in row] for row in A]
    d = len(rows[0])
    table = [
        [sum(row[i] * row[j] for row in rows) for j in range(d)]
        + [Fraction(int(i == j)) for j in range(d)]
        for i in range(d)
    ]
    for i in range(d):
        table[i] = [x / table[i][i] for x in table[i]]
        for k in range(d):
            if k != i:
                table[k] = [x - table[k][i] * y for x, y in zip(table[k], table[i], strict=True)]
    inverse = [line[d:] for line in table]
    return np.array(
        [float(sum(a[i] * a[j] * inverse[i][j] for i in range(d) for j in range(d))) for a in rows]
    )


@pytest.fixture(scope="module")
def gaussian():
    return np.random.default_rng(0).standard_normal((500, 6))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("block_rows", [None, 1, 7, 500, 1000])
def test_every_method_and_block_length(gaussian, method, block_rows):
    scores = leverage_scores(gaussian, method=method, block_rows=block_rows)
    np.testing.assert_allclose(scores, hat_diagonal(gaussian), rtol=1e-12)


def test_against_statsmodels(gaussian):
    peer = OLS(np.ones(500), gaussian).fit().get_influence().hat_matrix_diag
    np.testing.assert_allclose(leverage_scores(gaussian), peer, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["csr_array", "csr_matrix", "coo_array", "int CSR"])
def test_sparse_input(method, kind):
    rng = np.random.default_rng(1)
    S = scipy.sparse.random_array((300, 12), density=0.2, rng=rng, format="coo")
    S.data = rng.integers(1, 9, size=S.data.size).astype(float)
    convert = {
        "csr_array": scipy.sparse.csr_array,
        "csr_matrix": scipy.sparse.csr_matrix,
        "coo_array": scipy.sparse.coo_array,
        "int CSR": lambda M: scipy.sparse.csr_array(M).astype(np.int32),
    }[kind]
    scores = leverage_scores(convert(S), method=method, block_rows=50)
    np.testing.assert_allclose(scores, hat_diagonal(S.toarray()), rtol=0, atol=1e-13)


def test_memory_map_and_other_layouts(gaussian, tmp_path):
    np.save(tmp_path / "A.npy", gaussian)
    expected = hat_diagonal(gaussian)
    mapped = np.load(tmp_path / "A.npy", mmap_mode="r")
    np.testing.assert_allclose(leverage_scores(mapped, block_rows=64), expected, rtol=1e-12)
    np.testing.assert_allclose(leverage_scores(np.asfortranarray(gaussian)), expected, rtol=1e-12)
    np.testing.assert_allclose(leverage_scores(gaussian.tolist()), expected, rtol=1e-12)
    single = gaussian.astype(np.float32)
    expected = hat_diagonal(single.astype(float))
    np.testing.assert_allclose(leverage_scores(single), expected, rtol=1e-12)


@pytest.mark.parametrize("d", [4, 7, 10])
def test_ill_conditioned_columns_are_accurate_in_every_row(d):
    # Monomials at integers: exact in floating point, condition 1e2, 1e6 and 2e9.
    A = np.vander(np.arange(1.0, 31.0), d)
    kappa = np.linalg.cond(A / np.linalg.norm(A, axis=0))
    exact = exact_scores(A)
    tolerance = max(1e-9, 100 * kappa * np.finfo(float).eps)
    np.testing.assert_allclose(leverage_scores(A), exact, rtol=tolerance)
    np.testing.assert_allclose(BlockLeverage().partial_fit(A).scores(A), exact, rtol=tolerance)


def test_gram_alone_loses_the_digits_that_auto_keeps():
    A = np.vander(np.arange(1.0, 31.0), 10)
    exact = exact_scores(A)
    lost = np.abs(leverage_scores(A, method="gram") / exact - 1).max()
    kept = np.abs(leverage_scores(A) / exact - 1).max()
    assert kept < 1e-8 < 1e-6 < lost


def test_tiny_scores_have_relative_accuracy(gaussian):
    A = gaussian.copy()
    A[:5] *= 1e-60
    rest = A[5:].T @ A[5:]
    expected = 1e-120 * np.diag(gaussian[:5] @ np.linalg.solve(rest, gaussian[:5].T))
    for method in METHODS:
        np.testing.assert_allclose(leverage_scores(A, method=method)[:5], expected, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-250, 1e-120, 1e150, 1e280])
def test_extreme_scales(gaussian, scale):
    expected = hat_diagonal(gaussian)
    np.testing.assert_allclose(leverage_scores(scale * gaussian), expected, rtol=1e-12)
    columns = gaussian * np.array([1.0, scale, 1.0, 1e-30, 1.0, 1e30])
    np.testing.assert_allclose(leverage_scores(columns), expected, rtol=1e-11)


@pytest.mark.parametrize(
    "rank_deficient",
    [
        lambda A: np.c_[A, A[:, :2] @ [[1.0], [2.0]]],
        lambda A: np.c_[A[:, :3], A[:, :3]],
        lambda A: np.c_[A, np.zeros(len(A))],
        lambda A: A[:4],
        lambda A: np.repeat(A[:, :1], 5, axis=1),
        lambda A: np.r_[A, np.zeros((3, 6))] @ np.outer(np.arange(6.0), np.ones(3)),
        lambda A: np.zeros((4, 3)),
    ],
    ids=["sum", "twice", "zero column", "wide", "rank 1", "rank 1, zero rows", "zero"],
)
def test_the_range_is_what_counts(gaussian, rank_deficient):
    A = rank_deficient(gaussian)
    expected = hat_diagonal(A)
    rank = np.linalg.matrix_rank(A)
    for method in ("auto", "qr"):
        scores = leverage_scores(A, method=method)
        np.testing.assert_allclose(scores, expected, rtol=1e-10, atol=1e-14)
        assert scores.sum() == pytest.approx(rank, abs=1e-10)
        assert (scores[~A.any(axis=1)] == 0).all()
    assert BlockLeverage().partial_fit(A).rank == rank


@pytest.mark.parametrize("method", ["gram", "cholqr2"])
@pytest.mark.parametrize("seed", range(5))
def test_explicit_cholesky_refuses_dependent_columns(method, seed):
    # Rounding makes some of these Gram matrices positive definite, with a condition of 1e16.
    A = np.random.default_rng(seed).random((1000, 4)) + 6
    for dependent in (np.c_[A, A @ [0.3, 1.0, 2.0, 0.1]], np.c_[A, np.zeros(1000)]):
        with pytest.raises(ValueError, match="not positive definite"):
            leverage_scores(dependent, method=method)
        np.testing.assert_allclose(leverage_scores(dependent), leverage_scores(A), rtol=1e-9)


def test_cholqr2_refuses_a_noise_that_passed_the_first_cholesky():
    # Estimated at 4e7, the condition of this singular matrix looks low enough for a second round.
    rng = np.random.default_rng(105)
    A = rng.random((300, 2)) + 6
    singular = np.c_[A, A @ rng.random(2)]
    with pytest.raises(ValueError, match="not positive definite"):
        leverage_scores(singular, method="cholqr2")
    np.testing.assert_allclose(leverage_scores(singular), leverage_scores(A), rtol=1e-9)


def test_extra_memory_is_far_below_the_matrix(tmp_path):
    n, d = 200_000, 20
    A = np.lib.format.open_memmap(tmp_path / "A.npy", mode="w+", shape=(n, d))
    A[:] = np.random.default_rng(2).standard_normal((n, d))
    tracemalloc.start()
    scores = leverage_scores(A)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert scores.sum() == pytest.approx(d)
    assert peak < scores.nbytes + 8e6 < A.nbytes / 3


def test_root_leverage(gaussian):
    np.testing.assert_allclose(
        root_leverage_scores(gaussian, 1.5), hat_diagonal(gaussian) ** 0.75, rtol=1e-12
    )


def test_sketch_follows_the_chi_square_law(gaussian):
    k, ratios = 4, []
    for seed in range(1500):
        sketch = sketched_leverage_scores(gaussian[:40], k, rng=seed)
        ratios.append(k * sketch.scores[3])
    expected = hat_diagonal(gaussian[:40])[3]
    assert sketch.relative_sd == pytest.approx(scipy.stats.chi2(k).std() / k)
    assert sketch.rank == 6
    assert scipy.stats.kstest(np.array(ratios) / expected, scipy.stats.chi2(k).cdf).pvalue > 1e-6


def test_sketch_is_reproducible(gaussian):
    first = sketched_leverage_scores(gaussian, 3, rng=5).scores
    again = sketched_leverage_scores(gaussian, 3, rng=np.random.default_rng(5)).scores
    np.testing.assert_array_equal(first, again)


def test_stream_equals_the_whole(gaussian):
    stream = BlockLeverage()
    for block in np.array_split(gaussian, [3, 4, 100]):
        stream.partial_fit(block)
    assert (stream.n_rows, stream.rank) == (500, 6)
    np.testing.assert_allclose(stream.scores(gaussian[:9]), hat_diagonal(gaussian)[:9], rtol=1e-12)
    stream.partial_fit(scipy.sparse.csr_array(gaussian))
    np.testing.assert_allclose(stream.scores(gaussian), hat_diagonal(gaussian) / 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("A", "error", "message"),
    [
        ([1.0, 2.0], ValueError, "A must have 2 dimension"),
        ([["a"]], TypeError, "A must be an array of real numbers"),
        ([[1j]], TypeError, "A must be an array of real numbers"),
        (np.empty((0, 2)), ValueError, "A must have rows and columns"),
        ([[1.0], [np.nan]], ValueError, r"A\[0:\] must be finite; got nan at index \(1, 0\)"),
        ([[1.0], [-np.inf]], ValueError, "must be finite; got -inf"),
        (scipy.sparse.csr_array([[1.0], [np.nan]]), ValueError, "must be finite; got nan"),
    ],
)
def test_bad_matrices(A, error, message):
    with pytest.raises(error, match=message):
        leverage_scores(A)


def test_bad_arguments(gaussian):
    with pytest.raises(ValueError, match="did you mean 'gram'"):
        leverage_scores(gaussian, method="gramm")
    with pytest.raises(ValueError, match="block_rows must be an integer >= 1"):
        leverage_scores(gaussian, block_rows=0)
    with pytest.raises(ValueError, match="p must be >= 1, for below the unit ball is not convex"):
        root_leverage_scores(gaussian, 0.5)
    with pytest.raises(ValueError, match="n_directions"):
        sketched_leverage_scores(gaussian, 0)
    with pytest.raises(ValueError, match="no rows were seen"):
        BlockLeverage().scores(gaussian)
    stream = BlockLeverage().partial_fit(gaussian)
    for call in (stream.partial_fit, stream.scores):
        with pytest.raises(ValueError, match="X must have 6 columns"):
            call(gaussian[:, :2])
        with pytest.raises(ValueError, match=r"X\[0:\] must be finite"):
            call(np.full((1, 6), np.nan))
