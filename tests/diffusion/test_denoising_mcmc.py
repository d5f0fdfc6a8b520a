"""Denoising MCMC: the joint law by brute force, kernels by moments, denoising by the exact flow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from theorytk.diffusion.denoising_mcmc import (
    denoise,
    exact_kernel,
    langevin_gibbs,
    mala_kernel,
    ula_kernel,
)
from theorytk.diffusion.joint_law import JointLaw
from theorytk.diffusion.schedules import EDM
from theorytk.diffusion.targets import GaussianTarget, MixtureTarget

TARGET = MixtureTarget([0.5, 0.3, 0.2], [[2.0, 0.0], [-2.0, 1.0], [0.0, -3.0]], [0.05, 0.1, 0.2])
LEVELS = np.geomspace(0.05, 10, 12)
JOINT = JointLaw(TARGET, LEVELS)


def test_scores_and_densities_are_those_of_each_level():
    x = np.random.default_rng(0).standard_normal((7, 2)) * 3
    sigma = np.array([0.0, 0.05, 0.3, 1.0, 4.0, 10.0, 1e3])
    score, logpdf = JOINT.score_and_logpdf(x, sigma)
    for i, s in enumerate(sigma):
        np.testing.assert_allclose(score[i], TARGET.score(x[i : i + 1], 1.0, s)[0], rtol=1e-11)
        assert logpdf[i] == pytest.approx(TARGET.logpdf(x[i : i + 1], 1.0, s)[0], rel=1e-12)


def test_posterior_of_the_levels_by_brute_force():
    x = np.random.default_rng(1).standard_normal((20, 2)) * 4
    prior = np.arange(1.0, 13.0)
    joint = np.exp([TARGET.logpdf(x, 1.0, s) for s in LEVELS]).T * prior
    found = JointLaw(TARGET, LEVELS, prior).posterior(x)
    np.testing.assert_allclose(found, joint / joint.sum(axis=1, keepdims=True), rtol=1e-10)


def chi_square_passes(counts, probabilities):
    expected = counts.sum() * probabilities
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return statistic < chi2.ppf(1 - 1e-7, len(counts) - 1)


def test_drawn_levels_follow_the_posterior():
    x = np.tile([[1.0, 0.5]], (20_000, 1))
    drawn = np.searchsorted(LEVELS, JOINT.draw_levels(x, 0))
    probabilities = JOINT.posterior(x[:1])[0]
    likely = probabilities > 1e-3
    assert chi_square_passes(
        np.append(np.bincount(drawn, minlength=12)[likely], (~likely[drawn]).sum()),
        np.append(probabilities[likely], probabilities[~likely].sum()),
    )


@pytest.mark.parametrize("scaled", [True, False])
def test_mala_keeps_a_gaussian_and_ula_does_not(scaled):
    joint, n = JointLaw(GaussianTarget([1.0], 0.5), [2.0]), 100_000
    rng = np.random.default_rng(2)
    sigma, step = np.full(n, 2.0), 1.0 if scaled else 4.0
    variances = {}
    for name, kernel in (
        ("mala", mala_kernel(step, scaled=scaled)),
        ("ula", ula_kernel(step, scaled=scaled)),
    ):
        x = joint.sample_given(sigma, rng)
        for _ in range(6):
            x, accepted = kernel(joint, x, sigma, rng)
        variances[name] = x.var()
        assert 0.5 < accepted.mean() <= 1
    # A variance's relative standard error is sqrt(2 / n) = 0.45%; five and a half of them.
    assert variances["mala"] == pytest.approx(4.5, rel=0.025)
    # Unadjusted, V <- V (1 - eta / (2 V0))^2 + eta with eta = 4 from V = V0 = 4.5.
    V = 4.5
    for _ in range(6):
        V = V * (1 - 4 / 9) ** 2 + 4
    assert variances["ula"] == pytest.approx(V, rel=0.025)
    assert pytest.approx(4.5, rel=0.1) != V


@pytest.mark.parametrize("kernel", [exact_kernel, mala_kernel(0.5)])
def test_gibbs_keeps_the_prior_of_the_levels(kernel):
    prior = np.linspace(1, 2, 12)
    joint = JointLaw(TARGET, LEVELS, prior)
    result = langevin_gibbs(joint, *joint.sample(20_000, 3), n_sweeps=4, kernel=kernel, rng=4)
    counts = np.bincount(np.searchsorted(LEVELS, result.sigma), minlength=12)
    assert chi_square_passes(counts, joint.prior)
    assert result.level_counts.sum() == 80_000
    assert 0.8 < result.acceptance <= 1


def test_released_rules_warn_and_leave_the_prior():
    start = JOINT.sample(2000, 5)
    for options in (dict(level_rule="argmax"), dict(select="smallest", window=4)):
        with pytest.warns(UserWarning, match="is not kept"):
            result = langevin_gibbs(JOINT, *start, n_sweeps=4, rng=6, **options)
        counts = np.bincount(np.searchsorted(LEVELS, result.sigma), minlength=12)
        assert not chi_square_passes(counts, JOINT.prior)


def test_smallest_is_the_least_level_of_the_window():
    with pytest.warns(UserWarning, match="is not kept"):
        result = langevin_gibbs(
            JOINT, *JOINT.sample(50, 7), n_sweeps=5, select="smallest", window=1, rng=8
        )
    last = langevin_gibbs(JOINT, *JOINT.sample(50, 7), n_sweeps=5, rng=8)
    np.testing.assert_array_equal(result.x, last.x)
    np.testing.assert_array_equal(result.sigma, last.sigma)


def test_a_seed_gives_the_same_chains():
    runs = [langevin_gibbs(JOINT, *JOINT.sample(30, 9), n_sweeps=3, rng=10) for _ in range(2)]
    np.testing.assert_array_equal(runs[0].x, runs[1].x)
    assert runs[0].acceptance == runs[1].acceptance


def test_denoising_follows_the_exact_flow_of_a_gaussian():
    target = GaussianTarget([0.5, -1.0], 0.3)
    joint = JointLaw(target, LEVELS)
    sigma = np.array([0.2, 1.0, 7.0])
    x = np.random.default_rng(11).standard_normal((3, 2)) * 3
    found = denoise(joint, x, sigma, n_steps=400, sigma_min=0.1)
    for i, s in enumerate(sigma):
        flow = target.flow(x[i : i + 1], EDM(), s, 0.1)
        np.testing.assert_allclose(found[i], target.data(flow, 1.0, 0.1)[0], rtol=1e-4)
    below = denoise(joint, x, np.full(3, 0.05), n_steps=3, sigma_min=0.1)
    np.testing.assert_allclose(below, target.data(x, 1.0, 0.05), rtol=1e-12)
    tweedie = denoise(joint, x, np.full(3, 7.0), n_steps=0)
    np.testing.assert_allclose(tweedie, target.data(x, 1.0, 7.0), rtol=1e-12)


def test_bad_arguments_are_named():
    with pytest.raises(TypeError, match="target must be a MixtureTarget"):
        JointLaw("mixture", LEVELS)
    with pytest.raises(ValueError, match="multiples of the identity"):
        JointLaw(MixtureTarget([1.0], [[0.0, 0.0]], [[1.0, 2.0]]), LEVELS)
    with pytest.raises(ValueError, match="levels must be positive and increase"):
        JointLaw(TARGET, [1.0, 0.5])
    with pytest.raises(ValueError, match="prior must be > 0"):
        JointLaw(TARGET, [0.5, 1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="sigma must be >= 0"):
        JOINT.score([[0.0, 0.0]], [-1.0])
    with pytest.raises(ValueError, match="step must be a number > 0"):
        mala_kernel(0.0)
    start = JOINT.sample(3, 0)
    with pytest.raises(ValueError, match="level_rule must be one of"):
        langevin_gibbs(JOINT, *start, n_sweeps=1, level_rule="mode")
    with pytest.raises(ValueError, match="window must be an integer"):
        langevin_gibbs(JOINT, *start, n_sweeps=1, select="smallest", window=2)
    with pytest.raises(ValueError, match="sigma must have shape"):
        langevin_gibbs(JOINT, start[0], [1.0], n_sweeps=1)
    with pytest.raises(ValueError, match="rho must be a number >= 1"):
        denoise(JOINT, *start, n_steps=2, rho=0.5)
