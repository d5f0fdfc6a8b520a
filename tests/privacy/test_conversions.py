"""The conversions against integrals, other mechanisms' exact profiles and dp-accounting."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from theorytk.privacy.conversions import (
    gaussian_delta,
    gaussian_epsilon,
    gaussian_sigma,
    pure_delta,
    pure_zcdp,
    sharp_zcdp_delta,
    sharp_zcdp_epsilon,
    zcdp_epsilon,
    zcdp_rho,
)


def renyi(alpha, p, q):
    """Return the Renyi divergence of two laws on finitely many points."""
    return math.log(sum(a**alpha * b ** (1 - alpha) for a, b in zip(p, q, strict=True))) / (
        alpha - 1
    )


def test_reference_values():
    assert gaussian_sigma(1, 1e-5) == pytest.approx(3.730632, abs=1e-6)
    assert gaussian_sigma(0.1, 1e-6) == pytest.approx(36.30469, abs=1e-5)
    assert gaussian_sigma(4, 1e-5, 2.5) == pytest.approx(2.5 * 1.081162, abs=2e-6)
    assert gaussian_epsilon(1.0, 1e-5) == pytest.approx(4.377178, abs=1e-6)
    assert sharp_zcdp_epsilon(0.5, 1e-5) == pytest.approx(4.728387, abs=1e-6)
    assert zcdp_epsilon(0.5, 1e-5) == pytest.approx(5.298526, abs=1e-6)


def test_gaussian_noise_against_dp_accounting():
    from dp_accounting.pld.common import DifferentialPrivacyParameters
    from dp_accounting.pld.privacy_loss_mechanism import GaussianPrivacyLoss

    for epsilon, delta in [(0.1, 1e-6), (1.0, 1e-5), (5.0, 1e-3)]:
        theirs = GaussianPrivacyLoss.from_privacy_guarantee(
            DifferentialPrivacyParameters(epsilon, delta)
        ).standard_deviation
        assert gaussian_sigma(epsilon, delta) == pytest.approx(theirs, rel=1e-6)


def test_renyi_conversion_against_dp_accounting():
    from dp_accounting.rdp.rdp_privacy_accountant import compute_epsilon

    orders = 1 + np.geomspace(1e-3, 1e3, 20_001)
    for rho, delta in [(0.01, 1e-6), (0.5, 1e-5), (2.0, 0.01)]:
        theirs, _ = compute_epsilon(orders, rho * orders, delta)
        assert sharp_zcdp_epsilon(rho, delta) == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("mu", [0.05, 1.0, 4.0])
def test_gaussian_delta_is_the_integral(mu):
    for epsilon in (0.0, 0.3, 2.0):
        exact, _ = quad(
            lambda x, epsilon=epsilon: norm.pdf(x, mu) - math.exp(epsilon) * norm.pdf(x),
            epsilon / mu + mu / 2,
            mu + 12,
        )
        assert gaussian_delta(epsilon, mu) == pytest.approx(exact, rel=1e-6)


def test_gaussian_inverses():
    for mu in (1e-4, 0.1, 1.0, 30.0):
        for delta in (1e-12, 1e-6, 0.01, 0.5):
            epsilon = gaussian_epsilon(mu, delta)
            assert gaussian_delta(epsilon, mu) <= delta * (1 + 1e-9)
            if epsilon > 0:
                assert gaussian_delta(epsilon * (1 - 1e-7), mu) > delta
                sigma = gaussian_sigma(epsilon, delta, 3.0)
                assert gaussian_delta(epsilon, 3.0 / sigma) <= delta * (1 + 1e-9)
                assert sigma == pytest.approx(3.0 / mu, rel=1e-6)
    assert gaussian_sigma(0.0, 0.2) == pytest.approx(1 / (2 * norm.ppf(0.6)), rel=1e-9)


def test_pure_zcdp_is_the_least_for_randomised_response():
    orders = 1 + np.geomspace(1e-3, 200, 300)
    for epsilon in (0.01, 0.5, 1.0, 3.0):
        p = math.exp(epsilon) / (1 + math.exp(epsilon))
        needed = [renyi(alpha, (p, 1 - p), (1 - p, p)) / alpha for alpha in orders]
        assert max(needed) <= pure_zcdp(epsilon) * (1 + 1e-7)
        assert max(needed) == pytest.approx(pure_zcdp(epsilon), rel=1e-3)
        assert pure_zcdp(epsilon) < epsilon**2 / 2


def test_pure_delta_is_that_of_randomised_response():
    for total in (0.1, 1.0, 30.0):
        p = math.exp(total) / (1 + math.exp(total))
        for epsilon in (0.0, 0.05, 0.9, 31.0):
            exact = max(p - math.exp(epsilon) * (1 - p), 0.0)
            assert pure_delta(epsilon, total) == pytest.approx(exact, abs=1e-12)
    assert pure_delta(1.0, 2000.0) == 1.0


@pytest.mark.parametrize("rho", [1e-6, 0.01, 0.5, 20.0])
def test_sharp_delta_is_the_minimum_over_orders(rho):
    for epsilon in (0.0, rho / 2, rho + 0.1, rho + 5 * math.sqrt(rho), rho + 40):

        def bound(u, epsilon=epsilon):
            alpha = 1 + math.exp(u)
            return (
                (alpha - 1) * (alpha * rho - epsilon)
                + alpha * math.log1p(-1 / alpha)
                - math.log(alpha - 1)
            )

        least = minimize_scalar(bound, bounds=(-20, 25), method="bounded", options={"xatol": 1e-9})
        exact = math.exp(min(least.fun, 0.0))
        assert sharp_zcdp_delta(epsilon, rho) == pytest.approx(exact, rel=1e-6, abs=1e-300)


def test_sharp_conversion_lies_between_the_exact_curve_and_the_simple_one():
    for rho in np.geomspace(1e-6, 50, 15):
        for delta in (1e-12, 1e-6, 1e-2, 0.3):
            sharp = sharp_zcdp_epsilon(rho, delta)
            assert gaussian_epsilon(math.sqrt(2 * rho), delta) <= sharp
            assert sharp <= zcdp_epsilon(rho, delta)
            assert sharp_zcdp_delta(sharp, rho) <= delta


def test_rho_is_the_inverse_on_the_private_side():
    for epsilon in (1e-3, 0.5, 4.0, 60.0):
        for delta in (1e-300, 1e-9, 1e-3, 0.9):
            rho = zcdp_rho(epsilon, delta)
            assert sharp_zcdp_delta(epsilon, rho) <= delta * (1 + 1e-9)
            assert sharp_zcdp_delta(epsilon, rho * (1 + 1e-6)) > delta
    assert zcdp_rho(sharp_zcdp_epsilon(0.2, 1e-6), 1e-6) == pytest.approx(0.2, rel=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pure_delta(-1.0, 1.0), "epsilon must be a number >= 0; got -1"),
        (lambda: pure_zcdp(math.nan), "epsilon must be a number >= 0; got nan"),
        (lambda: gaussian_delta(1.0, 0.0), "mu must be > 0; got 0"),
        (lambda: gaussian_epsilon(-1.0, 0.1), "mu must be a number > 0; got -1"),
        (lambda: gaussian_epsilon(1.0, 0.0), "delta must be a number > 0 and < 1; got 0"),
        (lambda: gaussian_sigma(1.0, 1.0), "delta must be a number > 0 and < 1; got 1"),
        (lambda: gaussian_sigma(1.0, 0.1, 0.0), "sensitivity must be a number > 0; got 0"),
        (lambda: sharp_zcdp_delta(1.0, 0.0), "rho must be a number > 0; got 0"),
        (lambda: sharp_zcdp_epsilon(math.inf, 0.1), "rho must be a number > 0; got inf"),
        (lambda: zcdp_epsilon(0.1, 0.0), "delta must be > 0; got 0"),
        (lambda: zcdp_rho(0.0, 0.1), "epsilon must be a number > 0; got 0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
