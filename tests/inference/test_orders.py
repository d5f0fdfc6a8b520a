import itertools
import math

import numpy as np
import pytest
from scipy import stats

from theorytk.inference import AtMost, judge, mean_estimate, order_estimate


@pytest.mark.parametrize("order", [0.5, 1, 2, 4])
@pytest.mark.parametrize("ratio", [1.5, 2, 10])
def test_a_pure_power_has_its_order_exactly(order, ratio):
    h = 0.1 * ratio ** -np.arange(5.0)
    estimate = order_estimate(3 * h**order, ratio=ratio, floor=1e-40)
    assert estimate.value == pytest.approx(order, abs=1e-12)
    # Rounding alone moves the local orders here, so that they need not be monotone.
    assert estimate.interval() in ((-math.inf, math.inf), pytest.approx((order, order), abs=1e-10))


@pytest.mark.parametrize("ratio", [2.0, 3.0])
@pytest.mark.parametrize("a", [1.0, -1.0])
def test_extrapolation_removes_the_next_term(ratio, a):
    h = 0.1 * ratio ** -np.arange(6.0)
    errors = h * (1 + a * h)
    local = [math.log(x / y) / math.log(ratio) for x, y in itertools.pairwise(errors)]
    estimate = order_estimate(errors, ratio=ratio)
    lo, hi = estimate.interval()
    assert lo < 1 < hi
    assert (lo + hi) / 2 == pytest.approx(estimate.value)
    assert (hi - lo) / 2 == pytest.approx(abs(local[-1] - local[-2]) / (ratio - 1), rel=1e-9)
    assert abs(estimate.value - 1) < abs(local[-1] - 1) / 10


def test_the_formula_at_ratio_two():
    errors = 2.0 ** -np.array([1.0, 1.5, 2.4, 3.4, 4.5])  # local orders .5, .9, 1, 1.1
    estimate = order_estimate(errors)
    assert estimate.value == pytest.approx(1.2)
    assert estimate.interval() == pytest.approx((1.1, 1.3))
    assert (estimate.n, estimate.se) == (1, 0)


def test_orders_that_turn_are_undecided():
    errors = 2.0 ** -np.array([1.0, 2.0, 3.5, 4.0, 5.5])
    estimate = order_estimate(errors)
    assert estimate.interval() == (-math.inf, math.inf)
    found = judge(estimate, AtMost(0.0))
    assert found.verdict == "undecided"
    assert found.resolution is None


@pytest.mark.parametrize("last", [0.0, 1e-20, 100 * 1e-12])
def test_errors_at_the_rounding_floor_are_undecided(last):
    above = [1e-3, 9e-5, 7e-6, 4e-7]  # local orders that rise, whatever comes last
    estimate = order_estimate([*above, last], ratio=10, floor=1e-12)
    assert math.isfinite(estimate.value)
    assert estimate.interval() == (-math.inf, math.inf)
    assert math.isfinite(order_estimate([*above, 1.01e-10], ratio=10, floor=1e-12).interval()[0])


def test_replicates_add_student_t_to_the_correction():
    rng = np.random.default_rng(0)
    h = 0.1 * 0.5 ** np.arange(5)
    errors = h * (1 + h) * np.exp(1e-3 * rng.normal(size=(40, 1)) * np.arange(5) ** 2)
    p = np.log2(errors[:, :-1] / errors[:, 1:])
    orders = 2 * p[:, -1] - p[:, -2]
    correction = abs(np.mean(p[:, -1] - p[:, -2]))
    oracle = stats.ttest_1samp(orders, 0).confidence_interval(0.95)
    estimate = order_estimate(errors)
    assert estimate.value == pytest.approx(orders.mean())
    assert estimate.interval(0.05) == pytest.approx(
        (oracle.low - correction, oracle.high + correction)
    )
    assert estimate.n == 40
    resolution = judge(mean_estimate(orders), AtMost(0)).resolution
    assert judge(estimate, AtMost(0)).resolution == pytest.approx(resolution + 2 * correction)


def test_bad_errors_are_refused():
    for errors, message in [
        ([1, 0.5, 0.25], "levels"),
        ([1, 0.5, 0.25, -0.1], "smallest"),
        ([1, 0.5, math.nan, 0.1], "finite"),
        (np.ones((19, 4)), "replicates"),
        (np.ones((20, 4, 2)), "dimension"),
    ]:
        with pytest.raises(ValueError, match=message):
            order_estimate(errors)
    with pytest.raises(ValueError, match="ratio"):
        order_estimate([1, 0.5, 0.25, 0.1], ratio=1)
    with pytest.raises(ValueError, match="floor"):
        order_estimate([1, 0.5, 0.25, 0.1], floor=0)
