"""SDE solvers: printed formulas, the SDE itself in tiny steps, laws on Gaussians."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from theorytk.diffusion.execution import sample
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.mean_reverting import MeanReverting
from theorytk.diffusion.samplers.compile import SDE_METHODS, compile_plan
from theorytk.diffusion.samplers.stochastic import sde_multistep
from theorytk.diffusion.schedules import EDM, VPLinear
from theorytk.diffusion.sde_theory import expected_weak_order, first_order_variance_loss
from theorytk.diffusion.targets import GaussianTarget
from theorytk.diffusion.theory import propagate_gaussian

SCHEDULES = [VPLinear(), MeanReverting(), EDM()]
TIMES = np.array([0.9, 0.7, 0.55, 0.3, 0.12])


def printed_step(schedule, s, t, before, x, m, old, z, output):
    """Return the second-order step as printed; without an older output the first-order one."""
    ls, lt = float(schedule.lam(s)), float(schedule.lam(t))
    (a_s, a_t), (s_s, s_t) = schedule.alpha([s, t]), schedule.sigma([s, t])
    h, slope = lt - ls, 0.0
    if before is not None:
        slope = (m - old) * h / (ls - float(schedule.lam(before)))
    if output == "data":
        gain = a_t * (1 - math.exp(-2 * h)) * m
        gain = gain + a_t * (1 - (1 - math.exp(-2 * h)) / (2 * h)) * slope
        return s_t / s_s * math.exp(-h) * x + gain + s_t * math.sqrt(1 - math.exp(-2 * h)) * z
    gain = 2 * s_t * (math.exp(h) - 1) * m + 2 * s_t * ((math.exp(h) - 1) / h - 1) * slope
    return a_t / a_s * x - gain + s_t * math.sqrt(math.exp(2 * h) - 1) * z


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("output", ["data", "noise"])
@pytest.mark.parametrize("order", [1, 2])
def test_steps_are_the_printed_ones(schedule, output, order):
    rng = np.random.default_rng(0)
    target = GaussianTarget([0.3, -1.0], [0.2, 0.5])
    x, noise = rng.standard_normal((6, 2)), rng.standard_normal((4, 6, 2))
    plan = sde_multistep(schedule, TIMES, order=order, output=output)
    found = sample(plan, target.model(schedule), x, noise=list(noise)).x
    before, old = None, None
    for (s, t), z in zip(pairwise(TIMES), noise, strict=True):
        m = getattr(target, output)(x, float(schedule.alpha(s)), float(schedule.sigma(s)))
        x = printed_step(schedule, s, t, before if order == 2 else None, x, m, old, z, output)
        before, old = s, m
    np.testing.assert_allclose(found, x, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("method", SDE_METHODS)
def test_moments_of_the_reverse_sde_in_tiny_steps(method):
    """Euler-Maruyama's moment recursion in time, for drift and noise as the SDE has them."""
    schedule, v, start, end, n = VPLinear(), 0.3, 0.8, 0.2, 20_000
    mean, variance = 0.7, 2.0  # of the start: not the forward law's
    t, dt = start, (start - end) / n
    for _ in range(n):
        beta = 0.1 + 19.9 * t
        total = float(schedule.alpha(t)) ** 2 * v + float(schedule.sigma(t)) ** 2
        slope = beta * (0.5 - 1 / total)  # of the reverse drift, per time run backwards
        mean, variance, t = mean * (1 + slope * dt), variance * (1 + slope * dt) ** 2, t - dt
        variance += beta * dt
    target = GaussianTarget([0.0], v)
    plan = compile_plan(
        schedule, time_grid(schedule, "logsnr", 800, t_max=start, t_min=end), method, order=2
    )
    rng = np.random.default_rng(3)
    noise = [rng.standard_normal((1, 1)) for _ in range(800)]

    def run(x):
        return sample(plan, target.model(schedule), np.array([[x]]), noise=noise).x[0, 0]

    factor = run(1.0) - run(0.0)
    first = float(schedule.alpha(start)) ** 2 * v + float(schedule.sigma(start)) ** 2
    law = propagate_gaussian(plan, target).covariance[0, 0]
    assert 0.7 * factor == pytest.approx(mean, rel=1e-3)
    assert law + factor**2 * (2.0 - first) == pytest.approx(variance, rel=1e-3)


@pytest.mark.parametrize("output", ["data", "noise"])
@pytest.mark.parametrize("variant", ["consistent", "midpoint"])
@pytest.mark.parametrize("order", [2, 3, 4])
def test_weak_order_two_whatever_the_history(output, variant, order):
    schedule, target, errors = VPLinear(), GaussianTarget([0.4], 0.3), []
    for n in (256, 512):
        times = time_grid(schedule, "logsnr", n)
        plan = sde_multistep(schedule, times, order=order, output=output, variant=variant)
        law = propagate_gaussian(plan, target)
        level = float(schedule.alpha(times[-1])), float(schedule.sigma(times[-1]))
        errors.append(abs(law.covariance[0, 0] - target.moments(*level)[1][0, 0]))
        np.testing.assert_allclose(law.mean, target.moments(*level)[0], rtol=1e-12)
    assert np.log2(errors[0] / errors[1]) == pytest.approx(expected_weak_order(order), abs=0.2)


@pytest.mark.parametrize("schedule", [VPLinear(), MeanReverting()])
@pytest.mark.parametrize("output", ["data", "noise"])
def test_first_order_loses_the_variance_of_the_law(schedule, output):
    times = time_grid(schedule, "logsnr", 300, t_max=0.8, t_min=0.2)
    variances = np.array([0.02, 0.5])
    plan = sde_multistep(schedule, times, order=1, output=output)
    target = GaussianTarget([0.0, 0.0], variances)
    kept = np.diag(propagate_gaussian(plan, target).covariance)
    exact = float(schedule.alpha(0.2)) ** 2 * variances + float(schedule.sigma(0.2)) ** 2
    h = float(np.diff(schedule.lam(times))[0])
    law = first_order_variance_loss(schedule, 0.8, 0.2, variances, output=output)
    np.testing.assert_allclose((1 - kept / exact) / h, law, rtol=0.02, atol=0.005)


def test_last_step_of_lower_order_and_warning():
    plan = sde_multistep(VPLinear(), TIMES, order=2, lower_order_final=True)
    assert [len(step.terms) for step in plan.instructions[2::3]] == [3, 4, 4, 3]
    with pytest.warns(UserWarning, match="4 steps never reach order 5"):
        sde_multistep(VPLinear(), TIMES, order=5)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="order must be an integer >= 1"):
        sde_multistep(VPLinear(), TIMES, order=0)
    with pytest.raises(ValueError, match="output must be one of"):
        sde_multistep(VPLinear(), TIMES, order=1, output="velocity")
    with pytest.raises(ValueError, match="variant must be one of"):
        sde_multistep(VPLinear(), TIMES, order=2, variant="published")
    with pytest.raises(ValueError, match="time grid must decrease"):
        sde_multistep(VPLinear(), TIMES[::-1], order=1)
    with pytest.raises(TypeError, match="'sde_dpm' needs the option 'order'"):
        compile_plan(VPLinear(), TIMES, "sde_dpm")
    with pytest.raises(ValueError, match="variance must be > 0"):
        first_order_variance_loss(VPLinear(), 0.8, 0.2, [0.0])
    with pytest.raises(ValueError, match="order must be"):
        expected_weak_order(0)
