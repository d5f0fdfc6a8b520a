"""Laws of audits against other routes: statsmodels, sums over all outcomes, the paper's code."""

import math

import numpy as np
import pytest
from scipy.stats import binom, dlaplace, norm
from statsmodels.stats.proportion import proportion_confint

from theorytk.privacy.audit_theory import (
    certified_epsilon,
    detection_probability,
    gaussian_certified,
    laplace_certified,
    one_run_certified,
    one_run_epsilon,
    one_run_p_value,
)
from theorytk.privacy.conversions import gaussian_epsilon


def limits(hits, n, confidence):
    """Return Clopper-Pearson limits, each at (1 - confidence) / 2."""
    return proportion_confint(hits, n, alpha=1 - confidence, method="beta")


def paper_p_value(m, r, v, epsilon, delta):
    """Return the p-value by the loop printed in the paper's appendix."""
    q = 1 / (1 + math.exp(-epsilon))
    beta, alpha, total = binom.sf(v - 1, r, q), 0.0, 0.0
    for i in range(1, v + 1):
        total += binom.pmf(v - i, r, q)
        alpha = max(alpha, total / i)
    return min(beta + alpha * delta * 2 * m, 1.0)


@pytest.mark.parametrize(("hits", "other"), [(40, 3), (40, 0), (100, 7), (0, 5), (60, 60)])
@pytest.mark.parametrize("delta", [0.0, 0.05])
def test_certified_epsilon_is_ratio_of_limits(hits, other, delta):
    low = limits(hits, 100, 0.99)[0]
    high = limits(other, 100, 0.99)[1]
    expected = math.log(max((low - delta) / high, 1.0))
    found = certified_epsilon(hits, other, 100, delta=delta, confidence=0.99)
    assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("delta", [0.0, 0.1])
def test_detection_probability_sums_over_outcomes(delta):
    n, p, q, claimed = 25, 0.7, 0.12, 0.4
    expected = 0.0
    for hits in range(n + 1):
        for other in range(n + 1):
            if certified_epsilon(hits, other, n, delta=delta, confidence=0.9) > claimed:
                expected += binom.pmf(hits, n, p) * binom.pmf(other, n, q)
    found = detection_probability(p, q, n, claimed=claimed, delta=delta, confidence=0.9)
    assert 0.05 < found < 0.95
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("claimed", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("delta", [0.0, 0.02])
@pytest.mark.parametrize("n", [50, 3000])
def test_false_alarms_are_rarer_than_the_confidence_allows(claimed, delta, n):
    for q in np.linspace(0, 1, 21):
        p = min(1.0, math.exp(claimed) * q + delta)
        options = dict(claimed=claimed, delta=delta, confidence=0.95)
        assert detection_probability(p, q, n, **options) <= 0.05


@pytest.mark.parametrize(("m", "r", "v"), [(100, 80, 60), (100, 80, 80), (50, 1, 1), (50, 9, 0)])
@pytest.mark.parametrize("delta", [0.0, 1e-5, 1e-2])
def test_one_run_p_value_is_the_papers(m, r, v, delta):
    for epsilon in (0.0, 0.5, 2.0):
        expected = paper_p_value(m, r, v, epsilon, delta)
        assert one_run_p_value(epsilon, m, r, v, delta) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("delta", [0.0, 1e-3, 1e-2])
def test_one_run_p_value_bounds_the_law_of_randomised_response(delta):
    """A canary is revealed with probability delta and else reported by randomised response."""
    m, epsilon = 200, 0.8
    right = delta + (1 - delta) / (1 + math.exp(-epsilon))
    for v in range(m + 1):
        bound = one_run_p_value(epsilon, m, m, v, delta)
        assert bound >= binom.sf(v - 1, m, right) - 1e-12
        if delta == 0:
            assert bound == pytest.approx(binom.sf(v - 1, m, right), abs=1e-12)


def test_one_run_epsilon_inverts_the_p_value():
    for delta in (0.0, 1e-4):
        epsilon = one_run_epsilon(500, 300, 240, delta=delta, confidence=0.99)
        assert epsilon > 0.5
        assert paper_p_value(500, 300, 240, epsilon, delta) == pytest.approx(0.01, rel=1e-6)
    assert one_run_epsilon(500, 300, 150) == 0.0
    assert one_run_epsilon(500, 0, 0) == 0.0


@pytest.mark.parametrize("steps", [1, 4])
def test_discrete_laplace_law_uses_the_probabilities_of_its_event(steps):
    epsilon, n = 1.3, 10**4
    law = dlaplace(epsilon / steps)
    hits = n / 2 * np.array([law.sf(-1), law.sf(steps - 1)])
    expected = certified_epsilon(hits[0], hits[1], n / 2)
    assert laplace_certified(epsilon, n, steps=steps) == pytest.approx(float(expected))


def test_certified_grows_to_the_truth():
    epsilons = np.array([0.8, 1.0, 2.5])
    before = np.zeros(3)
    for n in (10**3, 10**5, 10**7):
        found = laplace_certified(epsilons, n)
        assert (before < found).all()
        assert (found < epsilons).all()
        before = found
    np.testing.assert_allclose(laplace_certified(epsilons, 10**11), epsilons, atol=1e-3)
    assert one_run_certified(1.0, 10**8) == pytest.approx(1.0, abs=1e-2)
    assert one_run_certified(1.0, 1000) < one_run_certified(1.0, 1000, steps=1) < 1.0


@pytest.mark.parametrize("mu", [0.5, 1.0, 2.0])
def test_gaussian_law_grows_to_the_exact_curve(mu):
    exact = gaussian_epsilon(mu, 0.01)
    assert gaussian_certified(mu, 10**4) < gaussian_certified(mu, 10**6) < exact
    assert gaussian_certified(mu, 10**11) == pytest.approx(exact, abs=2e-2)
    t = 0.3
    one_threshold = certified_epsilon(5000 * norm.cdf(t), 5000 * norm.cdf(t - mu), 5000, delta=0.01)
    assert gaussian_certified(mu, 10**4) >= one_threshold - 1e-3


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: certified_epsilon(5, 3, 4), "at most n_trials"),
        (lambda: certified_epsilon(-1, 3, 4), "hits must be >= 0"),
        (lambda: certified_epsilon(1, 3, 4, confidence=1.0), "confidence"),
        (lambda: certified_epsilon(1, 3, 4, delta=1.0), "delta"),
        (lambda: detection_probability(1.5, 0.1, 10, claimed=1.0), "p must be"),
        (lambda: detection_probability(0.5, 0.1, 10, claimed=-1.0), "claimed"),
        (lambda: laplace_certified([0.0], 100), "epsilon must be > 0"),
        (lambda: laplace_certified([1.0], 100, steps=0), "steps"),
        (lambda: gaussian_certified(1.0, 1), "n_trials"),
        (lambda: one_run_p_value(1.0, 10, 11, 5), "guesses"),
        (lambda: one_run_p_value(1.0, 10, 8, 9), "correct"),
        (lambda: one_run_p_value(math.nan, 10, 8, 8), "claimed"),
    ],
)
def test_bad_arguments(call, named):
    with pytest.raises(ValueError, match=named):
        call()
