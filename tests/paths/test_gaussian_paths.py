"""Derivatives by differences, the marginal velocity by its definition, sampling, bad input."""

import math

import numpy as np
import pytest

from theorytk.paths.datasets import normalise
from theorytk.paths.gaussian_paths import GaussianPath
from theorytk.paths.kinetic_optimal import best_vp_path, kinetic_optimal_path
from theorytk.paths.named_paths import (
    cond_ot_path,
    ddpm_path,
    perturbed_path,
    polynomial_path,
    trigonometric_path,
    vp_linear_path,
)
from theorytk.paths.oracles import gaussian_posterior_mean, gaussian_separation
from theorytk.paths.separation import separation_function

SPECTRUM = np.array([0.1, 0.5, 2.4])

PATHS = {
    "cond-ot": cond_ot_path(),
    "polynomial": polynomial_path(1.7),
    "trigonometric": trigonometric_path(),
    "vp-linear": vp_linear_path(),
    "ddpm": ddpm_path(cutoff=1e-3),
    "kinetic-optimal": kinetic_optimal_path(gaussian_separation(SPECTRUM)),
    "best-vp": best_vp_path(gaussian_separation(SPECTRUM)),
    "perturbed": perturbed_path(cond_ot_path(), -0.2),
}


@pytest.fixture(params=PATHS)
def path(request):
    return PATHS[request.param]


def test_derivatives_by_differences(path):
    t, h = np.linspace(0.05, 0.95, 19), 1e-5
    tolerance = dict(rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(path.da(t), (path.a(t + h) - path.a(t - h)) / (2 * h), **tolerance)
    np.testing.assert_allclose(path.dm(t), (path.m(t + h) - path.m(t - h)) / (2 * h), **tolerance)
    after, before, now = path.polar(t + h), path.polar(t - h), path.polar(t)
    np.testing.assert_allclose(now.dr, (after.r - before.r) / (2 * h), **tolerance)
    np.testing.assert_allclose(now.dtheta, (after.theta - before.theta) / (2 * h), **tolerance)


def test_ends(path):
    start = 0.00657 if path.name == "ddpm" else 0.0
    assert path.a(0.0) == pytest.approx(start, abs=1e-5)
    assert path.m(0.0) == pytest.approx(1, abs=3e-5)
    assert path.a(path.t_max) == pytest.approx(1, abs=1e-3)
    assert path.m(path.t_max) == pytest.approx(0, abs=0.02 if path.name == "ddpm" else 1e-12)


def test_velocity_by_its_definition(path):
    posterior = gaussian_posterior_mean(SPECTRUM)
    x = np.random.default_rng(0).standard_normal((5, 3))
    for t in (0.1, 0.6, 0.9):
        a, m, da, dm = (float(f(t)) for f in (path.a, path.m, path.da, path.dm))
        mean = posterior(x / m, a / m)
        expected = dm / m * x + (da - a * dm / m) * mean
        np.testing.assert_allclose(path.velocity(t, x, posterior), expected, rtol=1e-8, atol=1e-9)


def test_velocity_is_finite_at_both_ends(path):
    data = normalise(np.random.default_rng(1).standard_normal((10, 3)))
    x = np.random.default_rng(2).standard_normal((6, 3))
    assert np.isfinite(path.velocity(0.0, x, data.posterior_mean)).all()
    assert np.isfinite(path.velocity(path.t_max, data.points, data.posterior_mean)).all()


def test_optimal_velocity_at_the_start_is_the_limit():
    law = gaussian_separation(SPECTRUM)
    path, posterior = kinetic_optimal_path(law), gaussian_posterior_mean(SPECTRUM)
    x = np.random.default_rng(3).standard_normal((4, 3))
    angle, spread = law.angle(), math.sqrt(np.mean(SPECTRUM**2) - 1)
    pull = math.sin(angle) / spread
    expected = -(1 - math.cos(angle) + pull) * x + pull * SPECTRUM * x
    np.testing.assert_allclose(path.velocity(0.0, x, posterior), expected, rtol=1e-4)


def test_flow_of_a_gaussian_is_the_quantile_map(path):
    # The flow of a Gaussian law scales coordinate i by sqrt(a^2 e_i + m^2) from its start.
    posterior = gaussian_posterior_mean(SPECTRUM)
    x = np.random.default_rng(4).standard_normal((20, 3))
    end = np.sqrt(path.a(path.t_max) ** 2 * SPECTRUM + path.m(path.t_max) ** 2)
    start = np.sqrt(path.a(0.0) ** 2 * SPECTRUM + path.m(0.0) ** 2)
    errors = [
        np.abs(path.sample(x, posterior, n, method="heun") - x * end / start).max()
        for n in (200, 1600)
    ]
    assert errors[1] < 0.02
    assert errors[1] < 0.5 * errors[0]


def test_last_step_of_cond_ot_lands_on_the_data():
    data = normalise(np.random.default_rng(5).standard_normal((12, 4)))
    x0 = np.random.default_rng(6).standard_normal((30, 4))
    for method in ("euler", "heun", "rk4"):
        x = cond_ot_path().sample(x0, data.posterior_mean, 20, method=method)
        gaps = np.sqrt(((x[:, None] - data.points) ** 2).sum(axis=-1)).min(axis=1)
        assert np.median(gaps) < 1e-8


def test_one_step_of_euler_by_hand():
    data = normalise(np.random.default_rng(7).standard_normal((12, 4)))
    x0 = np.random.default_rng(8).standard_normal((3, 4))
    mean = np.broadcast_to(data.points.mean(axis=0), (3, 4))
    one = cond_ot_path().sample(x0, data.posterior_mean, 1)
    np.testing.assert_allclose(one, mean, atol=1e-8)


@pytest.mark.torch
def test_torch_equals_numpy():
    import torch

    X = np.random.default_rng(9).standard_normal((30, 4))
    x0 = np.random.default_rng(10).standard_normal((7, 4))
    path = kinetic_optimal_path(separation_function(X, rng=0))
    expected = path.sample(x0, normalise(X).posterior_mean, 6, method="rk4")
    data = normalise(torch.tensor(X))
    found = path.sample(torch.tensor(x0), data.posterior_mean, 6, method="rk4")
    assert isinstance(found, torch.Tensor)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-9)


def test_bad_arguments():
    path = trigonometric_path()
    for t in (-0.1, 1.1):
        for call in (path.a, path.m, path.da, path.dm, path.polar):
            with pytest.raises(ValueError, match=r"t must be in \[0, 1\]"):
                call(t)
        with pytest.raises(ValueError, match="t must be a number >= 0 and <= 1"):
            path.velocity(t, np.zeros((1, 2)), lambda y, s: y)
    with pytest.raises(ValueError, match=r"t must be in \[0, 0.9\]"):
        ddpm_path(cutoff=0.1).a(0.95)
    with pytest.raises(ValueError, match="did you mean 'heun'"):
        path.sample(np.zeros((1, 2)), lambda y, s: y, 2, method="heum")
    with pytest.raises(ValueError, match="n_steps must be an integer >= 1"):
        path.sample(np.zeros((1, 2)), lambda y, s: y, 0)
    with pytest.raises(ValueError, match=r"x0 must have 2 dimension\(s\)"):
        path.sample(np.zeros(2), lambda y, s: y, 1)
    assert isinstance(path, GaussianPath)
