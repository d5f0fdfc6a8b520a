"""The ledger against exact privacy profiles, by enumeration and integration."""

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, norm

from theorytk.adaptive.privacy import PrivacyLedger, noise_cost


def exact_profile(epsilon_each, k, epsilon):
    """Least delta of k randomised responses, the worst of all epsilon_each-private mechanisms."""
    p = math.exp(epsilon_each) / (1 + math.exp(epsilon_each))
    ones = np.arange(k + 1)
    gaps = binom.pmf(ones, k, p) - math.exp(epsilon) * binom.pmf(ones, k, 1 - p)
    return np.maximum(gaps, 0).sum()


@pytest.mark.parametrize("each", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("k", [1, 7, 60])
def test_pure_composition_is_at_least_the_exact_profile(each, k):
    ledger = PrivacyLedger().pure(each, k)
    assert ledger.epsilon == pytest.approx(k * each)
    for epsilon in np.linspace(0, k * each, 25):
        exact = exact_profile(each, k, epsilon)
        assert ledger.delta_at(epsilon) >= exact - 1e-12
        if k == 1:
            assert ledger.delta_at(epsilon) == pytest.approx(exact, abs=1e-12)
    assert ledger.delta_at(k * each) == pytest.approx(0.0, abs=1e-12)


def test_composition_beats_adding_up():
    ledger = PrivacyLedger().pure(0.01, 1000)
    assert ledger.epsilon == pytest.approx(10.0)
    assert ledger.epsilon_at(1e-6) < 2.0
    assert exact_profile(0.01, 1000, ledger.epsilon_at(1e-6)) < 1e-6


def test_gaussian_answers_are_exact():
    ledger = PrivacyLedger().gaussian(0.3, 16)
    assert (ledger.epsilon, ledger.mu) == (math.inf, pytest.approx(1.2))
    assert ledger.rho == pytest.approx(16 * 0.3**2 / 2)
    for epsilon in (0.0, 0.5, 2.0):

        def gap(x, epsilon=epsilon):
            return max(norm.pdf(x, 1.2) - math.exp(epsilon) * norm.pdf(x), 0.0)

        kink = epsilon / 1.2 + 0.6
        assert ledger.delta_at(epsilon) == pytest.approx(quad(gap, kink, 15)[0], rel=1e-7)
    # autodp's exact Gaussian mechanism, sigma = 1 / 0.3.
    assert PrivacyLedger().gaussian(0.3).epsilon_at(1e-5) == pytest.approx(1.1317749, abs=2e-7)


def test_a_mixture_is_at_least_the_exact_profile():
    ledger = PrivacyLedger().pure(0.8).gaussian(0.7).pure(0.4)
    bits = list(itertools.product([0, 1], repeat=2))

    def weight(outcome, sign):
        return math.prod(
            1 / (1 + math.exp(-sign * e * (2 * b - 1)))
            for e, b in zip((0.8, 0.4), outcome, strict=True)
        )

    grid = np.linspace(-12, 13, 40_001)
    for epsilon in (0.0, 0.3, 1.0, 2.0):
        exact = 0.0
        for outcome in bits:
            gaps = weight(outcome, 1) * norm.pdf(grid, 0.7) - math.exp(epsilon) * weight(
                outcome, -1
            ) * norm.pdf(grid)
            exact += np.trapezoid(np.maximum(gaps, 0), grid)
        assert exact - 1e-9 <= ledger.delta_at(epsilon) <= 1.2 * exact + 0.06


def test_epsilon_and_delta_are_inverse():
    for ledger in (PrivacyLedger().pure(0.1, 30), PrivacyLedger().gaussian(0.5, 3)):
        for delta in (1e-9, 1e-3, 0.1):
            assert ledger.delta_at(ledger.epsilon_at(delta)) == pytest.approx(delta, rel=1e-5)
    assert PrivacyLedger().pure(0.1).epsilon_at(0.9) == 0.0
    assert PrivacyLedger().pure(0.1).epsilon_at(1e-30) == pytest.approx(0.1)


def test_nothing_spent_and_everything():
    assert PrivacyLedger().delta_at(0.0) == 0.0
    assert PrivacyLedger().pure(math.inf, 0) == PrivacyLedger()
    open_book = PrivacyLedger().pure(0.1).pure(math.inf)
    assert (open_book.epsilon, open_book.rho, open_book.mu) == (math.inf,) * 3
    assert open_book.delta_at(100.0) == 1.0
    assert open_book.epsilon_at(0.5) == math.inf
    assert PrivacyLedger().gaussian(math.inf).epsilon_at(0.5) == math.inf
    assert PrivacyLedger().gaussian(0.0) == PrivacyLedger()
    assert noise_cost(0.01, 0.0) == math.inf


@pytest.mark.parametrize("call", ["pure", "gaussian", "delta_at"])
def test_bad_input(call):
    name = {"pure": "epsilon", "gaussian": "mu", "delta_at": "epsilon"}[call]
    with pytest.raises(ValueError, match=f"{name} must be a number >= 0; got -1"):
        getattr(PrivacyLedger(), call)(-1.0)
    with pytest.raises(ValueError, match="delta must be"):
        PrivacyLedger().epsilon_at(0.0)
    with pytest.raises(ValueError, match="times must be an integer >= 0"):
        PrivacyLedger().pure(0.1, -1)
