"""Samples against the laws of their counts and weights; scores against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from theorytk.sensitivity.sampling import (
    augmented_scores,
    flattened_scores,
    root_leverage_sample,
    sample_rows,
)
from theorytk.sensitivity.sensitivities import sensitivities

# Two-sided false alarm of 1e-6 of a standard normal statistic, with a margin.
Z = 5.2


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_probabilities_and_weights(rng):
    scores = rng.random(50)
    sample = sample_rows(scores, 1.5, alpha=0.7, rng=1)
    np.testing.assert_allclose(sample.q, np.minimum(1, 0.7 * scores))
    np.testing.assert_allclose(sample.weights * sample.q[sample.idx], 1)
    omega = sample.omega()
    np.testing.assert_array_equal(np.flatnonzero(omega), sample.idx)
    A = rng.standard_normal((50, 3))
    x = rng.standard_normal(3)
    assert np.sum(np.abs(sample.apply(A) @ x) ** 1.5) == pytest.approx(omega @ np.abs(A @ x) ** 1.5)


@pytest.mark.parametrize("size", [1, 2, 7, 30, 99, 100, 500])
def test_size_is_the_expected_count(rng, size):
    scores = np.append(rng.standard_cauchy(100) ** 2, [0.0, 0.0])
    sample = sample_rows(scores, 1, size=size, rng=0)
    assert sample.q.sum() == pytest.approx(min(size, 100), rel=1e-12)
    part = sample.q[(sample.q < 1) & (scores > 0)] / scores[(sample.q < 1) & (scores > 0)]
    if len(part):
        assert np.ptp(part) <= 1e-12 * part.max()
        assert (scores[sample.q == 1] * part[0] >= 1 - 1e-12).all()
    if size >= 100:
        np.testing.assert_array_equal(sample.omega(), scores > 0)


@pytest.mark.parametrize("options", [{"alpha": 5.0}, {"size": 8}, {"size": 8, "replace": True}])
def test_mean_and_variance_of_the_estimate(rng, options):
    A, p, draws = rng.standard_normal((60, 3)), 1.5, 3000
    scores = sensitivities(A, p).values
    power = np.abs(A @ rng.standard_normal(3)) ** p
    found = np.array(
        [sample_rows(scores, p, **options, rng=i).omega() @ power for i in range(draws)]
    )
    q = sample_rows(scores, p, **options, rng=0).q
    if "replace" in options:
        variance = (np.sum(8 * power**2 / q) - power.sum() ** 2) / 8
    else:
        variance = np.sum((1 / q - 1) * power**2)
    assert abs(found.mean() - power.sum()) <= Z * math.sqrt(variance / draws)
    # Kurtosis below 4 makes the standard error of the variance below sqrt(3 / draws).
    assert found.var(ddof=1) / variance == pytest.approx(1, abs=Z * math.sqrt(3 / draws))


def test_replacement_draws_exactly_size_rows():
    sample = sample_rows([1.0, 3.0, 0.0], 1, size=40, replace=True, rng=0)
    assert len(sample.idx) == 40
    np.testing.assert_allclose(sample.q, [10, 30, 0])
    counts = np.bincount(sample.idx, minlength=3)
    np.testing.assert_allclose(sample.omega(), [counts[0] / 10, counts[1] / 30, 0])


def test_empty_draw_is_legal():
    sample = sample_rows([1.0, 1.0], 1, alpha=1e-9, rng=0)
    assert len(sample.idx) == 0
    assert sample.apply(np.eye(2)).shape == (0, 2)
    np.testing.assert_array_equal(sample.omega(), [0, 0])


def test_score_zero_of_a_row_that_is_not():
    sample = sample_rows([1.0, 0.0], 1, alpha=2, rng=0)
    with pytest.raises(ValueError, match="zero in the rows of score zero"):
        sample.apply([[1.0], [1.0]])
    np.testing.assert_array_equal(sample.apply([[1.0], [0.0]]), [[1.0]])


def test_same_seed_same_rows():
    scores = np.random.default_rng(0).random(40)
    for options in ({"alpha": 1.0}, {"size": 9}, {"size": 9, "replace": True}):
        one, two = (sample_rows(scores, 1, **options, rng=5) for _ in range(2))
        np.testing.assert_array_equal(one.idx, two.idx)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scores": [1.0]}, "give one of alpha and size"),
        ({"scores": [1.0], "alpha": 1, "size": 1}, "give one of alpha and size"),
        ({"scores": [1.0], "alpha": 0}, "alpha must be a number > 0"),
        ({"scores": [1.0], "size": 0}, "size must be an integer >= 1"),
        ({"scores": [1.0], "alpha": 1, "replace": True}, "size must be given with replace"),
        ({"scores": [0.0], "alpha": 1}, "scores must have a positive entry"),
        ({"scores": [-1.0, 2.0], "alpha": 1}, "scores must be >= 0; got -1"),
        ({"scores": [np.inf], "alpha": 1}, "scores must be finite"),
        ({"scores": [[1.0]], "alpha": 1}, "scores must have 1 dimension"),
        ({"scores": [1.0, 1e-305], "alpha": 1}, "large enough for finite weights"),
        ({"scores": [1.0], "alpha": 1, "p": 0.5}, "p must be >= 1"),
    ],
)
def test_bad_samples(arguments, message):
    with pytest.raises(ValueError, match=message):
        sample_rows(**{"p": 1, **arguments})


def test_augmented_scores(rng):
    A = rng.standard_normal((30, 4))
    hat = np.diag(A @ np.linalg.pinv(A))
    np.testing.assert_allclose(augmented_scores(A, np.full(30, 0.25)), hat + 0.25)
    with pytest.raises(ValueError, match="scores must have shape"):
        augmented_scores(A, np.ones(5))


@pytest.mark.parametrize("p", [2.5, 4, 7])
def test_flattening_follows_its_law(rng, p):
    A = np.vstack([rng.standard_normal((200, 3)), 20 * np.eye(3)])
    A = np.block(
        [[A, np.zeros((203, 2))], [np.zeros((50, 3)), np.ones((50, 1)), rng.random((50, 1))]]
    )
    scores = sensitivities(A, p).values
    found = flattened_scores(A, scores, p, rounds=4)
    assert found.scores.sum() == pytest.approx(1)
    assert (found.scores >= scores / scores.sum() / 2**4).all()
    assert (found.bounds >= 5 * (1 - 1e-12)).all()
    assert found.bounds[0] <= scores.sum() * (1 + 1e-9)
    law = 2 * 5 ** (2 / p) * found.bounds[:-1] ** (1 - 2 / p)
    assert (found.bounds[1:] <= law).all()
    # B of the last mixture by its definition.
    mu = found.scores
    inverse = np.linalg.inv((mu ** (1 - 2 / p) * A.T) @ A)
    direct = np.max(mu ** (-2 / p) * np.einsum("ij,jk,ik->i", A, inverse, A))
    assert found.bounds[-1] == pytest.approx(direct)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 2}, "p must be a number > 2"),
        ({"scores": [1.0]}, "scores must be one for each row"),
        ({"scores": [1.0, 0.0]}, "positive unless it is zero"),
        ({"rounds": -1}, "rounds must be an integer >= 0"),
    ],
)
def test_bad_flattening(arguments, message):
    with pytest.raises(ValueError, match=message):
        flattened_scores(**{"A": np.eye(2), "scores": [1.0, 1.0], "p": 4, **arguments})


@pytest.mark.parametrize(("p", "alpha", "d"), [(1, 6.0, 6), (1.5, 8.0, 8)])
def test_root_leverage_recursion_on_flat_rows(p, alpha, d):
    A = np.random.default_rng(0).standard_normal((20_000, d))
    sample = root_leverage_sample(A, p, alpha, rng=0)
    assert sample.counts[0] == 20_000
    assert sample.counts[-1] == len(sample.idx) == len(sample.weights)
    # A round: alpha n^(1 - p/2) d^(p/2) rows, less where scores are unequal, with binomial noise.
    expected = alpha * 20_000 ** (1 - p / 2) * d ** (p / 2)
    assert sample.counts[1] == pytest.approx(expected, abs=Z * math.sqrt(expected) + 0.1 * expected)
    assert sample.counts[-1] == pytest.approx(alpha ** (2 / p) * d, rel=0.35)


def test_root_leverage_weights_are_unbiased():
    rng = np.random.default_rng(1)
    A = rng.standard_normal((80, 2))
    value = np.abs(A @ [1.0, -0.5])
    found = np.array([root_leverage_sample(A, 1, 4.0, rng=i).omega() @ value for i in range(600)])
    assert abs(found.mean() - value.sum()) <= Z * found.std(ddof=1) / math.sqrt(600)
    once = root_leverage_sample(A, 1, 4.0, rounds=1, rng=0)
    hat = np.diag(A @ np.linalg.pinv(A))
    np.testing.assert_allclose(once.q, np.minimum(1, 4 * np.sqrt(hat)))
    assert len(once.counts) == 2


def test_root_leverage_of_zero_rows():
    assert len(root_leverage_sample(np.zeros((5, 2)), 1, 2.0, rng=0).idx) == 0
    A = np.vstack([np.eye(3), np.zeros((2, 3))])
    np.testing.assert_array_equal(root_leverage_sample(A, 1, 2.0, rng=0).idx, [0, 1, 2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 2}, "p must be a number >= 1 and < 2"),
        ({"alpha": 0}, "alpha must be a number > 0"),
        ({"rounds": 0}, "rounds must be an integer >= 1"),
        ({"A": [1.0]}, "A must have shape"),
    ],
)
def test_bad_root_leverage(arguments, message):
    with pytest.raises(ValueError, match=message):
        root_leverage_sample(**{"A": np.eye(2), "p": 1, "alpha": 1.0, **arguments})
