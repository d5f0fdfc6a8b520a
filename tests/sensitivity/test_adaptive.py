"""Certified samples: the certificate measured anew, and no more rows than it takes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from theorytk.sensitivity.adaptive import certified_sample
from theorytk.sensitivity.distortion import distortion
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.matrices import heavy_tailed
from theorytk.sensitivity.sampling import sample_rows


@pytest.mark.parametrize(("p", "d", "epsilon"), [(2, 4, 0.4), (1, 2, 0.3), (4, 2, 0.6)])
def test_a_hundred_of_a_hundred_are_certified(p, d, epsilon):
    A = heavy_tailed(60, d, df=3, rng=0)
    x = np.random.default_rng(1).standard_normal((d, 1000))
    power = np.abs(A @ x) ** p
    for seed in range(100):
        found = certified_sample(A, p, epsilon, n_tries=2, rng=seed)
        assert found.distortion.upper <= epsilon
        assert found.distortion.status in ("exact", "certified")
        ratio = found.sample.omega() @ power / power.sum(axis=0)
        assert np.abs(ratio - 1).max() <= epsilon


@pytest.mark.parametrize(("p", "d", "epsilon"), [(2, 3, 0.4), (1, 2, 0.3)])
def test_at_most_twice_the_rows_that_do(p, d, epsilon):
    A = heavy_tailed(400, d, df=3, rng=2)
    scores = lewis_weights(A, p).weights

    def share(alpha):
        samples = (sample_rows(scores, p, alpha=alpha, rng=seed) for seed in range(100))
        return np.mean([distortion(A, s.omega(), p).upper <= epsilon for s in samples])

    # On a grid, the least oversampling from which on three quarters of the samples succeed: that
    # of one half is below it, but with a probability of 3e-7 at each point.
    grid = 2.0 ** np.arange(0, 8, 0.5)
    least = grid[np.flatnonzero([share(alpha) < 0.75 for alpha in grid])[-1] + 1]
    enough = np.minimum(1, least * scores).sum()
    for seed in range(10):
        found = certified_sample(A, p, epsilon, scores=scores, n_tries=24, rng=seed)
        assert found.sample.q.sum() <= 2 * enough


def test_what_was_measured_is_what_is_returned():
    A = heavy_tailed(400, 3, df=3, rng=3)
    found = certified_sample(A, 2, 0.3, rng=0)
    again = distortion(A, found.sample.omega(), 2)
    assert again.upper == pytest.approx(found.distortion.upper, rel=1e-9)
    scores = lewis_weights(A, 2).weights
    np.testing.assert_allclose(found.sample.q, np.minimum(1, found.alpha * scores), rtol=0.1)
    doublings = math.log2(found.alpha * scores.sum() / 3)
    assert doublings == pytest.approx(round(doublings), abs=1e-9)
    assert 5 * round(doublings) < found.n_measured <= 5 * round(doublings) + 5


@pytest.mark.parametrize("p", [1, 1.5, 2])
def test_all_rows_have_no_distortion(p):
    A = np.vstack([heavy_tailed(12, 2, df=3, rng=4), np.zeros((2, 2))])
    found = certified_sample(A, p, 1e-14, n_tries=1, rng=0)
    np.testing.assert_array_equal(found.sample.idx, np.arange(12))
    np.testing.assert_array_equal(found.sample.weights, np.ones(12))
    assert (found.distortion.lower, found.distortion.upper) == (0, 0)
    assert found.distortion.x_max @ A.T @ A @ found.distortion.x_max > 0


def test_blocks_of_small_rank_are_certified():
    parts = [heavy_tailed(60, 2, df=3, rng=seed) for seed in range(3)]
    A = np.zeros((180, 6))
    for k, part in enumerate(parts):
        A[60 * k : 60 * (k + 1), 2 * k : 2 * (k + 1)] = part
    found = certified_sample(A, 1, 0.5, rng=0)
    assert found.distortion.status == "exact"


def test_without_a_certificate_it_says_which_exist():
    A = np.random.default_rng(5).standard_normal((100, 5))
    with pytest.raises(
        ValueError, match=r"exists for p = 2, for even p .* rank up to 4; got p = 1"
    ):
        certified_sample(A, 1, 0.5, rng=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"A": np.zeros((3, 2))}, "A must not be zero"),
        ({"p": 0.5}, "p must be >= 1, for below"),
        ({"p": math.inf}, "p must be"),
        ({"epsilon": 0}, "epsilon must be a number > 0"),
        ({"scores": "root"}, "scores must be one of"),
        ({"scores": [1.0, 0.0, 1.0]}, "scores must be positive for rows that are not zero"),
        ({"n_tries": 0}, "n_tries must be an integer >= 1"),
    ],
)
def test_bad_arguments(arguments, message):
    A = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    with pytest.raises(ValueError, match=message):
        certified_sample(**{"A": A, "p": 2, "epsilon": 0.5, "rng": 0, **arguments})
