"""Guarantees and their sums, against enumerated profiles and the conversions by hand."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from theorytk.privacy.conversions import pure_zcdp, sharp_zcdp_delta, sharp_zcdp_epsilon
from theorytk.privacy.guarantees import PrivacyGuarantee, compose


def pure(epsilon, neighbours="add_remove"):
    return PrivacyGuarantee(neighbours, epsilon=epsilon, sensitivity=1, norm="l1")


def concentrated(rho):
    return PrivacyGuarantee("add_remove", rho=rho, noise="discrete Gaussian")


def test_one_line():
    assert repr(pure(1)) == (
        "<1-DP, neighbours 'add_remove', l1 sensitivity 1, discrete Laplace noise>"
    )
    both = PrivacyGuarantee("replace", epsilon=0.5, delta=1e-6, rho=0.02, noise="Gaussian")
    assert repr(both) == "<(0.5, 1e-06)-DP and 0.02-zCDP, neighbours 'replace', Gaussian noise>"


def worst_delta(total, delta, epsilon):
    """Return the profile of the worst (total, delta)-private pair, four outcomes one by one."""
    p = math.exp(total) / (1 + math.exp(total))
    first = (delta, (1 - delta) * p, (1 - delta) * (1 - p), 0.0)
    second = (0.0, (1 - delta) * (1 - p), (1 - delta) * p, delta)
    return sum(max(a - math.exp(epsilon) * b, 0.0) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("delta", [0.0, 0.03])
def test_profile_of_the_worst_release(delta):
    release = PrivacyGuarantee("replace", epsilon=0.8, delta=delta)
    for epsilon in (0.0, 0.2, 0.79, 1.5):
        exact = worst_delta(0.8, delta, epsilon)
        assert release.delta_at(epsilon) == pytest.approx(exact, abs=1e-14)
        if epsilon < 0.8:
            assert release.epsilon_at(exact) == pytest.approx(epsilon, abs=1e-12)
    assert release.epsilon_at(0.9) == 0.0
    assert release.epsilon_at(delta) == 0.8


def test_what_is_not_guaranteed_is_infinite():
    assert PrivacyGuarantee("replace", epsilon=0.8, delta=0.03).epsilon_at(0.02) == math.inf
    assert PrivacyGuarantee("replace", epsilon=0.8, delta=0.03).rho_bound == math.inf
    assert concentrated(0.1).epsilon_at(0.0) == math.inf
    assert pure(800.0).epsilon_at(0.0) == 800.0


def test_zcdp_and_nothing_spent():
    assert concentrated(0.1).delta_at(1.0) == sharp_zcdp_delta(1.0, 0.1)
    assert concentrated(0.1).epsilon_at(1e-6) == sharp_zcdp_epsilon(0.1, 1e-6)
    nothing = concentrated(0.0)
    assert (nothing.delta_at(0.0), nothing.epsilon_at(0.0)) == (0.0, 0.0)
    assert pure(0.4).rho_bound == pure_zcdp(0.4)
    stated = PrivacyGuarantee("add_remove", epsilon=0.4, rho=0.01)
    assert stated.rho_bound == 0.01
    assert stated.epsilon_at(1e-9) == pytest.approx(0.4, abs=1e-8)
    assert stated.epsilon_at(0.1) == sharp_zcdp_epsilon(0.01, 0.1)


def test_pure_releases_add_up_and_bound_the_exact_profile():
    k, each = 40, 0.1
    together = compose([pure(each)] * k)
    assert together.epsilon == pytest.approx(k * each)
    assert together.rho == pytest.approx(k * pure_zcdp(each))
    p, ones = math.exp(each) / (1 + math.exp(each)), np.arange(k + 1)
    for epsilon in (0.0, 0.5, 1.0, 3.0):
        gaps = binom.pmf(ones, k, p) - math.exp(epsilon) * binom.pmf(ones, k, 1 - p)
        assert together.delta_at(epsilon) >= np.maximum(gaps, 0).sum()
    assert together.epsilon_at(1e-5) < 0.75 * together.epsilon


def test_one_by_one_is_all_at_once():
    releases = [pure(0.3), concentrated(0.02), pure(0.1), pure(0.0)]
    spent = releases[0]
    for each in releases[1:]:
        spent = compose([spent, each])
    together = compose(releases)
    assert spent.epsilon is None
    assert spent.rho == pytest.approx(together.rho)
    assert spent.rho == pytest.approx(0.02 + pure_zcdp(0.3) + pure_zcdp(0.1))
    assert spent.noise == together.noise == "discrete Laplace and discrete Gaussian"


def test_mixtures_need_a_delta():
    approximate = PrivacyGuarantee("add_remove", epsilon=0.2, delta=1e-7, noise="Gaussian")
    releases = [approximate, concentrated(0.02), pure(0.1)]
    together = compose(releases, delta=1e-6)
    rho = 0.02 + pure_zcdp(0.1)
    assert together.epsilon == pytest.approx(0.2 + sharp_zcdp_epsilon(rho, 9e-7))
    assert (together.delta, together.rho) == (1e-6, None)
    with pytest.raises(ValueError, match="delta must exceed what the releases state together"):
        compose(releases, delta=1e-7)
    with pytest.raises(ValueError, match="a guarantee must state epsilon or rho"):
        compose(releases)


def test_delta_buys_the_smaller_epsilon():
    few, many = [pure(0.1)] * 2, [pure(0.1)] * 400
    assert (compose(few, delta=1e-6).epsilon, compose(few, delta=1e-6).delta) == (0.2, 0.0)
    assert compose(many, delta=1e-6).epsilon == pytest.approx(
        sharp_zcdp_epsilon(400 * pure_zcdp(0.1), 1e-6)
    )


def test_mixed_relations_are_refused():
    with pytest.raises(ValueError, match="one neighbouring relation; got 'add_remove' and 'repl"):
        compose([pure(0.1), pure(0.1, "replace")])
    with pytest.raises(ValueError, match="at least one release"):
        compose([])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"neighbours": "swap", "epsilon": 1}, "neighbours must be one of 'add_remove', 'replace'"),
        ({"neighbours": "replace"}, "must state epsilon or rho; got neither"),
        ({"neighbours": "replace", "epsilon": -1}, "epsilon must be a number >= 0; got -1"),
        ({"neighbours": "replace", "epsilon": math.nan}, "epsilon must be a number >= 0; got nan"),
        ({"neighbours": "replace", "rho": math.inf}, "rho must be a number >= 0; got inf"),
        (
            {"neighbours": "replace", "epsilon": 1, "delta": 1.0},
            "delta must be a number >= 0 and <",
        ),
        ({"neighbours": "replace", "rho": 1, "delta": 0.1}, "delta must be 0 where epsilon is not"),
        ({"neighbours": "replace", "rho": 1, "norm": "l3"}, "norm must be one of 'l1', 'l2'"),
        ({"neighbours": "replace", "rho": 1, "sensitivity": -2}, "sensitivity must be a number >="),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        PrivacyGuarantee(**arguments)
    with pytest.raises(ValueError, match="delta must be a number >= 0 and < 1"):
        pure(1.0).epsilon_at(1.0)
    with pytest.raises(ValueError, match="epsilon must be a number >= 0"):
        pure(1.0).delta_at(-1.0)
