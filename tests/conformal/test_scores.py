"""Scores: closed forms, what the theorems ask of them, and bad input."""

import numpy as np
import pytest
import scipy.stats

from theorytk.conformal.scores import (
    checked_score,
    clip_score,
    quantile_score,
    residual_score,
    sub_score,
)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    mu, scale = rng.standard_normal((3, 50)), rng.random((3, 50)) + 0.5
    return mu, rng.standard_normal(50), rng.standard_normal(50), scale


def test_scores_by_loops(data):
    mu, y, c, scale = data
    clip, residual = clip_score(mu, y, c, scale), residual_score(mu, y, c, scale)
    for k in range(3):
        for i in range(50):
            imputed = (c[i] - mu[k, i]) / scale[k, i]
            assert clip[k, i] == (np.inf if y[i] > c[i] else imputed)
            assert residual[k, i] == (y[i] - mu[k, i]) / scale[k, i]
    np.testing.assert_array_equal(sub_score(mu, y, c, scale), clip[:, np.isfinite(clip[0])])


@pytest.mark.parametrize("function", [clip_score, residual_score, sub_score])
def test_test_points_are_scored_at_the_threshold(data, function):
    mu, _, c, scale = data
    np.testing.assert_array_equal(function(mu, c=c, scale=scale), (c - mu) / scale)
    np.testing.assert_array_equal(function(mu[0], c=0.5), 0.5 - mu[0])


def test_quantile_score_inverts_the_quantiles():
    levels = np.linspace(0.01, 0.99, 99)
    mean = np.linspace(-2, 2, 40)
    quantiles = mean[:, None] + scipy.stats.norm.ppf(levels)
    for j in range(99):
        scores = quantile_score(quantiles, levels, y=quantiles[:, j])
        np.testing.assert_allclose(scores, levels[j], rtol=1e-12)
    y = mean + 0.3
    np.testing.assert_allclose(
        quantile_score(quantiles, levels, y=y), scipy.stats.norm.cdf(0.3), atol=1e-4
    )


def test_quantile_score_against_interpolation_row_by_row():
    rng = np.random.default_rng(1)
    quantiles, levels = rng.standard_normal((4, 30, 5)), [0.1, 0.2, 0.5, 0.8, 0.9]
    y = rng.standard_normal(30)
    scores = quantile_score(quantiles, levels, y=y)
    for k in range(4):
        for i in range(30):
            knots = np.sort(quantiles[k, i])
            inside = np.interp(y[i], knots, levels)
            outside = y[i] - np.clip(y[i], knots[0], knots[-1])
            np.testing.assert_allclose(scores[k, i], inside + outside, rtol=1e-12)


def test_quantile_score_is_monotone_where_quantiles_coincide():
    y = np.linspace(-1, 3, 401)
    scores = quantile_score(np.tile([0.0, 1.0, 1.0, 2.0], (401, 1)), [0.1, 0.3, 0.6, 0.7], y=y)
    assert (np.diff(scores) > 0).all()
    np.testing.assert_allclose(scores[[100, 200, 300]], [0.1, 0.6, 0.7], rtol=1e-12)


def test_one_quantile_is_a_residual(data):
    mu, y, _, _ = data
    np.testing.assert_allclose(
        quantile_score(mu[..., None], [0.3], y=y), residual_score(mu, y) + 0.3, rtol=1e-12
    )
    np.testing.assert_allclose(quantile_score(mu[0, :, None], [0.3], c=1.0), 1.3 - mu[0])


def test_own_score_is_returned_as_it_is(data):
    mu, y, c, _ = data
    X = mu[0][:, None]

    def clip(X, y):
        return np.where(y > c, np.inf, c - X[:, 0])

    expected = clip_score(mu[0], y, c)
    np.testing.assert_array_equal(checked_score(clip, X, y, c, optimised=True), expected)
    np.testing.assert_array_equal(checked_score(clip, X, c=c), c - mu[0])


def test_own_score_that_decreases_is_named():
    X, y = np.zeros((4, 1)), np.array([-1.0, 0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match=r"score must be nondecreasing in y; .* row 0 from y = "):
        checked_score(lambda X, y: -y, X, y)

    def bends_in_one_row(X, y):
        return np.where((np.arange(4) == 2) & (y > 1.5), -5.0, y)

    with pytest.raises(ValueError, match=r"row 2 from y = 1\.125 to 2\.0"):
        checked_score(bends_in_one_row, X, y)


def test_own_score_that_varies_below_the_threshold_is_for_cfbh_only():
    X, y = np.zeros((3, 1)), np.array([-1.0, 0.5, 2.0])
    assert checked_score(lambda X, y: y, X, y).tolist() == y.tolist()
    with pytest.raises(ValueError, match=r"constant in y up to c \(optimised=True\).*row 0"):
        checked_score(lambda X, y: y, X, y, optimised=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([np.nan], [1.0]), r"prediction must be finite; got nan at index \(0,\)"),
        (([[1.0], [np.inf]], [1.0]), r"prediction must be finite; got inf at index \(1, 0\)"),
        (([], []), r"prediction must have shape \(n,\) or \(K, n\), n >= 1; got shape \(0,\)"),
        (([1.0, 2.0], [1.0]), r"y must have shape \(2\); got \(1,\)"),
        (([1.0], [np.nan]), "y must be finite"),
        (([1.0], [1.0], np.nan), "c must be finite"),
        (([1.0], [1.0], [1.0, 2.0]), r"c must be a number or have shape \(1,\); got shape \(2,\)"),
        (([1.0], [1.0], 0.0, [0.0]), "scale must be > 0; got 0"),
        (([1.0], [1.0], 0.0, [1.0, 2.0]), r"scale must have shape \(1,\) or that of prediction"),
        (([1.0, 2.0], [0, 1], 1.0), "c must separate the labels 0 and 1, 0 <= c < 1; got 1"),
        (([1.0, 2.0], [0, 1], -0.5), "c must separate the labels 0 and 1, 0 <= c < 1; got -0.5"),
        (([1.0, 2.0], [-1, 1], [0.0, 2.0]), "c must separate the labels -1 and 1, .* got 2"),
    ],
)
@pytest.mark.parametrize("function", [clip_score, residual_score, sub_score])
def test_bad_input(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)


def test_labels_without_an_order():
    with pytest.raises(TypeError, match="y must be an array of real numbers"):
        clip_score([1.0, 2.0], ["active", "inactive"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quantile_score([[1.0, 2.0]], [0.5, 0.2]), r"levels must ascend within \(0, 1\)"),
        (lambda: quantile_score([[1.0, 2.0]], [0.5, 1.0]), r"levels must ascend within \(0, 1\)"),
        (lambda: quantile_score([[1.0]], [0.5, 0.7]), r"quantiles must have shape \(n, 2\) or"),
        (lambda: quantile_score([1.0], [0.5]), r"quantiles must have shape \(n, 1\) or .*\(1,\)"),
        (lambda: checked_score(lambda X, y: y, 3.0), r"X must have shape \(n, \.\.\.\), n >= 1"),
        (lambda: checked_score(lambda X, y: y[:1], [1.0, 2.0]), r"score\(X, y\) must have shape"),
        (lambda: checked_score(lambda X, y: y * np.nan, [1.0]), "finite or .inf; got nan at row 0"),
    ],
)
def test_bad_input_of_quantile_and_own_scores(call, message):
    with pytest.raises(ValueError, match=message):
        call()
