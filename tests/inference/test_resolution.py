"""A departure of the size of the resolution is contradicted with power 99 %."""

import math

import numpy as np
import pytest
from scipy import special, stats

from theorytk.inference import (
    AtLeast,
    AtMost,
    Between,
    bounded_mean_estimate,
    distribution_distance_estimate,
    judge,
    mean_estimate,
    order_estimate,
    proportion_estimate,
)

POWER = 0.99
SIMULATIONS = 10_000
FALSE_ALARM = 1e-6


def caught(verdicts):
    return sum(v == "contradicted" for v in verdicts)


@pytest.mark.parametrize("level", [0.05, 1e-5, 1e-8])
@pytest.mark.parametrize("n", [20, 100])
def test_student_by_simulation(n, level):
    rng = np.random.default_rng(n)
    x = rng.normal(size=n)
    x = (x - x.mean()) / x.std(ddof=1)  # so that its standard error is the true one
    found = judge(mean_estimate(x), AtMost(0), level=level)
    assert found.resolution == judge(mean_estimate(x), Between(-9, 0), level=level).resolution
    draws = rng.normal(found.resolution, 1, size=(SIMULATIONS, n))
    lower = draws.mean(1) - stats.t.isf(level / 2, n - 1) * stats.sem(draws, axis=1)
    judged = [judge(mean_estimate(d), AtMost(0), level=level).verdict for d in draws[:500]]
    assert [v == "contradicted" for v in judged] == (lower[:500] > 0).tolist()
    limits = stats.binom.interval(1 - 2 * FALSE_ALARM, SIMULATIONS, POWER)
    assert limits[0] <= (lower > 0).sum() <= limits[1]


@pytest.mark.parametrize("level", [0.05, 1e-5])
@pytest.mark.parametrize(("n", "bound"), [(30, 0.1), (200, 0.5), (200, 0.0)])
def test_binomial_by_its_tails(n, bound, level):
    verdicts = [judge(proportion_estimate(k, n), AtMost(bound), level=level) for k in range(n + 1)]
    caught = np.array([v.verdict == "contradicted" for v in verdicts])
    resolution = verdicts[0].resolution
    power = stats.binom.pmf(np.arange(n + 1), n, bound + resolution)[caught].sum()
    assert power == pytest.approx(POWER, rel=1e-9)
    mirrored = judge(proportion_estimate(0, n), AtLeast(1 - bound), level=level)
    assert mirrored.resolution == pytest.approx(resolution)
    both = judge(proportion_estimate(0, n), Between(0, bound), level=level)
    assert both.resolution == pytest.approx(resolution)


def test_nothing_is_caught_by_too_few_trials():
    assert judge(proportion_estimate(5, 5), AtMost(0.5)).resolution is None


def test_distance_by_simulation():
    rng, n, bound = np.random.default_rng(5), 200, 0.1
    shift = (
        bound
        + judge(
            distribution_distance_estimate(rng.random(n), lambda x: x), AtMost(bound), level=0.05
        ).resolution
    )
    draws = rng.random((2000, n)) + shift
    verdicts = (
        judge(
            distribution_distance_estimate(d, lambda t: np.clip(t, 0, 1)), AtMost(bound), level=0.05
        ).verdict
        for d in draws
    )
    assert caught(verdicts) >= stats.binom.ppf(FALSE_ALARM, 2000, POWER)


@pytest.mark.parametrize("above", [True, False])
def test_betting_by_simulation(above):
    """First order only: the power is near 99 %, as the docstring says."""
    rng, n, level, runs = np.random.default_rng(6), 400, 0.05, 500
    region = AtMost(0.4) if above else AtLeast(0.6)
    around = lambda centre, size: centre + 0.3 * (rng.random(size) - 0.5)  # noqa: E731
    pilot = judge(bounded_mean_estimate(around(0.5, n), 0, 1), region, level=level)
    centre = 0.4 + pilot.resolution if above else 0.6 - pilot.resolution
    verdicts = (
        judge(bounded_mean_estimate(d, 0, 1), region, level=level).verdict
        for d in around(centre, (runs, n))
    )
    count = caught(verdicts)
    assert stats.binom.ppf(FALSE_ALARM, runs, 0.97) <= count


def test_order_by_the_width_of_its_interval():
    h = 0.1 * 0.5 ** np.arange(5)
    estimate = order_estimate(h * (1 + h))
    lo, hi = estimate.interval()
    assert judge(estimate, AtMost(2)).resolution == pytest.approx(hi - lo)


def test_a_grid_reports_its_bluntest_point_at_the_shared_level():
    rng = np.random.default_rng(7)
    sharp, blunt = mean_estimate(rng.normal(size=500)), mean_estimate(rng.normal(size=20))
    grid = judge({"sharp": sharp, "blunt": blunt}, AtMost(0), level=0.02)
    assert grid.resolution == judge(blunt, AtMost(0), level=0.01).resolution
    assert grid.resolution > judge(sharp, AtMost(0), level=0.01).resolution


def test_many_replicates_tend_to_the_normal_formula():
    estimate = mean_estimate(np.random.default_rng(8).normal(size=200_000))
    found = judge(estimate, AtMost(0)).resolution
    normal = (special.ndtri(1 - 1e-5 / 2) + special.ndtri(POWER)) * estimate.se
    assert found == pytest.approx(normal, rel=1e-3)
    assert judge(mean_estimate([1.0] * 20), AtMost(0)).resolution == 0
    assert math.isfinite(found)
