"""Statistics of models against quadrature, closed forms and one another."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from theorytk.diffusion.models import Model
from theorytk.diffusion.schedules import EDM, VPLinear
from theorytk.diffusion.targets import GaussianTarget, GuidedTarget, MixtureTarget, random_mixture
from theorytk.diffusion.tuning.estimation import estimate_statistics
from theorytk.diffusion.tuning.statistics import ModelStatistics, gaussian_statistics

VP = VPLinear()
SPAN = dict(t_min=0.01, t_max=0.9)
ONE = MixtureTarget([0.3, 0.7], [-1.0, 0.6], [0.2, 0.05])
TABLES = ("linear", "scaling", "bias")


def expectation(values, target, alpha, sigma):
    """Return the mean of a function of x under a mixture on the line, by Gauss and Hermite."""
    z, w = np.polynomial.hermite_e.hermegauss(200)
    total = 0.0
    for weight, m, v in zip(
        target.law.weights, target.law.means[:, 0], target.law.covariances[:, 0, 0], strict=True
    ):
        x = alpha * m + np.sqrt(alpha**2 * v + sigma**2) * z
        total += weight * (values(x[:, None])[:, 0] @ w) / np.sqrt(2 * np.pi)
    return total


def population(target, lam, linear, slope):
    """Return l, and s and b for a given l and its slope, at a node, by quadrature.

    The derivative of the noise along the flow is by the chain rule in time, by differences of its
    two parts.
    """
    t = float(VP.t_of_lam(lam))
    alpha, sigma = float(VP.alpha(t)), float(VP.sigma(t))

    def mean(function):
        return expectation(function, target, alpha, sigma)

    def eps(x, at):
        t = float(VP.t_of_lam(at))
        return target.noise(x, float(VP.alpha(t)), float(VP.sigma(t)))

    def jacobian(x):
        return -(sigma**2) * target.score_jacobian_diagonal(x, alpha, sigma)

    def change(x, h=1e-4):
        growth = np.log(VP.alpha(VP.t_of_lam(lam + h))) - np.log(VP.alpha(VP.t_of_lam(lam - h)))
        speed = growth / (2 * h) * x - sigma * eps(x, lam)
        partial = (eps(x, lam + h) - eps(x, lam - h)) / (2 * h)
        return partial + jacobian(x) / sigma * speed

    def f(x):
        return (sigma * eps(x, lam) - linear * x) / alpha

    def rate(x):
        return np.exp(-lam) * ((linear - 1) * eps(x, lam) + change(x)) - slope * x / alpha

    variance = mean(lambda x: f(x) ** 2) - mean(f) ** 2
    s = (mean(lambda x: f(x) * rate(x)) - mean(f) * mean(rate)) / variance
    return mean(jacobian), s, mean(rate) - s * mean(f)


def test_a_mixture_on_the_line_against_quadrature():
    found = estimate_statistics(
        ONE, ONE.sample, VP, n_nodes=25, n_samples=20000, rng=0, jacobian="exact", **SPAN
    )
    slopes = CubicSpline(found.lam, found.linear[:, 0])(found.lam, 1)
    for i in range(0, 25, 3):
        exact = population(ONE, found.lam[i], found.linear[i, 0], slopes[i])
        for name, value in zip(TABLES, exact, strict=True):
            error = abs(getattr(found, name)[i, 0] - value)
            assert error < 5.5 * getattr(found, f"{name}_se")[i, 0] + 1e-7, (name, i)


def test_standard_errors_are_those_of_repetitions():
    runs = [
        estimate_statistics(
            ONE, ONE.sample, VP, n_nodes=5, n_samples=400, rng=seed, jacobian="exact", **SPAN
        )
        for seed in range(200)
    ]
    spread = np.std([run.linear for run in runs], axis=0)
    stated = np.mean([run.linear_se for run in runs], axis=0)
    np.testing.assert_allclose(stated, spread, rtol=0.3)


@pytest.mark.parametrize("schedule", [VP, EDM()])
def test_jacobians_agree(schedule):
    target = random_mixture(3, 4, rng=1)
    options = dict(n_nodes=41, n_samples=300, rng=2)
    exact, difference, hutchinson = (
        estimate_statistics(target, target.sample, schedule, jacobian=name, **options)
        for name in ("exact", "difference", "hutchinson")
    )
    np.testing.assert_allclose(difference.linear, exact.linear, rtol=0, atol=1e-7)
    np.testing.assert_allclose(difference.scaling, exact.scaling, rtol=1e-4, atol=1e-4)
    error = np.abs(hutchinson.linear - exact.linear)
    assert (error < 6 * hutchinson.linear_se + 1e-9).all()
    assert (error > 1e-6).any()


def test_any_prediction_and_any_model_will_do():
    target, options = random_mixture(2, 3, rng=0), dict(n_nodes=5, n_samples=50, rng=0)
    expected = estimate_statistics(target, target.sample, VP, **options)

    def data(x, t):
        return target.data(x, float(VP.alpha(t)), float(VP.sigma(t)))

    for model in (target.model(VP).function, Model(data, "data"), Model(data, "data", VP)):
        found = estimate_statistics(model, target.sample, VP, **options)
        np.testing.assert_allclose(found.linear, expected.linear, rtol=0, atol=1e-7)
    with pytest.raises(ValueError, match="model was made for EDM"):
        estimate_statistics(Model(data, "data", EDM()), target.sample, VP, **options)


def test_events_of_more_axes_and_pooling():
    target, options = random_mixture(4, 3, rng=0), dict(n_nodes=5, n_samples=60, rng=0)
    flat = estimate_statistics(target, target.sample, VP, **options)

    def folded(x, t):
        noise = target.noise(x.reshape(-1, 4), float(VP.alpha(t)), float(VP.sigma(t)))
        return noise.reshape(-1, 2, 2)

    def draw(n, rng):
        return target.sample(n, rng).reshape(n, 2, 2)

    square = estimate_statistics(folded, draw, VP, **options)
    assert square.event == (2, 2)
    for name in TABLES:
        table = getattr(square, name).reshape(5, 4)
        np.testing.assert_allclose(table, getattr(flat, name), rtol=1e-9, atol=1e-12)
    pooled = estimate_statistics(target, target.sample, VP, pooled=True, **options)
    assert pooled.event == ()
    np.testing.assert_allclose(pooled.linear, flat.linear.mean(axis=1), rtol=1e-12)
    assert (pooled.scaling_se > 0).all()


def test_single_precision_models():
    target, options = random_mixture(2, 3, rng=0), dict(n_nodes=31, n_samples=50, rng=0)
    expected = estimate_statistics(target, target.sample, VP, **SPAN, **options)

    def rough(x, t):
        return target.noise(x, float(VP.alpha(t)), float(VP.sigma(t))).astype(np.float32)

    found = estimate_statistics(rough, target.sample, VP, **SPAN, **options)
    np.testing.assert_allclose(found.linear, expected.linear, rtol=0, atol=1e-3)
    np.testing.assert_allclose(found.scaling, expected.scaling, rtol=0, atol=0.05)


@pytest.mark.parametrize("schedule", [VP, EDM(t_min=0.01, t_max=20.0)])
def test_gaussians_have_their_closed_form(schedule):
    target = GaussianTarget([1.0, -2.0], [0.3, 0.05])
    law = gaussian_statistics(target, schedule, n_nodes=241)
    found = estimate_statistics(
        target, target.sample, schedule, n_nodes=241, n_samples=4, rng=0, jacobian="exact"
    )
    np.testing.assert_allclose(found.lam, law.lam)
    np.testing.assert_allclose(found.linear, law.linear, rtol=1e-12)
    assert not found.scaling.any()
    np.testing.assert_allclose(found.bias, law.bias, rtol=0, atol=1e-5)


def test_full_covariances_have_no_closed_form_here():
    with pytest.raises(ValueError, match="target must have a diagonal covariance"):
        gaussian_statistics(GaussianTarget([0.0, 0.0], np.array([[1.0, 0.5], [0.5, 1.0]])), VP)
    with pytest.raises(TypeError, match="target must be a GaussianTarget"):
        gaussian_statistics(ONE, VP)


def test_files_give_back_every_bit(tmp_path):
    found = estimate_statistics(ONE, ONE.sample, VP, n_nodes=5, n_samples=20, rng=0)
    found.save(tmp_path / "statistics.npz")
    again = ModelStatistics.load(tmp_path / "statistics.npz")
    for f in dataclasses.fields(ModelStatistics):
        np.testing.assert_array_equal(getattr(again, f.name), getattr(found, f.name))
    np.savez(tmp_path / "other.npz", lam=found.lam)
    with pytest.raises(ValueError, match=r"path must hold the arrays .* lacks .*'linear'"):
        ModelStatistics.load(tmp_path / "other.npz")


def test_bad_tables():
    lam, table = np.linspace(-1, 1, 5), np.zeros((5, 2))
    for arguments, match in (
        ((lam[::-1], table, table, table), "lam must increase strictly"),
        ((lam[:3], table[:3], table[:3], table[:3]), r"lam \(its length\).*got 3"),
        ((lam, table[:4], table, table), "linear must have one row per node, 5"),
        ((lam, table, table[:, :1], table), "scaling must have shape"),
        ((lam, table, table, np.full((5, 2), np.nan)), "bias must be finite"),
        ((lam, table, table, table, table[:, 0]), "linear_se must have shape"),
    ):
        with pytest.raises(ValueError, match=match):
            ModelStatistics(*arguments)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (dict(n_nodes=3), "n_nodes must be an integer >= 4; got 3"),
        (dict(n_samples=1), "n_samples must be an integer >= 2; got 1"),
        (dict(jacobian="exakt"), "jacobian must be one of .*did you mean 'exact'"),
        (dict(t_min=0.5, t_max=0.2), "time grid must decrease"),
        (dict(draw=lambda n, rng: np.zeros(n)), r"draw must return \(16, \*event\)"),
        (dict(model=lambda x, t: x[:, :1]), "model's output must have shape"),
        (dict(model=lambda x, t: x * np.inf), "model's output must be finite"),
    ],
)
def test_bad_input(options, match):
    target = random_mixture(2, 3, rng=0)
    arguments = dict(model=target, draw=target.sample, n_nodes=5, n_samples=16, rng=0) | options
    with pytest.raises(ValueError, match=match):
        estimate_statistics(schedule=VP, **arguments)


def test_an_exact_jacobian_needs_a_target_that_has_one():
    guided = GuidedTarget(ONE, ONE.component(0), 2.0)
    with pytest.raises(ValueError, match=r"jacobian 'exact' needs a target .* GuidedTarget"):
        estimate_statistics(guided, ONE.sample, VP, jacobian="exact", n_nodes=5, rng=0)
    found = estimate_statistics(guided, ONE.sample, VP, n_nodes=5, n_samples=8, rng=0)
    assert np.isfinite(found.bias).all()
