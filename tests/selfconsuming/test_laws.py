"""Laws against brute force, simulation and each other."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize

from theorytk.selfconsuming import (
    CurationMap,
    contraction_factor,
    curation_weights,
    density_ratio_bound,
    gain_bound,
    kl_bound,
    losing_ratio,
    mixed_gain_bound,
    paper_kl_bound,
    paper_mixed_gain_bound,
    particle_deviations,
    reward_gap_limit,
    stability_threshold,
    tilt,
    tilt_distance_constant,
    two_atom_curated_mass,
    two_atom_fixed_mass,
    uncurated_factor,
    uniform_reward_gap,
    weight_bounds,
)


@pytest.mark.parametrize("K", [2, 7, math.inf])
def test_weight_bounds_are_attained_by_rare_atoms(K):
    low, high = weight_bounds(K, 3.0)
    assert curation_weights([1 - 1e-15, 1e-15], [0.0, 3.0], K)[1] == pytest.approx(high)
    assert curation_weights([1 - 1e-15, 1e-15], [3.0, 0.0], K)[1] == pytest.approx(low)
    assert high <= min(K, math.exp(3.0))


def test_weight_bounds_do_not_overflow():
    assert weight_bounds(4, 1e4) == (0.0, 4.0)
    assert weight_bounds(1, 5.0) == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("K", [2, 4, math.inf])
def test_threshold_bounds_and_contraction_agree(K):
    threshold = stability_threshold(K, 2.0)
    assert contraction_factor(K, 2.0, threshold) == pytest.approx(1)
    assert density_ratio_bound(K, 2.0, 1.001 * threshold) == math.inf
    assert kl_bound(K, 2.0, 1.001 * threshold) == math.inf
    assert kl_bound(K, 2.0, threshold / 2) == pytest.approx(math.log(2))
    assert density_ratio_bound(K, 2.0, math.inf) == math.inf


def test_nothing_to_curate_is_always_stable():
    assert stability_threshold(4, 0.0) == math.inf
    assert stability_threshold(1, 5.0) == math.inf
    assert density_ratio_bound(4, 0.0, math.inf) == 1


def test_papers_bounds_follow_from_ours():
    for K, lam in [(2, 0.3), (5, 0.2), (40, 0.02)]:
        assert kl_bound(K, 1.0, lam) <= paper_kl_bound(K, lam)
        assert kl_bound(K, 80.0, lam) == pytest.approx(paper_kl_bound(K, lam))
    assert paper_kl_bound(4, 1.0) == math.inf
    args = ([0.2, 0.8], [0.0, 1.0], 3)
    assert paper_mixed_gain_bound(*args, 0.5) < mixed_gain_bound(*args, 0.5)
    assert mixed_gain_bound(*args, math.inf) == gain_bound(*args)


def test_gain_bound_is_attained_by_small_ranges():
    p, reward = np.array([0.2, 0.5, 0.3]), 1e-4 * np.array([1.0, -0.5, 2.0])
    w = np.exp(reward - reward.max())
    gain = p @ (curation_weights(p, reward, 5) * w) - p @ w
    assert gain == pytest.approx(gain_bound(p, reward, 5), rel=1e-3)


def test_gain_bound_measures_from_the_best_atom_with_mass():
    expected = gain_bound([0.5, 0.5], [0.0, 1.0], 2)
    assert gain_bound([0.5, 0.5, 0.0], [0.0, 1.0, 9.0], 2) == pytest.approx(expected)


def test_losing_ratio_is_the_weight_beside_the_top():
    assert losing_ratio(0.7, 4) == pytest.approx(4 / (1 + 3 * math.exp(0.7)))
    assert losing_ratio(0.7, math.inf) == pytest.approx(math.exp(-0.7))
    p = [1 - 1e-14, 1e-14]
    assert curation_weights(p, [0.7, 0.0], 4)[1] == pytest.approx(losing_ratio(0.7, 4))


def test_tilt_solves_the_penalised_problem():
    p, reward, t = np.array([0.3, 0.5, 0.2]), np.array([0.0, 1.0, -1.0]), 2.0

    def objective(logits):
        q = np.exp(logits - np.logaddexp.reduce(logits))
        return -(q @ reward - q @ np.log(q / p) / t)

    logits = minimize(objective, np.zeros(3), tol=1e-12).x
    q = np.exp(logits - np.logaddexp.reduce(logits))
    np.testing.assert_allclose(tilt(p, reward, t), q, atol=1e-5)


def test_tilt_does_not_overflow():
    np.testing.assert_array_equal(tilt([0.5, 0.5, 0.0], [0.0, 1.0, 2.0], 1e6), [0, 1, 0])


def test_tilt_distance_constant_is_the_limit():
    p, reward = np.array([0.3, 0.5, 0.2]), np.array([0.0, 1.0, -1.0])
    C, K = tilt_distance_constant(p, reward), 20_000
    change = p * (curation_weights(p, reward, K) - curation_weights(p, reward, math.inf))
    assert K * 0.5 * np.abs(change).sum() == pytest.approx(C, rel=1e-3)


@pytest.mark.parametrize("t", [1, 5, 60])
def test_uniform_reward_gap_is_the_integral(t):
    mass = quad(lambda g: math.exp(-t * g), 0, 1)[0]
    mean = quad(lambda g: g * math.exp(-t * g), 0, 1)[0] / mass
    assert uniform_reward_gap(t) == pytest.approx(mean, rel=1e-9)


def test_reward_gap_limit():
    assert reward_gap_limit(5) == pytest.approx(1.25)
    assert reward_gap_limit(math.inf) == 1


@pytest.mark.parametrize("K", [1, 2, 3, 60])
def test_two_atoms_by_counting(K):
    p = [0.7, 0.3]
    found = 0.3 * curation_weights(p, [0.0, 1.3], K)[1]
    assert two_atom_curated_mass(0.3, 1.3, K) == pytest.approx(found, rel=1e-12)


def test_two_atoms_of_two_samples_are_a_replicator():
    law = 0.3 * (1 + 0.7 * math.tanh(0.65))
    assert two_atom_curated_mass(0.3, 1.3, 2) == pytest.approx(law)


@pytest.mark.parametrize("lam", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("eps", [1e-6, 0.3, 1.0])
def test_fixed_mass_of_two_atoms(lam, eps):
    q = two_atom_fixed_mass(eps, 2.0, lam)
    again = (eps + lam * two_atom_curated_mass(q, 2.0, 2)) / (1 + lam)
    assert q == pytest.approx(again, rel=1e-12)
    assert 0 < q <= 1


def test_deviations_without_curation_are_those_of_resampling():
    p = np.array([0.2, 0.3, 0.5])
    found = particle_deviations([p] * 4, [np.eye(3)] * 3, p, math.inf)
    np.testing.assert_allclose(found, np.sqrt(np.outer(np.arange(1, 5), p * (1 - p))))


@pytest.mark.parametrize("lam", [0.5, math.inf])
def test_deviations_of_two_atoms(lam):
    """One atom's share is a Markov chain of one dimension, whose variance is a recursion."""
    p_ref, gap, K = 0.4, 1.0, 3
    curation = CurationMap([0.0, gap], K, lam=lam, p_ref=[1 - p_ref, p_ref])
    models = curation.iterate(4).probabilities
    jacobians = [curation.jacobian(p) for p in models[:-1]]
    found = particle_deviations(models, jacobians, [1 - p_ref, p_ref], lam)
    a, variance = uncurated_factor(lam), p_ref * (1 - p_ref)
    for t, q in enumerate(models[:-1, 1]):
        h = 1e-5
        curated = two_atom_curated_mass(q, gap, K)
        up, down = (two_atom_curated_mass(q + s, gap, K) for s in (h, -h))
        variance = (
            (a * (up - down) / (2 * h)) ** 2 * variance
            + a * curated * (1 - curated)
            + (1 - a) * p_ref * (1 - p_ref)
        )
        np.testing.assert_allclose(found[t + 1], math.sqrt(variance), rtol=1e-7)


@pytest.mark.parametrize(
    ("law", "arguments", "name"),
    [
        (weight_bounds, (0, 1.0), "K"),
        (weight_bounds, (2, -1.0), "reward_range"),
        (density_ratio_bound, (2, 1.0, -1.0), "lam"),
        (paper_kl_bound, (1, 0.1), "K"),
        (uncurated_factor, (math.nan,), "lam"),
        (gain_bound, ([0.5, 0.4], [0.0, 1.0], 2), "p"),
        (gain_bound, ([0.5, 0.5], [0.0, 1.0], 1), "K"),
        (paper_mixed_gain_bound, ([0.5, 0.5], [0.0, 1.0], 2, math.inf), "lam"),
        (losing_ratio, (1.0, 1), "K"),
        (tilt, ([0.5, 0.5], [0.0, 1.0], -1.0), "t"),
        (uniform_reward_gap, (0,), "t"),
        (two_atom_curated_mass, (1.1, 1.0, 2), "mass"),
        (two_atom_fixed_mass, (0.0, 1.0, 2.0), "reference_mass"),
        (particle_deviations, ([[0.5, 0.5]], np.eye(2), [0.5, 0.5], 1.0), "jacobians"),
    ],
)
def test_refuses_bad_arguments(law, arguments, name):
    with pytest.raises(ValueError, match=rf"^{name}( \(|\b).* must"):
        law(*arguments)
