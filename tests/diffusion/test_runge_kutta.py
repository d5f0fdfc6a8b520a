from itertools import pairwise

import numpy as np
import pytest

from theorytk.diffusion.execution import sample
from theorytk.diffusion.samplers import TABLEAUX, rho_runge_kutta
from theorytk.diffusion.schedules import EDM, VPLinear

ORDERS = {
    "euler": 1,
    "heun": 2,
    "kutta3": 3,
    "ralston3": 3,
    "heun3": 3,
    "houwen3": 3,
    "ssprk3": 3,
    "rk4": 4,
}


def noise(x, t):
    """A noise prediction that is defined for t > 0 only."""
    return np.sin(x) / (1 + t) + np.log(t) / 10


@pytest.mark.parametrize("name", TABLEAUX)
def test_tableaux_fulfil_the_order_conditions_of_their_order_and_no_more(name):
    table = TABLEAUX[name]
    s = len(table.weights)
    a = np.zeros((s, s))
    for j, row in enumerate(table.stages, 1):
        assert len(row) == j
        a[j, :j] = row
    b, c = np.array(table.weights), a.sum(axis=1)
    conditions = [  # one per rooted tree: value, wanted, order
        (b.sum(), 1, 1),
        (b @ c, 1 / 2, 2),
        (b @ c**2, 1 / 3, 3),
        (b @ a @ c, 1 / 6, 3),
        (b @ c**3, 1 / 4, 4),
        (b @ (c * (a @ c)), 1 / 8, 4),
        (b @ a @ c**2, 1 / 12, 4),
        (b @ a @ a @ c, 1 / 24, 4),
        (b @ c**4, 1 / 5, 5),
        (b @ a @ a @ a @ c, 1 / 120, 5),
    ]
    order = ORDERS[name]
    for value, wanted, degree in conditions:
        if degree <= order:
            assert value == pytest.approx(wanted, rel=1e-14)
    assert any(abs(v - w) > 1e-3 for v, w, degree in conditions if degree == order + 1)


def edm_heun(x, sigmas):
    """Algorithm 1 of Karras et al. (2022) without churn."""
    for now, then in pairwise(sigmas):
        slope = noise(x, now)
        euler = x + (then - now) * slope
        x = euler if then == 0 else x + (then - now) * (slope + noise(euler, then)) / 2
    return x


@pytest.mark.parametrize("output", ["noise", "data"])
def test_heun_is_the_sampler_of_edm_and_ends_at_zero_noise(output):
    sigmas = np.array([80.0, 30.0, 8.0, 1.0, 0.1, 0.0])
    x = np.random.default_rng(1).normal(size=(5, 2)) * 80
    plan = rho_runge_kutta(EDM(), sigmas, tableau="heun", output=output)
    assert plan.n_evaluations == 2 * 5 - 1
    np.testing.assert_allclose(sample(plan, noise, x).x, edm_heun(x, sigmas), rtol=1e-11)
    positive = rho_runge_kutta(EDM(), sigmas[:-1], tableau="heun", output=output)
    assert positive.n_evaluations == 2 * 4
    np.testing.assert_allclose(sample(positive, noise, x).x, edm_heun(x, sigmas[:-1]), rtol=1e-11)


@pytest.mark.parametrize("name", TABLEAUX)
def test_noise_and_data_prediction_agree(name):
    times = np.array([0.8, 0.5, 0.3, 0.1])
    x = np.random.default_rng(2).normal(size=(5, 2))
    by_noise, by_data = (
        sample(rho_runge_kutta(VPLinear(), times, tableau=name, output=output), noise, x).x
        for output in ("noise", "data")
    )
    np.testing.assert_allclose(by_noise, by_data, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", TABLEAUX)
def test_stages_integrate_a_polynomial_in_rho_of_the_order(name):
    schedule, order = VPLinear(), ORDERS[name]
    times = np.array([0.8, 0.5, 0.3])
    rho, alpha = schedule.rho(times), schedule.alpha(times)
    plan = rho_runge_kutta(schedule, times, tableau=name)
    result = sample(
        plan, lambda x, t: order * schedule.rho(t) ** (order - 1) + 0 * x, np.zeros((1, 1))
    )
    exact = alpha[-1] * (rho[-1] ** order - rho[0] ** order)
    assert result.x[0, 0] == pytest.approx(exact, rel=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match=r"tableau must be one of .*; did you mean 'kutta3'"):
        rho_runge_kutta(EDM(), [2.0, 1.0], tableau="kuta3")
    with pytest.raises(ValueError, match="output must be one of 'noise', 'data'; got 'velocity'"):
        rho_runge_kutta(EDM(), [2.0, 1.0], tableau="heun", output="velocity")
    with pytest.raises(ValueError, match="time grid must decrease"):
        rho_runge_kutta(EDM(), [1.0, 1.0], tableau="heun")
