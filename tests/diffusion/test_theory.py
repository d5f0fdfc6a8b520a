"""Laws of samplers: against runs of the samplers, characteristic roots and linear solves."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.optimize import brentq

from theorytk.diffusion.execution import sample
from theorytk.diffusion.frozen_rates import FROZEN_RATE_METHODS, frozen_rate_limit
from theorytk.diffusion.metrics import gaussian_kl, gaussian_w2
from theorytk.diffusion.plans import Eval, Lin, Noise, Plan
from theorytk.diffusion.samplers import METHODS, compile_plan
from theorytk.diffusion.schedules import EDM, VPLinear
from theorytk.diffusion.targets import GaussianTarget, three_modes
from theorytk.diffusion.theory import (
    FIXED_ORDERS,
    adams_bashforth_weights,
    ddim_factor,
    expected_order,
    flow_factor,
    propagate_gaussian,
)

TARGET = GaussianTarget([1.0, -2.0], [[0.5, 0.2], [0.2, 0.3]])
TIMES = np.array([0.9, 0.6, 0.4, 0.2, 0.1, 0.05])


@pytest.mark.parametrize("order", range(1, 7))
def test_adams_bashforth_integrates_polynomials(order):
    weights = adams_bashforth_weights(order)
    for p in range(order):
        moment = sum(w * (-k) ** p for k, w in enumerate(weights))
        assert moment == pytest.approx(1 / (p + 1), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("schedule", [VPLinear(), EDM()])
def test_factors_against_the_flow_and_the_sampler(schedule):
    v = 0.37
    target, x = GaussianTarget([0.0], v), np.array([[1.0]])
    exact = target.flow(x, schedule, 0.9, 0.2)
    np.testing.assert_allclose(flow_factor(schedule, 0.9, 0.2, [v]), exact[0], rtol=1e-13)
    plan = compile_plan(schedule, [0.9, 0.2], "ddim")
    result = sample(plan, target.model(schedule), x).x
    np.testing.assert_allclose(ddim_factor(schedule, 0.9, 0.2, [v]), result[0], rtol=1e-12)


def empirical(plan, start):
    """Return the moments of the plan's result from its values at a basis: it is affine."""
    schedule = plan.schedule
    points = np.concatenate([np.zeros((1, 2)), np.eye(2)])
    states = [TARGET.flow(points, schedule, plan.times[0], t) for t in plan.times]
    inputs = points if len(plan.inputs) == 1 else states[: len(plan.inputs)]
    result = sample(plan, TARGET.model(schedule), inputs).x
    offset, matrix = result[0], (result[1:] - result[0]).T
    alpha, sigma = float(schedule.alpha(plan.times[0])), float(schedule.sigma(plan.times[0]))
    mean, cov = TARGET.moments(alpha, sigma)
    if start == "prior":
        mean, cov = 0 * mean, sigma**2 * np.eye(2)
    return offset + matrix @ mean, matrix @ cov @ matrix.T


@pytest.mark.parametrize("start", ["exact", "prior"])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("ddim", {}),
        ("dpmpp_3m", {"bootstrap": 2}),
        ("dpm_3s", {}),
        ("unipc", {"order": 3}),
        ("deis_rhork_rk4", {}),
    ],
)
def test_propagation_against_the_map_of_a_basis(method, options, start):
    plan = compile_plan(VPLinear(), TIMES, method, **options)
    found = propagate_gaussian(plan, TARGET, start=start)
    mean, covariance = empirical(plan, start)
    np.testing.assert_allclose(found.mean, mean, atol=1e-12)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-12)


def test_propagation_of_noise():
    plan = Plan(
        "noisy",
        EDM(),
        np.array([2.0, 1.0]),
        (
            Noise("z"),
            Eval("m0", "x0", 2.0, "data"),
            Noise("w"),
            Lin("x1", ((0.5, "m0"), (2.0, "z"), (3.0, "w"), (1.0, "z"))),
        ),
        ("x0",),
        "x1",
    )
    found = propagate_gaussian(plan, GaussianTarget([4.0], 12.0))
    # m0 = 4 + 12 / 16 (x0 - 4), whose variance is 9; the noises add (2 + 1)^2 + 3^2.
    np.testing.assert_allclose(found.mean, [2.0])
    np.testing.assert_allclose(found.covariance, [[9 / 4 + 18]])


def test_errors_of_a_plan_on_a_gaussian_fall_at_its_order():
    schedule = VPLinear()
    law = TARGET.moments(float(schedule.alpha(0.05)), float(schedule.sigma(0.05)))
    kl, w2 = [], []
    for n in (100, 200):
        plan = compile_plan(schedule, schedule.t_of_lam(np.linspace(-4, 1.5, n + 1)), "ddim")
        found = propagate_gaussian(plan, TARGET)
        end = (float(schedule.alpha(plan.times[-1])), float(schedule.sigma(plan.times[-1])))
        law = TARGET.moments(*end)
        kl.append(gaussian_kl(*found, *law))
        w2.append(gaussian_w2(*found, *law))
    assert np.log2(kl[0] / kl[1]) == pytest.approx(2, abs=0.05)
    assert np.log2(w2[0] / w2[1]) == pytest.approx(1, abs=0.03)


def largest_root(method, h, kappa):
    """Return the spectral radius of a step of x, from the published update formulas."""
    e, q = np.exp(h), np.exp(-h)
    # On alpha = 1, sigma_s = 1: sigma_t = q, eps = kappa x / sigma and x_theta = (1 - kappa) x.
    if method == "ddim":
        return abs(1 - q * (e - 1) * kappa)
    if method == "dpm_2m":
        # x_t = x - sigma_t (e^h - 1) (3/2 eps_0 - 1/2 eps_1), with eps_1 at sigma = e^h.
        now, before = 1 - q * (e - 1) * 1.5 * kappa, q * (e - 1) * 0.5 * kappa / e
    else:
        # x_t = sigma_t / sigma_s x - (e^-h - 1) (3/2 m_0 - 1/2 m_1).
        now, before = q - (q - 1) * 1.5 * (1 - kappa), (q - 1) * 0.5 * (1 - kappa)
    return np.abs(np.roots([1.0, -now, -before])).max()


@pytest.mark.parametrize("method", FROZEN_RATE_METHODS)
@pytest.mark.parametrize("h", [0.05, 0.4, 1.2, 4.0])
def test_frozen_rate_limit_is_where_a_root_leaves_the_disc(method, h):
    limit = frozen_rate_limit(method, h)
    # Stable at every smaller rate, from 1 on; beyond, not.
    inside = [largest_root(method, h, kappa) for kappa in np.linspace(1.001, 0.999 * limit, 50)]
    assert max(inside) < 1
    radius = partial(largest_root, method, h)
    root = brentq(lambda k: radius(k) - 1, 0.99 * limit, 1.05 * limit, xtol=1e-13)
    assert limit == pytest.approx(root, rel=1e-9)


def test_frozen_rate_ratio():
    h = 0.7
    ratio = frozen_rate_limit("dpmpp_2m", h) / frozen_rate_limit("dpm_2m", h)
    assert ratio == pytest.approx((9 - np.exp(-2 * h)) / 8, rel=1e-13)


def test_every_method_but_the_fast_mix_has_an_order():
    momentum = {"ghvb", "hb", "nesterov"}
    known = {*FIXED_ORDERS, *momentum, "dpm_3m", "dpmpp_3m", "ipndm", "unip", "unipc"}
    assert known == {*METHODS} - {"dpm_fast"}
    assert expected_order("unip", order=3, lower_order_final=True) == 2
    assert expected_order("ipndm", order=1) == 1


def test_bad_input():
    with pytest.raises(ValueError, match="did you mean 'dpmpp_2"):
        expected_order("dpmpp_2n")
    with pytest.raises(TypeError, match="order must be an integer"):
        expected_order("unipc")
    with pytest.raises(ValueError, match="variant must be one of"):
        expected_order("dpm_3m", variant="midpoint")
    with pytest.raises(ValueError, match="order must be"):
        adams_bashforth_weights(0)
    with pytest.raises(ValueError, match="method must be one of"):
        frozen_rate_limit("unipc", 1.0)
    with pytest.raises(ValueError, match="h must be"):
        frozen_rate_limit("ddim", 0.0)
    plan = compile_plan(VPLinear(), TIMES, "ddim")
    with pytest.raises(TypeError, match="target must be a GaussianTarget"):
        propagate_gaussian(plan, three_modes())
    with pytest.raises(ValueError, match="start must be one of"):
        propagate_gaussian(plan, TARGET, start="normal")
