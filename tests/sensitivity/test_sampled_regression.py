"""Regression on samples: what is said about all rows, against the regression on all rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from theorytk.sensitivity.regression import lp_regression
from theorytk.sensitivity.sampled_regression import sampled_regression
from theorytk.sensitivity.sampling_laws import active_cost_ratio, coreset_cost_ratio


def problem(n, d, seed):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, d))
    return A, A.sum(axis=1) + rng.standard_t(3, n)


def cost(A, b, p, x):
    return np.sum(np.abs(A @ x - b) ** p)


@pytest.mark.parametrize("scores", ["lewis", "sensitivity", "leverage", "uniform"])
@pytest.mark.parametrize(("p", "d"), [(1, 1), (1, 2), (1.5, 2), (2, 5), (4, 2)])
def test_the_statement_about_all_rows_holds(p, d, scores):
    A, b = problem(400, d, 0)
    full = lp_regression(A, b, p)
    for seed in range(5):
        found = sampled_regression(A, b, p, scores=scores, size=150, rng=seed)
        assert found.distortion.status == ("certified" if p in (1.5, 4) else "exact")
        lower, upper = found.optimum
        assert lower <= full.cost * (1 + 1e-9)
        assert full.lower <= upper * (1 + 1e-9)
        there = cost(A, b, p, found.x)
        assert there <= upper * (1 + 1e-9)
        assert there <= found.cost_ratio_bound() * full.cost * (1 + 1e-9)
        assert found.fit.dual.shape == found.sample.idx.shape


def test_the_bound_of_a_coreset_is_attained():
    # Two rows labelled 0 and four labelled 1; the sample makes the zeros heavier by a hair.
    A, b = np.ones((6, 1)), np.repeat([0.0, 1.0], [2, 4])
    omega = np.repeat([4 / 3 + 1e-9, 2 / 3], [2, 4])
    x = lp_regression(A, b, 1, sample_weight=omega).x
    assert cost(A, b, 1, x) == pytest.approx(
        coreset_cost_ratio(1 / 3) * lp_regression(A, b, 1).cost
    )


def test_all_rows_cost_what_they_cost():
    A, b = problem(50, 2, 1)
    found = sampled_regression(A, b, 1, size=50, rng=0)
    assert found.cost_ratio_bound() == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(found.optimum, lp_regression(A, b, 1).cost, rtol=1e-9)


def test_an_estimate_permits_no_statement():
    A, b = problem(200, 6, 2)
    found = sampled_regression(A, b, 1, size=120, rng=0)
    assert found.distortion.status == "estimate"
    assert found.cost_ratio_bound() == math.inf
    assert found.optimum == (0, math.inf)


def test_a_sample_without_rows_permits_no_statement():
    A, b = problem(50, 2, 3)
    found = sampled_regression(A, b, 1, alpha=1e-9, rng=0)
    assert len(found.sample.idx) == 0
    assert found.cost_ratio_bound() == math.inf
    assert found.optimum[1] == math.inf


@pytest.mark.parametrize("p", [1, 2, 3])
def test_only_labels_of_sampled_rows_are_read(p):
    A, b = problem(500, 2, 4)
    asked = []

    def labels(idx):
        asked.append(idx)
        return b[idx]

    found = sampled_regression(A, labels, p, size=60, rng=0)
    assert len(asked) == 1
    np.testing.assert_array_equal(asked[0], found.sample.idx)
    assert found.active
    assert found.optimum == (0, math.inf)
    expected = lp_regression(A[asked[0]], b[asked[0]], p, sample_weight=found.sample.weights)
    np.testing.assert_array_equal(found.x, expected.x)
    with pytest.raises(ValueError, match="delta must be given"):
        found.cost_ratio_bound()


@pytest.mark.parametrize("p", [1, 1.5, 2])
def test_active_samples_rarely_exceed_their_bound(p):
    # Labels are zero but for a tenth, so that the noise can be sampled badly.
    A, b = problem(300, 2, 5)
    b *= np.random.default_rng(0).random(300) < 0.1
    full, worse = lp_regression(A, b, p), 0
    for seed in range(40):
        found = sampled_regression(A, lambda idx: b[idx], p, size=40, rng=seed)
        ratio = cost(A, b, p, found.x) / full.cost
        assert ratio >= 1 - 1e-9
        worse += ratio > found.cost_ratio_bound(0.5)
    # Of 40 with probability 1/2 at most: 36 or more have one of 1e-7.
    assert worse <= 35
    assert found.cost_ratio_bound(0.1) > found.cost_ratio_bound(0.5)


def test_laws_of_the_cost():
    assert coreset_cost_ratio(0) == 1
    assert coreset_cost_ratio(math.inf) == active_cost_ratio(1, 2, 0.5) == math.inf
    # At p = 1, epsilon = 0 and delta = 1 it is 1 + 2: the triangle inequality thrice.
    assert active_cost_ratio(0, 1, 1) == 3
    assert active_cost_ratio(0.75, 2, 1) == pytest.approx(25)
    with pytest.raises(ValueError, match="delta must be a number > 0 and <= 1"):
        active_cost_ratio(0.5, 1, 0)
    with pytest.raises(ValueError, match="epsilon must be a number >= 0"):
        coreset_cost_ratio(-1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scores": "levis"}, "scores must be one of .* did you mean 'lewis'"),
        ({"scores": [1.0]}, "scores must have shape"),
        ({"scores": [0.0, 1.0, 1.0]}, "scores must be positive for rows that are not zero"),
        ({"b": [1.0, 2.0]}, "b must have shape"),
        ({"b": lambda idx: [1.0] * 7}, "b must have shape"),
        ({"p": math.inf}, "p must be"),
        ({"size": None}, "give one of alpha and size"),
    ],
)
def test_bad_arguments(arguments, message):
    A, b = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0.0, 1.0, 5.0]
    with pytest.raises(ValueError, match=message):
        sampled_regression(**{"A": A, "b": b, "p": 1, "size": 2, "rng": 0, **arguments})
