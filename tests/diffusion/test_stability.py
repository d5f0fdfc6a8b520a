"""Stability: against roots by eigenvalues, contour integrals and runs that explode or not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from theorytk.diffusion.execution import sample
from theorytk.diffusion.frozen_rates import (
    frozen_rate_growth,
    frozen_rate_limit,
    frozen_rate_root_limit,
    momentum_rate_limit,
    multistep_rate_limit,
)
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.models import Model
from theorytk.diffusion.plans import Eval, Lin, Noise, Plan
from theorytk.diffusion.samplers import compile_plan
from theorytk.diffusion.samplers.momentum import MOMENTUM_METHODS
from theorytk.diffusion.schedules import VESchedule
from theorytk.diffusion.stability import (
    STABILITY_METHODS,
    LinearMultistep,
    boundary_locus,
    characteristic,
    heavy_ball_ellipse,
    is_stable,
    momentum_lag,
    real_limit,
    real_stability_limit,
    stability_area,
)

CASES = [(m, r, b) for m in STABILITY_METHODS for r in (1, 2, 3, 4) for b in (1.0, 0.8, 0.35)]


def radii(method, z):
    rho, sigma = np.array(method.rho), np.array(method.sigma)
    return np.array([np.abs(np.roots(rho - v * sigma)).max() for v in z])


@pytest.mark.parametrize(("method", "order", "damping"), CASES)
def test_schur_cohn_agrees_with_the_roots(method, order, damping):
    rng = np.random.default_rng(order)
    polynomials = characteristic(method, order, damping)
    reach = -real_limit(method, order, damping)
    z = reach * (-rng.uniform(-0.2, 1.2, 200) + 1j * rng.uniform(-1, 1, 200))
    exact = radii(polynomials, z)
    clear = np.abs(exact - 1) > 1e-9
    np.testing.assert_array_equal(is_stable(polynomials, z)[clear], exact[clear] < 1)


@pytest.mark.parametrize(("method", "order", "damping"), CASES)
def test_real_limits(method, order, damping):
    law = real_limit(method, order, damping)
    polynomials = characteristic(method, order, damping)
    assert real_stability_limit(polynomials) == pytest.approx(law, rel=1e-10)
    inside = radii(polynomials, law * np.linspace(0.001, 0.999, 50))
    assert inside.max() < 1 < radii(polynomials, [1.001 * law])[0]
    assert boundary_locus(polynomials, math.pi) == pytest.approx(law)


@pytest.mark.parametrize("method", MOMENTUM_METHODS)
def test_polynomials_annihilate_runs_of_the_plan(method):
    # Equal steps in rho with alpha = 1: sigma falls from 1 by h, and eps = kappa x.
    kappa, h, n = -1.7 + 0.4j, 0.02, 30
    schedule = VESchedule(0.01, 1.0)
    times = schedule.t_of_lam(-np.log(1 - h * np.arange(n + 1)))
    plan = compile_plan(schedule, times, method, order=3, damping=0.6)
    rotation = np.array([[kappa.real, kappa.imag], [-kappa.imag, kappa.real]])
    run = sample(plan, Model(lambda x, t: x @ rotation), np.array([[1.0, 0.0]]), record=True)
    y = np.array([x[0, 0] + 1j * x[0, 1] for x in run.states])
    rho, sigma = characteristic(method, 3, 0.6)
    recurrence = np.array(rho) + h * kappa * np.array(sigma)  # the step in rho is -h
    residuals = [recurrence @ y[i - len(rho) + 1 : i + 1][::-1] for i in range(12, n)]
    assert np.abs(residuals).max() < 1e-13


@pytest.mark.parametrize("damping", [1.0, 0.8, 0.3])
def test_ellipse_of_heavy_ball(damping):
    ellipse = heavy_ball_ellipse(damping)
    method = characteristic("hb", 1, damping)
    z = boundary_locus(method, np.linspace(0, 2 * math.pi, 40))
    on = ((z.real - ellipse.centre) / ellipse.real_axis) ** 2 + z.imag**2
    np.testing.assert_allclose(on, 1, rtol=1e-12)
    assert stability_area(method) == pytest.approx(math.pi * (2 - damping) / damping, rel=1e-3)


@pytest.mark.parametrize(("name", "damping"), [("ab", 1.0), ("hb", 0.8), ("ghvb", 0.8)])
def test_areas_by_green_for_two_terms(name, damping):
    method = characteristic(name, 2, damping)
    z = boundary_locus(method, np.linspace(0, 2 * math.pi, 20_001))
    green = abs(np.sum(np.imag(np.conj(z[:-1]) * z[1:]))) / 2
    assert stability_area(method) == pytest.approx(green, rel=1e-3)


def test_limits_of_other_methods():
    backward_euler = LinearMultistep((1.0, -1.0), (1.0, 0.0))
    assert real_stability_limit(backward_euler) == -math.inf
    leapfrog = LinearMultistep((1.0, 0.0, -1.0), (0.0, 2.0, 0.0))
    assert real_stability_limit(leapfrog) == 0.0


@pytest.mark.parametrize("method", ["hb", "nesterov"])
def test_lag(method):
    rho, sigma = (np.array(p) for p in characteristic(method, 3, 0.7))
    # On y' = 1, y = t: the mean output at a root near 1, xi = exp(s), is AB - lag s + O(s^2).
    s = 1e-5
    root, ab = np.exp(s), characteristic("ab", 3)
    mean = np.polyval(sigma, root) / np.polyval(rho, root)
    exact = np.polyval(ab.sigma, root) / np.polyval(ab.rho, root)
    assert (1 - mean / exact) / s == pytest.approx(momentum_lag(method, 0.7), rel=1e-3)
    assert momentum_lag("ghvb", 0.7) == 0


RATES = [
    ("ddim", {}),
    ("dpm_2m", {}),
    ("dpmpp_2m", {}),
    ("dpm_3m", {"variant": "published"}),
    ("dpmpp_3m", {}),
    ("deis_rhoab2", {}),
    ("ipndm", {}),
    ("hb", {"order": 3}),
    ("ghvb", {"order": 3}),
    ("nesterov", {}),
    ("unipc", {"order": 3}),
    ("heun", {}),
    ("dpm_3s", {}),
]


@pytest.mark.parametrize(("method", "options"), RATES)
def test_growth_is_that_of_long_runs(method, options):
    h, n = 0.6, 150
    schedule = VESchedule(math.exp(-n * h), 1.0)
    kappa = 1.3 + 0.9j
    rotation = np.array([[kappa.real, kappa.imag], [-kappa.imag, kappa.real]])
    model = Model(lambda x, t: x @ rotation / float(schedule.sigma(t)))
    plan = compile_plan(schedule, time_grid(schedule, "logsnr", n), method, **options)
    states = sample(plan, model, np.array([[1.0, 0.5]]), record=True).states
    size = np.log([np.linalg.norm(x) for x in states])
    seen = (size[140] - size[60]) / 80
    assert seen == pytest.approx(np.log(frozen_rate_growth(method, h, kappa, **options)), abs=0.02)


@pytest.mark.parametrize("h", [0.02, 0.3, 1.2, 3.0])
def test_multistep_limits(h):
    for output, prefix in (("noise", "dpm"), ("data", "dpmpp")):
        for order, variant in ((2, "consistent"), (3, "consistent"), (3, "published")):
            law = multistep_rate_limit(h, order=order, output=output, variant=variant)
            found = frozen_rate_root_limit(f"{prefix}_{order}m", h, variant=variant)
            assert found == pytest.approx(law, rel=1e-10)
        law = multistep_rate_limit(h, order=2, output=output, variant="midpoint")
        assert law == pytest.approx(frozen_rate_limit(f"{prefix}_2m", h), rel=1e-12)
        assert multistep_rate_limit(h, order=1, output=output) == pytest.approx(
            frozen_rate_limit("ddim", h)
        )


@pytest.mark.parametrize("h", [0.02, 0.3, 1.2, 3.0])
@pytest.mark.parametrize("damping", [1.0, 0.8, 0.3])
def test_momentum_limits(h, damping):
    for method in MOMENTUM_METHODS:
        for order in (1, 2, 3, 4):
            settings = dict(order=order, damping=damping)
            found = frozen_rate_root_limit(method, h, **settings)
            assert found == pytest.approx(momentum_rate_limit(method, h, **settings), rel=1e-10)


def test_small_steps_give_the_limits_of_the_test_equation():
    h = 1e-5
    for method, order, damping in CASES:
        rate = momentum_rate_limit(method, h, order=order, damping=damping)
        assert h * rate == pytest.approx(-real_limit(method, order, damping), rel=1e-4)


def test_complex_rates_of_ddim_fill_a_disc():
    q, rng = math.exp(-0.7), np.random.default_rng(0)
    kappa = rng.uniform(-1, 5, 300) + 1j * rng.uniform(-3, 3, 300)
    growth = frozen_rate_growth("ddim", 0.7, kappa)
    np.testing.assert_allclose(growth, np.abs(1 - (1 - q) * kappa), rtol=1e-12)


def noisy(schedule, times):
    steps = []
    for i, t in enumerate(times[:-1]):
        terms = ((1.0, f"x{i}"), (0.1, f"m{i}"), (0.1, f"z{i}"))
        steps += [Eval(f"m{i}", f"x{i}", float(t)), Noise(f"z{i}"), Lin(f"x{i + 1}", terms)]
    return Plan("noisy", schedule, times, tuple(steps), ("x0",), f"x{len(times) - 1}")


def alternating(schedule, times):
    plan = compile_plan(schedule, times, "dpm_2m")
    steps = [
        Lin(s.target, s.terms[:2]) if isinstance(s, Lin) and int(s.target[1:]) % 2 else s
        for s in plan.instructions
    ]
    return Plan("alternating", schedule, times, tuple(steps), plan.inputs, plan.output)


def test_bad_input():
    with pytest.raises(ValueError, match="must draw no noise"):
        frozen_rate_growth(noisy, 1.0, 1.0)
    with pytest.raises(ValueError, match="steps must be alike"):
        frozen_rate_growth(alternating, 1.0, 1.0)
    with pytest.raises(ValueError, match="kappa must be finite"):
        frozen_rate_growth("ddim", 1.0, [np.inf])
    with pytest.raises(ValueError, match="h must be"):
        frozen_rate_root_limit("ddim", 0.0)
    with pytest.raises(ValueError, match="sampler must be one of"):
        frozen_rate_growth("ddmi", 1.0, 1.0)
    with pytest.raises(ValueError, match="two polynomials of one length"):
        is_stable(LinearMultistep((1.0, -1.0), (1.0,)), 0.0)
    with pytest.raises(ValueError, match="z must be finite"):
        is_stable(characteristic("ab", 2), [np.nan])
    with pytest.raises(ValueError, match="order must be"):
        real_limit("ab", 5)
    with pytest.raises(ValueError, match="damping must be"):
        momentum_rate_limit("hb", 1.0, order=2, damping=1.5)
    with pytest.raises(ValueError, match="output must be"):
        multistep_rate_limit(1.0, order=2, output="score")
