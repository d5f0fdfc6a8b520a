import dataclasses
import itertools
import math
import pickle

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from theorytk.inference import (
    LEVEL,
    Estimate,
    bounded_mean_estimate,
    distribution_distance_estimate,
    exact_estimate,
    mean_estimate,
    proportion_estimate,
    slope_estimate,
    violations_estimate,
)


def every_kind():
    rng = np.random.default_rng(0)
    return [
        mean_estimate(rng.normal(size=30)),
        slope_estimate([0, 1, 2], rng.normal(size=(20, 3))),
        proportion_estimate(3, 20),
        violations_estimate(0, 20),
        bounded_mean_estimate(rng.random(50), 0, 1),
        distribution_distance_estimate(rng.random(50), lambda x: x),
        exact_estimate(2.5, n=3),
    ]


@pytest.mark.parametrize("estimate", every_kind(), ids=lambda e: e.method)
def test_every_estimate_keeps_the_common_contract(estimate):
    lo, hi = estimate.interval(0.2)
    wide = estimate.interval(0.01)
    assert wide[0] <= lo <= estimate.value <= hi <= wide[1]
    assert estimate.interval() == estimate.interval(LEVEL)
    copy = pickle.loads(pickle.dumps(estimate))
    assert repr(copy) == repr(estimate)
    assert copy.interval(0.2) == (lo, hi)
    assert estimate.method in repr(estimate)
    with pytest.raises(dataclasses.FrozenInstanceError):
        estimate.value = 1.0


@pytest.mark.parametrize("level", [0, 1, -0.1, math.nan])
def test_a_level_outside_0_1_is_refused(level):
    for estimate in every_kind():
        with pytest.raises(ValueError, match="level"):
            estimate.interval(level)


@pytest.mark.parametrize("level", [0.05, LEVEL, 1e-8])
@pytest.mark.parametrize("n", [20, 300])
def test_mean_agrees_with_scipy(n, level):
    values = np.random.default_rng(n).exponential(size=n)
    estimate = mean_estimate(values)
    oracle = stats.ttest_1samp(values, 0).confidence_interval(1 - level)
    assert estimate.interval(level) == pytest.approx((oracle.low, oracle.high), rel=1e-7)
    assert estimate.se == pytest.approx(stats.sem(values), rel=1e-13)
    assert estimate.n == n


def test_mean_without_variance_is_a_point():
    estimate = mean_estimate([0.1] * 30)
    assert estimate.se == 0
    assert estimate.interval() == (estimate.value, estimate.value)


@pytest.mark.parametrize("shared", [True, False])
def test_slope_agrees_with_ols_per_replicate(shared):
    rng = np.random.default_rng(1)
    y = rng.normal(size=(25, 6)).cumsum(axis=1)
    x = rng.normal(size=6 if shared else (25, 6))
    rows = np.broadcast_to(x, y.shape)
    slopes = [sm.OLS(b, sm.add_constant(a)).fit().params[1] for a, b in zip(rows, y, strict=True)]
    oracle = stats.ttest_1samp(slopes, 0).confidence_interval(0.95)
    estimate = slope_estimate(x, y)
    assert estimate.value == pytest.approx(np.mean(slopes), rel=1e-10)
    assert estimate.interval(0.05) == pytest.approx((oracle.low, oracle.high), rel=1e-9)
    assert estimate.n == 25


@pytest.mark.parametrize("n", [1, 7, 40])
@pytest.mark.parametrize("level", [0.05, LEVEL])
def test_clopper_pearson_limits_solve_the_binomial_sums(n, level):
    for k in range(n + 1):
        lo, hi = proportion_estimate(k, n).interval(level)
        pmf = lambda p: [math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(n + 1)]  # noqa: E731
        at_least = math.fsum(pmf(lo)[k:])
        at_most = math.fsum(pmf(hi)[: k + 1])
        assert (lo == 0) if k == 0 else (at_least == pytest.approx(level / 2, rel=1e-8))
        assert (hi == 1) if k == n else (at_most == pytest.approx(level / 2, rel=1e-8))


def test_no_violation_has_the_closed_form_limit():
    estimate = violations_estimate(0, 1000)
    assert estimate.value == 0
    assert estimate.interval() == pytest.approx((0, 1 - (LEVEL / 2) ** (1 / 1000)), rel=1e-10)
    assert violations_estimate(1, 10**9).interval()[0] > 0


def test_betting_covers_by_enumeration():
    n, level = 10, 0.2
    sequences = np.array(list(itertools.product([0.0, 1.0], repeat=n)))
    limits = np.array([bounded_mean_estimate(s, 0, 1).interval(level) for s in sequences])
    assert (limits[:, 0] > 0).any()
    ones = sequences.sum(axis=1)
    for p in np.linspace(0.02, 0.98, 49):
        weights = p**ones * (1 - p) ** (n - ones)
        assert weights[limits[:, 0] > p].sum() <= level / 2
        assert weights[limits[:, 1] < p].sum() <= level / 2


def test_betting_follows_the_scale_of_the_values():
    x = np.random.default_rng(3).random(80)
    unit = np.array(bounded_mean_estimate(x, 0, 1).interval(0.05))
    moved = bounded_mean_estimate(4 * x - 3, -3, 1).interval(0.05)
    assert moved == pytest.approx(4 * unit - 3, abs=1e-10)
    mirrored = bounded_mean_estimate(1 - x, 0, 1).interval(0.05)
    assert mirrored == pytest.approx(1 - unit[::-1], abs=1e-10)


def test_distance_agrees_with_scipy_and_its_band():
    samples = np.random.default_rng(4).normal(0.3, 1, size=200)
    estimate = distribution_distance_estimate(samples, stats.norm.cdf)
    assert estimate.value == pytest.approx(stats.kstest(samples, "norm").statistic, rel=1e-12)
    lo, hi = estimate.interval(0.05)
    assert 2 * math.exp(-2 * 200 * (hi - estimate.value) ** 2) == pytest.approx(0.05)
    assert lo == pytest.approx(max(0, 2 * estimate.value - hi))
    assert distribution_distance_estimate([5.0], stats.norm.cdf).interval() == (0, 1)


def test_exact_numbers_have_no_width():
    estimate = exact_estimate(np.float64(0.25), n=7)
    assert estimate.interval(0.5) == (0.25, 0.25)
    assert (estimate.n, estimate.se) == (7, 0)


REFUSED = [
    (lambda: mean_estimate([1.0] * 19), "replicates.*>= 20.*19"),
    (lambda: mean_estimate([math.nan, math.inf] + [1.0] * 30), "2 non-finite of 32"),
    (lambda: mean_estimate([[1.0] * 30]), "dimension"),
    (lambda: slope_estimate([0, 1], np.zeros((19, 2))), "replicates"),
    (lambda: slope_estimate([0], np.zeros((20, 1))), "points"),
    (lambda: slope_estimate([0, 1, 2], np.zeros((20, 2))), "x must have shape"),
    (lambda: slope_estimate([0.1, 0.1, 0.1], np.zeros((20, 3))), "x .range."),
    (lambda: slope_estimate([0, 1], np.full((20, 2), np.nan)), "40 non-finite of 40"),
    (lambda: proportion_estimate(3, 2), "successes"),
    (lambda: proportion_estimate(-1, 2), "successes"),
    (lambda: proportion_estimate(0, 0), "n must be"),
    (lambda: violations_estimate(3, 2), "violations"),
    (lambda: bounded_mean_estimate([0.5], 0, 1), "count"),
    (lambda: bounded_mean_estimate([0.5, 1.5], 0, 1), "largest"),
    (lambda: bounded_mean_estimate([0.5, -0.5], 0, 1), "smallest"),
    (lambda: bounded_mean_estimate([0.5, 0.5], 1, 1), "upper"),
    (lambda: distribution_distance_estimate([], lambda x: x), "count"),
    (lambda: distribution_distance_estimate([0.5, math.nan], lambda x: x), "1 non-finite of 2"),
    (lambda: distribution_distance_estimate([2.0], lambda x: x), "cdf"),
    (lambda: distribution_distance_estimate([-2.0], lambda x: x), "cdf"),
    (lambda: distribution_distance_estimate([0.5], lambda x: 0.5), "cdf must have shape"),
    (lambda: exact_estimate(math.nan), "value"),
    (lambda: exact_estimate(1.0, n=0), "n must be"),
    (lambda: Estimate(math.nan, 1, "mine", 0.0), "value"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_bad_values_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: mean_estimate(["a"] * 30),
        lambda: proportion_estimate(1.0, 2),
        lambda: exact_estimate("1"),
    ],
)
def test_wrong_types_are_refused(call):
    with pytest.raises(TypeError, match="must be"):
        call()
