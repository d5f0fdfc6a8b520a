import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from theorytk.paths.interpolant_theory import (
    endpoint_velocity,
    euler_maruyama_moments,
    kl_bound,
    kl_bound_from_drift,
    kl_bound_from_mean_velocity,
    optimal_epsilon,
)
from theorytk.paths.interpolants import gamma_schedule, interpolant
from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant

TWO = GaussianMixture([0.4, 0.6], [[-1.0, 0.0], [2.0, 1.0]], [0.25, 0.5])
THREE = GaussianMixture([0.2, 0.3, 0.5], [[0.0, 3.0], [-2.0, 0.0], [1.0, 1.0]], [0.5, 0.33, 0.5])


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 3.0])
def test_bounds_from_losses_follow_from_the_drift(epsilon):
    # For errors c and e of b and s everywhere, E |c + epsilon e|^2 <= 2 c^2 + 2 epsilon^2 e^2 with
    # equality at c = epsilon e; an excess loss is half of a mean square error.
    for c, e in ((0.3, 0.4), (epsilon, 1.0), (-1.0, 0.2)):
        sharp = kl_bound_from_drift((c + epsilon * e) ** 2, epsilon)
        bound = kl_bound(c**2 / 2, e**2 / 2, epsilon)
        assert sharp <= bound * (1 + 1e-12)
        assert (sharp == pytest.approx(bound)) == (c == epsilon * e)
        assert kl_bound(c**2 / 2, e**2 / 2, epsilon, form="printed") == bound / 2
        # With b = v - gamma gamma' s, the error of v is c + gamma gamma' e.
        for slope in (-0.5, 0.0, 0.5):
            through_v = kl_bound_from_mean_velocity(
                (c + slope * e) ** 2 / 2, e**2 / 2, epsilon, abs(slope - epsilon)
            )
            assert sharp <= through_v * (1 + 1e-12)


def test_the_printed_bound_is_beaten_by_equal_errors():
    sharp = kl_bound_from_drift((1 + 0.5 * 2) ** 2, 0.5)
    assert kl_bound(0.5, 2.0, 0.5, form="printed") < sharp <= kl_bound(0.5, 2.0, 0.5)


@pytest.mark.parametrize(("b", "s"), [(0.1, 0.4), (2.0, 0.3)])
def test_the_optimal_diffusion(b, s):
    best = optimal_epsilon(b, s)
    found = minimize_scalar(lambda log: kl_bound(b, s, math.exp(log)), bracket=(-3, 3))
    assert best == pytest.approx(math.exp(found.x), rel=1e-6)
    assert kl_bound(b, s, best) == pytest.approx(2 * math.sqrt(b * s))


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize(
    "path",
    [
        interpolant("linear", gamma_schedule("brownian", a=2.0)),
        interpolant("linear", "quadratic"),
        interpolant("trigonometric"),
        interpolant("encoder-decoder"),
        interpolant("one-sided-linear"),
        interpolant("one-sided-trigonometric"),
    ],
    ids=lambda path: f"{path.name}, {path.gamma.name}",
)
def test_velocities_at_the_ends(path, end):
    rho0 = GaussianMixture([1.0], [[0.0, 0.0]], [1.0]) if path.one_sided else TWO
    flow = MixtureInterpolant(rho0, THREE, path)
    x = np.random.default_rng(0).standard_normal((10, 2))
    limit = endpoint_velocity(flow, end, x)
    inside = flow.velocity(abs(end - 1e-7), x)
    np.testing.assert_allclose(limit, inside, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(limit, flow.velocity(float(end), x), rtol=1e-10, atol=1e-10)


def test_brownian_noise_leaves_half_a_of_the_score():
    flows = [
        MixtureInterpolant(TWO, THREE, interpolant("linear", gamma))
        for gamma in ("none", gamma_schedule("brownian", a=3.0))
    ]
    x = np.random.default_rng(0).standard_normal((10, 2))
    for end, sign in ((0, -1), (1, 1)):
        plain, noisy = (endpoint_velocity(flow, end, x) for flow in flows)
        rho = (TWO, THREE)[end]
        np.testing.assert_allclose(noisy - plain, sign * 1.5 * rho.score(x), rtol=1e-12)


def test_moments_are_of_weak_order_one():
    rho0, rho1 = (GaussianMixture([1.0], [m], [v]) for m, v in ((0.0, 1.0), (2.0, 4.0)))
    fields = MixtureInterpolant(rho0, rho1, interpolant("linear")).velocity_and_score
    errors = np.array(
        [
            np.abs(
                np.subtract(
                    euler_maruyama_moments(fields, 0.0, 1.0, epsilon=1.0, n_steps=n), (2.0, 4.0)
                )
            )
            for n in (160, 320, 640)
        ]
    )
    np.testing.assert_allclose(np.log2(errors[:-1] / errors[1:])[:, 1], 1, atol=0.05)


def test_moments_go_backwards():
    rho0, rho1 = (GaussianMixture([1.0], [m], [v]) for m, v in ((1.0, 1.0), (2.0, 4.0)))
    fields = MixtureInterpolant(rho0, rho1, interpolant("linear")).velocity_and_score
    found = euler_maruyama_moments(
        fields, 2.0, 4.0, epsilon=lambda t: t, n_steps=1000, t_span=(1, 0)
    )
    np.testing.assert_allclose(found, (1.0, 1.0), atol=0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kl_bound(-1.0, 1.0, 1.0), "excess_velocity must be a number >= 0"),
        (lambda: kl_bound(1.0, -1.0, 1.0), "excess_score must be a number >= 0"),
        (lambda: kl_bound(1.0, 1.0, 0.0), "epsilon must be a number > 0"),
        (lambda: kl_bound(1.0, 1.0, 1.0, form="print"), "did you mean 'printed'"),
        (lambda: kl_bound_from_drift(-1.0, 1.0), "mean_square_error must be"),
        (
            lambda: kl_bound_from_mean_velocity(1.0, 1.0, 1.0, -1.0),
            "largest_gap must be a number >= 0",
        ),
        (lambda: optimal_epsilon(1.0, 0.0), "excess_score must be a number > 0"),
        (lambda: endpoint_velocity(None, 2, [[0.0]]), "end must be an integer >= 0 and <= 1"),
        (
            lambda: euler_maruyama_moments(None, 0.0, -1.0, epsilon=1.0, n_steps=1),
            "variance must be a number >= 0",
        ),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
