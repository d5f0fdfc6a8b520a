"""Sampled audits: correct mechanisms pass at the promised rate, wrong ones are caught."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from theorytk.privacy.audit_sampling import granularity_audit, one_run_audit, two_sample_audit
from theorytk.privacy.audit_structural import canary_scores, release_pair, worst_pair
from theorytk.privacy.audit_theory import laplace_certified, one_run_certified
from theorytk.privacy.composition import laplace_composed_epsilon
from theorytk.privacy.conversions import gaussian_epsilon
from theorytk.privacy.dyadic_tree import dyadic_tree
from theorytk.privacy.flat_histogram import flat_histogram
from theorytk.privacy.hat import hierarchical_hat


def scaled(mechanism, factor):
    return mechanism.with_scales(mechanism.scales * factor)


def certified(mechanism, pair, n, seed, **options):
    return two_sample_audit(*release_pair(mechanism, pair, n, rng=seed), **options)


def most_alarms(runs, rate):
    """Return a count that false alarms of at most this rate exceed with probability 1e-7."""
    return int(binom.isf(1e-7, runs, rate))


@pytest.mark.parametrize("epsilon", [0.3, 1.0])
def test_two_sample_false_alarms(epsilon):
    mechanism = flat_histogram(1, epsilon=epsilon)
    pair = worst_pair(mechanism, [0.2])
    rng = np.random.default_rng(3)
    options = dict(claimed=epsilon, confidence=0.8)
    alarms = sum(certified(mechanism, pair, 300, rng, **options).violated for _ in range(300))
    assert alarms <= most_alarms(300, 0.2)
    weak = scaled(mechanism, 0.3)
    caught = sum(certified(weak, pair, 300, rng, **options).violated for _ in range(50))
    assert caught >= 40


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 2.0])
def test_two_sample_power_follows_the_law(epsilon):
    mechanism = flat_histogram(4, epsilon=epsilon)
    pair = worst_pair(mechanism, [0.5])
    for factor in (1.0, 0.5):
        audited = scaled(mechanism, factor)
        results = [certified(audited, pair, 20000, seed, claimed=epsilon) for seed in range(8)]
        mean = np.mean([result.certified for result in results])
        assert mean == pytest.approx(laplace_certified(epsilon / factor, 20000, steps=1), abs=0.07)
        assert all(result.violated == (factor < 1) for result in results)


def test_two_sample_is_blind_to_the_last_bits():
    """Without rounding, the sums of a correct sampler differ in bits that a threshold finds."""
    rng = np.random.default_rng(0)
    noise = rng.laplace(size=(2, 20000)) + np.array([[0.0], [1.0]])
    scores = np.abs(noise - 1) - np.abs(noise)
    assert len(np.unique(scores[scores > 1 - 1e-9])) > 1
    result = two_sample_audit(*scores, claimed=1.0)
    assert 0.8 < result.certified < 1.0


def test_two_sample_finds_either_direction_and_side():
    rng = np.random.default_rng(1)
    narrow, wide = rng.uniform(0, 1, 4000), rng.uniform(0, 2, 4000)
    for sign in (1, -1):
        for scores in ((sign * narrow, sign * wide), (sign * wide, sign * narrow)):
            result = two_sample_audit(*scores, claimed=3.0)
            assert result.violated
            assert (">=" in result.event) == (sign == 1)


@pytest.mark.parametrize(("levels", "epsilon"), [(10, 1.0), (10, 4.0), (49, 4.0)])
def test_composed_audit_against_the_composed_curve(levels, epsilon):
    k, delta = levels + 1, 0.01
    claimed = laplace_composed_epsilon(epsilon / k, k, delta)
    rng = np.random.default_rng(5)
    for factor in (1.0, 0.5):
        scale = k / epsilon * factor
        noise = rng.laplace(scale=scale, size=(2, 20000, k))
        noise[0] += 1
        scores = (np.abs(noise) - np.abs(noise - 1)).sum(axis=2) / scale
        result = two_sample_audit(*scores, claimed=claimed, delta=delta)
        assert result.violated == (factor < 1)
        assert result.certified > claimed / 8


def test_composed_audit_of_a_tree():
    tree, delta = dyadic_tree(6, epsilon=4.0), 0.01
    pair = worst_pair(tree, [0.3])
    steps = dict(claimed=laplace_composed_epsilon(4 / 7, 7, delta, steps=1), delta=delta)
    assert not certified(tree, pair, 20000, 0, **steps).violated
    assert certified(scaled(tree, 0.5), pair, 20000, 0, **steps).violated


def test_gaussian_audit_against_its_exact_curve():
    mechanism, delta = hierarchical_hat(5, rho=0.5), 0.01
    pair = worst_pair(mechanism, np.linspace(0, 1, 33))
    exact = dict(claimed=gaussian_epsilon(1.0, delta), delta=delta)
    assert not certified(mechanism, pair, 20000, 0, **exact).violated
    assert certified(scaled(mechanism, 0.5), pair, 20000, 0, **exact).violated


@pytest.mark.parametrize("law", ["laplace", "normal"])
def test_granularity_of_floating_point_noise(law):
    rng = np.random.default_rng(0)
    noise = getattr(rng, law)(size=(2, 20000))
    result = granularity_audit(noise[0], 1 + noise[1], claimed=1.0)
    assert result.violated
    assert " against 0 are" in result.event
    for c in (0.3, 5.0, 37.5):
        spacing = 2.0 ** (math.floor(math.log2(c)) - 53)
        other = granularity_audit(noise[0] * c, c + noise[1] * c, claimed=1.0, spacing=spacing)
        assert " against 0 are" in other.event
        assert other.certified > 4


def test_granularity_of_discrete_noise():
    steps = np.random.default_rng(0).integers(-(2**40), 2**40, (2, 20000))
    result = granularity_audit(steps[0] / 2**32, 1 + steps[1] / 2**32, claimed=0.0)
    assert result.certified == 0.0
    assert not result.violated


def canaries(mechanism, m, rng):
    points = (np.arange(m) + 0.5) / 2**mechanism.levels
    included = rng.random(m) < 0.5
    return canary_scores(mechanism, mechanism.release(points[included], rng), points), included


@pytest.mark.parametrize("epsilon", [1.0, 2.0])
def test_one_run_follows_its_law(epsilon):
    rng = np.random.default_rng(0)
    mechanism = flat_histogram(10, epsilon=epsilon)
    for factor in (1.0, 0.5):
        audited = scaled(mechanism, factor)
        found = []
        for _ in range(5):
            scores, included = canaries(audited, 1000, rng)
            result = one_run_audit(
                scores, included, claimed=epsilon, threshold=epsilon / factor, confidence=0.999
            )
            assert result.violated == (factor < 1)
            found.append(result.certified)
        law = one_run_certified(epsilon / factor, 1000, steps=1)
        assert np.mean(found) == pytest.approx(law, rel=0.2)


def test_one_run_false_alarms():
    rng = np.random.default_rng(1)
    mechanism = flat_histogram(7, epsilon=1.0)
    alarms = 0
    for _ in range(200):
        scores, included = canaries(mechanism, 100, rng)
        alarms += one_run_audit(scores, included, claimed=1.0, confidence=0.8).violated
    assert 0 < alarms <= most_alarms(200, 0.2)


def test_one_run_counts_guesses():
    scores = np.array([2.0, -2.0, 1.0, 0.0, -3.0, 2.5])
    included = np.array([True, True, True, True, False, False])
    loose = one_run_audit(scores, included, claimed=1.0)
    assert loose.event == "3 of 5 guesses right"
    strict = one_run_audit(scores, included, claimed=1.0, threshold=2.0)
    assert strict.event == "2 of 4 guesses right"


def test_canary_scores_are_likelihood_ratios():
    """Gaussian hats: two canaries that share the ends keep only the hats of their own."""
    mechanism = hierarchical_hat(3, rho=0.5)
    points = np.array([0.1, 0.9])
    released = np.random.default_rng(0).normal(size=9)
    change, scale = mechanism.contributions(points), np.repeat(mechanism.scales, mechanism.sizes)
    expected = []
    for own, other in (change, change[::-1]):
        use = (own != 0) & (other == 0)
        log_in = -(((released - own)[use] / scale[use]) ** 2).sum() / 2
        expected.append(log_in + ((released[use] / scale[use]) ** 2).sum() / 2)
    np.testing.assert_allclose(canary_scores(mechanism, released, points), expected)


@pytest.mark.parametrize(
    ("call", "error", "named"),
    [
        (lambda: two_sample_audit([1.0], [1.0], claimed=1.0), ValueError, "at least 2"),
        (lambda: two_sample_audit([1.0, 2], [1.0], claimed=1.0), ValueError, "scores_other"),
        (lambda: two_sample_audit([1.0, math.nan], [1, 1], claimed=1.0), ValueError, "finite"),
        (lambda: two_sample_audit([1.0, 1], [1, 1], claimed=-1), ValueError, "claimed"),
        (lambda: granularity_audit([1.0], [1.0], claimed=1, spacing=0.3), ValueError, "spacing"),
        (lambda: granularity_audit([1.0], [1, 2.0], claimed=1), ValueError, "values_other"),
        (lambda: granularity_audit(["a"], [1.0], claimed=1), TypeError, "values"),
        (lambda: one_run_audit([1.0], [1], claimed=1), ValueError, "included"),
        (lambda: one_run_audit([1.0], [True, False], claimed=1), ValueError, "included"),
        (lambda: one_run_audit([1.0], [True], claimed=1, threshold=-1), ValueError, "threshold"),
    ],
)
def test_bad_arguments(call, error, named):
    with pytest.raises(error, match=named):
        call()
