"""Targets: predictions against quadrature, SciPy, and the flow's own mixtures."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from theorytk.diffusion.schedules import EDM, VPLinear
from theorytk.diffusion.targets import (
    GaussianTarget,
    GuidedTarget,
    MixtureTarget,
    random_mixture,
    three_modes,
)
from theorytk.paths.mixtures import GaussianMixture

LEVELS = [(1.0, 0.0), (0.9, 0.3), (0.05, 1.0), (1.0, 80.0), (0.0, 1.0)]


def full_mixture():
    rng = np.random.default_rng(3)
    A = rng.standard_normal((4, 3, 3))
    return MixtureTarget(
        [0.1, 0.2, 0.3, 0.4], rng.standard_normal((4, 3)), A @ A.swapaxes(1, 2) + 0.2 * np.eye(3)
    )


TARGETS = {"full": full_mixture(), "diagonal": three_modes(), "wide": random_mixture(40, 7, rng=1)}


def points(target, n=9):
    return np.random.default_rng(0).standard_normal((n, target.dimension))


@pytest.mark.parametrize(("alpha", "sigma"), LEVELS)
@pytest.mark.parametrize("kind", TARGETS)
def test_score_and_density_are_those_of_the_marginal_mixture(kind, alpha, sigma):
    target = TARGETS[kind]
    x, law = points(target), target.law
    d = target.dimension
    covs = alpha**2 * law.covariances + sigma**2 * np.eye(d)
    marginal = GaussianMixture(law.weights, alpha * law.means, covs)
    np.testing.assert_allclose(target.score(x, alpha, sigma), marginal.score(x), rtol=1e-9)
    np.testing.assert_allclose(
        target.noise(x, alpha, sigma), -sigma * marginal.score(x), rtol=1e-9, atol=1e-14
    )
    parts = [
        np.log(w) + multivariate_normal(alpha * m, C).logpdf(x)
        for w, m, C in zip(law.weights, law.means, covs, strict=True)
    ]
    np.testing.assert_allclose(target.logpdf(x, alpha, sigma), logsumexp(parts, axis=0), rtol=1e-10)


@pytest.mark.parametrize(("alpha", "sigma"), [(0.9, 0.3), (0.05, 1.0), (1.0, 5.0)])
def test_data_is_the_posterior_mean_by_quadrature(alpha, sigma):
    target = MixtureTarget([0.3, 0.7], [-1.0, 2.0], [0.2, 0.5])

    def joint(x_0, x):
        prior = 0.3 * norm.pdf(x_0, -1, 0.2**0.5) + 0.7 * norm.pdf(x_0, 2, 0.5**0.5)
        return prior * norm.pdf(x, alpha * x_0, sigma)

    for x in (-2.0, 0.4, 3.0):
        mass, _ = quad(joint, -6, 8, args=(x,), epsabs=1e-13, epsrel=1e-12, limit=200)
        first, _ = quad(
            lambda x_0, x=x: x_0 * joint(x_0, x), -6, 8, epsabs=1e-13, epsrel=1e-12, limit=200
        )
        found = target.data([[x]], alpha, sigma)[0, 0]
        assert abs(found - first / mass) < 1e-8


@pytest.mark.parametrize("kind", TARGETS)
def test_data_and_noise_recompose_the_state(kind):
    target = TARGETS[kind]
    x = points(target)
    whole = 0.6 * target.data(x, 0.6, 0.8) + 0.8 * target.noise(x, 0.6, 0.8)
    np.testing.assert_allclose(whole, x, rtol=0, atol=1e-13)


def test_data_without_signal_is_the_mean():
    target = TARGETS["full"]
    np.testing.assert_allclose(
        target.data(points(target), 0.0, 2.0), np.tile(target.law.mean(), (9, 1)), atol=1e-14
    )


@pytest.mark.parametrize("kind", TARGETS)
def test_jacobian_diagonal_by_central_differences(kind):
    target, h = TARGETS[kind], 1e-5
    x = points(target)
    found = target.score_jacobian_diagonal(x, 0.8, 0.6)
    for a in range(target.dimension):
        e = h * np.eye(target.dimension)[a]
        slope = (target.score(x + e, 0.8, 0.6) - target.score(x - e, 0.8, 0.6))[:, a] / (2 * h)
        np.testing.assert_allclose(found[:, a], slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", TARGETS)
def test_array_api_matches_numpy(kind):
    target = TARGETS[kind]
    x = points(target)
    strict = array_api_strict.asarray(x)
    for name in ("noise", "data", "score", "score_jacobian_diagonal", "logpdf"):
        theirs = getattr(target, name)(strict, 0.7, 0.5)
        assert type(theirs) is type(strict)
        np.testing.assert_allclose(
            np.asarray(theirs), getattr(target, name)(x, 0.7, 0.5), rtol=1e-12, atol=1e-12
        )


def test_blocks_of_points_do_not_matter():
    target = TARGETS["wide"]
    x = points(target, 1000)
    one_by_one = np.concatenate([target.noise(x[i : i + 1], 0.7, 0.5) for i in range(1000)])
    np.testing.assert_allclose(target.noise(x, 0.7, 0.5), one_by_one, rtol=1e-13, atol=1e-15)


@pytest.mark.torch
def test_torch_matches_numpy():
    import torch

    for target in TARGETS.values():
        x = points(target)
        theirs = target.data(torch.from_numpy(x), 0.7, 0.5)
        np.testing.assert_allclose(theirs.numpy(), target.data(x, 0.7, 0.5), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", TARGETS)
def test_single_precision_stays_single(kind):
    target = TARGETS[kind]
    x = points(target)
    single = target.noise(x.astype(np.float32), 0.7, 0.5)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, target.noise(x, 0.7, 0.5), rtol=1e-3, atol=1e-4)


def test_far_points_empty_batches_and_points_that_are_not_finite():
    target = three_modes()
    assert np.isfinite(target.noise([[1e8, -1e8]], 1.0, 0.1)).all()
    assert target.data(np.empty((0, 2)), 0.5, 0.5).shape == (0, 2)
    lost = target.noise([[np.nan, 0.0], [0.0, 0.0]], 0.5, 0.5)
    assert np.isnan(lost[0]).any()
    assert np.isfinite(lost[1]).all()


def test_sample_has_the_moments_of_the_marginal():
    target, n = full_mixture(), 40_000
    alpha, sigma = 0.6, 0.8
    x = target.sample(n, 5, alpha, sigma)
    mean = alpha * target.law.mean()
    covariance = alpha**2 * target.law.covariance() + sigma**2 * np.eye(3)
    z = (x.mean(axis=0) - mean) / np.sqrt(np.diagonal(covariance) / n)
    assert np.abs(z).max() < 5.5
    squares = (x - mean) ** 2
    z = (squares.mean(axis=0) - np.diagonal(covariance)) / (squares.std(axis=0) / np.sqrt(n))
    assert np.abs(z).max() < 5.5
    np.testing.assert_array_equal(target.sample(5, 1), target.law.sample(5, 1))


@pytest.mark.parametrize("covariance", [0.3, [0.3, 2.0], [[2.0, 0.7], [0.7, 0.5]]])
def test_gaussian_flow_keeps_the_law_and_composes(covariance):
    target, schedule = GaussianTarget([1.0, -2.0], covariance), VPLinear()
    x = points(target)
    there = target.flow(x, schedule, 0.9, 0.3)
    np.testing.assert_allclose(
        target.flow(there, schedule, 0.3, 0.05), target.flow(x, schedule, 0.9, 0.05), rtol=1e-12
    )
    # The flow keeps the Mahalanobis distance, and with it the law.
    distances = []
    for states, t in ((x, 0.9), (there, 0.3)):
        mean, cov = target.moments(float(schedule.alpha(t)), float(schedule.sigma(t)))
        distances.append(multivariate_normal(mean, cov).logpdf(states))
    np.testing.assert_allclose(np.ptp(distances[0] - distances[1]), 0, atol=1e-12)


def test_guidance_between_unit_gaussians_moves_the_mean():
    schedule = EDM()
    one, two = GaussianTarget([0.0], 1.0), GaussianTarget([1.0], 1.0)
    guided, moved = GuidedTarget(one, two, 3.0), GaussianTarget([3.0], 1.0)
    x = np.linspace(-2, 2, 5)[:, None]
    for name in ("noise", "data", "score"):
        np.testing.assert_allclose(
            getattr(guided, name)(x, 0.8, 0.6), getattr(moved, name)(x, 0.8, 0.6), rtol=1e-12
        )
    np.testing.assert_allclose(guided.model(schedule)(x, 2.0), moved.noise(x, 1.0, 2.0), rtol=1e-12)


def test_component_and_named_targets():
    mixture = three_modes()
    np.testing.assert_array_equal(mixture.component(2).moments()[0], [0.1, -1.4])
    np.testing.assert_array_equal(mixture.component(2).moments()[1], np.diag([0.2, 0.1]))
    again = random_mixture(40, 7, rng=1)
    np.testing.assert_array_equal(again.law.means, TARGETS["wide"].law.means)


def test_bad_input():
    target = three_modes()
    with pytest.raises(ValueError, match="x must have shape"):
        target.noise([[1.0]], 0.5, 0.5)
    with pytest.raises(ValueError, match="x must be real of shape"):
        target.noise(np.zeros((2, 3)), 0.5, 0.5)
    with pytest.raises(ValueError, match="x must be real of shape"):
        target.noise(array_api_strict.zeros((2, 2), dtype=array_api_strict.int64), 0.5, 0.5)
    with pytest.raises(ValueError, match="alpha must be"):
        target.noise([[0.0, 0.0]], -0.5, 0.5)
    with pytest.raises(ValueError, match="must not both be 0"):
        target.noise([[0.0, 0.0]], 0.0, 0.0)
    with pytest.raises(ValueError, match="weights must be > 0"):
        MixtureTarget([0.5, 0.6], [0.0, 1.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="positive definite"):
        MixtureTarget([1.0], [[0.0, 1.0]], [[1.0, 0.0]])
    with pytest.raises(ValueError, match="one dimension"):
        GuidedTarget(target, GaussianTarget([0.0], 1.0), 2.0)
    with pytest.raises(TypeError, match="conditional must be a Target"):
        GuidedTarget(target, None, 2.0)
    with pytest.raises(ValueError, match="scale must be"):
        GuidedTarget(target, target, np.inf)
    with pytest.raises(ValueError, match="k must be"):
        target.component(3)
