"""Streamed coresets against exact distortions of the whole, and the laws of their tree."""

from __future__ import annotations

import math

import numpy as np
import pytest

from theorytk.sensitivity.distortion import distortion
from theorytk.sensitivity.streaming import StreamingCoreset, merged_ratio_bounds

N, D = 6000, 3


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).standard_t(2, size=(N, D))


def streamed(A, p, size, *, cuts=3, weights=None, **options):
    stream = StreamingCoreset(p, size, **options)
    for part in np.array_split(np.arange(len(A)), cuts):
        stream.partial_fit(A[part], None if weights is None else weights[part])
    return stream.coreset()


def omega(found, n):
    full = np.zeros(n)
    full[found.idx] = found.weights
    return full


@pytest.mark.parametrize("seed", range(20))
def test_exact_distortion_is_within_the_account(rows, seed):
    found = streamed(rows, 2, 80, leaf_rows=500, rng=seed)
    whole = distortion(rows, omega(found, N), 2)
    assert found.status == "certified"
    assert found.depth == 5
    assert found.ratio_lower <= whole.ratio_min * (1 + 1e-12)
    assert whole.ratio_max <= found.ratio_upper * (1 + 1e-12)
    assert whole.upper <= found.distortion <= 10 * whole.upper + 0.5
    np.testing.assert_array_equal(found.rows, rows[found.idx])


@pytest.mark.parametrize(("p", "d"), [(1, 2), (1, 3), (3, 2), (4, 2)])
def test_account_of_other_norms(p, d):
    A = np.random.default_rng(1).standard_normal((1500, d))
    found = streamed(A, p, 120, leaf_rows=400, rng=3)
    whole = distortion(A, omega(found, 1500), p, rng=0)
    assert found.status == "certified"
    assert whole.upper <= found.distortion < math.inf


def test_without_a_certificate_it_is_an_estimate():
    A = np.random.default_rng(1).standard_normal((900, 5))
    found = streamed(A, 1, 150, leaf_rows=450, rng=0)
    assert found.status == "estimate"
    assert 0 < found.ratio_lower < 1 < found.ratio_upper < 3
    blind = streamed(A, 1, 150, leaf_rows=450, measure=False, rng=0)
    assert (blind.status, blind.ratio_lower, blind.distortion) == ("estimate", 0, math.inf)
    np.testing.assert_array_equal(blind.idx, found.idx)


@pytest.mark.parametrize("scores", ["lewis", "leverage", "uniform", "root-leverage"])
@pytest.mark.parametrize("cuts", [1, 7, [1, 2, 249, 250, 251, 1099], 1100])
def test_the_partition_does_not_matter(rows, cuts, scores):
    options = dict(leaf_rows=250, scores=scores, measure=False, rng=4)
    found = streamed(rows[:1100], 1.5, 60, cuts=cuts, **options)
    other = streamed(rows[:1100], 1.5, 60, cuts=[600], **options)
    np.testing.assert_array_equal(found.idx, other.idx)
    np.testing.assert_array_equal(found.weights, other.weights)


def test_seeds(rows):
    first, again, other = (streamed(rows, 2, 80, rng=s) for s in (1, np.random.default_rng(1), 2))
    np.testing.assert_array_equal(first.idx, again.idx)
    assert not np.array_equal(first.idx, other.idx)


def test_a_leaf_does_not_depend_on_the_others(rows):
    changed = rows.copy()
    changed[:500] *= 3.0
    leaves = []
    for A in (rows, changed):
        stream = StreamingCoreset(2, 40, leaf_rows=500, rng=0).partial_fit(A[:1500])
        leaves.append(stream._levels[0])
    np.testing.assert_array_equal(leaves[0].idx, leaves[1].idx)
    assert leaves[0].idx.min() >= 1000


@pytest.mark.parametrize("p", [1, 3])
def test_weighted_sums_are_unbiased(p):
    A = np.random.default_rng(2).standard_normal((400, 2))
    weights = np.random.default_rng(3).uniform(0.5, 2, 400)
    power = np.abs(A @ [1.0, -0.5]) ** p
    options = dict(leaf_rows=100, measure=False, weights=weights)
    found = [streamed(A, p, 40, rng=seed, **options) for seed in range(300)]
    sums = np.array([part.weights @ power[part.idx] for part in found])
    # The mean of 300 is normal enough for z = 5.2, a false alarm of 2e-7 and a margin for skew.
    assert abs(sums.mean() - weights @ power) <= 5.2 * sums.std(ddof=1) / math.sqrt(300)
    # Expected sizes are exact in every reduction that has rows enough, so that the mean is, too.
    counts = np.array([len(part.idx) for part in found])
    assert abs(counts.mean() - 40) <= 5.2 * math.sqrt(40 / 300)


def test_weights_are_those_of_repeated_rows():
    A = np.random.default_rng(4).standard_normal((300, 2))
    counts = np.arange(300) % 3
    found = streamed(A, 2, 50, leaf_rows=300, weights=counts.astype(float), rng=0)
    repeated = np.repeat(A, counts, axis=0)
    gram, whole = found.scaled().T @ found.scaled(), repeated.T @ repeated
    ratios = np.linalg.eigvals(np.linalg.solve(whole, gram)).real
    assert (counts[found.idx] > 0).all()
    assert found.status == "exact"
    np.testing.assert_allclose([found.ratio_lower, found.ratio_upper], np.sort(ratios), rtol=1e-10)


def test_memory_is_logarithmic():
    stream = StreamingCoreset(2, 20, leaf_rows=80, measure=False, rng=0)
    block = np.random.default_rng(5).standard_normal((1000, 2))
    for _ in range(60):
        stream.partial_fit(block)
        samples = [part for part in stream._levels if part is not None]
        kept = sum(len(part.rows) for part in [*samples, *stream._blocks])
        levels = 1 + math.log2(stream.n_rows / 80)
        assert len(samples) <= levels
        # Counts are sums of independent draws with means of 20: 2 * 20 at most, but for 1e-4 each.
        assert kept <= 80 + 40 * levels
    assert stream.n_rows == 60_000
    assert len(stream.coreset().rows) < 60


def test_the_stream_goes_on_after_a_coreset(rows):
    stream, other = (StreamingCoreset(2, 80, leaf_rows=500, rng=0) for _ in range(2))
    stream.partial_fit(rows[:3000])
    first = stream.coreset()
    np.testing.assert_array_equal(first.idx, stream.coreset().idx)
    assert first.idx.max() < 3000
    found = stream.partial_fit(rows[3000:]).coreset()
    np.testing.assert_array_equal(found.idx, other.partial_fit(rows).coreset().idx)


def test_few_rows_are_kept_as_they_are(rows):
    found = streamed(rows[:50], 1, 50, cuts=3)
    np.testing.assert_array_equal(found.rows, rows[:50])
    np.testing.assert_array_equal(found.weights, np.ones(50))
    assert (found.status, found.distortion, found.depth) == ("exact", 0, 0)


def test_a_full_tree_of_one_sample_is_not_reduced_again(rows):
    stream = StreamingCoreset(2, 80, leaf_rows=500, rng=0).partial_fit(rows[:2000])
    assert stream.coreset() is stream._levels[2]


def test_zero_rows_and_dependent_columns(rows):
    A = np.column_stack([rows[:2000], rows[:2000] @ [1.0, 2.0, 3.0]])
    A[::2] = 0
    found = streamed(A, 2, 60, leaf_rows=400, rng=0)
    assert found.idx.min() % 2 == 1
    assert found.distortion < 1.5
    nothing = streamed(np.zeros((900, 2)), 1, 10, leaf_rows=100, rng=0)
    assert nothing.rows.shape == (0, 2)
    assert nothing.distortion == 0


@pytest.mark.parametrize("p", [1, 4])
def test_rows_of_extreme_sizes_have_finite_weights(p):
    A = np.random.default_rng(6).standard_normal((400, 2)) * np.logspace(0, -120, 400)[:, None]
    found = streamed(A, p, 30, leaf_rows=100, measure=False, rng=0)
    assert np.isfinite(found.weights).all()


def test_merged_ratio_bounds():
    low, high = merged_ratio_bounds([0.1, 0.2, 0.3])
    assert low == pytest.approx(0.9 * 0.8 * 0.7)
    assert high == pytest.approx(1.1 * 1.2 * 1.3)
    assert merged_ratio_bounds([]) == (1.0, 1.0)
    assert merged_ratio_bounds([2.0, 3.0])[0] == 0
    with pytest.raises(ValueError, match=r"epsilons must be >= 0; got -0.5"):
        merged_ratio_bounds([0.1, -0.5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"p": 0.5}, "p must be >= 1, for below"),
        ({"p": math.inf}, "p must be a number"),
        ({"size": 0}, "size must be an integer >= 1"),
        ({"leaf_rows": 9}, "leaf_rows must be an integer >= 10"),
        ({"scores": "levis"}, "did you mean 'lewis'"),
        ({"rng": -1}, "rng must be an integer >= 0"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        StreamingCoreset(**{"p": 2, "size": 10, **options})


def test_bad_rows():
    stream = StreamingCoreset(1, 10)
    with pytest.raises(ValueError, match="no rows were seen"):
        stream.coreset()
    with pytest.raises(ValueError, match="X must be finite"):
        stream.partial_fit([[np.nan]])
    stream.partial_fit([[1.0, 2.0]])
    with pytest.raises(ValueError, match="X must have 2 columns as before; got 1"):
        stream.partial_fit([[1.0]])
    with pytest.raises(ValueError, match="weights must be >= 0; got -1"):
        stream.partial_fit([[1.0, 2.0]], [-1.0])
    with pytest.raises(ValueError, match="weights must have shape"):
        stream.partial_fit([[1.0, 2.0]], [1.0, 2.0])
    assert stream.n_rows == 1


def test_weights_that_overflow():
    A = np.random.default_rng(0).standard_normal((40, 2))
    stream = StreamingCoreset(2, 10, measure=False, rng=0).partial_fit(A, np.full(40, 1e308))
    with pytest.raises(ValueError, match="weights must be finite; got inf"):
        stream.coreset()
