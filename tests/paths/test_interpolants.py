import math

import numpy as np
import pytest

from theorytk.paths.interpolants import (
    Gamma,
    Interpolant,
    NonlinearInterpolant,
    gamma_schedule,
    interpolant,
)

NAMED = [
    interpolant("linear"),
    interpolant("linear", gamma_schedule("brownian", a=2.0)),
    interpolant("linear", "quadratic"),
    interpolant("linear", gamma_schedule("sin-squared", a=0.5)),
    interpolant("linear", "none"),
    interpolant("trigonometric"),
    interpolant("trigonometric", gamma_schedule("brownian", a=3.0)),
    interpolant("trigonometric", "none"),
    interpolant("encoder-decoder"),
    interpolant("mirror"),
    interpolant("one-sided-linear"),
    interpolant("one-sided-trigonometric"),
    interpolant("one-sided-vp"),
]
TIMES = np.array([0.1, 0.3, 0.45, 0.62, 0.9])


@pytest.mark.parametrize("path", NAMED, ids=lambda path: f"{path.name}, {path.gamma.name}")
def test_derivatives_are_those_of_the_coefficients(path):
    h = 1e-5
    below, here, above = (path.coefficients(TIMES + k * h) for k in (-1, 0, 1))
    for value, derivative, factor in [
        ("alpha", "d_alpha", 1),
        ("beta", "d_beta", 1),
        ("gamma2", "gamma_d_gamma", 0.5),
    ]:
        slope = factor * (getattr(above, value) - getattr(below, value)) / (2 * h)
        np.testing.assert_allclose(getattr(here, derivative), slope, atol=1e-7)


@pytest.mark.parametrize("path", NAMED, ids=lambda path: f"{path.name}, {path.gamma.name}")
def test_ends_are_the_end_points(path):
    x0, x1, z = np.random.default_rng(0).standard_normal((3, 5, 2))
    start = x1 if path.name == "mirror" else x0
    np.testing.assert_allclose(path.interpolate(0.0, x0, x1, z), start, atol=1e-15)
    np.testing.assert_allclose(path.interpolate(1.0, x0, x1, z), x1, atol=1e-15)
    assert all(np.isfinite(path.coefficients([0.0, 0.5, 1.0])).ravel())


@pytest.mark.parametrize(
    ("path", "alpha", "beta", "gamma"),
    [
        (interpolant("linear"), 0.7, 0.3, math.sqrt(0.21)),
        (
            interpolant("trigonometric", gamma_schedule("brownian", a=2.0)),
            math.sqrt(0.58) * math.cos(0.15 * math.pi),
            math.sqrt(0.58) * math.sin(0.15 * math.pi),
            math.sqrt(0.42),
        ),
        (
            interpolant("encoder-decoder"),
            math.cos(0.3 * math.pi) ** 2,
            0,
            math.sin(0.3 * math.pi) ** 2,
        ),
        (interpolant("mirror", "quadratic"), 0, 1, 0.21),
        (interpolant("one-sided-linear"), 0.7, 0.3, 0),
        (
            interpolant("one-sided-trigonometric"),
            math.cos(0.15 * math.pi),
            math.sin(0.15 * math.pi),
            0,
        ),
        (interpolant("one-sided-vp"), math.sqrt(0.91), 0.3, 0),
    ],
)
def test_named_interpolants_by_their_formulas(path, alpha, beta, gamma):
    x0, x1, z = np.random.default_rng(0).standard_normal((3, 4, 2))
    expected = alpha * x0 + beta * x1 + gamma * z
    np.testing.assert_allclose(path.interpolate(0.3, x0, x1, z), expected, rtol=1e-13)


def test_times_of_each_draw():
    x0, x1, z = np.random.default_rng(0).standard_normal((3, 5, 2))
    path = interpolant("trigonometric")
    together = path.interpolate(TIMES, x0, x1, z)
    for k, t in enumerate(TIMES):
        one = path.interpolate(t, x0[k : k + 1], x1[k : k + 1], z[k : k + 1])
        np.testing.assert_allclose(together[k : k + 1], one, rtol=1e-14)


def test_own_paths_agree_with_the_named():
    x0, x1, z = np.random.default_rng(0).standard_normal((3, 5, 2))
    gamma = gamma_schedule("quadratic")
    own = NonlinearInterpolant(
        lambda t, x0, x1: (1 - t) * x0 + t * x1, lambda t, x0, x1: x1 - x0 + 0 * t, gamma
    )
    for ours, named in zip(
        own.parts(TIMES, x0, x1, z),
        interpolant("linear", gamma).parts(TIMES, x0, x1, z),
        strict=True,
    ):
        np.testing.assert_allclose(ours, named)


def test_score_from_denoiser():
    path = interpolant("linear", gamma_schedule("brownian", a=4.0))
    assert path.score_from_denoiser(0.5, 3.0) == -3.0
    assert interpolant("one-sided-linear").score_from_denoiser(0.75, 3.0) == -12.0
    with pytest.raises(ValueError, match=r"gamma > 0 for 'linear'; got 1\.0"):
        path.score_from_denoiser(1.0, 3.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interpolant("lineal"), "did you mean 'linear'"),
        (lambda: gamma_schedule("browning"), "did you mean 'brownian'"),
        (lambda: gamma_schedule("brownian", a=0.0), "a must be a number > 0"),
        (lambda: interpolant("encoder-decoder", "none"), "vanish together .* at t = 0.5"),
        (lambda: interpolant("trigonometric", "sin-squared"), "gamma must be < 1"),
        (
            lambda: interpolant("trigonometric", gamma_schedule("brownian", a=4.0)),
            "gamma must be < 1",
        ),
        (lambda: interpolant("one-sided-vp", "brownian"), "whose x0 is the noise; got 'brownian'"),
        (lambda: interpolant("linear").coefficients(1.1), r"t must be one time .* got 1.1"),
        (lambda: interpolant("linear").coefficients([-0.1, 0.5]), r"times in \[0, 1\]"),
        (lambda: interpolant("linear").coefficients(np.nan), "t must be finite"),
        (lambda: interpolant("linear").coefficients(np.ones((2, 2))), "one time or"),
        (
            lambda: interpolant("linear").interpolate(0.5, np.ones((1, 1)), np.ones((1, 1))),
            "z must be given, since gamma is 'brownian'",
        ),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_negative_square_is_refused():
    gamma = Gamma("wrong", lambda t: -t, lambda t: -np.ones_like(t) / 2)
    linear = interpolant("linear")
    wrong = Interpolant("own", linear.alpha, linear.beta, linear.d_alpha, linear.d_beta, gamma)
    with pytest.raises(ValueError, match=r"must not be negative.*'wrong' for 'own' at t = 0\.25"):
        wrong.coefficients([0.0, 0.25])


@pytest.mark.torch
def test_tensors_stay_tensors():
    import torch

    x0, x1, z = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([0.1, 0.2, 0.3, 0.9])
    path = interpolant("linear")
    found = path.interpolate(t, x0, x1, z)
    assert found.dtype == torch.float32
    expected = path.interpolate(t.numpy(), x0.numpy(), x1.numpy(), z.numpy())
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)
