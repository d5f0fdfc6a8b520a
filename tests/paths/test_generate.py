import math

import numpy as np
import pytest
from scipy.stats import kstest, norm

from theorytk.paths.generate import (
    METHODS,
    denoise,
    feynman_kac,
    integrate_ode,
    integrate_sde,
)
from theorytk.paths.interpolant_theory import euler_maruyama_moments
from theorytk.paths.interpolants import interpolant
from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant

TWO = GaussianMixture([0.5, 0.5], [-3.0, 3.0], [0.25, 0.25])
THREE = GaussianMixture([1 / 3] * 3, [-6.0, 0.0, 6.0], [0.5, 0.33, 0.5])
NORMAL = GaussianMixture([1.0], [0.0], [1.0])

# Kolmogorov's distance of n draws exceeds this over sqrt(n) with probability at most 1e-6.
KOLMOGOROV = math.sqrt(math.log(2e6) / 2)


def distance(rho, x):
    """Return sqrt(n) times Kolmogorov's distance of draws from a mixture on the line."""
    sd = np.sqrt(rho.covariances[:, 0, 0])

    def cdf(y):
        return norm.cdf(np.asarray(y)[:, None], rho.means[:, 0], sd) @ rho.weights

    return kstest(x[:, 0], cdf).statistic * math.sqrt(len(x))


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun", 2), ("rk4", 4)])
def test_orders_of_the_methods(method, order):
    # The logit of x' = (1 + t) x (1 - x) grows by t + t^2 / 2.
    def velocity(t, x):
        return (1 + t) * x * (1 - x)

    x = np.array([[0.05]])
    exact = 1 / (1 + 19 * math.exp(-1.5))
    errors = [
        abs(integrate_ode(velocity, x, n_steps=n, method=method)[0, 0] - exact)
        for n in (20, 40, 80)
    ]
    observed = -np.diff(np.log2(errors))
    np.testing.assert_allclose(observed, order, atol=0.2)


@pytest.mark.parametrize("method", METHODS)
def test_time_runs_both_ways(method):
    flow = MixtureInterpolant(TWO, THREE, interpolant("linear"))
    x = TWO.sample(20, rng=0)
    there = integrate_ode(flow.velocity, x, n_steps=300, method=method, t_span=(0, 0.4))
    back = integrate_ode(flow.velocity, there, n_steps=300, method=method, t_span=(0.4, 0))
    np.testing.assert_allclose(back, x, atol=0.1 if method == "euler" else 1e-3)


@pytest.mark.parametrize(
    "path",
    [interpolant("trigonometric"), interpolant("linear", "quadratic")],
    ids=lambda path: path.name,
)
def test_the_ode_reaches_the_other_law(path):
    flow = MixtureInterpolant(TWO, THREE, path)
    assert distance(THREE, integrate_ode(flow.velocity, TWO.sample(5000, 1), n_steps=100)) < (
        KOLMOGOROV
    )
    x = integrate_ode(flow.velocity, THREE.sample(5000, 1), n_steps=100, t_span=(1, 0))
    assert distance(TWO, x) < KOLMOGOROV


@pytest.mark.parametrize("epsilon", [0.5, 2.0, lambda t: 4 * t * (1 - t)])
def test_the_sde_reaches_the_other_law_both_ways(epsilon):
    flow = MixtureInterpolant(TWO, THREE, interpolant("trigonometric"))
    arguments = dict(epsilon=epsilon, n_steps=400, rng=2)
    x = integrate_sde(flow.velocity_and_score, TWO.sample(5000, 1), **arguments)
    assert distance(THREE, x) < KOLMOGOROV
    x = integrate_sde(flow.velocity_and_score, THREE.sample(5000, 1), t_span=(1, 0), **arguments)
    assert distance(TWO, x) < KOLMOGOROV


def test_the_sde_needs_the_score():
    flow = MixtureInterpolant(TWO, THREE, interpolant("trigonometric"))
    x = TWO.sample(5000, 1)

    def without(t, x):
        b, s = flow.velocity_and_score(t, x)
        return b, 0 * s

    x = integrate_sde(without, x, epsilon=2.0, n_steps=400, rng=2)
    assert distance(THREE, x) > 1.5 * KOLMOGOROV


def test_draws_have_the_moments_of_the_recursion():
    flow = MixtureInterpolant(
        NORMAL, GaussianMixture([1.0], [3.0], [4.0]), interpolant("linear", "quadratic")
    )
    n = 40_000
    x = integrate_sde(flow.velocity_and_score, NORMAL.sample(n, 0), epsilon=1.0, n_steps=10, rng=1)
    mean, variance = euler_maruyama_moments(
        flow.velocity_and_score, 0.0, 1.0, epsilon=1.0, n_steps=10
    )
    assert abs(x.mean() - mean) < 5.1 * math.sqrt(variance / n)
    assert abs(x.var() / variance - 1) < 5.3 * math.sqrt(2 / n)
    # The step is coarse enough that the exact variance 4 would be refused.
    assert abs(x.var() / 4 - 1) > 5.3 * math.sqrt(2 / n)


def test_without_diffusion_it_is_eulers_method():
    flow = MixtureInterpolant(TWO, THREE, interpolant("linear"))
    x = TWO.sample(50, rng=0)
    ours = integrate_sde(flow.velocity_and_score, x, epsilon=0.0, n_steps=7, rng=0)
    theirs = integrate_ode(flow.velocity, x, n_steps=7, method="euler")
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_the_random_state_decides_the_noise():
    def fields(t, x):
        return 0 * x, -x

    x = np.zeros((5, 2))
    one, same, other = (
        integrate_sde(fields, x, epsilon=1.0, n_steps=3, rng=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).all()


@pytest.mark.parametrize("name", ["one-sided-linear", "one-sided-trigonometric", "one-sided-vp"])
def test_denoising_is_exact_on_a_point(name):
    path = interpolant(name)

    def means(t, x):
        c = path.coefficients(t)
        return None, np.full_like(x, 2.0), (x - c.beta * 2.0) / np.sqrt(c.gamma2)

    x = np.random.default_rng(0).standard_normal((10, 1))
    np.testing.assert_allclose(denoise(path, means, x, n_steps=4), 2.0, atol=1e-12)


def test_denoising_along_the_linear_path_is_eulers_method():
    flow = MixtureInterpolant(NORMAL, THREE, interpolant("one-sided-linear"))
    x = NORMAL.sample(50, rng=0)
    ours = denoise(flow.interpolant, flow.conditional_means, x, n_steps=9)
    theirs = integrate_ode(flow.velocity, x, n_steps=9, method="euler")
    np.testing.assert_allclose(ours, theirs, rtol=1e-11)


@pytest.mark.parametrize("name", ["one-sided-trigonometric", "one-sided-linear"])
def test_denoising_is_of_order_one(name):
    flow = MixtureInterpolant(NORMAL, THREE, interpolant(name))
    x = np.linspace(-2, 2, 11)[:, None]
    exact = integrate_ode(flow.velocity, x, n_steps=400)
    errors = [
        np.abs(denoise(flow.interpolant, flow.conditional_means, x, n_steps=n) - exact).mean()
        for n in (250, 500)
    ]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(1, abs=0.1)


def test_feynman_kac_gives_the_density():
    # dX = -epsilon X dt + sqrt(2 epsilon) dW keeps the standard normal law.
    x, n, epsilon = np.array([0.0, 1.0, 2.0]), 20_000, 0.25
    draws = feynman_kac(
        np.repeat(x, n)[:, None],
        lambda t, x: -epsilon * x,
        lambda t, x: np.full(len(x), -epsilon),
        lambda x: norm.pdf(x[:, 0]),
        epsilon=epsilon,
        n_steps=100,
        rng=0,
    ).reshape(3, n)
    errors = (draws.mean(axis=1) - norm.pdf(x)) / draws.std(axis=1) * math.sqrt(n)
    assert np.abs(errors).max() < 5.1
    # Without the divergence the result is wrong by the factor exp(-epsilon).
    assert (np.abs(draws.mean(axis=1) * math.exp(-epsilon) - norm.pdf(x)) > 0.01).all()


def test_feynman_kac_takes_time_backwards():
    # x' = 2 t, from uniform on (0, 1) to uniform on (1, 2): no divergence, the path decides.
    x = np.array([[0.9], [1.1], [1.9], [2.1]])
    draws = feynman_kac(
        x,
        lambda t, x: 2 * t + 0 * x,
        lambda t, x: np.zeros(len(x)),
        lambda x: ((x[:, 0] > 0) & (x[:, 0] < 1)) * 1.0,
        epsilon=0.0,
        n_steps=100,
    )
    np.testing.assert_array_equal(draws, [0, 1, 1, 0])


@pytest.mark.torch
def test_tensors_against_numpy():
    import torch

    flow = MixtureInterpolant(NORMAL, THREE, interpolant("one-sided-vp"))
    x = NORMAL.sample(20, rng=0)
    tensor = torch.tensor(x)
    pairs = [
        (integrate_ode(flow.velocity, v, n_steps=20, t_span=(0, 0.99)) for v in (x, tensor)),
        (
            integrate_sde(flow.velocity_and_score, v, epsilon=1.0, n_steps=50, rng=0)
            for v in (x, tensor)
        ),
        (denoise(flow.interpolant, flow.conditional_means, v, n_steps=20) for v in (x, tensor)),
    ]
    for ours, theirs in pairs:
        assert theirs.dtype == torch.float64
        np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-9, atol=1e-9)


X = np.zeros((2, 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: integrate_ode(lambda t, x: x, X, n_steps=0), "n_steps must be an integer >= 1"),
        (
            lambda: integrate_ode(lambda t, x: x, X, n_steps=1, method="rk5"),
            "method must be one of .* did you mean 'rk4'",
        ),
        (
            lambda: integrate_ode(lambda t, x: x, X, n_steps=1, t_span=(0, 1.5)),
            r"t_span\[1\] must be a number >= 0 and <= 1; got 1.5",
        ),
        (
            lambda: integrate_sde(lambda t, x: (x, x), X, n_steps=1, epsilon=-1.0),
            "epsilon must be a number >= 0",
        ),
        (
            lambda: integrate_sde(lambda t, x: (x, x), X, n_steps=1, epsilon=lambda t: math.nan),
            "epsilon must be a number >= 0; got nan",
        ),
        (
            lambda: denoise(interpolant("linear"), lambda t, x: (x, x, x), X, n_steps=1),
            "interpolant must be one-sided; got 'linear'",
        ),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
