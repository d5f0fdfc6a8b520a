import math

import numpy as np
import pytest

from theorytk.paths.interpolants import NonlinearInterpolant, gamma_schedule, interpolant
from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant
from theorytk.paths.objectives import TARGETS, interpolant_loss

TWO = GaussianMixture([0.5, 0.5], [-1.0, 1.0], [0.25, 0.25])
THREE = GaussianMixture([0.2, 0.3, 0.5], [-2.0, 0.0, 2.0], [0.5, 0.33, 0.5])
NORMAL = GaussianMixture([1.0], [0.0], [1.0])
FLOWS = [
    MixtureInterpolant(TWO, THREE, interpolant("trigonometric")),
    MixtureInterpolant(TWO, THREE, interpolant("encoder-decoder")),
    MixtureInterpolant(NORMAL, THREE, interpolant("one-sided-trigonometric")),
]


def exact(flow, target):
    return getattr(flow, target.replace("-", "_"))


def draws(flow, n, seed=0):
    """Return t, x0, x1, z."""
    rng = np.random.default_rng(seed)
    t = rng.uniform(0.05, 0.95, n)
    return t, flow.rho0.sample(n, rng), flow.rho1.sample(n, rng), rng.standard_normal((n, 1))


@pytest.mark.parametrize("antithetic", [False, True])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "path",
    [
        interpolant("linear", "quadratic"),
        interpolant("one-sided-vp"),
        NonlinearInterpolant(
            lambda t, x0, x1: (1 - t) * x0 + t**2 * x1,
            lambda t, x0, x1: -x0 + 2 * t * x1,
            gamma_schedule("brownian", a=2.0),
        ),
    ],
    ids=["linear", "one-sided", "nonlinear"],
)
def test_losses_by_their_definition(path, target, antithetic):
    rng = np.random.default_rng(0)
    x0, x1, z = rng.standard_normal((3, 6, 2))
    t, h = rng.uniform(0.2, 0.8, 6), 1e-6
    one_sided = isinstance(path, type(interpolant("linear"))) and path.one_sided

    def field(t, x):
        return np.sin(x) + t[:, None]

    def plain(sign):
        # The noise and its scale by differences of the draws themselves.
        ends = (sign * x0, x1, z) if one_sided else (x0, x1, sign * z)
        noise = sign * (x0 if one_sided else z)
        silent = (0 * x0, x1, z) if one_sided else (x0, x1, 0 * z)
        x = path.interpolate(t, *ends)
        scale = ((x - path.interpolate(t, *silent)) / noise).mean(axis=1)

        def slope(ends):
            return (path.interpolate(t + h, *ends) - path.interpolate(t - h, *ends)) / (2 * h)

        y = {
            "velocity": slope(ends),
            "mean-velocity": slope(silent),
            "score": -noise / scale[:, None],
            "denoiser": noise,
        }[target]
        f = field(t, x)
        return (f**2).sum(axis=1) / 2 - (f * y).sum(axis=1)

    expected = (plain(1) + plain(-1)) / 2 if antithetic else plain(1)
    found = interpolant_loss(field, target, path, t, x0, x1, z, antithetic=antithetic)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.interpolant.name)
def test_the_excess_is_half_the_mean_square_error(flow, target):
    n = 20_000
    t, x0, x1, z = draws(flow, n)

    def wrong(t, x):
        return exact(flow, target)(t, x) + np.sin(2 * x) + 0.5

    arguments = (target, flow.interpolant, t, x0, x1, z)
    excess = interpolant_loss(wrong, *arguments) - interpolant_loss(exact(flow, target), *arguments)
    error = (np.sin(2 * flow.interpolant.interpolate(t, x0, x1, z)[:, 0]) + 0.5) ** 2
    difference = excess - error / 2
    assert abs(difference.mean()) < 5.1 * difference.std() / math.sqrt(n)
    # Without the factor one half, or with the other sign of the target, it fails.
    assert abs((excess - error).mean()) > 5.1 * (excess - error).std() / math.sqrt(n)


@pytest.mark.parametrize("target", ["velocity", "score"])
def test_antithetic_draws_bound_the_variance(target):
    flow, n = FLOWS[0], 20_000
    _, x0, x1, z = draws(flow, n)

    def sd(t, antithetic):
        return interpolant_loss(
            exact(flow, target), target, flow.interpolant, t, x0, x1, z, antithetic=antithetic
        ).std()

    assert sd(1e-6, False) > 5 * sd(1e-4, False)
    assert sd(1e-6, True) == pytest.approx(sd(1e-4, True), rel=0.1)


def test_noise_may_be_none():
    flow = MixtureInterpolant(TWO, THREE, interpolant("linear", "none"))
    t, x0, x1, _ = draws(flow, 10)
    for at in (t, 0.0, 1.0):
        loss = interpolant_loss(lambda t, x: x, "velocity", flow.interpolant, at, x0, x1)
        x = flow.interpolant.interpolate(at, x0, x1)
        np.testing.assert_allclose(loss, (x * (x / 2 - (x1 - x0)))[:, 0])


@pytest.mark.torch
def test_gradients_flow_through_tensors():
    import torch

    flow = FLOWS[0]
    numbers = draws(flow, 200)
    tensors = [torch.tensor(values) for values in numbers]
    weight = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)

    def loss(target, weight, arguments):
        path = flow.interpolant
        return interpolant_loss(lambda t, x: weight * x, target, path, *arguments).mean()

    for target in TARGETS:
        weight.grad = None
        found = loss(target, weight, tensors)
        found.backward()
        assert found.item() == pytest.approx(loss(target, 0.7, numbers), rel=1e-12)
        slope = (loss(target, 0.7 + 1e-5, numbers) - loss(target, 0.7 - 1e-5, numbers)) / 2e-5
        assert weight.grad.item() == pytest.approx(slope, rel=1e-7)


ONES = np.ones((3, 1))


@pytest.mark.parametrize(
    ("target", "t", "message"),
    [
        ("speed", 0.5, "target must be one of"),
        ("velocity", 0.0, "gamma > 0 for the velocity; got one where it is 0"),
        ("score", 1.0, "gamma > 0 for the score"),
        ("score", [0.5, 0.5, 1.0], "gamma > 0 for the score"),
        ("denoiser", 1.2, r"times in \[0, 1\]"),
    ],
)
def test_bad_arguments(target, t, message):
    with pytest.raises(ValueError, match=message):
        interpolant_loss(lambda t, x: x, target, interpolant("linear"), t, ONES, ONES, ONES)
    with pytest.raises(ValueError, match="gamma > 0 for the score"):
        interpolant_loss(
            lambda t, x: x, "score", interpolant("linear", "none"), 0.5, ONES, ONES, ONES
        )
