"""Composed Laplace noise against enumeration, integrals, dp-accounting and simulation."""

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from theorytk.privacy.composition import (
    advanced_composition,
    laplace_composed_delta,
    laplace_composed_epsilon,
)
from theorytk.privacy.conversions import pure_delta, pure_zcdp, sharp_zcdp_epsilon


def discrete_laws(epsilon, steps):
    """Return the laws of discrete Laplace noise and of the noise `steps` further, far enough."""
    support = np.arange(-60 * steps, 61 * steps + 1)
    ratio = epsilon / steps
    law = math.tanh(ratio / 2) * np.exp(-ratio * np.abs(support))
    return law, math.tanh(ratio / 2) * np.exp(-ratio * np.abs(support - steps))


@pytest.mark.parametrize("steps", [1, 2, 5])
@pytest.mark.parametrize("k", [1, 2])
def test_discrete_noise_by_enumeration(steps, k):
    each = 0.9
    law, shifted = discrete_laws(each, steps)
    for epsilon in (0.0, 0.3, 0.9, 1.5):
        if k == 1:
            gaps = law - math.exp(epsilon) * shifted
        else:
            gaps = np.outer(law, law) - math.exp(epsilon) * np.outer(shifted, shifted)
        exact = np.maximum(gaps, 0).sum()
        value = laplace_composed_delta(each, k, epsilon, steps=steps)
        assert value == pytest.approx(exact, abs=1e-13)


def test_one_step_is_randomised_response():
    for epsilon in (0.0, 0.4, 1.0):
        assert laplace_composed_delta(1.0, 1, epsilon, steps=1) == pytest.approx(
            pure_delta(epsilon, 1.0), abs=1e-14
        )
    p = math.exp(0.3) / (1 + math.exp(0.3))
    outcomes = list(itertools.product([p, 1 - p], repeat=5))
    exact = sum(
        max(math.prod(each) - math.exp(0.2) * math.prod(1 - q for q in each), 0.0)
        for each in outcomes
    )
    assert laplace_composed_delta(0.3, 5, 0.2, steps=1) == pytest.approx(exact, abs=1e-14)


def test_continuous_noise_in_closed_form():
    for epsilon in (0.0, 0.3, 0.99):
        exact = -math.expm1((epsilon - 1) / 2)
        assert laplace_composed_delta(1.0, 1, epsilon) == pytest.approx(exact, abs=1e-7)

    # Two releases: given the loss of the first, the second has the closed form.
    def one(epsilon, each=0.7):
        if epsilon >= each:
            return 0.0
        if epsilon <= -each:
            return -math.expm1(epsilon)
        return -math.expm1((epsilon - each) / 2)

    for epsilon in (0.0, 0.5, 1.2):
        inner, _ = quad(
            lambda loss, epsilon=epsilon: math.exp((loss - 0.7) / 2) / 4 * one(epsilon - loss),
            -0.7,
            0.7,
            points=[np.clip(epsilon - 0.7, -0.7, 0.7)],
        )
        exact = one(epsilon - 0.7) / 2 + math.exp(-0.7) / 2 * one(epsilon + 0.7) + inner
        value = laplace_composed_delta(0.7, 2, epsilon)
        assert exact - 1e-9 <= value <= exact + 1e-7


@pytest.mark.parametrize(("each", "k"), [(1 / 11, 11), (4 / 11, 11), (1 / 50, 50), (0.04, 200)])
def test_continuous_noise_against_dp_accounting(each, k):
    from dp_accounting.pld import privacy_loss_distribution

    theirs = privacy_loss_distribution.from_laplace_mechanism(
        1 / each, value_discretization_interval=each / 200
    ).self_compose(k)
    for delta in (1e-5, 0.01):
        ours = laplace_composed_epsilon(each, k, delta)
        assert ours == pytest.approx(theirs.get_epsilon_for_delta(delta), rel=5e-4)


def test_reference_values():
    assert laplace_composed_epsilon(1 / 11, 11, 1e-5) == pytest.approx(0.98039, abs=1e-5)
    assert laplace_composed_epsilon(1 / 11, 11, 1e-2) == pytest.approx(0.44283, abs=1e-5)
    assert laplace_composed_epsilon(1 / 50, 50, 1e-5) == pytest.approx(0.48321, abs=1e-5)
    assert advanced_composition(0.02, 50, 1e-5) == pytest.approx(0.698815, abs=1e-6)


def test_simulated_losses_agree():
    each, k, n, epsilon = 0.25, 16, 200_000, 0.8
    noise = np.random.default_rng(3).laplace(scale=1 / each, size=(n, k))
    losses = each * (np.abs(noise - 1) - np.abs(noise)).sum(axis=1)
    gaps = np.maximum(-np.expm1(epsilon - losses), 0.0)
    error = gaps.std() / math.sqrt(n)
    z = (gaps.mean() - laplace_composed_delta(each, k, epsilon)) / error
    assert abs(z) < norm.isf(5e-7)


def test_coarser_noise_is_less_private_and_the_rules_are_upper_bounds():
    curve = [laplace_composed_delta(0.2, 20, 1.0, steps=steps) for steps in (1, 2, 4, 64)]
    curve.append(laplace_composed_delta(0.2, 20, 1.0))
    assert (np.diff(curve) < 0).all()
    for k in (5, 50, 500):
        worst = laplace_composed_epsilon(0.1, k, 1e-6, steps=1)
        converted = sharp_zcdp_epsilon(k * pure_zcdp(0.1), 1e-6)
        assert worst <= min(0.1 * k, converted) + 1e-9
        assert converted < advanced_composition(0.1, k, 1e-6)


def test_ends_of_the_curve():
    assert laplace_composed_delta(0.5, 4, 2.0) == pytest.approx(0.0, abs=1e-14)
    assert laplace_composed_epsilon(0.5, 4, 0.99) == 0.0
    assert laplace_composed_delta(40.0, 30, 0.0) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: advanced_composition(-0.1, 2, 0.1), "epsilon must be a number >= 0"),
        (lambda: advanced_composition(0.1, 0, 0.1), "k must be an integer >= 1; got 0"),
        (lambda: advanced_composition(0.1, 1, 1.0), "delta must be a number > 0 and < 1"),
        (lambda: laplace_composed_delta(0.0, 2, 0.1), "epsilon_each must be a number > 0"),
        (lambda: laplace_composed_delta(0.1, 2, -0.1), "epsilon must be a number >= 0"),
        (lambda: laplace_composed_delta(0.1, 2, 0.1, steps=0), "steps must be an integer >= 1"),
        (lambda: laplace_composed_delta(0.1, 2**21, 0.1), "k must be an integer >= 1"),
        (lambda: laplace_composed_epsilon(0.1, 2, 0.0), "delta must be a number > 0 and < 1"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
