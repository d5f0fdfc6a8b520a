"""Finite training sets: who is chosen, what is fitted, and how it strays from the exact map."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from theorytk.selfconsuming import (
    CurationMap,
    empirical_model,
    kde_model,
    luce_choice,
    mixture_model,
    simulate_particles,
)


def atoms(p):
    return lambda size, rng: rng.choice(len(p), size=size, p=p)


def test_luce_choice_has_its_probabilities():
    r, n = np.array([0.0, 1.0, -2.0]), 200_000
    counts = np.bincount(luce_choice(np.tile(r, (n, 1)), rng=0), minlength=3)
    for count, p in zip(counts, np.exp(r) / np.exp(r).sum(), strict=True):
        assert binom.ppf(5e-8, n, p) <= count <= binom.isf(5e-8, n, p)


@pytest.mark.parametrize(("K", "lam"), [(4, math.inf), (4, 1.0), (1, 0.5)])
def test_large_training_sets_follow_the_exact_map(K, lam):
    p, reward, n = np.array([0.5, 0.3, 0.2]), np.array([0.0, 0.5, 1.5]), 200_000
    exact = CurationMap(reward, K, lam=lam, p_ref=p).iterate(3)
    history = simulate_particles(
        atoms(p), lambda x: reward[x], K, n=n, generations=3, lam=lam, rng=1
    )
    for samples, law in zip(history.samples, exact.probabilities, strict=True):
        shares = np.bincount(samples, minlength=3) / n
        # 10 standard deviations of one draw, several of the accumulated drift.
        np.testing.assert_allclose(shares, law, atol=10 * 0.5 / math.sqrt(n))
    np.testing.assert_array_equal(history.rewards, reward[history.samples])


def test_training_sets_hold_the_stated_share_of_real_data():
    calls = []

    def reference(size, rng):
        calls.append(size)
        return np.zeros(size)

    simulate_particles(reference, lambda x: x, 2, n=100, generations=2, lam=3.0, rng=0)
    assert calls == [100, 25, 25]


def test_without_curated_samples_all_data_are_real():
    history = simulate_particles(
        lambda size, rng: rng.random(size), lambda x: x, 2, n=50, generations=2, lam=0.0, rng=0
    )
    assert len(np.unique(history.samples)) == 150


def test_models_reproduce_their_training_set():
    rng = np.random.default_rng(3)
    samples = np.where(rng.random((2000, 1)) < 0.5, -4.0, 4.0) + rng.standard_normal((2000, 2))
    for fit, spread in ((empirical_model, 1.0), (kde_model, 1.7), (mixture_model(2), 1.0)):
        drawn = fit(samples)(20_000, rng)
        np.testing.assert_allclose(drawn.mean(axis=0), samples.mean(axis=0), atol=0.25)
        inside = np.abs(np.abs(drawn) - 4.0)
        assert drawn.shape == (20_000, 2)
        assert np.mean(inside < 3 * spread) > 0.985


def test_random_state_fixes_the_history():
    def run(fit):
        def normal(size, rng):
            return rng.standard_normal((size, 2))

        def reward(x):
            return -np.abs(x[:, 0])

        return simulate_particles(normal, reward, 3, n=60, generations=2, fit=fit, rng=5).samples

    for fit in (empirical_model, kde_model, mixture_model(2)):
        np.testing.assert_array_equal(run(fit), run(fit))


def test_refuses_bad_arguments():
    arguments = dict(n=10, generations=1)

    def draw(size, rng):
        return rng.random(size)

    with pytest.raises(ValueError, match="K must be"):
        simulate_particles(draw, lambda x: x, 0, **arguments)
    with pytest.raises(TypeError, match="K must be"):
        simulate_particles(draw, lambda x: x, math.inf, **arguments)
    with pytest.raises(ValueError, match="lam must be"):
        simulate_particles(draw, lambda x: x, 2, lam=-1.0, **arguments)
    with pytest.raises(ValueError, match=r"reward\(samples\) must have shape"):
        simulate_particles(draw, lambda x: x[:2], 2, **arguments)
    with pytest.raises(ValueError, match=r"reward\(samples\) must be finite"):
        simulate_particles(draw, lambda x: np.full(len(x), np.nan), 2, **arguments)
    with pytest.raises(ValueError, match="n_components must be"):
        mixture_model(0)
    with pytest.raises(ValueError, match="rewards must have 2"):
        luce_choice([0.0, 1.0])
