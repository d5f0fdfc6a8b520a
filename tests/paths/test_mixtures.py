import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from theorytk.paths.interpolants import gamma_schedule, interpolant
from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant

TWO = GaussianMixture([0.5, 0.5], [-3.0, 3.0], [0.25, 0.25])
THREE = GaussianMixture([0.2, 0.3, 0.5], [-6.0, 0.0, 6.0], [0.5, 0.33, 0.5])
PATHS = [
    interpolant("linear"),
    interpolant("linear", "none"),
    interpolant("trigonometric", gamma_schedule("brownian", a=2.0)),
    interpolant("encoder-decoder"),
    interpolant("one-sided-linear"),
    interpolant("one-sided-vp"),
    interpolant("mirror"),
]


def mixture(K, d, seed):
    """Return a mixture with covariances that do not commute."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((K, d, d))
    covs = A @ A.swapaxes(1, 2) / d + 0.2 * np.eye(d)
    return GaussianMixture(rng.dirichlet(np.ones(K)), 2 * rng.standard_normal((K, d)), covs)


def flow_between(path, d=1):
    """Return a flow along the path, which may ask for a standard normal law or equal laws."""
    rho1 = THREE if d == 1 else mixture(3, d, 1)
    rho0 = TWO if d == 1 else mixture(2, d, 0)
    if path.one_sided:
        rho0 = GaussianMixture([1.0], np.zeros((1, d)), [1.0])
    return MixtureInterpolant(rho1 if path.name == "mirror" else rho0, rho1, path)


def by_joint_law(flow, t, x):
    """Return log density, b, s and the three means from the joint Gaussian law of (x0, x1, z).

    x_t and its derivative are linear maps of it; conditional means are regressions.
    """
    d, c = flow.dimension, flow.interpolant.coefficients(t)
    gamma, identity = np.sqrt(c.gamma2), np.eye(d)
    d_gamma = c.gamma_d_gamma / gamma if gamma > 0 else 0.0
    A = np.hstack([c.alpha * identity, c.beta * identity, gamma * identity])
    d_A = np.hstack([c.d_alpha * identity, c.d_beta * identity, d_gamma * identity])
    targets = np.vstack([d_A, np.eye(3 * d)])
    densities, means = [], []
    rho0, rho1 = flow.rho0, flow.rho1
    for p, m0, C0 in zip(rho0.weights, rho0.means, rho0.covariances, strict=True):
        for q, m1, C1 in zip(rho1.weights, rho1.means, rho1.covariances, strict=True):
            m, C = np.concatenate([m0, m1, np.zeros(d)]), np.zeros((3 * d, 3 * d))
            C[:d, :d], C[d : 2 * d, d : 2 * d], C[2 * d :, 2 * d :] = C0, C1, identity
            law = multivariate_normal(A @ m, A @ C @ A.T)
            densities.append(p * q * np.atleast_1d(law.pdf(x)))
            regression = np.linalg.solve(A @ C @ A.T, A @ C @ targets.T)
            means.append(targets @ m + (x - A @ m) @ regression)
    weights = np.array(densities) / np.sum(densities, axis=0)
    found = np.einsum("kn,kna->na", weights, np.array(means))
    return np.log(np.sum(densities, axis=0)), *np.split(found, 4, axis=1)


def test_density_against_scipy():
    rho = mixture(3, 2, 5)
    x = np.random.default_rng(0).standard_normal((20, 2))
    parts = zip(rho.weights, rho.means, rho.covariances, strict=True)
    expected = sum(p * multivariate_normal(m, C).pdf(x) for p, m, C in parts)
    np.testing.assert_allclose(rho.logpdf(x), np.log(expected), rtol=1e-12)


def test_scores_are_gradients():
    rho, h = mixture(3, 3, 2), 1e-5
    x = np.random.default_rng(0).standard_normal((20, 3))
    for a, step in enumerate(h * np.eye(3)):
        slope = (rho.logpdf(x + step) - rho.logpdf(x - step)) / (2 * h)
        np.testing.assert_allclose(rho.score(x)[:, a], slope, rtol=1e-6, atol=1e-6)


def test_draws_have_the_moments():
    rho, n = mixture(3, 2, 3), 40_000
    x = rho.sample(n, rng=0)
    errors = (x.mean(axis=0) - rho.mean()) / np.sqrt(np.diag(rho.covariance()) / n)
    assert np.abs(errors).max() < 5.1
    u = np.array([0.6, 0.8])
    squares = ((x - rho.mean()) @ u) ** 2
    assert abs(squares.mean() - u @ rho.covariance() @ u) < 5.1 * squares.std() / np.sqrt(n)


@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_fields_are_regressions(path, d):
    flow = flow_between(path, d)
    for t in (0.1, 0.37, 0.5, 0.8):
        x = flow.sample(t, 30, rng=0)
        logpdf, b, eta_0, eta_1, eta_z = by_joint_law(flow, t, x)
        np.testing.assert_allclose(flow.logpdf(t, x), logpdf, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(flow.velocity(t, x), b, rtol=1e-9, atol=1e-9)
        found = flow.conditional_means(t, x)
        if path.one_sided:
            eta_0 = eta_z
        for ours, theirs in zip(found, (eta_0, eta_1, eta_z), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(flow.denoiser(t, x), eta_z, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(flow.score(t, x), flow.marginal(t).score(x), atol=1e-10)
        c = path.coefficients(t)
        v = c.d_beta * eta_1 + (0 if path.one_sided else c.d_alpha * eta_0)
        np.testing.assert_allclose(flow.mean_velocity(t, x), v, rtol=1e-9, atol=1e-9)
        # (4.4): the three parts make up the point.
        whole = c.alpha * found[0] + c.beta * found[1] + np.sqrt(c.gamma2) * found[2]
        np.testing.assert_allclose(whole, x, atol=1e-12)


def test_velocity_by_brute_force():
    # E[dx_t/dt | x_t = x] as a double integral over the end points, with no Gaussian algebra.
    flow, t = MixtureInterpolant(TWO, THREE, interpolant("linear")), 0.3
    x0 = np.linspace(-7, 7, 701)[:, None]
    x1 = np.linspace(-12, 12, 1201)[None, :]
    weights = np.exp(TWO.logpdf(x0))[:, None] * np.exp(THREE.logpdf(x1.T))[None, :]
    gamma, d_gamma = np.sqrt(t * (1 - t)), (1 - 2 * t) / np.sqrt(t * (1 - t)) / 2
    for x in (-3.0, 0.5, 2.0):
        z = (x - (1 - t) * x0 - t * x1) / gamma
        joint = weights * norm.pdf(z)
        expected = np.sum(joint * (x1 - x0 + d_gamma * z)) / joint.sum()
        assert flow.velocity(t, [[x]])[0, 0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_fields_far_out_are_those_of_one_pair(path, d):
    flow = flow_between(path, d)
    x = np.array([[200.0] * d, [-200.0] * d])
    for t in (0.0, 0.01, 0.5, 0.99, 1.0):
        rho = flow.marginal(t)
        pairs = [multivariate_normal(m, C) for m, C in zip(rho.means, rho.covariances, strict=True)]
        logs = np.log(rho.weights)[:, None] + [np.atleast_1d(law.logpdf(x)) for law in pairs]
        best, gap = logs.argmax(axis=0), np.sort(logs, axis=0)
        b, s = flow.velocity_and_score(t, x)
        everything = (b, s, flow.logpdf(t, x), *flow.conditional_means(t, x))
        assert all(np.isfinite(values).all() for values in everything)
        for i, k in enumerate(best):
            if len(gap) == 1 or gap[-1, i] - gap[-2, i] > 40:
                expected = -np.linalg.solve(rho.covariances[k], x[i] - rho.means[k])
                np.testing.assert_allclose(s[i], expected, rtol=1e-10)


def test_every_point_can_have_its_time():
    for path, d in ((PATHS[0], 1), (PATHS[2], 3)):
        flow = flow_between(path, d)
        t = np.array([0.0, 0.2, 0.5, 0.7, 1.0])
        x = flow.sample(t, 5, rng=0)
        for name in ("logpdf", "velocity", "score", "mean_velocity", "denoiser"):
            together = getattr(flow, name)(t, x)
            for k in range(5):
                one = getattr(flow, name)(t[k], x[k : k + 1])
                np.testing.assert_allclose(together[k : k + 1], one, rtol=1e-11, atol=1e-11)


def test_single_precision_is_kept():
    flow = flow_between(PATHS[0], 2)
    x = flow.sample(0.5, 50, rng=0)
    single = flow.velocity(0.5, x.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, flow.velocity(0.5, x), rtol=2e-4, atol=2e-4)


@pytest.mark.torch
@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_tensors_against_numpy(path, d):
    import torch

    flow = flow_between(path, d)
    x = np.vstack([flow.sample(0.4, 50, rng=0), np.full((1, d), 200.0)])
    times = np.linspace(0, 1, len(x))
    for dtype, tolerance in ((torch.float64, 1e-11), (torch.float32, 2e-3)):
        tensor = torch.tensor(x, dtype=dtype)
        for t, at in ((0.4, 0.4), (times, torch.tensor(times))):
            for name in ("logpdf", "velocity", "score", "mean_velocity", "denoiser"):
                found = getattr(flow, name)(at, tensor)
                assert found.dtype == dtype
                scale = np.abs(getattr(flow, name)(t, x)).max()
                error = np.abs(found.numpy() - getattr(flow, name)(t, x)).max()
                assert error <= tolerance * max(scale, 1)


@pytest.mark.torch
def test_scores_are_gradients_of_tensors():
    import torch

    flow = flow_between(PATHS[0], 3)
    x = torch.tensor(flow.sample(0.3, 20, rng=0), requires_grad=True)
    flow.logpdf(0.3, x).sum().backward()
    np.testing.assert_allclose(x.grad, flow.score(0.3, x.detach()), rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="x must be finite"):
        flow.score(0.3, x.detach() * np.nan)
    with pytest.raises(ValueError, match=r"shape \(any, 3\); got \(20, 2\)"):
        flow.score(0.3, x.detach()[:, :2])


def test_empty_points_give_empty_fields():
    flow = flow_between(PATHS[0], 2)
    assert flow.velocity(0.5, np.empty((0, 2))).shape == (0, 2)


def test_weights_are_normalised():
    assert GaussianMixture([0.5, 0.5 + 5e-9], [0.0, 1.0], [1.0, 1.0]).weights.sum() == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.6], [0.0, 1.0], [1.0, 1.0]), "weights must be > 0 with sum 1"),
        (([1.0, 0.0], [0.0, 1.0], [1.0, 1.0]), "weights must be > 0"),
        (([], np.empty((0, 1)), np.empty((0, 1, 1))), "weights must be > 0"),
        (([0.5, 0.5], [0.0], [1.0, 1.0]), "means must have shape"),
        (([1.0], [0.0], [0.0]), "covariances must be positive definite"),
        (([1.0], [[0.0, 0.0]], [[[1.0, 0.5], [0.0, 1.0]]]), "covariances must be symmetric"),
        (([1.0], [[0.0, 0.0]], [[[1.0, 2.0], [2.0, 1.0]]]), "covariances must be positive"),
        (([1.0], [np.nan], [1.0]), "means must be finite"),
    ],
)
def test_bad_mixtures(arguments, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(*arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: MixtureInterpolant(TWO, mixture(2, 2, 0), PATHS[0]),
            "rho0 and rho1 must have one dimension; got 1, 2",
        ),
        (
            lambda: MixtureInterpolant(TWO, THREE, interpolant("one-sided-linear")),
            "rho0 must be standard normal for 'one-sided-linear'",
        ),
        (lambda: MixtureInterpolant(TWO, THREE, interpolant("mirror")), "rho0 must equal rho1"),
        (lambda: flow_between(PATHS[0]).velocity(1.5, [[0.0]]), r"t must be one time .* got 1.5"),
        (lambda: flow_between(PATHS[0]).velocity([0.1, 0.2], [[0.0]]), "one time or 1; got 2"),
        (lambda: flow_between(PATHS[0]).velocity(0.5, [0.0]), r"x must have shape \(any, 1\)"),
        (lambda: flow_between(PATHS[0]).velocity(0.5, [[np.inf]]), "x must be finite"),
        (lambda: TWO.sample(0), "n must be an integer >= 1"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
