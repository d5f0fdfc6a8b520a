"""Curation weights against enumeration, and the retraining map against what it must do."""

import itertools
import math

import numpy as np
import pytest
from scipy.special import expit

from theorytk.selfconsuming import CurationMap, curation_weights


def enumerated(p, reward, K):
    """Return the weights by summing over all outcomes of the other K - 1 samples."""
    w, total = np.exp(reward - reward.max()), np.zeros(len(p))
    for others in itertools.product(range(len(p)), repeat=K - 1):
        total += np.prod(p[list(others)]) * K * w / (w + w[list(others)].sum())
    return total


def problem(rng, n, spread=2.0):
    return rng.dirichlet(np.full(n, 0.5)), spread * rng.standard_normal(n)


@pytest.mark.parametrize("K", [2, 3, 5, 6])
@pytest.mark.parametrize("spread", [0.0, 0.1, 2.0, 20.0])
def test_weights_are_those_of_enumeration(K, spread):
    rng = np.random.default_rng(K)
    for n in (1, 2, 4, 5):
        p, reward = problem(rng, n, spread)
        np.testing.assert_allclose(
            curation_weights(p, reward, K), enumerated(p, reward, K), rtol=3e-14
        )


@pytest.mark.parametrize("n", [1, 7, 40])
def test_weights_of_two_samples_are_logistic(n):
    p, reward = problem(np.random.default_rng(n), n, 10.0)
    law = 2 * expit(reward[:, None] - reward) @ p
    np.testing.assert_allclose(curation_weights(p, reward, 2), law, rtol=1e-13)


@pytest.mark.parametrize("K", [2, 10, 1000])
@pytest.mark.parametrize("spread", [0.01, 1.0, 15.0, 350.0])
def test_weights_have_mean_one(K, spread):
    rng = np.random.default_rng(0)
    for n in (2, 100):
        p = rng.dirichlet(np.ones(n))
        reward = spread * rng.uniform(-1, 1, n)
        assert abs(p @ curation_weights(p, reward, K) - 1) < 1e-15 * (K + 30)


def test_weights_of_one_and_of_infinitely_many_samples():
    p, reward = problem(np.random.default_rng(1), 9)
    np.testing.assert_array_equal(curation_weights(p, reward, 1), np.ones(9))
    law = np.exp(reward) / (p @ np.exp(reward))
    np.testing.assert_allclose(curation_weights(p, reward, math.inf), law, rtol=1e-13)


def test_weights_depend_on_differences_of_rewards():
    p, reward = problem(np.random.default_rng(2), 9)
    shifted = curation_weights(p, reward + 1e5, 4)
    np.testing.assert_allclose(shifted, curation_weights(p, reward, 4), rtol=1e-9)


def test_atoms_without_mass_have_weights_and_no_influence():
    p, reward = np.array([0.5, 0.5, 0.0]), np.array([0.0, 1.0, 3.0])
    found = curation_weights(p, reward, 4)
    np.testing.assert_allclose(found, enumerated(p, reward, 4), rtol=1e-13)
    np.testing.assert_allclose(found[:2], curation_weights(p[:2], reward[:2], 4), rtol=1e-13)


def test_a_step_mixes_curated_and_real_data():
    p, reward = problem(np.random.default_rng(3), 6)
    p_ref = np.full(6, 1 / 6)
    curated = p * enumerated(p, reward, 3)
    np.testing.assert_allclose(CurationMap(reward, 3).step(p), curated, rtol=1e-13)
    found = CurationMap(reward, 3, lam=0.25, p_ref=p_ref).step(p)
    np.testing.assert_allclose(found, 0.8 * p_ref + 0.2 * curated, rtol=1e-13)


def test_history_is_made_of_steps():
    p, reward = problem(np.random.default_rng(4), 6)
    curation = CurationMap(reward, 3)
    history = curation.iterate(3, p)
    expected = [p]
    for _ in range(3):
        expected.append(curation.step(expected[-1]))
    np.testing.assert_allclose(history.probabilities, expected, rtol=1e-14)
    np.testing.assert_array_equal(history.final, history.probabilities[-1])


def test_history_measures():
    p, reward = problem(np.random.default_rng(5), 6)
    history = CurationMap(reward, 3).iterate(2, p)
    w, q = np.exp(reward - reward.max()), history.final
    assert history.mean_reward[2] == pytest.approx(sum(q * reward))
    assert history.mean_exp_reward[2] == pytest.approx(sum(q * w))
    assert history.exp_reward_variance[2] == pytest.approx(sum(q * w**2) - sum(q * w) ** 2)
    assert history.top_mass[2] == pytest.approx(q[np.argmax(reward)])
    assert history.total_variation(p)[2] == pytest.approx(np.maximum(q - p, 0).sum())
    assert history.kl_divergence(p)[2] == pytest.approx(sum(q * np.log(q / p)))
    shares = history.class_shares([0, 1, 0, 2, 2, 2])
    np.testing.assert_allclose(shares[2], [q[0] + q[2], q[1], q[3:].sum()])


def test_divergence_from_a_law_without_mass_is_infinite():
    history = CurationMap([0.0, 1.0], 2).iterate(0, [0.5, 0.5])
    assert history.kl_divergence([1.0, 0.0])[0] == math.inf


@pytest.mark.parametrize("lam", [0.0, 0.3, 3.0])
def test_fixed_point_is_fixed(lam):
    p_ref, reward = problem(np.random.default_rng(6), 8)
    curation = CurationMap(reward, 4, lam=lam, p_ref=p_ref)
    found = curation.fixed_point()
    assert found.converged
    curated = found.probabilities * enumerated(found.probabilities, reward, 4)
    np.testing.assert_allclose((p_ref + lam * curated) / (1 + lam), found.probabilities, atol=1e-12)


def test_fixed_point_tells_when_it_did_not_converge():
    found = CurationMap([0.0, 1e-3], 2).fixed_point([0.5, 0.5], max_iter=3)
    assert not found.converged
    assert found.iterations == 3
    assert found.residual > 0


@pytest.mark.parametrize("K", [1, 2, 5, math.inf])
def test_jacobian_is_that_of_differences(K):
    p, reward = problem(np.random.default_rng(7), 5)
    p = (p + 0.1) / (p + 0.1).sum()
    reward[1] = reward[0]
    curation, h = CurationMap(reward, K), 1e-5
    J = curation.jacobian(p)
    for i, j in itertools.permutations(range(5), 2):
        direction = h * (np.eye(5)[i] - np.eye(5)[j])
        change = (curation.step(p + direction) - curation.step(p - direction)) / (2 * h)
        np.testing.assert_allclose(J[:, i] - J[:, j], change, atol=1e-8)


@pytest.mark.parametrize("K", [0, -1, 1.5, 0.0, math.nan, -math.inf, True])
def test_refuses_group_sizes(K):
    with pytest.raises((ValueError, TypeError), match="K must be"):
        CurationMap([0.0, 1.0], K)


def test_refuses_bad_arguments():
    with pytest.raises(ValueError, match="reward must be finite; got nan"):
        CurationMap([0.0, math.nan], 2)
    with pytest.raises(ValueError, match="reward must be finite; got inf"):
        CurationMap([0.0, math.inf], 2)
    with pytest.raises(ValueError, match=r"reward \(range\) must be .*<= 700; got 800"):
        CurationMap([0.0, 800.0], 2)
    with pytest.raises(ValueError, match=r"reward \(atoms\)"):
        CurationMap([], 2)
    with pytest.raises(ValueError, match="lam must be"):
        CurationMap([0.0, 1.0], 2, lam=-0.1, p_ref=[0.5, 0.5])
    with pytest.raises(ValueError, match="lam must be"):
        CurationMap([0.0, 1.0], 2, lam=math.nan, p_ref=[0.5, 0.5])
    with pytest.raises(ValueError, match="p_ref must be given"):
        CurationMap([0.0, 1.0], 2, lam=1.0)
    with pytest.raises(ValueError, match="p_ref must have shape"):
        CurationMap([0.0, 1.0], 2, lam=1.0, p_ref=[1.0])


@pytest.mark.parametrize(
    ("p", "message"),
    [
        ([0.5, 0.6], r"p \(sum\) must be"),
        ([-0.1, 1.1], r"p \(smallest\) must be"),
        ([0.5, 0.25, 0.25], "p must have shape"),
        ([math.nan, 1.0], "p must be finite"),
    ],
)
def test_refuses_what_is_no_distribution(p, message):
    with pytest.raises(ValueError, match=message):
        CurationMap([0.0, 1.0], 2).step(p)


def test_needs_a_start():
    with pytest.raises(ValueError, match="p0 must be given"):
        CurationMap([0.0, 1.0], 2).iterate(3)
    with pytest.raises(ValueError, match="n_steps must be"):
        CurationMap([0.0, 1.0], 2).iterate(-1, [0.5, 0.5])
    with pytest.raises(ValueError, match="labels must have shape"):
        CurationMap([0.0, 1.0], 2).iterate(1, [0.5, 0.5]).class_shares([0])
