"""The singlestep solvers: against the released formulas, classical limits and reference flows."""

import functools
import math

import numpy as np
import pytest

from theorytk.diffusion.execution import sample
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.plans import Eval, Lin
from theorytk.diffusion.reference import reference_trajectory
from theorytk.diffusion.samplers.multistep import ddim
from theorytk.diffusion.samplers.singlestep import fast_orders, singlestep
from theorytk.diffusion.schedules import EDM, VPLinear
from theorytk.diffusion.targets import three_modes

VP = VPLinear()


def released_step(model, schedule, x, s, t, order, output, variant, r1, r2=None):
    """Take one step of the released DPM-Solver code, written out for numbers."""
    data = output == "data"
    sign = -1 if data else 1
    lam_s, h = schedule.lam(s), schedule.lam(t) - schedule.lam(s)
    kept = schedule.sigma if data else schedule.alpha

    def gain(at):
        return -schedule.alpha(at) if data else -schedule.sigma(at)

    def decay(at):
        return kept(at) / kept(s) * x

    phi_1 = math.expm1(sign * h)
    phi_2 = phi_1 / h - sign
    m = model(x, s)
    s1 = schedule.t_of_lam(lam_s + r1 * h)
    m1 = model(decay(s1) + gain(s1) * math.expm1(sign * r1 * h) * m, s1)
    base = decay(t) + gain(t) * phi_1 * m
    if order == 2:
        weight = 0.5 * phi_1 if variant == "published" else sign * phi_2
        return base + gain(t) * weight / r1 * (m1 - m)
    s2 = schedule.t_of_lam(lam_s + r2 * h)
    phi_12 = math.expm1(sign * r2 * h)
    phi_22 = phi_12 / (r2 * h) - sign
    u2 = decay(s2) + gain(s2) * (phi_12 * m + sign * r2 / r1 * phi_22 * (m1 - m))
    m2 = model(u2, s2)
    if variant == "published":
        return base + gain(t) * sign * phi_2 / r2 * (m2 - m)
    d10, d11 = (m1 - m) / r1, (m2 - m) / r2
    d1 = (r2 * d10 - r1 * d11) / (r2 - r1)
    d2 = 2 * (d11 - d10) / (r2 - r1)
    return base + gain(t) * (sign * phi_2 * d1 + (phi_2 / h - 0.5) * d2)


def curved(schedule, output):
    """Return a smooth noise prediction and the same model's prediction of `output`."""

    def noise(x, t):
        return np.tanh(x + t) + 0.2 * x

    def data(x, t):
        return (x - schedule.sigma(t) * noise(x, t)) / schedule.alpha(t)

    return noise, noise if output == "noise" else data


@pytest.mark.parametrize("variant", ["published", "taylor"])
@pytest.mark.parametrize("output", ["noise", "data"])
@pytest.mark.parametrize(("order", "ratios"), [(2, (0.5,)), (2, (0.8,)), (3, (1 / 3, 2 / 3))])
def test_steps_of_the_released_code(order, ratios, output, variant):
    x = np.array([[0.7, -1.2]])
    noise, wanted = curved(VP, output)
    given = dict(zip(("r1", "r2"), ratios, strict=False))
    plan = singlestep(VP, [0.8, 0.4, 0.1], orders=order, output=output, variant=variant, **given)
    expected = x
    for s, t in ((0.8, 0.4), (0.4, 0.1)):
        expected = released_step(wanted, VP, expected, s, t, order, output, variant, *ratios)
    result = sample(plan, noise, x)
    assert result.x == pytest.approx(expected, rel=1e-11)
    assert result.n_evaluations == 2 * order


def test_inner_times_of_the_grid_set_the_ratios():
    times = time_grid(VP, "uniform", 6, t_max=0.9, t_min=0.1)
    orders = fast_orders(6, 3)
    assert orders == (3, 2, 1)
    plan = singlestep(VP, times, orders=orders)
    assert plan.times == pytest.approx(times[[0, 3, 5, 6]], rel=1e-15)
    assert [s.t for s in plan.instructions if isinstance(s, Eval)] == times[:-1].tolist()
    lam = VP.lam(times)
    noise, wanted = curved(VP, "noise")
    x = np.array([[0.7, -1.2]])
    first = (lam[1:3] - lam[0]) / (lam[3] - lam[0])
    expected = released_step(wanted, VP, x, times[0], times[3], 3, "noise", "published", *first)
    r1 = (lam[4] - lam[3]) / (lam[5] - lam[3])
    expected = released_step(wanted, VP, expected, times[3], times[5], 2, "noise", "published", r1)
    last = VP.alpha(times[6]) / VP.alpha(times[5])
    expected = last * expected - VP.sigma(times[6]) * math.expm1(lam[6] - lam[5]) * noise(
        expected, times[5]
    )
    assert sample(plan, noise, x).x == pytest.approx(expected, rel=1e-11)


def test_order_one_is_ddim():
    times = time_grid(VP, "logsnr", 4)
    steps = [s for s in singlestep(VP, times, orders=1).instructions if isinstance(s, Lin)]
    assert steps == [s for s in ddim(VP, times, output="noise").instructions if isinstance(s, Lin)]


def test_small_steps_are_runge_kutta():
    """The third order becomes Heun's tableau of 1/3 and 2/3, weights (1/4, 0, 3/4)."""
    schedule = EDM()
    times = [1.0, math.exp(-1e-7)]
    stages = [
        {r: c for c, r in s.terms}
        for s in singlestep(schedule, times, orders=3, output="data").instructions
        if isinstance(s, Lin)
    ]
    weights = [{r: c / 1e-7 for r, c in s.items() if r[0] == "m"} for s in stages]
    assert weights[0] == pytest.approx({"m0": 1 / 3}, rel=1e-6)
    assert weights[1] == pytest.approx({"m0": 0, "m0_1": 2 / 3}, rel=1e-6, abs=1e-6)
    assert weights[2] == pytest.approx({"m0": 1 / 4, "m0_2": 3 / 4}, rel=1e-6)


@functools.cache
def reference():
    """Return 64 points and where the flow takes them."""
    x = VP.sigma(0.6) * np.random.default_rng(0).normal(size=(64, 2))
    return x, reference_trajectory(three_modes(), VP, x, [0.6, 0.1]).states[-1]


def observed_slope(make_plan, kind, counts):
    x, exact = reference()
    errors = []
    for n in counts:
        plan = make_plan(time_grid(VP, kind, n, t_max=0.6, t_min=0.1))
        errors.append(np.sqrt(np.mean((sample(plan, three_modes().model(VP), x).x - exact) ** 2)))
    return math.log2(errors[0] / errors[1])


@pytest.mark.parametrize("variant", ["published", "taylor"])
@pytest.mark.parametrize("output", ["noise", "data"])
@pytest.mark.parametrize("order", [2, 3])
def test_observed_orders(order, output, variant):
    def make_plan(times):
        return singlestep(VP, times, orders=order, output=output, variant=variant)

    assert observed_slope(make_plan, "logsnr", (48, 96)) == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize("order", [2, 3])
def test_observed_orders_with_inner_times_of_an_uneven_grid(order):
    def make_plan(times):
        return singlestep(VP, times, orders=(order,) * ((len(times) - 1) // order))

    assert observed_slope(make_plan, "uniform", (96, 192)) == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("n", range(1, 20))
def test_fast_orders_spend_the_budget(n, order):
    orders = fast_orders(n, order)
    assert sum(orders) == n
    assert max(orders) <= order
    assert list(orders) == sorted(orders, reverse=True)
    # The released code takes n // 3 + 1 steps.
    assert order < 3 or len(orders) == n // 3 + 1
    assert order != 2 or len(orders) == (n + 1) // 2


def test_bad_input():
    times = [0.9, 0.5, 0.1]
    with pytest.raises(ValueError, match="orders must be an integer >= 1 and <= 3; got 4"):
        singlestep(VP, times, orders=4)
    with pytest.raises(ValueError, match=r"len\(orders\) \+ 1 = 4 or sum\(orders\) \+ 1 = 7"):
        singlestep(VP, times, orders=[3, 2, 1])
    with pytest.raises(ValueError, match="variant must be one of 'published', 'taylor'"):
        singlestep(VP, times, orders=2, variant="consistent")
    with pytest.raises(ValueError, match="output must be one of"):
        singlestep(VP, times, orders=2, output="score")
    with pytest.raises(ValueError, match="r1 must be a number > 0 and <= 1; got 0"):
        singlestep(VP, times, orders=2, r1=0)
    with pytest.raises(ValueError, match=r"r2 must be a number > 0\.5 and <= 1; got 0\.4"):
        singlestep(VP, times, orders=3, r1=0.5, r2=0.4)
    with pytest.raises(ValueError, match="r1 and r2 must be None"):
        singlestep(VP, times, orders=[2], r1=0.5)
    with pytest.raises(ValueError, match="increase the half log signal-to-noise ratio"):
        singlestep(VP, times, orders=2, r1=1e-300)
    with pytest.raises(ValueError, match="order must be an integer >= 1 and <= 3; got 0"):
        fast_orders(4, 0)
    with pytest.raises(ValueError, match="n_evaluations must be an integer >= 1; got 0"):
        fast_orders(0, 2)
